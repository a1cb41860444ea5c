"""Writing a file so that it is there whole, or as it was before."""

import os
from pathlib import Path

from axdesk.core.errors import UserInputError


def replace_file(path: Path, text: str) -> None:
    """Write `text` as UTF-8 and put it in the place of `path`.

    Raises:
        UserInputError: If the file cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserInputError(
            f"The file {path} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error
