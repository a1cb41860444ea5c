"""The pictures of the README, of the real window on a real database; written as small PNG files.

`python -m tests.gui.pictures [--into FOLDER] [NAME …]` draws all of them, or those named.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton

from axdesk.api.workspace import Workspace
from axdesk.core.commands import EnterResult, SetNote
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.gui.main_window import MainWindow
from axdesk.gui.session import ExperimentSession
from axdesk.gui.style import theme_manager
from axdesk.gui.views.dry_test_dialog import DryTestDialog
from axdesk.gui.views.import_dialog import ImportDialog
from axdesk.gui.views.interrupted_dialog import InterruptedDialog
from axdesk.gui.workbench import Workbench
from tests.e2e.window_driver import until
from tests.gui.picture_lab import MAIN, NOW, STORIES, Moment, Story, coupling, fill, time_of

FOLDER = Path(__file__).parents[2] / "resources" / "pictures"
SIZE = (1440, 900)
MOST_COLORS, FREQUENT_COLORS = 256, 160
KIND_OF_COLOR = 0xE0E0E0
SECONDS = re.compile(r"\d+\.\d+ s\b")
DAYS_FILE = """Temperature [°C];Time;Catalyst;Solvent;Ausbeute;Impurity;Bemerkung
{rows}"""


# ---- from the window to a file -------------------------------------------------------------------


def photograph(window: MainWindow) -> QImage:
    """Draw the window, and what stands over it."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    picture = window.grab()
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            _draw_over(picture, window, dialog)
    return picture.toImage()


