"""Where the files that come with axdesk lie."""

from pathlib import Path


def resource_path(*parts: str) -> Path:
    """The path of a file or folder that comes with axdesk.

    An installed or frozen axdesk carries the resources inside the package; in a checkout they lie
    beside it.

    Args:
        parts: Path below the resources, such as `"plugins", "hartmann6.py"`. It may not exist.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "resources"
    root = inside if inside.is_dir() else package.parent / "resources"
    return root.joinpath(*parts)
