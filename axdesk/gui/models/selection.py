"""Which trial is selected, and which others are compared with it: one answer for the window."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, QPoint, Signal


class Selection(QObject):
    """The selected trial of the experiment shown, and those beside it.

    Plots, table and inspector all show it and change it; none has a selection of its own that
    could say something else.

    Signals:
        changed: `current` or `compared` are others than before.
        menu_requested: The operator asks for the menu of what is selected; carries the place.
    """

    changed = Signal()
    menu_requested = Signal(QPoint)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._trials: tuple[int, ...] = ()

    @property
    def current(self) -> int | None:
        """The index of the trial that commands and the inspector are about; None for none."""
        return self._trials[0] if self._trials else None

    @property
    def compared(self) -> tuple[int, ...]:
        """The trials that are looked at beside the current one, in the order of adding."""
        return self._trials[1:]

    @property
    def trials(self) -> tuple[int, ...]:
        """The current trial and then the compared ones."""
        return self._trials

    def select(self, trial_index: int | None) -> None:
        """Select this trial alone; None selects none."""
        self.set_trials(() if trial_index is None else (trial_index,))

    def toggle(self, trial_index: int) -> None:
        """Add a trial to those compared, or take it away again (Ctrl and a click).

        Where none is selected it becomes the current one; where it is the current one, the first
        that was compared with it takes its place.
        """
        if trial_index in self._trials:
            self.set_trials(i for i in self._trials if i != trial_index)
        else:
            self.set_trials((*self._trials, trial_index))

    def ask_for_menu(self, trial_index: int, place: QPoint) -> None:
        """Have the menu of the selected trials opened at a trial, which is selected if it is not.

        Args:
            trial_index: Where the operator asked.
            place: On the screen.
        """
        if trial_index not in self._trials:
            self.select(trial_index)
        self.menu_requested.emit(place)

    def set_trials(self, trials: Iterable[int]) -> None:
        """Select these: the first is the current one, the others are compared with it."""
        wanted = tuple(dict.fromkeys(trials))
        if wanted != self._trials:
            self._trials = wanted
            self.changed.emit()
