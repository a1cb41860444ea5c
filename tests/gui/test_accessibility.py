"""Every control of the window has a name and a role, shows its words whole, ignores the wheel."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)

from axdesk.core.drafts import draft_of
from axdesk.core.run import RunState
from axdesk.gui.style import theme_manager
from axdesk.gui.widgets.labels import ElidedLabel
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup
from tests.gui.test_window import Bench

QtBot = Any

CONTROLS = (
    QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView, QTextEdit,
    QPlainTextEdit, QAbstractSlider,
)  # fmt: skip
DIALOGS = (
    "edit.preferences", "help.shortcuts", "help.about", "view.layout.save", "run.add_trials",
    "file.save_as_template", "plugins.new", "trials.enter_result", "trials.note",
    "trials.void", "file.delete", "tools.command_palette", "trials.new_manual", "trials.go_to",
    "trials.copy_to_manual", "help.report_problem",
)  # fmt: skip
PAGES = ("general", "parameters", "objectives", "constraints", "runner", "run", "review")


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    workspace = MemoryWorkspace()
    workspace.add(coupling_experiment(RunState.STOPPED))
    workspace.new_draft(draft_of(coupling_setup("Draft")))
    bench = Bench(qtbot, workspace)
    yield bench
    bench.close()
    theme_manager().choose("system")
    theme_manager().set_zoom(100)


def scenes(bench: Bench) -> Iterator[tuple[str, QWidget]]:
    """All that the window can show, one after the other."""
    yield "start", bench.window
    bench.open(2)
    view = bench.window.pages.setup_views[2]
    for page in PAGES:
        view._sections.set_current(page)
        bench.qtbot.wait(1)
        yield f"setup {page}", bench.window
    bench.open(1)
    bench.window.trials_view.select(17)
    for dock in ("plugins", "log", "attention", "trials"):
        bench.window.docks.show(dock)
        bench.qtbot.wait(1)
        yield f"monitor {dock}", bench.window
    for action in DIALOGS:
        assert bench.action(action).isEnabled(), action
        bench.action(action).trigger()
        bench.until(lambda: bool(bench.window.findChildren(QDialog)))
        (dialog,) = bench.window.findChildren(QDialog)
        yield action, dialog
        dialog.close()
        bench.until(lambda: not bench.window.findChildren(QDialog))
    bench.window._help._show("start.md")
    help_window = bench.window._help.shown
    assert help_window is not None
    yield "help", help_window


def is_inside(widget: QWidget, *kinds: type[QWidget]) -> bool:
    """Whether a widget is a part that Qt made for another one."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parentWidget()
    return False


def controls(root: QWidget) -> Iterator[QWidget]:
    for widget in root.findChildren(QWidget):
        of_qt = widget.objectName().startswith("qt_") or isinstance(
            widget, QScrollBar | QHeaderView
        )
        part = is_inside(widget, QComboBox, QAbstractSpinBox, QTabBar, QAbstractItemView, QLineEdit)
        if isinstance(widget, CONTROLS) and widget.isVisible() and not of_qt and not part:
            yield widget


def told(scene: str, widget: QWidget) -> str:
    names: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(names) < 4:
        names.append(at.objectName() or type(at).__name__)
        at = at.parentWidget()
    return f"{scene}: {' < '.join(names)}"


def test_every_control_has_a_name_and_a_role(bench: Bench) -> None:
    nameless, count = set(), 0
    for scene, root in scenes(bench):
        for widget in controls(root):
            count += 1
            interface = QAccessible.queryAccessibleInterface(widget)
            name = interface.text(QAccessible.Text.Name)
            if not name.strip() or interface.role() in (
                QAccessible.Role.NoRole, QAccessible.Role.Client,
            ):  # fmt: skip
                nameless.add(f"{told(scene, widget)} {name!r} {interface.role()}")
    assert sorted(nameless) == []
    assert count > 300


def turn_wheel(widget: QWidget) -> None:
    place = QPointF(widget.rect().center())
    event = QWheelEvent(
        place, widget.mapToGlobal(place), QPoint(0, 0), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_wheel_changes_nothing_that_has_not_the_keyboard(bench: Bench) -> None:
    changed, count = set(), 0
    for scene, root in scenes(bench):
        for widget in root.findChildren(QWidget):
            value: Callable[[], object]
            if isinstance(widget, QComboBox):
                value = widget.currentIndex
            elif isinstance(widget, QAbstractSpinBox):
                value = widget.text
            elif isinstance(widget, QAbstractSlider) and not isinstance(widget, QScrollBar):
                value = widget.value
            else:
                continue
            if widget.hasFocus() or not widget.isVisible():
                continue
            count += 1
            before = value()
            for _ in range(3):
                turn_wheel(widget)
            if value() != before:
                changed.add(told(scene, widget))
    assert sorted(changed) == []
    assert count > 10


def is_cut(widget: QWidget) -> bool:
    """Whether a control has less room than its words need."""
    if isinstance(widget, QPushButton | QCheckBox):
        return widget.width() < widget.sizeHint().width() or (
            widget.height() < widget.sizeHint().height() - 2
        )
    if isinstance(widget, QLabel) and not isinstance(widget, ElidedLabel):
        if widget.wordWrap():
            return widget.heightForWidth(widget.width()) > widget.height() + 2
        words = widget.text()
        if widget.textFormat() is Qt.TextFormat.RichText:
            return widget.sizeHint().width() > widget.width() + 1
        return widget.fontMetrics().horizontalAdvance(words) > widget.width() + 1
    return False


@pytest.mark.parametrize(("zoom", "size"), [
    (100, (1440, 900)), (100, (1280, 720)), (100, (1024, 640)), (125, (1440, 900)),
    (160, (1920, 1080)),
])  # fmt: skip
def test_no_words_are_cut(bench: Bench, zoom: int, size: tuple[int, int]) -> None:
    bench.window.resize(*size)
    theme_manager().set_zoom(zoom)
    cut = set()
    for scene, root in scenes(bench):
        bench.qtbot.wait(10)
        for widget in root.findChildren(QWidget):
            part = is_inside(widget, QTabBar, QAbstractItemView, QComboBox)
            if widget.isVisible() and not part and is_cut(widget):
                text = widget.text() if hasattr(widget, "text") else ""
                cut.add(f"{told(scene, widget)} {text!r} {widget.width()}x{widget.height()}")
    assert sorted(cut) == []
