"""Reading files that other programs wrote as text."""

from pathlib import Path

from axdesk.core.errors import UserInputError

MOST_BYTES = 5_000_000
"""No table of parameters is as large; a larger file was chosen by mistake."""

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text(path: Path) -> str:
    """Return what a text file says, by its byte order mark, as UTF-8, or as older Windows has it.

    It blocks; not for the GUI thread.

    Raises:
        UserInputError: If it cannot be read, is too large or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserInputError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MOST_BYTES:
        raise UserInputError(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.")
    mark = next((name for start, name in _MARKS.items() if content.startswith(start)), "utf-8")
    for encoding in (mark, "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UserInputError(
        f"{path.name} is no text.", "Save the table as CSV, or copy its cells and paste them."
    )
