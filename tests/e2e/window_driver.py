"""An operator at the real window: sets the tutorial's experiment up, dies amid the run, resumes it.

As a program, `window_driver.py begin|begin_second|resume FOLDER` opens the window on
`FOLDER/lab.sqlite` and `FOLDER/plugins` and works it by keys and clicks alone. `begin` and
`begin_second` end in a kill; `resume` writes what the finished window shows to the standard output,
as JSON.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QTabWidget,
    QWidget,
)

from axdesk.gui import app
from axdesk.gui.main_window import MainWindow
from tests.e2e.window_hands import hands

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
    # What Qt deletes later it deletes only in the outermost loop, and the operator stands in one.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    loop, look, limit = QEventLoop(), QTimer(), QTimer()
    look.timeout.connect(lambda: loop.quit() if condition() else None)
    limit.setSingleShot(True)
    limit.timeout.connect(lambda: loop.exit(1))
    look.start(LOOK_AGAIN_MS)
    limit.start(LONGEST_WAIT_MS)
    if loop.exec() != 0:
        raise TimeoutError(f"waited in vain for {awaited}")


class Operator:
    """Finds widgets by their names, and works only those that can be seen and are enabled."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.hands = hands()

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
        self.hands.click(self.find(QAbstractButton, name))

    def text(self, name: str) -> str:
        """What a label says now; empty while it is not shown."""
        labels = [w for w in self.window.findChildren(QLabel, name) if w.isVisible()]
        return labels[0].text() if labels else ""

    def type(self, name: str, text: str) -> None:
        """Type over what stands in a field."""
        field = self.find(QLineEdit, name)
        self.hands.click(field)
        self.hands.key(field, Qt.Key.Key_A, ctrl=True)
        self.hands.text(field, text)
        self.hands.key(field, Qt.Key.Key_Tab)

    def choose(self, name: str, value: str) -> None:
        """Open a list, go to a value by the arrow keys and take it."""
        combo = self.find(QComboBox, name)
        until(lambda: combo.findData(value) >= 0, f"{name} to offer {value}")
        combo.setFocus()
        self.hands.key(combo, Qt.Key.Key_Space)
        view = combo.view()
        self.hands.key(view, Qt.Key.Key_Home)
        for _ in range(combo.findData(value)):
            self.hands.key(view, Qt.Key.Key_Down)
        self.hands.key(view, Qt.Key.Key_Return)
        assert combo.currentData() == value, f"{name} shows {combo.currentText()}"

    def go_to_section(self, title: str) -> None:
        """Click a section of the set-up."""
        sections = self.find(QAbstractItemView, "setup.sections")
        model = sections.model()
        [index] = model.match(model.index(0, 0), Qt.ItemDataRole.DisplayRole, title)
        place = sections.visualRect(index).center()
        self.hands.click(sections.viewport(), place)
        assert sections.currentIndex() == index, title

    def cell(self, table: QAbstractItemView) -> QLineEdit:
        """The cell that is being typed into."""
        editor = table.viewport().focusWidget()
        assert isinstance(editor, QLineEdit), "no cell is being typed into"
        return editor

    def head(self, table: QAbstractItemView, column: int) -> str:
        """What the head of a column says."""
        across, display = Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole
        return str(table.model().headerData(column, across, display))

    def click_cell(self, table: QAbstractItemView, row: int, column: int) -> None:
        """Click a cell of a table."""
        place = table.visualRect(table.model().index(row, column)).center()
        self.hands.click(table.viewport(), place)

    def await_issue(self, name: str, word: str) -> None:
        """Wait until a list of problems tells one with this word."""

        def told() -> bool:
            lists = [w for w in self.window.findChildren(QWidget, name) if w.isVisible()]
            labels = [label for shown in lists for label in shown.findChildren(QLabel)]
            return any(word in label.text() for label in labels)

        until(told, f"{name} to tell of {word}")

    def go_to_tab(self, title: str) -> None:
        """Click a tab of the middle."""
        tabs = self.find(QTabWidget, "tabs.central")
        bar = tabs.tabBar()
        [index] = [i for i in range(bar.count()) if bar.tabText(i) == title]
        self.hands.click(bar, bar.tabRect(index).center())
        assert tabs.currentIndex() == index, title

    def done(self) -> int:
        """How many trials the table shows as done."""
        return [trial["Status"] for trial in self.trials()].count("Done")

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
        operator.hands.text(operator.cell(table), f"x{number}")
        # Over the unit to the type, which stays decimal, and on to low and high.
        operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        operator.hands.key(table, Qt.Key.Key_Tab)
        operator.hands.text(table, "0")
        operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        operator.hands.text(operator.cell(table), "1")
        # Return in the complete last row adds another one.
        last_key = Qt.Key.Key_Tab if number == 6 else Qt.Key.Key_Return
        operator.hands.key(operator.cell(table), last_key)
        rows = min(number + 1, 6)
        until(lambda rows=rows: table.model().rowCount() == rows, f"{rows} parameters")  # type: ignore[misc]  # a default binds the loop variable


def type_objective(operator: Operator) -> None:
    """Enter the one objective: hartmann6, minimised, measured by its metric."""
    operator.go_to_section("Objectives & limits")
    operator.press("setup.objectives.add")
    table = operator.find(QAbstractItemView, "setup.objectives.table")
    operator.hands.text(operator.cell(table), NAME)
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.hands.text(table, "m")  # from maximise to minimise
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


