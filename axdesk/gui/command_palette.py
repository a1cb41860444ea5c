"""What the command palette and the list of shortcuts hold: gathered where the menus hold it."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from axdesk.gui.actions import ACTIONS, off_reason
from axdesk.gui.models.experiments_model import look_of
from axdesk.gui.models.formatting import UNNAMED, listed
from axdesk.gui.models.palette_model import Command, PaletteModel
from axdesk.gui.models.shortcut_list import shortcut_rows
from axdesk.gui.settings import WindowSettings
from axdesk.gui.views.palette_dialog import PaletteDialog
from axdesk.gui.views.shortcuts_dialog import ShortcutsDialog
from axdesk.gui.workbench import Workbench

_ICONS = {f"action.{spec.name}": spec.icon for spec in ACTIONS}
_FILLED_WHEN_OPENED = frozenset({"action.file.recent", "action.edit.undo_list"})
"""Submenus left out: what they hold is listed in another way, or of the moment."""
_OF_NO_TRIAL = ("new_manual", "go_to", "go_to_best")
_ON_TRIALS = frozenset(
    f"action.{spec.name}"
    for spec in ACTIONS
    if spec.name.startswith("trials.") and not spec.name.endswith(_OF_NO_TRIAL)
)
"""The commands that are done to the trials selected."""


class CommandPalette(QObject):
    """Opens the palette and the list of shortcuts over the window."""

    def __init__(
        self,
        window: QMainWindow,
        workbench: Workbench,
        settings: WindowSettings,
        go_to_trial: Callable[[int], object],
        selected: Callable[[], Sequence[int]],
    ) -> None:
        """Make a palette.

        Args:
            window: Its menu bar holds the commands.
            workbench: Its experiments and trials can be gone to.
            settings: Remember what was used last.
            go_to_trial: Shows the trial with an index.
            selected: Tells the trials that the commands on trials would be done to.
        """
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._settings = settings
        self._go_to_trial = go_to_trial
        self._selected = selected

    def open(self) -> None:
        """Open the palette."""
        model = PaletteModel(
            [*self.commands(), *self._experiments()],
            self._settings.recent_commands,
            self._trials,
        )
        dialog = PaletteDialog(self._window, model)
        model.setParent(dialog)
        dialog.show()

    def show_shortcuts(self) -> None:
        """Open the list of shortcuts."""
        ShortcutsDialog(self._window, shortcut_rows(list(self.commands()))).open()

    def commands(self) -> Iterator[Command]:
        """What the menu bar holds, in its order."""
        bar = self._window.menuBar()
        target = listed(self._selected())
        for action, path in _leaves(bar, ()):
            place = " ▸ ".join(path)
            key = action.objectName() or f"{place} ▸ {action.text()}"
            yield Command(
                key,
                plain(action.text()),
                self._remembering(key, action.trigger),
                place,
                action.shortcut().toString(QKeySequence.SequenceFormat.NativeText),
                _ICONS.get(key, ""),
                "" if action.isEnabled() else off_reason(action),
                action.toolTip(),
                target if key in _ON_TRIALS else "",
            )

    def _experiments(self) -> Iterator[Command]:
        for summary in self._workbench.experiments.summaries:
            look = look_of(summary)
            yield Command(
                f"experiment {summary.id}",
                summary.name or UNNAMED,
                partial(self._workbench.open, summary.id),
                "Experiment",
                icon=look.icon,
                tip=look.word,
            )

    def _trials(self, query: str) -> Sequence[Command]:
        """The trial whose number was typed, if the experiment shown has it."""
        number = re.fullmatch(r"#?\s*(\d{1,9})", query)
        session = self._workbench.current
        if number is None or session is None:
            return ()
        trial = session.trial(int(number[1]))
        if trial is None:
            return ()
        return (
            Command(
                f"trial {trial.index}",
                f"Trial #{trial.index}",
                lambda: self._go_to_trial(trial.index),
                session.facts.name or UNNAMED,
                icon="hash",
            ),
        )

    def _remembering(self, key: str, run: Callable[[], object]) -> Callable[[], None]:
        def remember_and_run() -> None:
            self._settings.remember_command(key)
            run()

        return remember_and_run


def plain(text: str) -> str:
    """A menu's text without its mnemonic."""
    return re.sub("&(.)", r"\1", text)


def _leaves(
    menu: QMenuBar | QMenu, path: tuple[str, ...]
) -> Iterator[tuple[QAction, tuple[str, ...]]]:
    for action in menu.actions():
        inner = action.menu()
        if action.isSeparator() or action.objectName() in _FILLED_WHEN_OPENED:
            continue
        if isinstance(inner, QMenu):
            yield from _leaves(inner, (*path, plain(inner.title())))
        elif action.text():
            yield action, path
