"""A plugin file to begin with."""

import re
from pathlib import Path

from axdesk.core.errors import NotFoundError, PluginError, UserInputError
from axdesk.core.resources import resource_path


def write_new_plugin(folder: Path, name: str) -> Path:
    """Write a commented plugin file that works as it is; return its path.

    Args:
        folder: Where; it must exist.
        name: Of the file, with or without `.py`: letters, digits and `_`, not led by `_` or a
            digit.

    Raises:
        UserInputError: If the name is not allowed, or there is such a file already.
        NotFoundError: If there is no such folder.
        PluginError: If it cannot be written.
    """
    stem = name.strip().removesuffix(".py")
    if not re.fullmatch(r"[^\W\d_]\w*", stem):
        raise UserInputError(
            f"{name!r} is no name for a plugin file.",
            "Use letters, digits and _, and begin with a letter, such as my_furnace.",
        )
    if not folder.is_dir():
        raise NotFoundError(f"The plugin folder {folder} does not exist.", "Choose another one.")
    taken = [file.name for file in folder.iterdir() if file.stem.lower() == stem.lower()]
    if taken:
        raise UserInputError(f"There is already a file {taken[0]}.", "Choose another name.")
    class_name = "".join(part[:1].upper() + part[1:] for part in stem.split("_"))
    text = resource_path("new_plugin", "example.py").read_text("utf-8")
    path = folder / f"{stem}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("Example", class_name))
    except OSError as error:
        raise PluginError(
            f"The plugin file {path} cannot be written: {error.strerror}.",
            "Choose a plugin folder of your own on the page General.",
        ) from error
    return path