SECOND = "Second dish"
SECOND_TRIALS = 14
PARAMETERS = (
    "Temperature\t°C\tDecimal\t20\t100\n"
    "Time\tmin\tWhole\t1\t60\n"
    "Solvent\t\tChoice\twater; ethanol; toluene\n"
)
"""As a spreadsheet copies it."""
CONSTRAINT = "Temperature + Time <= 140"


def type_second_parameters(operator: Operator) -> None:
    """Enter a bound that is none, be told so, and paste three rows over it."""
    operator.go_to_section("Parameters")
    operator.press("setup.parameters.add")
    table = operator.find(QAbstractItemView, "setup.parameters.table")
    operator.hands.text(operator.cell(table), "Temperature")
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.hands.key(table, Qt.Key.Key_Tab)
    operator.hands.text(table, "warm")
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.await_issue("setup.parameters.issues", "warm")
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    name = next(c for c in range(table.model().columnCount()) if operator.head(table, c) == "Name")
    operator.click_cell(table, 0, name)
    QGuiApplication.clipboard().setText(PARAMETERS)
    operator.hands.key(table, Qt.Key.Key_V, ctrl=True)
    until(lambda: table.model().rowCount() == 3, "three parameters")


def type_second_constraint(operator: Operator) -> None:
    """Enter a constraint that is not understood, and then type over it."""
    operator.go_to_section("Constraints")
    operator.press("setup.constraints.add")
    table = operator.find(QAbstractItemView, "setup.constraints.table")
    operator.hands.text(operator.cell(table), "Temperature * Time <= 140")
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
    operator.await_issue("setup.constraints.issues", "not linear")
    # It stays as it was typed, also while another page is looked at.
    operator.go_to_section("Parameters")
    operator.go_to_section("Constraints")
    operator.click_cell(table, 0, 0)
    operator.click_cell(table, 0, 0)
    until(lambda: bool(table.viewport().findChildren(QLineEdit)), "a cell to be typed into")
    operator.hands.key(operator.cell(table), Qt.Key.Key_A, ctrl=True)
    operator.hands.text(operator.cell(table), CONSTRAINT)
    operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)


def type_second_goals(operator: Operator) -> None:
    """Maximise the yield while the impurity keeps a limit."""
    operator.go_to_section("Objectives & limits")
    for name, goal in (("Yield", "m"), ("Impurity", "o")):
        operator.press("setup.objectives.add")
        table = operator.find(QAbstractItemView, "setup.objectives.table")
        operator.hands.text(operator.cell(table), name)
        operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        if goal == "o":
            operator.hands.text(table, goal)
            operator.hands.key(table, Qt.Key.Key_Tab)
            operator.hands.text(table, "<= 2")
            operator.hands.key(operator.cell(table), Qt.Key.Key_Tab)
        operator.choose("setup.objectives.details.metric", f"kitchen_plugin.py:{name}")


def begin_second(operator: Operator, folder: Path) -> None:
    """Set up with wrong input on the way, start, pause, change the budget, resume, and die."""
    operator.press("start.new")
    operator.type("setup.general.name", SECOND)
    type_second_parameters(operator)
    type_second_constraint(operator)
    type_second_goals(operator)
    operator.go_to_section("Runner & metrics")
    operator.choose("setup.runner.plugin", "kitchen_plugin.py:Kitchen")
    operator.type("setup.runner.form.folder", str(folder / "results"))
    operator.type("setup.runner.form.seconds", "0.4")
    operator.go_to_section("Run settings")
    operator.press("setup.run.polling")
    operator.type("setup.run.max_trials", "many")
    operator.await_issue("setup.run.issues", "many")
    for name, text in (RUN_SETTINGS | {"max_trials": "40"}).items():
        operator.type(f"setup.run.{name}", text)
    until(lambda: operator.text("status.banner.state") == "Ready to start", "a complete set-up")
    operator.press("toolbar.run.start")
    until(lambda: operator.done() >= 3, "the first results")
    operator.press("toolbar.run.pause")
    until(lambda: operator.text("status.banner.state") == "Paused", "the pause")
    paused_at = operator.done()
    operator.go_to_tab("Setup")
    operator.type("setup.run.max_trials", str(SECOND_TRIALS))
    operator.press("toolbar.run.start")
    until(lambda: operator.done() >= paused_at + 2, "results after the pause")
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def resume(operator: Operator, _folder: Path) -> None:
    """Go from the notice of the start page to the end of the run, and tell what is seen."""
    notice = operator.find(QWidget, "start.interrupted")
    said = " ".join(label.text() for label in notice.findChildren(QLabel))
    [review] = [b for b in notice.findChildren(QAbstractButton) if b.text() == "Review…"]
    operator.hands.click(review)
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
        window.grab().save(str(folder / "failed.png"))
        os._exit(1)


def main(part: str, folder: Path) -> int:
    """Open the window as its front door does, with an operator who begins or resumes."""
    application = QApplication([])
    do = {"begin": begin, "begin_second": begin_second, "resume": resume}[part]
    QTimer.singleShot(0, application, lambda: work(do, folder))
    return app.main(folder / "lab.sqlite", folder / "plugins")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
