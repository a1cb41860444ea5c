"""The environment for work on a checkout: `.venv` with pinned packages, and what Qt needs."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
IN_VENV = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")
PYTHON = VENV / IN_VENV
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "axdesk-setup.stamp"

# What Qt opens at run time on Linux, with the Debian package that holds it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
TEST_TOOLS = {"Xvfb": "xvfb", "strace": "strace", "xdotool": "xdotool", "faketime": "faketime"}


def say(text: str) -> None:
    """Print at once, so that the order with the output of child processes is kept."""
    print(text, flush=True)


def fingerprint(pyproject: str, constraints: str) -> str:
    """Digest what decides which packages are installed; other tools' settings do not count."""
    import tomllib

    tables = tomllib.loads(pyproject)
    relevant = {
        "build-system": tables["build-system"],
        "project": tables["project"],
        "setuptools": tables["tool"]["setuptools"],
        "constraints": constraints,
        "root": str(ROOT),
    }
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


def make_environment(venv: Path, python: Path) -> None:
    """Create a virtual environment unless there is one whose Python runs.

    Raises:
        SystemExit: If Python cannot make virtual environments; the message says what to install.
    """
    if python.exists():
        probe = subprocess.run([python, "-c", "import pip"], capture_output=True, check=False)
        if probe.returncode == 0:
            return
        say(f"{venv} does not work; making it anew.")
    say(f"Making the environment {venv} with Python {sys.version.split()[0]}.")
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    if subprocess.run(command, check=False).returncode == 0:
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    provide_system_packages([f"python{version}-venv"], purpose="making an environment")
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(f"Could not make {venv}: `{' '.join(command)}` failed; see above.")


def install(python: Path, *requests: Sequence[str], constraints: Sequence[Path]) -> None:
    """Let an environment's pip install each request, one after the other.

    Raises:
        SystemExit: If pip fails; its own output stands above.
    """
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    for file in constraints:
        pip += ["-c", str(file)]
    for request in requests:
        command = [*pip, *request]
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"Set-up stopped: `{' '.join(command)}` failed; see above.")


def install_packages() -> None:
    """Install axdesk, editable, with the pinned packages; at once when the stamp matches.

    Raises:
        SystemExit: If pip fails; its own output stands above.
    """
    wanted = fingerprint(
        (ROOT / "pyproject.toml").read_text("utf-8"), CONSTRAINTS.read_text("utf-8")
    )
    if PYTHON.exists() and STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return
    make_environment(VENV, PYTHON)
    say(f"Installing axdesk and the packages of {CONSTRAINTS.relative_to(ROOT)}.")
    # Without build isolation the pinned setuptools builds, and a repeated set-up needs no network.
    editable = ["--no-build-isolation", "--editable", f"{ROOT}[dev]"]
    install(PYTHON, ["setuptools"], editable, constraints=[CONSTRAINTS])
    STAMP.write_text(wanted, "utf-8")


def is_loadable(library: str) -> bool:
    """Say whether the dynamic linker finds the library and all that it needs."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font() -> bool:
    """Say whether there is any font: without one Qt draws boxes in place of letters."""
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob("*.[to]t[fc]"), None) for folder in folders)


def missing_packages(
    wanted: Mapping[str, str], *, is_present: Callable[[str], object]
) -> dict[str, str]:
    """Return those entries of `wanted` (library or program → package) that are not present."""
    return {name: package for name, package in wanted.items() if not is_present(name)}


def apt_prefix() -> list[str] | None:
    """Return what goes before ``apt-get`` so that it asks nothing, None if it may not install."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    probe = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if probe.returncode == 0 else None


def by_hand(packages: Iterable[str], purpose: str) -> str:
    """Tell the reader the one command that installs what is missing."""
    return (
        f"Missing for {purpose}; on Debian or Ubuntu install it with:\n"
        f"    sudo apt-get install {' '.join(packages)}\n"
        "and elsewhere install the packages that correspond to these."
    )


def provide_system_packages(packages: Sequence[str], *, purpose: str) -> None:
    """Install Debian packages if that needs no password, else print the command."""
    prefix = apt_prefix()
    if prefix is None:
        say(by_hand(packages, purpose))
        return
    say(f"Installing for {purpose}: {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    for command in (
        [*apt, "update"],
        [*apt, "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            say(by_hand(packages, purpose))
            return


def prepare_window() -> None:
    """See to the system libraries and the font that Qt needs on Linux."""
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(QT_LIBRARIES, is_present=is_loadable)
    if not has_font():
        packages["a font"] = "fonts-dejavu-core"
    if packages:
        say(f"The window lacks {', '.join(packages)}.")
        provide_system_packages(sorted(set(packages.values())), purpose="the window")


def prepare_test_tools() -> None:
    """See to the programs without which some tests on Linux skip, with the reason."""
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(TEST_TOOLS, is_present=shutil.which)
    if packages:
        provide_system_packages(sorted(packages.values()), purpose="the tests")
