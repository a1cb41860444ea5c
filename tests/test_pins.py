"""Guards for the version ranges of pyproject.toml: each fails when its reason is back."""

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from pytestqt.qtbot import QtBot

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
DEVELOPMENT = [Requirement(text) for text in PROJECT["optional-dependencies"]["dev"]]
PINS = dict(
    line.split("==")
    for line in (ROOT / "packaging" / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)


def test_setting_text_in_qt_loses_no_reference_to_none(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QLabel

    label = QLabel()
    qtbot.addWidget(label)
    label.setText("warm up")
    before = sys.getrefcount(None)

    for _ in range(1000):
        label.setText("reading")

    # PySide6 6.12.0 loses one with every call; what else happens in 1,000 calls is a handful.
    assert sys.getrefcount(None) > before - 100


@pytest.mark.parametrize("requirement", RUNTIME + DEVELOPMENT, ids=lambda item: item.name)
def test_installed_version_is_the_pinned_one_and_within_its_range(requirement: Requirement) -> None:
    pin = PINS[re.sub(r"[-_.]+", "-", requirement.name).lower()]

    installed = Version(version(requirement.name))

    assert installed.public == pin
    assert installed in requirement.specifier


@pytest.mark.parametrize(
    ("package", "refused"),
    [("PySide6-Essentials", "6.12.0"), ("scipy", "1.18.0"), ("botorch", "0.19.0")],
)
def test_range_keeps_out_the_version_that_was_measured_to_fail(package: str, refused: str) -> None:
    requirement = next(item for item in RUNTIME if item.name == package)

    assert Version(refused) not in requirement.specifier


def test_constraints_pin_exact_public_versions() -> None:
    # A build tag such as +cpu would be refused wherever that build is not offered.
    tagged = {name: pin for name, pin in PINS.items() if Version(pin).public != pin}

    assert not tagged
