"""The pictures of the README: each is there and shows something, and a sample is drawn anew."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from axdesk.core.clock import SystemClock
from tests.gui import pictures
from tests.gui.picture_lab import MAIN, NOW, STORIES, time_of

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
MOST_BYTES = 1_500_000

pytestmark = pytest.mark.timeout(240)


def shades(file: Path) -> int:
    """How many colours a picture has; of one that shows nothing it is one."""
    image = QImage(str(file))
    assert not image.isNull(), file
    width, height = image.width(), image.height()
    points = ((x, y) for x in range(0, width, 3) for y in range(0, height, 3))
    return len({image.pixel(x, y) for x, y in points})


def test_the_readme_names_each_picture_and_no_other() -> None:
    named = re.findall(r"\]\(resources/pictures/([\w-]+)\.png\)", README)

    assert sorted(named) == sorted(pictures.NAMES)
    assert {file.stem for file in pictures.FOLDER.glob("*.png")} == set(pictures.NAMES)


@pytest.mark.parametrize("name", pictures.NAMES)
def test_a_picture_shows_something(name: str) -> None:
    file = pictures.FOLDER / f"{name}.png"

    assert QImage(str(file)).size().toTuple() == pictures.SIZE
    assert shades(file) > 50


def test_the_pictures_are_small() -> None:
    assert sum(file.stat().st_size for file in pictures.FOLDER.iterdir()) < MOST_BYTES


def test_a_sample_is_drawn_from_the_program(qapp: QApplication, tmp_path: Path) -> None:
    [story] = [story for story in STORIES if story.setup.name == MAIN]
    short = replace(story, began=story.began + timedelta(hours=3), cut_after=timedelta(minutes=95))

    files = pictures.draw(
        ("start-page", "interrupted", "window"),
        tmp_path / "new",
        steps=("start_page", "interrupted", "monitor"),
        stories=(short,),
    )

    assert [file.stem for file in files] == ["start-page", "interrupted", "window"]
    for file in files:
        assert QImage(str(file)).size().toTuple() == pictures.SIZE
        assert shades(file) > 50
        assert file.stat().st_size < MOST_BYTES / len(pictures.NAMES)


def test_time_is_the_computers_again_afterwards() -> None:
    with time_of(NOW):
        assert SystemClock().now() == NOW

    assert SystemClock().now() != NOW


def test_a_palette_keeps_what_is_rare(tmp_path: Path) -> None:
    # A sweep of 400 greys leaves room for the one red point.
    image = QImage(400, 40, QImage.Format.Format_RGB32)
    for x in range(400):
        for y in range(40):
            image.setPixelColor(x, y, QColor.fromRgbF(x / 400, x / 400, 0.5 + x / 800))
    image.setPixelColor(7, 7, QColor("#c8102e"))

    pictures.save_small(image, tmp_path / "small.png")

    kept = QImage(str(tmp_path / "small.png"))
    assert kept.format() is QImage.Format.Format_Indexed8
    assert kept.pixelColor(7, 7).name() == "#c8102e"
    assert all(abs(kept.pixelColor(x, 20).red() - x * 255 // 400) < 16 for x in range(400))


def test_an_unknown_picture_is_refused_by_name(capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        pictures.main(["sunset"])

    assert "no such picture: sunset; there are: start-page" in capsys.readouterr().err
