"""What the machine offers for injecting faults: its programs, and disks of our own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.cases import NotPossibleError


def needs(*programs: str) -> None:
    """Refuse where a program is missing, or this is no Linux.

    Raises:
        NotPossibleError: With what is missing.
    """
    if not sys.platform.startswith("linux"):
        raise NotPossibleError("needs Linux")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise NotPossibleError(f"needs {', '.join(missing)}")


class Disk:
    """A small disk in memory, which only programs started `under` it see.

    Attributes:
        folder: Where it is mounted.
        under: The words before a command that is to see it.
    """

    def __init__(self, folder: Path, under: tuple[str, ...]) -> None:
        self.folder = folder
        self.under = under

    def do(self, script: str) -> bool:
        """Run a shell script that sees the disk, in its folder; say whether it succeeded."""
        command = [*self.under, "sh", "-c", f"cd '{self.folder}' && {script}"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        """Leave no space."""
        self.do("cat /dev/zero > ballast")

    def empty(self) -> None:
        """Give the space back."""
        self.do("rm -f ballast")

    def copy_to(self, folder: Path) -> None:
        """Copy everything to where all see it."""
        if not self.do(f"cp -r . '{folder}'"):
            raise RuntimeError(f"could not copy what is on the disk {self.folder}")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """Mount a disk of that size in a name space of its own.

    Raises:
        NotPossibleError: If this user may not do so here.
    """
    needs("unshare", "nsenter", "mount")
    folder.mkdir()
    is_root = os.geteuid() == 0
    script = f"mount -t tmpfs -o size={size} none '{folder}' && echo ready && exec sleep 600"
    holder = subprocess.Popen(
        ["unshare", "-m" if is_root else "-rm", "sh", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"ready\n":
            raise NotPossibleError("this user may not mount a disk")
        user = [] if is_root else ["--preserve-credentials", "-U"]
        yield Disk(folder, ("nsenter", *user, "-m", "-t", str(holder.pid), "--"))
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
