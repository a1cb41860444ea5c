"""Build the installers of this system: axdesk with its own Python, in one file.

The build has an environment of its own, `.bundle`, which the first use makes; what comes out lies
in `dist`. PyInstaller cannot build for another system than the one it runs on.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from environment import CONSTRAINTS, IN_VENV, ROOT, install, make_environment, say

ENVIRONMENT = ROOT / ".bundle"
PYTHON = ENVIRONMENT / IN_VENV
BUNDLE_CONSTRAINTS = ROOT / "packaging" / "bundle-constraints.txt"
INSTALLERS = ROOT / "packaging" / "installers"
BUILD = ROOT / "build" / "bundle"
DIST = ROOT / "dist"
FOLDER = DIST / "axdesk"
# What plugins of a laboratory use most; they go into the bundle for them.
LABORATORY = ("httpx", "openpyxl", "pandas", "pyserial", "pyvisa", "pyvisa-py", "requests")
MOST_UNPACKED, MOST_PACKED = 750e6, 260e6
DESCRIPTION = "Closed-loop laboratory experiments"


def version() -> str:
    """Return axdesk's version, from the one place where it stands."""
    text = (ROOT / "axdesk" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "axdesk/__init__.py says the version"
    return found[1]


def install_build_environment() -> None:
    """Make `.bundle`: what axdesk needs, what plugins may import, and PyInstaller; all pinned."""
    make_environment(ENVIRONMENT, PYTHON)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *LABORATORY, "pyinstaller", "setuptools"]
    install(PYTHON, wanted, constraints=[CONSTRAINTS, BUNDLE_CONSTRAINTS])


def commit_time() -> str:
    """Return the seconds of the last commit: what a reproducible build takes for the time."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "0"


def freeze() -> None:
    """Let PyInstaller make `dist/axdesk`.

    Raises:
        SystemExit: If it fails; its own output stands above.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    draw_icons()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": commit_time(), "PYTHONHASHSEED": "1"}
    command = [str(PYTHON), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(DIST), "--workpath", str(BUILD), str(INSTALLERS / "axdesk.spec")]
    if subprocess.run(command, env=environ, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit(f"The bundle was not built: `{' '.join(command)}` failed; see above.")
    strip_libraries()
    if os.name == "posix":
        other = FOLDER / "axdesk-cli"
        other.unlink(missing_ok=True)
        other.symlink_to("axdesk")


def strip_libraries() -> None:
    """Take the symbols from the libraries, a tenth of the bundle, where `strip` is there.

    Those in folders such as `numpy.libs` were patched when their wheels were made, and would not
    load any more.
    """
    if shutil.which("strip") is None or sys.platform == "win32":
        return
    flags = ["--strip-unneeded"] if sys.platform.startswith("linux") else ["-x"]
    for library in sorted((FOLDER / "_internal").rglob("*.so*")):
        if not library.is_symlink() and library.parent.suffix != ".libs":
            subprocess.run(["strip", *flags, str(library)], check=True)


def draw_icons() -> None:
    """Draw the program's icon in the forms that installers want."""
    program = (
        "import sys; from PySide6.QtGui import QGuiApplication, QIcon; "
        "app = QGuiApplication(sys.argv); icon = QIcon(sys.argv[1]); "
        "[icon.pixmap(256, 256).save(name) or sys.exit(1) for name in sys.argv[2:]]"
    )
    source = ROOT / "resources" / "axdesk.svg"
    targets = [str(BUILD / f"axdesk.{kind}") for kind in ("png", "ico")]
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([str(PYTHON), "-c", program, str(source), *targets], env=environ, check=True)


def collect_licences() -> int:
    """Gather the licences of what is bundled into `dist/axdesk/licences`; return how many."""
    target = FOLDER / "licences"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    count = 0
    for owner, file in [*licences_of_packages(), *licences_of_libraries()]:
        place = target / owner / file.name
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, place)
        count += 1
    shutil.copyfile(INSTALLERS / "LICENCES.txt", target / "README.txt")
    return count


