"""The Edit menu, and moving the keyboard between the panes of the window."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QMenu, QWidget

from axdesk.gui.actions import Actions, Slots
from axdesk.gui.arrangement import Arrangement
from axdesk.gui.models.layout import Mode
from axdesk.gui.workbench import Workbench

_FILTERS = {
    "dock.experiments": "experiments.filter",
    "dock.trials": "trials.filter",
    "dock.inspector": "trials.filter",
    "tab.monitor": "trials.filter",
    "dock.log": "log.filter",
}
"""What has the keyboard → the filter that *Find* goes to."""
_FILTER_OF_MODE = {
    Mode.START: "start.filter",
    Mode.SETUP: "experiments.filter",
    Mode.MONITOR: "trials.filter",
}
"""The same where nothing of the above has it."""

_PANES = ("experiments", "plugins", "", "inspector", "trials", "log", "attention")
"""Docks in the order of *Next pane*; the empty name stands for the middle."""

MOST_STEPS = 25
"""Steps in the list of what can be undone."""


class Editing(QObject):
    """Carries out the Edit menu."""

    def __init__(
        self, window: QMainWindow, workbench: Workbench, docks: Arrangement, actions: Actions
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._docks = docks
        self._actions = actions
        self.undo_list = QMenu("Undo list", window)
        self.undo_list.menuAction().setObjectName("action.edit.undo_list")
        self.undo_list.aboutToShow.connect(self._list_steps)
        self._list_steps()

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        return {
            "edit.cut": self.cut,
            "edit.copy": self.copy,
            "edit.paste": self.paste,
            "edit.find": self.find,
            "view.next_pane": self.next_pane,
            "view.previous_pane": self.previous_pane,
        }

    # clipboard: what has the keyboard knows how

    def cut(self) -> None:
        """Cut what is marked where the keyboard is."""
        self._press(Qt.Key.Key_X)

    def copy(self) -> None:
        """Copy what is marked where the keyboard is; of the table of trials the row."""
        focused = QApplication.focusWidget()
        if focused is not None and focused.objectName() == "trials.table":
            self._actions["trials.copy_row"].trigger()
        else:
            self._press(Qt.Key.Key_C)

    def paste(self) -> None:
        """Paste where the keyboard is."""
        self._press(Qt.Key.Key_V)

    # moving

    def find(self) -> None:
        """Go to the filter of what has the keyboard, or of what is shown."""
        widget, name = QApplication.focusWidget(), ""
        while widget is not None and not name:
            name = _FILTERS.get(widget.objectName(), "")
            widget = widget.parentWidget()
        name = name or _FILTER_OF_MODE[self._docks.mode]
        dock = name.partition(".")[0]
        if dock != "start":
            self._docks.show(dock)
        field = self._window.findChild(QLineEdit, name)
        if field is not None:
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            field.selectAll()

    def next_pane(self) -> None:
        """Give the keyboard to the next open pane."""
        self._step(1)

    def previous_pane(self) -> None:
        """Give the keyboard to the open pane before."""
        self._step(-1)

    # inside

    def _press(self, key: Qt.Key) -> None:
        focused = QApplication.focusWidget()
        if focused is not None:
            control = Qt.KeyboardModifier.ControlModifier
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(focused, QKeyEvent(kind, key, control))

    def _step(self, step: int) -> None:
        panes = [
            (name, pane)
            for name in _PANES
            if (pane := self._pane(name)) is not None and not pane.isHidden()
        ]
        focused = QApplication.focusWidget()
        here = next(
            (i for i, (_, pane) in enumerate(panes) if focused and pane.isAncestorOf(focused)),
            -1 if step > 0 else 0,
        )
        for distance in range(1, len(panes) + 1):
            name, pane = panes[(here + step * distance) % len(panes)]
            if name:
                self._docks.show(name)
            first = _first_in(pane)
            if first is not None:
                first.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _pane(self, name: str) -> QWidget | None:
        return self._docks[name] if name else self._window.centralWidget()

    def _list_steps(self) -> None:
        """List the latest edits; choosing one takes back all from it on."""
        self.undo_list.clear()
        session = self._workbench.current
        model = None if session is None else session.draft_model
        count = 0 if model is None else model.undo_stack.index()
        for index in range(count - 1, max(count - MOST_STEPS, 0) - 1, -1):
            assert model is not None
            text = model.undo_stack.step(index).text.replace("&", "&&")
            action = self.undo_list.addAction(text[:1].upper() + text[1:])
            action.triggered.connect(lambda _=False, m=model, i=index: m.go_to_step(i))
        if not count:
            self.undo_list.addAction("Nothing was edited").setEnabled(False)


def _first_in(pane: QWidget) -> QWidget | None:
    """The first widget of a pane that Tab would go to."""
    widget: QWidget | None = pane.nextInFocusChain()
    while widget is not None and widget is not pane:
        takes_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if pane.isAncestorOf(widget) and takes_tab and widget.isEnabled() and widget.isVisible():
            return widget
        widget = widget.nextInFocusChain()
    return None
