"""An operator at the real window: sets the tutorial's experiment up, dies amid the run, resumes it.

As a program, `window_driver.py begin|resume FOLDER` opens the window on `FOLDER/lab.sqlite` and
`FOLDER/plugins` and works it by keys and clicks alone. `begin` ends in a kill; `resume` writes what
the finished window shows to the standard output, as JSON.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QWidget,
)

from axdesk.gui import app
from axdesk.gui.main_window import MainWindow

W = TypeVar("W", bound=QWidget)

NAME = "hartmann6"
TRIALS = 30
PARALLELISM = 3
ENOUGH_TO_DIE = 8
# Long against the table's refresh: a trial that just turned up as running still is.
SECONDS = "0.6"
LONGEST_WAIT_MS = 60_000
LOOK_AGAIN_MS = 10
RUN_SETTINGS = {
    "max_trials": str(TRIALS),
    "parallel": str(PARALLELISM),
    "failure_rate": "10",
    "seconds_between_polls": "0.05",
    "seconds_between_launches": "0",
}


def until(condition: Callable[[], bool], awaited: str) -> None:
    """Let the window go on until the condition holds.

    Raises:
        TimeoutError: It did not within `LONGEST_WAIT_MS`.
    """
    loop, look, limit = QEventLoop(), QTimer(), QTimer()
    look.timeout.connect(lambda: loop.quit() if condition() else None)
    limit.setSingleShot(True)
    limit.timeout.connect(lambda: loop.exit(1))
    look.start(LOOK_AGAIN_MS)
    limit.start(LONGEST_WAIT_MS)
    if loop.exec() != 0:
        raise TimeoutError(f"waited in vain for {awaited}")


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


class Operator:
    """Finds widgets by their names, and works only those that can be seen and are enabled."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def find(self, kind: type[W], name: str) -> W:
        """Return the widget once it is visible and enabled."""

        def found() -> list[W]:
            widgets = self.window.findChildren(kind, name)
            return [w for w in widgets if w.isVisible() and w.isEnabled()]

        until(lambda: bool(found()), f"{name} to be ready")
        [widget] = found()
        return widget

    def press(self, name: str) -> None:
        """Click a button."""
        click(self.find(QAbstractButton, name))

    def text(self, name: str) -> str:
        """What a label says now; empty while it is not shown."""
        labels = [w for w in self.window.findChildren(QLabel, name) if w.isVisible()]
        return labels[0].text() if labels else ""

    def type(self, name: str, text: str) -> None:
        """Type over what stands in a field."""
        field = self.find(QLineEdit, name)
        click(field)
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Tab)

    def choose(self, name: str, value: str) -> None:
        """Open a list, go to a value by the arrow keys and take it."""
        combo = self.find(QComboBox, name)
        until(lambda: combo.findData(value) >= 0, f"{name} to offer {value}")
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_Space)
        view = combo.view()
        QTest.keyClick(view, Qt.Key.Key_Home)
        for _ in range(combo.findData(value)):
            QTest.keyClick(view, Qt.Key.Key_Down)
        QTest.keyClick(view, Qt.Key.Key_Return)
        assert combo.currentData() == value, f"{name} shows {combo.currentText()}"

    def go_to_section(self, title: str) -> None:
        """Click a section of the set-up."""
        sections = self.find(QAbstractItemView, "setup.sections")
        model = sections.model()
        [index] = model.match(model.index(0, 0), Qt.ItemDataRole.DisplayRole, title)
        place = sections.visualRect(index).center()
        QTest.mouseClick(sections.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert sections.currentIndex() == index, title

    def cell(self, table: QAbstractItemView) -> QLineEdit:
        """The cell that is being typed into."""
        editor = table.viewport().focusWidget()
        assert isinstance(editor, QLineEdit), "no cell is being typed into"
        return editor

    def trials(self) -> list[dict[str, str]]:
        """The table of trials as it reads, each row by the heads of its columns."""
        table = self.window.findChild(QAbstractItemView, "trials.table")
        assert table is not None
        model = table.model()
        display, across = Qt.ItemDataRole.DisplayRole, Qt.Orientation.Horizontal
        heads = [str(model.headerData(c, across, display)) for c in range(model.columnCount())]
        return [
            {head: str(model.index(row, c).data(display)) for c, head in enumerate(heads)}
            for row in range(model.rowCount())
        ]


def type_parameters(operator: Operator) -> None:
    """Enter x1 to x6, each from 0 to 1, row after row by the keys alone."""
    operator.go_to_section("Parameters")
    operator.press("setup.parameters.add")
    table = operator.find(QAbstractItemView, "setup.parameters.table")
    for number in range(1, 7):
        QTest.keyClicks(operator.cell(table), f"x{number}")
        # Over the unit to the type, which stays decimal, and on to low and high.
        QTest.keyClick(operator.cell(table), Qt.Key.Key_Tab)
        QTest.keyClick(operator.cell(table), Qt.Key.Key_Tab)
        QTest.keyClick(table, Qt.Key.Key_Tab)
        QTest.keyClicks(table, "0")
        QTest.keyClick(operator.cell(table), Qt.Key.Key_Tab)
        QTest.keyClicks(operator.cell(table), "1")
        # Return in the complete last row adds another one.
        last_key = Qt.Key.Key_Tab if number == 6 else Qt.Key.Key_Return
        QTest.keyClick(operator.cell(table), last_key)
        rows = min(number + 1, 6)
        until(lambda rows=rows: table.model().rowCount() == rows, f"{rows} parameters")  # type: ignore[misc]  # a default binds the loop variable


def type_objective(operator: Operator) -> None:
    """Enter the one objective: hartmann6, minimised, measured by its metric."""
    operator.go_to_section("Objectives & limits")
    operator.press("setup.objectives.add")
    table = operator.find(QAbstractItemView, "setup.objectives.table")
    QTest.keyClicks(operator.cell(table), NAME)
    QTest.keyClick(operator.cell(table), Qt.Key.Key_Tab)
    QTest.keyClick(operator.cell(table), Qt.Key.Key_Tab)
    QTest.keyClick(table, Qt.Key.Key_M)  # from maximise to minimise
    assert table.currentIndex().data() == "Minimise"
    operator.choose("setup.objectives.details.metric", "hartmann6.py:Hartmann6Metric")


def set_up(operator: Operator, results: Path) -> None:
    """Fill in the set-up from a blank draft."""
    operator.press("start.new")
    operator.type("setup.general.name", NAME)
    type_parameters(operator)
    type_objective(operator)
    operator.go_to_section("Runner & metrics")
    operator.choose("setup.runner.plugin", "hartmann6.py:Hartmann6Runner")
    operator.type("setup.runner.form.folder", str(results))
    operator.type("setup.runner.form.seconds", SECONDS)
    operator.go_to_section("Run settings")
    operator.press("setup.run.polling")
    for name, text in RUN_SETTINGS.items():
        operator.type(f"setup.run.{name}", text)


def begin(operator: Operator, folder: Path) -> None:
    """Set the experiment up, start it, and die once the table shows enough completed trials."""
    set_up(operator, folder / "results")
    until(lambda: operator.text("status.banner.state") == "Ready to start", "a complete set-up")
    operator.press("toolbar.run.start")

    known: set[str] = set()

    def is_time() -> bool:
        words = {trial["#"]: trial["Status"] for trial in operator.trials()}
        launched = {index for index, word in words.items() if word == "Running"} - known
        known.update(launched)
        return list(words.values()).count("Done") >= ENOUGH_TO_DIE and bool(launched)

    until(is_time, f"{ENOUGH_TO_DIE} trials done and another one just launched")
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def resume(operator: Operator, _folder: Path) -> None:
    """Go from the notice of the start page to the end of the run, and tell what is seen."""
    notice = operator.find(QWidget, "start.interrupted")
    said = " ".join(label.text() for label in notice.findChildren(QLabel))
    [review] = [b for b in notice.findChildren(QAbstractButton) if b.text() == "Review…"]
    click(review)
    operator.press("dialog.interrupted.resume")
    until(lambda: operator.text("status.banner.state") == "Completed", "the end of the run")
    # The table follows the banner with its own repaint.
    until(
        lambda: all(trial["Status"] != "Running" for trial in operator.trials()),
        "a table without running trials",
    )
    seen = {
        "notice": said,
        "banner": operator.text("status.banner.next"),
        "trials": operator.trials(),
    }
    sys.stdout.write(json.dumps(seen))
    sys.stdout.flush()
    operator.window.close()


def work(part: Callable[[Operator, Path], None], folder: Path) -> None:
    """Do one part at the open window; a failure ends the process, for nobody is there to see it."""
    [window] = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
    try:
        part(Operator(window), folder)
    except Exception:  # noqa: BLE001  # the top of what the operator does
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def main(part: str, folder: Path) -> int:
    """Open the window as its front door does, with an operator who begins or resumes."""
    application = QApplication([])
    do = {"begin": begin, "resume": resume}[part]
    QTimer.singleShot(0, application, lambda: work(do, folder))
    return app.main(folder / "lab.sqlite", folder / "plugins")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
