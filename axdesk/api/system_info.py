"""What axdesk runs on: versions, as the doctor tells them and a report of a problem holds them."""

import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from axdesk import __version__

PACKAGES = (
    "torch",
    "botorch",
    "gpytorch",
    "numpy",
    "scipy",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "rich",
    "PySide6-Essentials",
    "pyqtgraph",
)


def versions() -> Iterator[tuple[bool, str]]:
    """Give a line for each part, and whether it is there; nothing of it is imported."""
    yield True, f"axdesk {__version__}, Python {platform.python_version()} ({sys.executable})"
    yield True, f"{platform.platform()}, SQLite {sqlite3.sqlite_version}"
    for name in PACKAGES:
        try:
            yield True, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield False, f"{name} is not installed"


def system_info() -> str:
    """Return all of it as a text."""
    return "\n".join(line for _, line in versions())
