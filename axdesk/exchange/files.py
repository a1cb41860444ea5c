"""Writing a file so that it is there whole, or as it was before."""

import os
from contextlib import suppress
from pathlib import Path

from axdesk.core.errors import UserInputError


def replace_file(path: Path, content: str | bytes) -> None:
    """Write text as UTF-8, or bytes as they are, and put them in the place of `path`.

    Raises:
        UserInputError: If the file cannot be written there.
    """
    if not path.name or "\0" in str(path):
        raise UserInputError(f"“{path}” is no name of a file.", "Give one, such as lab.json.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):  # nor can it be removed where its name is too long
            unfinished.unlink()
        raise UserInputError(
            f"The file {path} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error
