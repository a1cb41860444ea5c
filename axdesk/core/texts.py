"""Values and errors of other people's code as text that can be shown and stored."""

import traceback

_LONGEST = 300


def shown(value: object) -> str:
    """Return the value as code shows it, shortened; never raises, whatever the value's `repr`."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  # anybody's own `__repr__`
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return _shortened(" ".join(text.split()))


def reason_of(error: BaseException) -> str:
    """Return `ValueError: no vial in the rack` on one line."""
    lines = list(traceback.TracebackException.from_exception(error).format_exception_only())
    text = " ".join(lines[-1].split())
    # Where the class stands tells an operator nothing: `axdesk_plugins.p3_reader.NoVial: …`.
    head, colon, tail = text.partition(":")
    return _shortened(f"{head.rpartition('.')[2]}{colon}{tail}")


def storable(text: str) -> str:
    """Return the text as it can be stored and sent."""
    # File names and what is pasted may hold lone surrogates, which no file or database takes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _shortened(text: str) -> str:
    text = storable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
