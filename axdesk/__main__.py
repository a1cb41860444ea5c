"""Chooses a front door: the window, or with `--headless` the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from axdesk import __version__

_HELPERS = ("--plugin-host", "--command-wrapper")
"""What a frozen axdesk starts itself with; named here, for other starts need not load the api."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run axdesk; return its exit code.

    Args:
        arguments: Of the command line, without the program's name; None for the process's own.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if getattr(sys, "frozen", False):
        # The children of multiprocessing are this program, too, and go no further than here.
        from multiprocessing import freeze_support

        freeze_support()
        _forget_bundled_libraries()
    if given and given[0] in _HELPERS:
        from axdesk.api.helper_programs import run_helper

        if run_helper(given):
            return 0
    if "--headless" in given:
        given.remove("--headless")
        from axdesk.headless.main import main as run_headless

        return run_headless(given)
    return _open_window(_window_parser().parse_args(given))


def _forget_bundled_libraries() -> None:
    """Let programs that are started find the system's libraries, and not those of the bundle.

    PyInstaller's loader puts its own folder before them; this process has loaded its own by now.
    """
    if (former := os.environ.pop("LD_LIBRARY_PATH_ORIG", None)) is not None:
        os.environ["LD_LIBRARY_PATH"] = former
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)
    os.environ.pop("QML2_IMPORT_PATH", None)


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axdesk",
        description="Runs closed-loop laboratory experiments. Without --headless: in a window.",
        epilog="axdesk --headless --help tells how to run without a window.",
    )
    parser.add_argument("file", nargs="?", type=Path, help="experiment file to open as a draft")
    parser.add_argument("--headless", action="store_true", help="run without a window")
    parser.add_argument(
        "--database", type=Path, help="database file; default: in the user's data folder"
    )
    parser.add_argument(
        "--plugins", type=Path, help="folder of runners and metrics; default: the shipped ones"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="save a picture of the window once it is filled in, and end; to check an installation",
    )
    parser.add_argument("--version", action="version", version=f"axdesk {__version__}")
    return parser


def _open_window(options: argparse.Namespace) -> int:
    if not _has_screen():
        # Qt would abort the process without a word that helps.
        sys.stderr.write(
            "axdesk: there is no screen to show the window on. "
            "Run without one: axdesk --headless --help\n"
        )
        return 2
    from axdesk.gui.app import main as open_window

    return open_window(options.database, options.plugins, options.file, options.picture)


def _has_screen() -> bool:
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in names)


if __name__ == "__main__":
    sys.exit(main())
