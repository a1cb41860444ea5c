"""The presenter of one opened experiment: between its models, its client and its run."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer, Signal

from axdesk.core.commands import (
    AnswerQuestion,
    Command,
    ImportTrials,
    Leave,
    Resume,
)
from axdesk.core.draft_cells import Problems, Section
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError, NotFoundError
from axdesk.core.events import Event, RunChanged, StorageHealthChanged, TrialChanged
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.questions import Answer
from axdesk.core.run import RunAction, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.setup_lock import SetupLock
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.client_lease import ClientLease, Opened
from axdesk.gui.command_desk import CommandDesk, Settled
from axdesk.gui.draft_saver import DraftSaver
from axdesk.gui.dry_testing import DryTesting
from axdesk.gui.feasibility_watch import FeasibilityWatch
from axdesk.gui.io_thread import IoThread
from axdesk.gui.live_edits import LiveEdits
from axdesk.gui.models.attention_model import (
    AttentionItem,
    AttentionModel,
    error_item,
    question_item,
)
from axdesk.gui.models.command_words import told_of
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.event_lines import event_line
from axdesk.gui.models.event_notices import EventNotices
from axdesk.gui.models.log_model import LogLevel, LogLine, LogModel
from axdesk.gui.models.notices import left_by
from axdesk.gui.models.pending_changes import PendingChanges
from axdesk.gui.models.run_facts import RunFacts, runner_name
from axdesk.gui.models.run_record import RunRecord
from axdesk.gui.models.run_words import why_no_test
from axdesk.gui.models.setup_texts import unfinished
from axdesk.gui.models.trial_memo import TrialMemo
from axdesk.gui.models.trials_model import TrialsModel
from axdesk.gui.plugin_reading import PluginReading
from axdesk.gui.preflight_check import PreflightCheck
from axdesk.gui.program_log import keep_lines
from axdesk.gui.run_desk import RunDesk

COALESCE_MS = 100
"""Changes are shown together at this interval."""


class ExperimentSession(QObject):
    """Owns what belongs to one experiment while it is open: draft, models, client, thread.

    Everything happens in the GUI thread; what may take a while is posted to the I/O thread.

    Signals:
        changed: Facts changed; told at most every 100 ms.
        problems_found: The run cannot start as set up; carries the `Problems`.
        start_failed: The run could not be started; carries why.
        applied: Edits of the set-up, or a correction, took effect; carries a sentence.
        saved: The draft, or an event of the run, is stored; carries the time (UTC).
        finished: The run of this sitting ended and its thread is gone, or it was not started.
    """

    changed = Signal()
    problems_found = Signal(object)
    saved = Signal(object)
    finished = Signal()
    start_failed = Signal(str)
    applied = Signal(str)

    def __init__(
        self,
        experiment_id: int,
        draft: Draft,
        io: IoThread,
        plugin_io: IoThread,
        *,
        experiment: Experiment | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Open an experiment.

        Args:
            experiment_id: The database's number.
            draft: What its set-up shows.
            io: For all work at the database alone.
            plugin_io: For work that needs the plugins.
            experiment: Its stored state; None for a mere draft.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self.id = experiment_id
        self.draft_model = DraftModel(draft, self)
        self.trials_model = TrialsModel(self)
        self.attention_model = AttentionModel(self)
        self.log_model = LogModel(self)
        self._io = io
        self._plugin_io = plugin_io
        self._record = RunRecord()
        self._memo = TrialMemo()
        self._notices = EventNotices(
            self.attention_model, self._record, lambda: runner_name(self.facts)
        )
        self._controller = ""
        self._lease = ClientLease(experiment_id)
        self._desk = CommandDesk(self._lease, self._record, plugin_io, self)
        self._is_closed = False
        self._facts: RunFacts | None = None
        self._new_lines: list[LogLine] = []
        self._coalesce = QTimer(self)
        self._coalesce.setSingleShot(True)
        self._coalesce.setInterval(COALESCE_MS)
        self._coalesce.timeout.connect(self._show)
        self._saver = DraftSaver(self.draft_model, experiment_id, io, self)
        self._run = RunDesk(self._lease, self._record, self._desk, self._saver, plugin_io, self)
        self.plugins = PluginReading(self.draft_model, plugin_io, self)
        self.dry_testing = DryTesting(experiment_id, self.draft_model, io, plugin_io, self)
        self.preflight = PreflightCheck(experiment_id, self.draft_model, plugin_io, self)
        self.dry_testing.going_changed.connect(self._make_room_for_test)
        self.dry_testing.problems_found.connect(self.problems_found)
        self._saver.saved.connect(self.saved)
        self._saver.outage_changed.connect(self._note_outage)
        self._edits = LiveEdits(self.draft_model, self.submit, self._tell_edits)
        self._feasibility = FeasibilityWatch(self.draft_model, io, self)
        self.draft_model.changed.connect(self._note_change)
        self.draft_model.refreshed.connect(self._note_change)
        self._desk.changed.connect(self._note_change)
        self._desk.opened.connect(self._take_opened)
        self._desk.carried_out.connect(self._tell_applied)
        self._desk.refused.connect(lambda error: self._report(error, "Not carried out"))
        self._follow_run()
        if experiment is not None:
            self._take_stored(experiment)
        self._show()

    def _follow_run(self) -> None:
        run = self._run
        run.changed.connect(self._note_change)
        run.event_published.connect(self._receive)
        run.lines_printed.connect(self._show_printed)
        run.opened.connect(self._begin_run)
        run.outdated.connect(self._take_if_idle)
        run.problems_found.connect(self._tell_problems)
        run.failed.connect(self._tell_not_started)
        run.given_up.connect(self.finished)
        run.ended.connect(self._end_run)

    # what is known

    @property
    def facts(self) -> RunFacts:
        """Everything that is known, at this moment."""
        if self._facts is None:
            self._facts = self._gathered()
        return self._facts

    def _gathered(self) -> RunFacts:
        left = unfinished(self.draft_model)
        record = self._record
        return RunFacts(
            name=self.draft_model.draft.general.get("name", "").strip(),
            state=self.state,
            setup=self._setup_shown(),
            runs=tuple(run for _, run in sorted(record.runs.items())),
            trials=tuple([record.trials[index] for index in sorted(record.trials)]),
            questions=tuple(question for _, question in sorted(record.questions.items())),
            problems=len(left.problems),
            sections_left=left.sections,
            first_problem=left.first.message if left.first is not None else "",
            suggesting=record.suggesting,
            unanswered=dict(record.unanswered),
            answering=self._desk.answering,
            outage=record.outage or self._saver.outage,
            controller=self._controller,
            is_opening=self.is_opening,
            stopping_since=self._run.stopping_since,
            pauses_when_open=self._run.pauses_when_open,
            is_testing=self.dry_testing.is_going,
            search_spaces=dict(record.search_spaces),
            memo=self._memo,
        )

    def _setup_shown(self) -> ExperimentSetup | None:
        """What trials are read by: before the first run what is typed, if that is valid."""
        stored = self._record.setup
        if self._record.runs:
            return stored
        return self.draft_model.setup or (stored if self._record.trials else None)

    @property
    def state(self) -> RunState:
        """Where the experiment stands."""
        if self.is_opening:
            return RunState.STARTING
        run = self._record.last_run
        if run is None:
            return RunState.READY if self.draft_model.setup is not None else RunState.DRAFT
        if run.state.is_live and not self.is_live and not self._controller:
            return RunState.INTERRUPTED
        return run.state

    @property
    def pending_changes(self) -> PendingChanges:
        """Edits of the set-up that the run does not know yet."""
        return self._edits.pending(self.state, self.facts.actions)

    @property
    def is_live(self) -> bool:
        """Whether a run of this experiment goes on in this window."""
        return self._run.is_live

    @property
    def is_opening(self) -> bool:
        """Whether a run is being started, of which nothing is known yet."""
        return self._run.is_opening

    @property
    def has_unsaved_edits(self) -> bool:
        """Whether edits could not be saved so far."""
        return self._saver.outage is not None

    @property
    def may_be_closed(self) -> bool:
        """Whether nothing goes on here that is not stored."""
        goes_on = self._run.is_going or self.dry_testing.is_going
        return not (goes_on or self.has_unsaved_edits or self.attention_model.open_questions)

    @property
    def is_configured(self) -> bool:
        """Whether it is an experiment, and no mere draft."""
        return self._record.setup is not None

    @property
    def stored_name(self) -> str:
        """The name under which the experiment is stored, and which no other can have."""
        return "" if self._record.setup is None else self._record.setup.name

    @property
    def is_renamed(self) -> bool:
        """Whether the set-up says another name than the stored experiment, and may."""
        stored, typed = self._record.setup, self.facts.name
        is_free = not (self._run.is_going or self._controller)
        return is_free and stored is not None and bool(typed) and typed != stored.name

    @property
    def optimiser_ready(self) -> bool | None:
        """Whether the optimiser has loaded; None while there is none."""
        client = self._run.client
        return None if client is None else client.optimizer_ready()

    @property
    def can_find(self) -> bool:
        """Whether the runner can find a trial whose deployment was cut off."""
        setup, catalogue = self._record.setup, self.draft_model.catalogue
        if setup is None or setup.runner is None or catalogue is None:
            return False
        try:
            return catalogue.find(setup.runner.reference).can_find
        except NotFoundError:
            return False

    def trial(self, index: int) -> Trial | None:
        """The latest snapshot of a trial."""
        return self._record.trials.get(index)

    def set_summary(self, summary: ExperimentSummary) -> None:
        """Learn from the list of experiments whether another process drives this one.

        While one does, the trials are read again each time, and what is new goes to the log.
        """
        is_ours = self._run.is_going
        is_ours |= summary.controller.startswith(f"{os.getpid()}@")
        controller = "" if is_ours else summary.controller
        former = self._controller
        if controller != former:
            self._controller = controller
            self._note_change()
        # A short run elsewhere may begin and end between two looks.
        is_behind = (
            bool(summary.max_trials)
            and not is_ours
            and (summary.state is not self.state or summary.trials != len(self._record.trials))
        )
        if former or controller or is_behind:
            self._follow_other(former)

    def _follow_other(self, former: str) -> None:
        """Read what another process did; `former` is the one that drove this until now, if any."""
        experiment_id = self.id

        def take(experiment: Experiment) -> None:
            if self.is_live or self._is_closed:
                return
            self._tell_differences(experiment)
            self._take_if_idle(experiment)
            if former and not self._controller and self.state is RunState.INTERRUPTED:
                self.notice(left_by(former, datetime.now(UTC)))

        self._io.post(lambda workspace: workspace.experiment(experiment_id), take)

    def _tell_differences(self, experiment: Experiment) -> None:
        """Tell what differs from what is shown as the events that would have told it."""
        now = datetime.now(UTC)
        for event in self._record.differences(experiment):
            before = self._record.before(event)
            self._log_event(event, before, now)
            self._notices.tell(event, before, now)

    def reload(self) -> None:
        """Read the experiment again, if it is one and no run brings what is newer."""
        if self.is_live or not self.is_configured:
            return
        experiment_id = self.id
        self._io.post(lambda workspace: workspace.experiment(experiment_id), self._take_if_idle)

    def read_plugins(self, then: Callable[[], object] | None = None, *, anew: bool = False) -> None:
        """Read the plugin folder again; see `PluginReading.read`."""
        self.plugins.read(then, anew=anew, is_running=self.is_live)

    # what the operator asks for

    def start(self, more_trials: int | None = None, decisions: Sequence[Command] = ()) -> None:
        """Start the first run, resume the last one, or go on after it with `more_trials`.

        Args:
            more_trials: What a new run after the last one adds; None for none.
            decisions: What became of trials that ran when the last run was cut off.
        """
        if self._run.is_going or self._controller or self.dry_testing.is_going:
            return
        if more_trials is not None:
            self.draft_model.edit(Section.RUN, 0, "max_trials", str(more_trials))
        is_new = not self.is_configured
        self._run.start(self.draft_model.draft, more_trials, decisions, is_new=is_new)

    def store_setup(self, done: Callable[[ExperimentSetup], object]) -> None:
        """Store what the set-up says as a start would, unless a run goes on.

        Args:
            done: Receives the experiment's set-up; if the draft has problems, they are told.
        """
        known = self._record.setup
        if known is not None and (self._run.is_going or self._controller):
            done(known)
            return
        lease, draft, is_new = self._lease, self.draft_model.draft, not self.is_configured

        def take(stored: Experiment | Problems) -> None:
            if isinstance(stored, Problems):
                self.problems_found.emit(stored)
                return
            self._take_if_idle(stored)
            done(stored.setup)

        def store() -> None:
            self._plugin_io.post(
                lambda workspace: lease.stored(workspace, draft, is_new=is_new),
                take,
                lambda error: self._report(error, "Not carried out"),
            )

        self._saver.save(store, lambda error: self._report(error, "Not carried out"))

    def prepare_trials(self, done: Callable[[ExperimentSetup], object]) -> None:
        """Store what the set-up says, as far as it is valid; trials need no plugins.

        Args:
            done: Receives the set-up that trials will belong to.
        """
        known, wanted = self._record.setup, self.draft_model.setup
        is_free = not (self._run.is_going or self._controller)
        if wanted is None or wanted == known or not is_free:
            if known is not None:
                done(known)
            return
        lease = self._lease

        def take(stored: Experiment) -> None:
            self._take_if_idle(stored)
            done(stored.setup)

        self._plugin_io.post(
            lambda workspace: lease.configured(workspace, wanted),
            take,
            lambda error: self._report(error, "Not carried out"),
        )

    def import_trials(self, command: ImportTrials, told: Settled) -> None:
        """Add trials that were run elsewhere, through the run or, with none, at the database.

        Args:
            command: Which.
            told: Told what became of it.
        """
        if self.is_live:
            self.submit(command, told)
            return
        lease = self._lease

        def take(experiment: Experiment) -> None:
            self._take_if_idle(experiment)
            told(None)

        self._plugin_io.post(lambda workspace: lease.imported(workspace, command), take, told)

    def leave_stopped(self, decisions: Sequence[Command] = ()) -> None:
        """Store what became of trials that ran when the run was cut off, and that it is stopped."""
        # The plugins' thread may wait for a runner that is being asked and does not answer.
        thread = self._io if self._lease.is_open else self._plugin_io
        self._desk.carry_out((*decisions, Leave("left stopped after an interruption")), thread)

    def ask_runner(
        self, trial_index: int, told: "Callable[[TrialStatus | AxdeskError | None], object]"
    ) -> None:
        """Ask the runner about a trial that no run follows.

        Args:
            trial_index: The trial.
            told: Receives its status, None if it surely was not started, or why nobody knows;
                nothing once `stop_asking` was called.
        """
        lease, inquiry = self._lease, self._inquiry

        def tell(answer: "TrialStatus | AxdeskError | None") -> None:
            if inquiry == self._inquiry:
                told(answer)

        self._plugin_io.post(
            lambda workspace: lease.asked(workspace, trial_index, lambda: inquiry == self._inquiry),
            tell,
        )

    def stop_asking(self) -> None:
        """Ask the runner about no further trial, and tell no answer that is still to come."""
        self._inquiry += 1

    _inquiry = 0

    def pause(self) -> None:
        """Launch no new trials; a run that is being opened pauses as soon as it has started."""
        if not self._controller:
            self._run.pause()

    def resume(self) -> None:
        """Cancel pausing or stopping, or go on after a pause with the set-up as it is now."""
        is_paused = self.state in (RunState.PAUSED, RunState.NEEDS_ATTENTION)
        problems = self.draft_model.problems
        if not is_paused or not self._edits.has_edits:
            self.submit(Resume())
        elif problems is not None:
            self.problems_found.emit(problems)
        else:
            self.apply_changes(lambda: self.submit(Resume()))

    def apply_changes(self, then: Callable[[], object] | None = None) -> None:
        """Have the run that goes on take the edits of the set-up; `then` once it has."""
        if self.is_live:
            self._edits.apply(then)
            self._note_change()

    def discard_changes(self) -> None:
        """Give up the edits of the set-up that the run does not know."""
        self._edits.discard()
        self._note_change()

    def stop(self) -> None:
        """Launch no new trials and end the run once the running ones finished.

        A run whose plugins are still being opened is not started at all.
        """
        if not self._controller:
            self._run.stop()

    def stop_now(self) -> None:
        """End the running trials through the runner, then the run; once more, wait for none."""
        if not self._controller:
            self._run.stop_now()

    def act_on(self, action: RunAction, more_trials: int | None = None) -> None:
        """Carry out an action of the toolbar, if it is allowed now."""
        if action not in self.facts.actions:
            return
        match action:
            case RunAction.START:
                self.start()
            case RunAction.RESUME if self.is_live:
                self.resume()
            case RunAction.RESUME:
                self.start(more_trials)
            case RunAction.PAUSE:
                self.pause()
            case RunAction.STOP:
                self.stop()
            case RunAction.STOP_NOW:
                self.stop_now()
            case RunAction.EDIT_SETUP:
                pass

    def answer(self, trial_index: int, answer: Answer, *, for_the_rest: bool = False) -> None:
        """Say what is to become of a trial that the run asks about.

        Args:
            trial_index: The trial.
            answer: One of those that its question offers.
            for_the_rest: Whether further errors of this kind are answered so, too.
        """
        self.submit(AnswerQuestion(trial_index, answer, for_the_rest))

    def submit(self, command: Command, told: Settled | None = None) -> None:
        """Have a command carried out by the run or, with none, at the database.

        Args:
            command: Which.
            told: Told what became of it in the run; None to have a refusal told in Attention.
        """
        if not self._controller:
            self._run.submit(command, told)

    def flush(self) -> None:
        """Save the draft now if a change is waiting."""
        self._saver.flush()

    def release(self) -> None:
        """Free the client with its processes, unless a run needs it; the next start opens one."""
        self._run.release()

    def close(self) -> None:
        """Save what is unsaved and free the client; only while no run goes on."""
        self._run.free_client()
        self._end()

    def leave_running(self) -> None:
        """Save what is unsaved and let go of a run that the end of the process will interrupt."""
        self._end()

    def _make_room_for_test(self) -> None:
        """Free the instrument for a dry test that begins, and show that none is free meanwhile."""
        if self.dry_testing.is_going:
            self.release()
        self._note_change()

    def _end(self) -> None:
        self._is_closed = True
        self.dry_testing.close()
        self.preflight.close()
        self.plugins.close()
        self._saver.close()
        self._feasibility.close()
        self._run.close()
        self._coalesce.stop()

    def notice(self, item: AttentionItem) -> None:
        """Show a notice in Attention."""
        self.attention_model.add(item)

    # the set-up

    def _note_outage(self) -> None:
        """Bring Attention up to date with what is known of the database."""
        outage = self._record.outage or self._saver.outage
        self._notices.tell_outage(outage, datetime.now(UTC), is_running=self.is_live)
        self._note_change()

    # the run

    def _begin_run(self, experiment: Experiment) -> None:
        self._take_stored(experiment)
        self.saved.emit(datetime.now(UTC))

    def _tell_problems(self, problems: Problems) -> None:
        for problem in problems.items:
            self.draft_model.note_found(problem)
        self._note_change()
        self.problems_found.emit(problems)
        self.finished.emit()

    def _tell_not_started(self, error: AxdeskError) -> None:
        self._report(error, "The run was not started")
        self.start_failed.emit(error.message)
        self.finished.emit()

    def _receive(self, event: Event) -> None:
        """Take an event of the run; what it changes is shown with the next coalesced update."""
        if self._is_closed:
            return
        now, record = datetime.now(UTC), self._record
        before = record.before(event)
        self._log_event(event, before, now)
        record.take_event(event)
        self._edits.follow(record.setup, record.last_run)
        if isinstance(event, RunChanged):
            self._run.note_run(event.run)
        elif isinstance(event, TrialChanged):
            self.saved.emit(now)
        elif isinstance(event, StorageHealthChanged):
            self._note_outage()
        self._notices.tell(event, before, now)
        self._note_change()

    def _log_event(self, event: Event, before: Trial | None, now: datetime) -> None:
        setup = self._record.setup
        line = event_line(event, before, setup.optimization if setup else None)
        if line is not None:
            self._new_lines.append(LogLine(now, *line))

    def _end_run(self, error: object) -> None:
        self._notices.forget_health()
        self._record.forget_live()
        self._note_outage()
        if isinstance(error, AxdeskError):
            self._report(error, "The run ended")
        if not self._is_closed:
            self.reload()
            self._note_change()
        self.finished.emit()

    def _tell_edits(self, words: tuple[str, ...]) -> None:
        sentence = f"Applied: {'; '.join(words)}."
        self._log(LogLevel.INFO, sentence)
        self.applied.emit(sentence)
        self.saved.emit(datetime.now(UTC))

    def _tell_applied(self, command: Command) -> None:
        if sentence := told_of(command):
            self._log(LogLevel.INFO, sentence)
            self.applied.emit(sentence)
        self.saved.emit(datetime.now(UTC))

    # showing

    def _take_opened(self, opened: Opened) -> None:
        self._run.client = opened.client
        self._take_if_idle(opened.experiment)

    def _take_if_idle(self, experiment: Experiment) -> None:
        """Show a stored state, unless events of a run bring newer ones meanwhile."""
        if not self.is_live and not self._is_closed:
            self._take_stored(experiment)
            self._note_change()
            if self.draft_model.has_found:
                self.preflight.check()  # a trial may have mended it, such as a baseline

    def _take_stored(self, experiment: Experiment) -> None:
        self._record.take_stored(experiment)
        self._edits.follow(self._record.setup, self._record.last_run)

    def _report(self, error: AxdeskError, did: str) -> None:
        self._log(LogLevel.ERROR, str(error))
        self.notice(error_item(error, did, datetime.now(UTC), f"{did}."))
        self._note_change()

    def _log(self, level: LogLevel, text: str) -> None:
        self._new_lines.append(LogLine(datetime.now(UTC), level, text))
        self._note_change()

    def _note_change(self) -> None:
        """Have what changed be shown, together with whatever changes until then."""
        self._facts = None
        if not self._coalesce.isActive() and not self._is_closed:
            self._coalesce.start()

    def _show(self) -> None:
        now = datetime.now(UTC)
        facts = self.facts
        self.draft_model.set_lock(SetupLock(facts.state, facts.controller))
        self.trials_model.show_facts(facts, now)
        self.dry_testing.refuse(why_no_test(facts))
        lines, self._new_lines = self._new_lines, []
        keep_lines(facts.name, lines)
        self.log_model.append(lines)
        runner = runner_name(facts)
        self.attention_model.set_questions(
            [
                question_item(
                    q,
                    runner,
                    now,
                    is_answering=q.trial_index in facts.answering,
                    details=self._record.details.get(q.trial_index, ""),
                )
                for q in facts.questions
            ]
        )
        self.changed.emit()

    def _show_printed(self, lines: list[LogLine]) -> None:
        """Show what plugins printed; nothing else changes by it."""
        keep_lines(self.facts.name, lines)
        self.log_model.append(lines)
