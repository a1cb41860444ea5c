"""Names are labels: any free text that can stand between backticks on one line."""

from axdesk.core.errors import UserInputError
from axdesk.core.texts import shown

_LONGEST_STEM = 80
_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789"),
}
"""What Windows takes for a device, whatever follows the first dot."""


def checked_name(name: object, what: str) -> str:
    """Return `name` if it can be a label.

    Args:
        name: Free text such as `Yield (%)`, `µ flow` or `lambda`.
        what: The kind of thing that is named, for the message: "parameter".

    Raises:
        UserInputError: If it is no text, empty, starts or ends with a blank, or holds a backtick
            or a control character.
    """
    if not isinstance(name, str):
        raise UserInputError(f"The name of the {what} must be text, not {shown(name)}.")
    if not name.strip():
        raise UserInputError(f"The {what} needs a name.", "Enter any text, such as Yield (%).")
    if name != name.strip():
        raise UserInputError(
            f"The name {name!r} of the {what} starts or ends with a blank.", "Remove it."
        )
    if "`" in name or not name.isprintable():
        raise UserInputError(
            f"The name {name!r} of the {what} holds a backtick, a line break or another character "
            "that cannot be shown.",
            "Use other characters.",
        )
    return name


def file_stem(name: str) -> str:
    """Return a name as part of a file's name that any file system takes."""
    kept = "".join(c if c.isalnum() or c in "-_ ." else "_" for c in name).strip(" .")
    kept = kept.replace(" ", "_")[:_LONGEST_STEM]
    return f"{kept}_" if kept.partition(".")[0].upper() in _DEVICES else kept or "experiment"


def first_duplicate(names: tuple[str, ...]) -> str | None:
    """Return the first name that occurs twice, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
