"""The command that goes on with an experiment without a window, as a shell reads it."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_PLAIN = re.compile(r"[\w.:\\/+=@-]+")


def program() -> tuple[str, ...]:
    """The words that start axdesk in a terminal; a path where the mere name starts no, or another.

    Looks at files, and starts nothing.
    """
    here = Path(sys.executable)
    if getattr(sys, "frozen", False):
        # On Windows the windowed program has no output; the other one lies beside it.
        console = here.with_name(f"axdesk-cli{here.suffix}")
        return (str(console if console.exists() else here),)
    script = here.with_name(f"axdesk{here.suffix}")
    if not script.exists():
        return (str(here), "-m", "axdesk")
    on_path = shutil.which("axdesk")
    is_ours = on_path is not None and Path(on_path).resolve() == script.resolve()
    return ("axdesk",) if is_ours else (str(script),)


def headless_command(name: str, options: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """Return the command that goes on with the experiment of that name.

    Args:
        name: The experiment's, any text.
        options: Further words, such as `--database` and its file.
        windows: Whether it is for Windows' command prompt, else for a POSIX shell.
    """
    named = ("--", name) if name.startswith("-") else (name,)
    # What begins with a dash is a name only behind all options.
    words = [*program(), "--headless", "resume"]
    words += [*options, *named] if len(named) > 1 else [*named, *options]
    return " ".join(map(_for_windows, words)) if windows else shlex.join(words)


def _for_windows(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f'"{escaped}"'
