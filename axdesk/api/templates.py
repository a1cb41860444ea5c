"""Templates: experiment files to start a new experiment from."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from axdesk.api.places import data_folder
from axdesk.core.names import file_stem
from axdesk.core.resources import resource_path


@dataclass(frozen=True, slots=True)
class Template:
    """An experiment file that new experiments start from.

    Attributes:
        title: What the experiment in it is called.
        description: What that says of itself; of a file that cannot be read, that it cannot.
        path: The file.
        is_own: Whether the operator made it; else it comes with axdesk.
    """

    title: str
    description: str
    path: Path
    is_own: bool


def default_template_folder() -> Path:
    """Return where the operator's own templates lie; it may not exist yet."""
    return data_folder() / "templates"


def list_templates(folder: Path) -> tuple[Template, ...]:
    """Return the templates that come with axdesk, then those of a folder, by title.

    A file that cannot be read is listed, too: opening it tells what is wrong.
    """
    shipped = sorted(resource_path("templates").glob("*.toml"))
    demo = resource_path("experiments", "hartmann6.toml")
    own = [_template(path, is_own=True) for path in sorted(folder.glob("*.toml"))]
    return (
        *(_template(path, is_own=False) for path in (*shipped, demo)),
        *sorted(own, key=lambda template: template.title.casefold()),
    )


def template_path(folder: Path, title: str) -> Path:
    """Return the file of the operator's template with this title, or one that is free for it."""
    known = {path: _template(path, is_own=True).title for path in sorted(folder.glob("*.toml"))}
    same = next((path for path, its_title in known.items() if its_title == title), None)
    stem = file_stem(title)
    numbered = (folder / f"{stem}_{number}.toml" for number in range(2, len(known) + 3))
    return same or next(path for path in (folder / f"{stem}.toml", *numbered) if path not in known)


def _template(path: Path, *, is_own: bool) -> Template:
    try:
        about = tomllib.loads(path.read_bytes().decode("utf-8-sig"))["experiment"]
        title, description = about["name"], about.get("description", "")
        if isinstance(title, str) and isinstance(description, str):
            return Template(title, description, path, is_own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no file, no text, no TOML, no such key, or no table
    return Template(path.stem, "This file cannot be read; open it to see why.", path, is_own)
