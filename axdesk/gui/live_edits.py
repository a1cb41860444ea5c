"""How edits of the set-up reach a run that has begun: together, when the operator says so."""

from collections.abc import Callable, Set
from functools import partial

from axdesk.core.commands import ChangeRunSettings, Command, EditSetup
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.errors import AxdeskError
from axdesk.core.run import Run, RunAction, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.command_desk import Settled
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.pending_changes import (
    PendingChanges,
    changes_in_words,
    commands_to,
    needs_stop,
    rebased,
    what_holds,
)

_TAKES_EFFECT = {
    RunState.STOPPED: "when the run is resumed",
    RunState.FAILED: "when the run is resumed",
    RunState.COMPLETED: "when trials are added",
}
_PAUSE_FIRST = (
    "Pause the run to apply this: while it launches, it takes run settings, description and owner."
)
_STOP_FIRST = "Stop the run to apply this: it keeps its plugins until it ends."


class LiveEdits:
    """What the draft says beyond what holds, of an experiment that has run; in the GUI thread."""

    def __init__(
        self,
        model: DraftModel,
        send: Callable[[Command, Settled], object],
        applied: Callable[[tuple[str, ...]], object],
    ) -> None:
        """Begin with nothing known of a run.

        Args:
            model: What is typed.
            send: Hands a command to the run.
            applied: Told what was applied, in words, after the run took all of it.
        """
        self._model = model
        self._send = send
        self._applied = applied
        self._setup: ExperimentSetup | None = None
        self._holds: ExperimentSetup | None = None
        self._open = 0
        self._refusals: list[str] = []
        model.changed.connect(self._forget_refusals)

    def follow(self, setup: ExperimentSetup | None, run: Run | None) -> None:
        """Learn what holds now; what is not edited follows it.

        Args:
            setup: As it is stored.
            run: The last run; before the first, the draft itself is what holds.
        """
        former, known = self._holds, self._setup
        self._setup = setup
        self._holds = None if setup is None or run is None else what_holds(setup, run.settings)
        before = former or known or setup
        if self._holds is None or self._holds == former or before is None:
            return
        draft = rebased(self._model.draft, before, self._holds)
        if draft != self._model.draft:
            self._model.set_draft(draft)

    @property
    def has_edits(self) -> bool:
        """Whether something is typed that does not hold, valid or not."""
        if self._holds is None:
            return False
        wanted = self._model.setup
        return (
            self._model.draft != draft_of(self._holds)
            if wanted is None
            else (wanted != self._holds)
        )

    def pending(self, state: RunState, allowed: Set[RunAction]) -> PendingChanges:
        """What is typed and does not hold yet.

        Args:
            state: Where the experiment stands.
            allowed: What may be asked for now; nothing while another process drives it.
        """
        refusal = " ".join(self._refusals)
        if not self.has_edits or self._holds is None or not allowed:
            return PendingChanges(refusal=refusal)
        wanted, problems = self._model.setup, self._model.problems
        if wanted is None:
            count = 0 if problems is None else len(problems.items)
            return PendingChanges(problems=count, refusal=refusal)
        return PendingChanges(
            changes_in_words(self._holds, wanted),
            takes_effect=_TAKES_EFFECT.get(state, ""),
            why_not=self._why_not(wanted, allowed),
            is_applying=bool(self._open),
            refusal=refusal,
        )

    def _why_not(self, wanted: ExperimentSetup, allowed: Set[RunAction]) -> str:
        if self._setup is None or self._holds is None:
            return ""
        if needs_stop(self._setup, wanted):
            return _STOP_FIRST
        commands = commands_to(self._setup, self._holds.run, wanted)
        is_taken = RunAction.EDIT_SETUP in allowed or all(map(_is_taken_any_time, commands))
        return "" if is_taken else _PAUSE_FIRST

    def apply(self, then: Callable[[], object] | None = None) -> None:
        """Have the run take what is typed; `then` is called once it has taken all of it."""
        setup, holds, wanted = self._setup, self._holds, self._model.setup
        if setup is None or holds is None or wanted is None or self._open:
            return
        commands = commands_to(setup, holds.run, wanted)
        words = changes_in_words(holds, wanted)
        self._refusals = []
        self._open = len(commands)

        def settle(command: Command, error: AxdeskError | None) -> None:
            self._open -= 1
            if error is not None:
                if isinstance(command, ChangeRunSettings):
                    self._take_settings_back(holds, wanted)
                self._refusals.append(str(error))
            if not self._open and not self._refusals:
                self._applied(words)
                if then is not None:
                    then()

        for command in commands:
            self._send(command, partial(settle, command))

    def discard(self) -> None:
        """Show what holds again; that can be undone."""
        self._refusals = []
        if self._holds is not None:
            self._model.return_to(draft_of(self._holds))

    def _take_settings_back(self, holds: ExperimentSetup, wanted: ExperimentSetup) -> None:
        """Show the settings of the run again, which did not take others."""
        row = draft_of(what_holds(wanted, holds.run)).run
        self._model.return_to(self._model.draft.with_rows(Section.RUN, (row,)))

    def _forget_refusals(self) -> None:
        self._refusals = []


def _is_taken_any_time(command: Command) -> bool:
    """Whether a run takes a command while it launches trials."""
    is_label = isinstance(command, EditSetup) and command.is_about_labels
    return is_label or isinstance(command, ChangeRunSettings)