def _draw_over(picture: QPixmap, window: MainWindow, dialog: QDialog) -> None:
    """Draw a dialog where it stands, with a shadow; over a dimmed window if it is modal."""
    frameless = bool(dialog.windowFlags() & Qt.WindowType.FramelessWindowHint)
    place = QPoint(
        (window.width() - dialog.width()) // 2, max(24, (window.height() - dialog.height()) // 3)
    )
    if frameless:
        place = window.mapFromGlobal(dialog.pos())
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if not frameless:
        painter.fillRect(picture.rect(), QColor(0, 0, 0, 90))
    painter.setPen(Qt.PenStyle.NoPen)
    for reach in range(16, 0, -2):
        painter.setBrush(QColor(0, 0, 0, 7))
        shadow = QRect(place, dialog.size()).adjusted(-reach, -reach // 2, reach, reach)
        painter.drawRoundedRect(shadow, 12, 12)
    painter.drawPixmap(place, dialog.grab())
    painter.end()


def save_small(image: QImage, file: Path) -> None:
    """Write a picture as PNG with a palette of its most frequent colours.

    Raises:
        OSError: If it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    small = image.convertToFormat(QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_Indexed8, palette_of(image), Qt.ImageConversionFlag.AvoidDither
    )
    if not small.save(str(file), quality=0):
        raise OSError(f"The picture {file} cannot be written.")


def palette_of(image: QImage) -> list[int]:
    """The colours that stand for all of a picture, as 0xffrrggbb; at most 256.

    These are the most frequent ones, and one of each kind that is not among them.
    """
    shades = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(shades.constBits(), np.uint32) & 0xFFFFFF
    colors, counts = np.unique(pixels, return_counts=True)
    frequent = colors[np.argsort(-counts, kind="stable")].tolist()
    kept = frequent[:FREQUENT_COLORS]
    kinds = {color & KIND_OF_COLOR for color in kept}
    for color in frequent[FREQUENT_COLORS:]:
        if color & KIND_OF_COLOR not in kinds and len(kept) < MOST_COLORS:
            kinds.add(color & KIND_OF_COLOR)
            kept.append(color)
    return [0xFF000000 | color for color in kept]


# ---- the operator --------------------------------------------------------------------------------


class Photographer:
    """Works the window, and draws it at the moments that the README shows."""

    def __init__(self, window: MainWindow, folder: Path, moment: Moment, wanted: Sequence[str]):
        self.window = window
        self.workbench: Workbench = window._workbench
        self.folder = folder
        self.moment = moment
        self.wanted = wanted
        self.pictures: dict[str, QImage] = {}

    @property
    def session(self) -> ExperimentSession:
        session = self.workbench.current
        assert session is not None
        return session

    def take(self, name: str) -> None:
        """Draw the window as it is, if that picture is wanted."""
        if name in self.wanted:
            self.window.statusBar().clearMessage()
            self.pictures[name] = photograph(self.window)

    def open(self, name: str) -> None:
        """Open an experiment."""
        number = next(s.id for s in self.workbench.experiments.summaries if s.name == name)
        self.workbench.open(number)
        until(
            lambda: self.workbench.current is not None and self.session.id == number,
            f"{name} to be open",
        )
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being read for the session shown."""
        until(
            lambda: (
                self.session.draft_model.catalogue is not None
                and not self.session.draft_model.is_reading_plugins
            ),
            "the plugins to be read",
        )
        QTest.qWait(300)

    def press(self, name: str) -> None:
        """Press a button once it can be pressed."""

        def buttons() -> list[QPushButton]:
            found = self.window.findChildren(QPushButton, name)
            return [b for b in found if b.isVisible() and b.isEnabled()]

        until(lambda: bool(buttons()), f"{name} to be ready")
        buttons()[0].click()

    def dialog(self, kind: type[Any]) -> Any:
        """Wait for a dialog, and return it."""

        def shown() -> list[Any]:
            return [d for d in self.window.findChildren(kind) if d.isVisible()]

        until(lambda: bool(shown()), kind.__name__)
        return shown()[0]

    def close_dialogs(self) -> None:
        """Close whatever stands over the window."""
        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    # the pictures, in the order in which they are taken

    def start_page(self) -> None:
        """What axdesk begins with."""
        until(lambda: bool(self.workbench.experiments.summaries), "the list of experiments")
        QTest.qWait(300)
        self.take("start-page")

    def set_up(self) -> None:
        """A new experiment, up to its review."""
        self.workbench.new(draft_of(coupling("Suzuki coupling D", trials=30)))
        until(lambda: self.workbench.current is not None, "a new draft")
        self.settle()
        view = self.window.pages.setup_views[self.session.id]
        for section, name in (
            (Section.PARAMETERS, "setup-parameters"),
            (Section.OBJECTIVES, "setup-objectives"),
        ):
            view.show_section(section)
            QTest.qWait(300)
            self.take(name)
        view.show_section(Section.RUNNER)
        self._test()
        self.take("setup-runner")
        view.show_section(Section.RUN)
        view.show_review()
        until(lambda: self.session.preflight.model.report is not None, "the review")
        QTest.qWait(500)
        self.take("setup-review")

    def _test(self) -> None:
        testing = self.session.dry_testing
        testing.prepare()
        self.dialog(DryTestDialog)
        self.press("dialog.dry_test.test")
        until(lambda: testing.model.test is not None and not testing.is_going, "the dry test")
        test = testing.model.test
        assert test is not None
        until(lambda: testing.model.passed is not None, "the dry test to have passed")
        until(lambda: not testing.model.refusal, "the cell to be free")
        # How long the calls took differs each time.
        steps = tuple(
            replace(step, seconds=0.4, text=SECONDS.sub("0.2 s", step.text)) for step in test.steps
        )
        testing.model.show(test=replace(test, steps=steps))
        QTest.qWait(300)

    def interrupted(self) -> None:
        """What is asked after the computer went off amid a run; then the run goes on."""
        self.open(MAIN)
        dialog = self.dialog(InterruptedDialog)
        self.press("dialog.interrupted.check_all")
        until(lambda: not dialog._waiting, "the runner's answers")
        self.take("interrupted")
        self.press("dialog.interrupted.resume")
        until(lambda: self.session.state is RunState.RUNNING, "the run to go on")
        until(lambda: bool(self.session.optimiser_ready), "the optimiser")
        self.window.actions_by_name["view.monitor"].trigger()
        QTest.qWait(500)

    def monitor(self) -> None:
        """The run, light and dark, with the palette over it."""
        done = [t.index for t in self.session.facts.trials if t.status is TrialStatus.COMPLETED]
        self._command(SetNote(done[-1], "Slight foaming above 90 °C."))
        self.window.inspection.go_to(done[-1])
        QTest.qWait(300)
        self.take("window")
        theme_manager().choose("dark")
        QTest.qWait(300)
        self.take("monitor-dark")
        theme_manager().choose("light")
        self.window.actions_by_name["tools.command_palette"].trigger()
        field = self.window.findChild(QLineEdit, "dialog.palette.input")
        assert field is not None
        QTest.keyClicks(field, "trial")
        self.take("palette")
        self.close_dialogs()

    def corrected(self) -> None:
        """A result that was corrected during the run, with both values in the history."""
        best = self.session.facts.best
        assert best is not None
        impurity = best.latest("Impurity")
        assert impurity is not None
        before = best.latest("Yield")
        assert before is not None
        self._command(
            EnterResult(
                best.index,
                {"Yield": (round(before.mean - 1.3, 1), 0.5), "Impurity": (impurity.mean, 0.04)},
                note="Integrated by hand: a shoulder was counted",
            )
        )
        self.window.inspection.go_to(best.index)
        QTest.qWait(600)
        self.take("corrected")

    def import_dialog(self) -> None:
        """A table of an instrument, with a decimal comma and two bad lines."""
        rows = []
        for number in range(40):
            value = "n/a" if number in (2, 30) else f"{41 + number / 1.7:.1f}".replace(".", ",")
            heat = f"{58 + number * 1.5:.1f}".replace(".", ",")
            rows.append(f"{heat};{20 + number};0,5;DMF;{value};1,{10 + number};")
        file = self.folder / "Messreihe März.csv"
        file.write_bytes(DAYS_FILE.format(rows="\r\n".join(rows)).encode("cp1252"))
        self.window.trial_import.import_path(file)
        dialog = self.dialog(ImportDialog)
        until(lambda: not dialog.summary.text().endswith("…"), "the file to be read")
        column = dialog._rows[4].use
        use = ColumnUse(ColumnRole.MEAN, "Yield")
        column.setCurrentIndex(next(i for i in range(column.count()) if column.itemData(i) == use))
        column.activated.emit(column.currentIndex())
        until(lambda: not dialog.summary.text().endswith("…"), "the plan")
        QTest.qWait(200)
        self.take("import")
        self.close_dialogs()

    def needs_attention(self) -> None:
        """A reactor that does not answer."""
        pending = self.session.facts.pending[0]
        job = (pending.metadata or {})["job"]
        self.moment.set(NOW.replace(minute=7))
        (self.folder / "plugins" / f"unplugged_{job}").touch()
        until(lambda: bool(self.session.facts.questions), "a question")
        self.window.docks.show("attention")
        self.window.attention_view.show_first()
        self.window._let_time_go_on()
        QTest.qWait(500)
        self.take("needs-attention")
        self.session.stop_now()
        until(lambda: not self.workbench.live_sessions, "the run to stop")

    def two_objectives(self) -> None:
        """The best trade-offs between yield and cost."""
        self.open("Suzuki coupling C")
        self.window.actions_by_name["view.monitor"].trigger()
        QTest.qWait(500)
        self.take("two-objectives")

    def _command(self, command: Any) -> None:
        told: list[object] = []
        self.session.submit(command, told.append)
        until(lambda: bool(told), f"{type(command).__name__} to be carried out")


PICTURES = {
    "start_page": ("start-page",),
    "set_up": ("setup-parameters", "setup-objectives", "setup-runner", "setup-review"),
    "interrupted": ("interrupted",),
    "monitor": ("window", "monitor-dark", "palette"),
    "corrected": ("corrected",),
    "import_dialog": ("import",),
    "needs_attention": ("needs-attention",),
    "two_objectives": ("two-objectives",),
}
"""What the photographer does, in order, and the pictures of it."""
NAMES = tuple(name for names in PICTURES.values() for name in names)


@contextmanager
def laboratory(
    folder: Path, stories: Sequence[Story] = STORIES
) -> Iterator[tuple[MainWindow, Moment]]:
    """Show the window on the database of the pictures, at the moment that they show."""
    disk = shutil.disk_usage(folder.parent)._replace(free=212_000_000_000)
    with time_of(NOW) as moment, patch("shutil.disk_usage", return_value=disk):
        database = fill(folder, moment, stories)
        workbench = Workbench(lambda _: opened(database, folder / "plugins"))
        window = MainWindow(workbench)
        window.resize(*SIZE)
        chosen = theme_manager().choice
        theme_manager().choose("light")
        window.show()
        window.activateWindow()
        workbench.begin()
        until(lambda: workbench.database is not None, "the database")
        try:
            yield window, moment
        finally:
            close(window)
            theme_manager().choose(chosen)


def opened(database: Path, plugins: Path) -> Workspace:
    """Open the database; its plugins are trusted."""
    workspace = Workspace(database, plugins)
    workspace.trust.trust_for_now(plugins)
    return workspace


def close(window: MainWindow) -> None:
    """Stop what runs, and close the window."""
    workbench = window._workbench
    for dialog in window.findChildren(QDialog):
        dialog.close()
    for session in workbench.live_sessions:
        session.stop_now()
    until(lambda: not workbench.live_sessions, "the run to stop")
    window.close()
    until(lambda: workbench.io.isFinished() and workbench.plugin_io.isFinished(), "the end")
    window.deleteLater()


def draw(
    names: Sequence[str],
    into: Path,
    *,
    steps: Sequence[str] = tuple(PICTURES),
    stories: Sequence[Story] = STORIES,
) -> list[Path]:
    """Draw pictures of the window into a folder; return their files.

    Args:
        names: Which; see `NAMES`.
        into: The folder.
        steps: What the photographer does for them, in order; later steps build upon earlier ones.
        stories: What the database has.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder, "lab")
        with laboratory(place, stories) as (window, moment):
            photographer = Photographer(window, place, moment, names)
            for step in steps:
                getattr(photographer, step)()
    files = []
    for name, image in photographer.pictures.items():
        files.append(into / f"{name}.png")
        save_small(image, files[-1])
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures that are named, or all; return the exit status."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder; %(default)s")
    options = parser.parse_args(arguments)
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"no such picture: {' '.join(unknown)}; there are: {' '.join(NAMES)}")
    application = QApplication.instance() or QApplication(["axdesk"])
    for file in draw(options.names or NAMES, options.into):
        sys.stdout.write(f"{file}: {file.stat().st_size / 1000:.0f} kB\n")
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
