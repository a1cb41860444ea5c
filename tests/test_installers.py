"""What the installers are made from, as far as it can be checked without building one."""

import configparser
import re
import sys
from pathlib import Path

import pytest

from axdesk import __version__

ROOT = Path(__file__).resolve().parents[1]
INSTALLERS = ROOT / "packaging" / "installers"
sys.path.append(str(ROOT / "packaging"))

import bundle  # noqa: E402 - found from here on


def test_the_version_stands_in_one_place() -> None:
    assert bundle.version() == __version__
    written = [
        file.name
        for file in [
            *INSTALLERS.iterdir(),
            ROOT / "packaging" / "bundle.py",
            ROOT / "pyproject.toml",
        ]
        if re.search(rf"\b{re.escape(__version__)}\b", file.read_text("utf-8"))
    ]
    assert written == []


def test_what_laboratories_import_is_pinned() -> None:
    pins = {
        line.partition("==")[0]
        for file in (ROOT / "packaging" / "constraints.txt", bundle.BUNDLE_CONSTRAINTS)
        for line in file.read_text("utf-8").splitlines()
        if "==" in line
    }

    assert {*bundle.LABORATORY, "pyinstaller", "setuptools"} <= pins


def test_the_menu_entry_starts_the_program_with_a_file() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment]  # keys keep their case
    entry.read(INSTALLERS / "axdesk.desktop", "utf-8")
    said = dict(entry["Desktop Entry"])

    assert said["Exec"] == "axdesk %f"
    assert said["Terminal"] == "false"
    assert (ROOT / "resources" / f"{said['Icon']}.svg").is_file()


def test_the_package_says_how_large_it_is() -> None:
    template = (INSTALLERS / "debian-control.txt").read_text("utf-8")

    filled = template.format(version="1.2.3", kilobytes=4567)

    assert "Version: 1.2.3\n" in filled
    assert "Installed-Size: 4567\n" in filled
    assert all(
        line.startswith((" ", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for line in filled.splitlines()
    )


@pytest.mark.parametrize("size", [1, 10**9])
def test_sizes_are_told_and_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    folder, archive = tmp_path / "axdesk", tmp_path / "axdesk.tar.gz"
    folder.mkdir()
    (folder / "program").write_bytes(b"1")
    with archive.open("wb") as file:
        file.truncate(size)
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    monkeypatch.setattr(bundle, "FOLDER", folder)

    assert bundle.report([archive]) == (size == 1)
    assert "axdesk.tar.gz" in capsys.readouterr().out


def test_licences_name_the_terms_of_qt() -> None:
    told = (INSTALLERS / "LICENCES.txt").read_text("utf-8")

    assert "GNU Lesser General\nPublic License" in told
    assert "replace" in told
