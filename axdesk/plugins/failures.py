"""What the laboratory's code raised, as text: the exception itself keeps its frames alive."""

import traceback
from pathlib import Path

_OWN_FOLDER = str(Path(__file__).parent)
_LONGEST = 300
_LONGEST_DETAILS = 20_000


def shown(value: object) -> str:
    """Return the value as code shows it, shortened; never raises, whatever the value's `repr`."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  # the laboratory's own `__repr__`
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return _shortened(text)


def reason_of(error: BaseException) -> str:
    """Return `ValueError: no vial in the rack` on one line."""
    lines = list(traceback.TracebackException.from_exception(error).format_exception_only())
    text = " ".join(lines[-1].split())
    # Where the class stands tells an operator nothing: `axdesk_plugins.p3_reader.NoVial: …`.
    head, colon, tail = text.partition(":")
    return _shortened(f"{head.rpartition('.')[2]}{colon}{tail}")


def traceback_of(error: BaseException) -> str:
    """Return the traceback from the first frame that is the laboratory's."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frames = frames.tb_next
    text = "".join(traceback.TracebackException(type(error), error, frames).format())
    # The end says what was raised, and where.
    return storable(text)[-_LONGEST_DETAILS:]


def storable(text: str) -> str:
    """Return the text as it can be stored and sent."""
    # File names in messages may hold lone surrogates, which no file or database takes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _shortened(text: str) -> str:
    text = storable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