def licences_of_packages() -> Iterator[tuple[str, Path]]:
    """Yield (package, file) for each licence in the build environment, and Python's own."""
    (site,) = ENVIRONMENT.rglob("site-packages")
    names = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
    for info in sorted(site.glob("*.dist-info")):
        for file in sorted(info.rglob("*")):
            if file.is_file() and names.search(file.relative_to(info).as_posix()):
                yield info.name.removesuffix(".dist-info"), file
    own = Path(sys.base_prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if (own / "LICENSE.txt").is_file():
        yield "Python", own / "LICENSE.txt"
    yield "icons", ROOT / "resources" / "icons" / "LICENSE"


def licences_of_libraries() -> Iterator[tuple[str, Path]]:
    """Yield (Debian package, file) for the copyright of each system library in the bundle."""
    if shutil.which("dpkg") is None:
        return
    seen = set()
    for library in sorted((FOLDER / "_internal").glob("lib*.so*")):
        said = subprocess.run(
            ["dpkg", "-S", f"*/{library.name}"], capture_output=True, text=True, check=False
        )
        for line in said.stdout.splitlines():
            package = line.partition(":")[0]
            copyright_file = Path("/usr/share/doc", package, "copyright")
            if package not in seen and copyright_file.is_file():
                seen.add(package)
                yield package, copyright_file


def unpacked_size() -> int:
    """Return the bytes of `dist/axdesk`."""
    files = (file for file in FOLDER.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_size for file in files)


def pack() -> list[Path]:
    """Make the files that are handed out, as far as this system can; return them."""
    if sys.platform == "win32":
        return pack_for_windows()
    if sys.platform == "darwin":
        return pack_for_macos()
    return [pack_archive(), *pack_for_debian()]


def pack_archive() -> Path:
    """Make the `.tar.gz`, which runs from wherever it is unpacked."""
    target = DIST / f"axdesk-{version()}-linux-x86_64.tar.gz"
    time = int(commit_time())

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = time
        return entry

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, time) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in [FOLDER, *sorted(FOLDER.rglob("*"))]:
            archive.add(name, str(name.relative_to(DIST)), recursive=False, filter=plain)
        for name in (INSTALLERS / "axdesk.desktop", BUILD / "axdesk.png"):
            archive.add(name, f"axdesk/{name.name}", recursive=False, filter=plain)
    return target


def pack_for_debian() -> list[Path]:
    """Make the `.deb`, where dpkg-deb is there."""
    if shutil.which("dpkg-deb") is None:
        say("No .deb: dpkg-deb is not installed (package dpkg-dev).")
        return []
    root = BUILD / "deb"
    shutil.rmtree(root, ignore_errors=True)
    places = {
        FOLDER: "opt/axdesk",
        INSTALLERS / "axdesk.desktop": "usr/share/applications/axdesk.desktop",
        BUILD / "axdesk.png": "usr/share/icons/hicolor/256x256/apps/axdesk.png",
        INSTALLERS / "LICENCES.txt": "usr/share/doc/axdesk/copyright",
    }
    for source, place in places.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, copy_function=os.link)
        else:
            shutil.copyfile(source, target)
    programs = root / "usr" / "bin"
    programs.mkdir()
    for name in ("axdesk", "axdesk-cli"):
        (programs / name).symlink_to(f"/opt/axdesk/{name}")
    control = (INSTALLERS / "debian-control.txt").read_text("utf-8")
    (root / "DEBIAN").mkdir()
    filled = control.format(version=version(), kilobytes=unpacked_size() // 1000)
    (root / "DEBIAN" / "control").write_text(filled, "utf-8")
    target = DIST / f"axdesk_{version()}_amd64.deb"
    environ = {**os.environ, "SOURCE_DATE_EPOCH": commit_time()}
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(root), str(target)]
    subprocess.run(command, env=environ, check=True)
    shutil.rmtree(root)
    return [target]


def pack_for_windows() -> list[Path]:
    """Make the installer, where Inno Setup is there."""
    compiler = shutil.which("iscc") or shutil.which("ISCC.exe")
    if compiler is None:
        say("No installer: Inno Setup's iscc is not on the path.")
        return []
    script = str(INSTALLERS / "axdesk.iss")
    subprocess.run([compiler, f"/DVersion={version()}", f"/DRoot={ROOT}", script], check=True)
    return [DIST / f"axdesk-{version()}-windows-x64-setup.exe"]


def pack_for_macos() -> list[Path]:
    """Make the disk image."""
    target = DIST / f"axdesk-{version()}-macos.dmg"
    subprocess.run(["sh", str(INSTALLERS / "dmg.sh"), str(DIST), str(target)], check=True)
    return [target]


def report(packed: list[Path]) -> bool:
    """Print the sizes beside the most that is allowed; say whether they keep to it."""
    sizes = [(FOLDER, unpacked_size(), MOST_UNPACKED)]
    sizes += [(file, file.stat().st_size, MOST_PACKED) for file in packed]
    for file, size, most in sizes:
        say(f"{file.relative_to(ROOT)}: {size / 1e6:.0f} MB (at most {most / 1e6:.0f})")
    return all(size <= most for _, size, most in sizes)


def build() -> bool:
    """Freeze and pack; say whether the sizes are within bounds."""
    install_build_environment()
    freeze()
    say(f"{collect_licences()} licences collected")
    return report(pack())
