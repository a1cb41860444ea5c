"""The steps between the drafts of one experiment, for undo and redo."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from axdesk.core.drafts import Draft


@dataclass(frozen=True, slots=True)
class Step:
    """From one draft to the next; drafts are values, so both are simply kept.

    Attributes:
        before: What undo shows.
        after: What redo shows.
        text: What was done.
        key: Steps of the same key that follow one another are one; empty for none.
    """

    before: Draft
    after: Draft
    text: str
    key: tuple[object, ...] = ()


class DraftHistory:
    """The undo stack of one experiment, with the names of Qt's.

    It is none of Qt's: a `QUndoStack` deletes the commands that were undone when another is pushed,
    and Python's garbage collection crashed on what was left of them.
    """

    def __init__(self, show: Callable[[Draft], object], limit: int) -> None:
        """Make an empty history.

        Args:
            show: Called with the draft that a step leads to.
            limit: Steps that are kept.
        """
        self._show = show
        self._limit = limit
        self._steps: list[Step] = []
        self._index = 0
        self._is_open = False

    def push(self, step: Step) -> None:
        """Take a step, and forget those that were undone."""
        del self._steps[self._index :]
        last = self._steps[-1] if self._steps else None
        if last is not None and step.key and step.key == last.key:
            self._steps[-1] = replace(last, after=step.after)
            if step.after == last.before:
                self._steps.pop()  # it led back to where it began
        else:
            self._steps.append(step)
        if not self._is_open:
            del self._steps[: max(len(self._steps) - self._limit, 0)]
        self._index = len(self._steps)
        self._show(step.after)

    @contextmanager
    def as_one(self, text: str) -> Iterator[None]:
        """Make one step of all that are taken inside."""
        self._is_open, first = True, self._index
        try:
            yield
        finally:
            self._is_open = False
            steps = self._steps[first:]
            del self._steps[first:]
            if steps and steps[0].before != steps[-1].after:
                self._steps.append(Step(steps[0].before, steps[-1].after, text))
            self._index = len(self._steps)

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        self.setIndex(self._index - 1)

    def redo(self) -> None:
        """Take the step that was undone last again, if there is one."""
        self.setIndex(self._index + 1)

    def canUndo(self) -> bool:
        """Whether there is a step to take back."""
        return self._index > 0

    def canRedo(self) -> bool:
        """Whether a step was taken back."""
        return self._index < len(self._steps)

    def index(self) -> int:
        """How many steps lead to what is shown."""
        return self._index

    def count(self) -> int:
        """How many steps there are, taken or undone."""
        return len(self._steps)

    def step(self, index: int) -> Step:
        """The step with this number, from 0."""
        return self._steps[index]

    def setIndex(self, index: int) -> None:
        """Go to what was shown after so many steps."""
        index = min(max(index, 0), len(self._steps))
        if index != self._index:
            steps = self._steps
            self._index = index
            self._show(steps[index - 1].after if index else steps[0].before)

    def clear(self) -> None:
        """Forget all steps."""
        self._steps.clear()
        self._index = 0
