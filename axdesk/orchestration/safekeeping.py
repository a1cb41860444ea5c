"""Store first, publish second; and hold on to what a failing database does not take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from axdesk.core.errors import StorageError
from axdesk.core.events import Publish, RunChanged, StorageHealthChanged, TrialChanged
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry, Clock, TrialStore
from axdesk.core.run import Run
from axdesk.core.trial import Trial

_LONGEST_PAUSE = 5.0
"""Seconds between two tries to store what is not stored yet."""


@dataclass(slots=True)
class _Unsaved:
    """A snapshot that is to be stored, and whether it is news."""

    snapshot: Trial | Run
    audit: tuple[AuditEntry, ...]
    is_news: bool = True


class Safekeeping:
    """Between the loop and the store; lives in the scheduler's thread.

    While the database takes nothing, the experiment in memory goes on; what is not stored waits in
    order, is stored as soon as the database takes it, and is published only then.

    Attributes:
        error: Why the database takes nothing for the moment; None if it works.
    """

    def __init__(
        self, experiment: Experiment, run: Run, store: TrialStore, clock: Clock, publish: Publish
    ) -> None:
        self._experiment = experiment
        self._run = run
        self._store = store
        self._clock = clock
        self._publish = publish
        self.error: StorageError | None = None
        self._unsaved: list[_Unsaved] = []
        self._stored = dict(experiment.trials)
        self._is_strict = False
        self._pause = 1.0
        self._again_at = 0.0

    @contextmanager
    def strictly(self) -> Iterator[None]:
        """Refuse, in this block, what cannot be stored at once.

        Raises:
            StorageError: If the database takes nothing; nothing is changed then.
        """
        self._is_strict, before = True, self._is_strict
        try:
            self._refuse_if_failing()
            yield
        finally:
            self._is_strict = before

    def keep(self, trial: Trial, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store a trial's snapshot, then publish it."""
        if self._takes(_Unsaved(trial, audit)):
            self.took(trial)
        else:
            self._experiment.put(trial)

    def took(self, trial: Trial) -> None:
        """Publish a trial's snapshot that is stored."""
        self._stored[trial.index] = trial
        self._experiment.put(trial)
        self._publish(TrialChanged(trial))

    def keep_run(
        self, run: Run, audit: tuple[AuditEntry, ...] = (), *, is_news: bool = True
    ) -> None:
        """Store the run's snapshot, then publish it if it is news."""
        is_stored = self._takes(_Unsaved(run, audit, is_news))
        self._run = run
        self._experiment.put_run(run)
        if is_stored and is_news:
            self._publish(RunChanged(run))

    def due_at(self) -> float | None:
        """Return the monotonic time of the next try; None if all is stored."""
        return None if self.error is None else self._again_at

    def step(self) -> None:
        """Try again, when the time has come, to store what is not stored yet."""
        if self.error is not None and self._clock.monotonic() >= self._again_at:
            self.retry()

    def retry(self) -> None:
        """Store what is not stored yet, in order, and publish it; stop where that fails."""
        if self.error is None:
            return
        try:
            while self._unsaved:
                self._save(self._unsaved[0])
                waiting = self._unsaved.pop(0)
                if waiting.is_news:
                    self._tell(waiting.snapshot)
        except StorageError as error:
            if not error.is_temporary:
                raise
            self.error = error
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._again_at = self._clock.monotonic() + self._pause
            return
        self.error = None
        self._publish(StorageHealthChanged(""))

    def drop(self) -> None:
        """Forget what is not stored: the experiment in memory becomes as it is stored."""
        self._unsaved.clear()
        for trial in self._stored.values():
            self._experiment.put(trial)

    def _takes(self, new: _Unsaved) -> bool:
        """Store a snapshot, or remember it; return whether it is stored."""
        if self.error is None:
            try:
                self._commit(self._experiment, new)
            except StorageError as error:
                if not error.is_temporary:
                    raise
                self._begin_outage(error)
                if self._is_strict:
                    # Storing what is stored already tells when the database works again.
                    self._unsaved.append(_Unsaved(self._run, (), is_news=False))
                    raise
            else:
                return True
        elif self._is_strict:
            self._refuse_if_failing()
        self._remember(new)
        return False

    def _refuse_if_failing(self) -> None:
        if self.error is not None:
            raise StorageError(self.error.message, self.error.hint, is_temporary=True)

    def _begin_outage(self, error: StorageError) -> None:
        self.error = error
        self._pause = 1.0
        self._again_at = self._clock.monotonic() + self._pause
        self._publish(StorageHealthChanged(error.message, self._clock.now()))

    def _remember(self, new: _Unsaved) -> None:
        trial = new.snapshot
        if isinstance(trial, Trial):
            for waiting in reversed(self._unsaved):
                earlier = waiting.snapshot
                if isinstance(earlier, Trial) and earlier.index == trial.index:
                    if earlier.status is trial.status:
                        # One for each step is enough: an outage may be long.
                        waiting.snapshot = trial
                        waiting.audit += new.audit
                        return
                    break
        self._unsaved.append(new)

    def _save(self, waiting: _Unsaved) -> None:
        """Store a snapshot on top of what is stored, which memory has left behind."""
        stored, runs = dict(self._stored), list(self._experiment.runs)
        self._commit(replace(self._experiment, trials=stored, runs=runs), waiting)
        if isinstance(waiting.snapshot, Trial):
            self._stored[waiting.snapshot.index] = waiting.snapshot

    def _commit(self, experiment: Experiment, new: _Unsaved) -> None:
        if isinstance(new.snapshot, Trial):
            self._store.save_trial(experiment, new.snapshot, new.audit)
        else:
            self._store.save_run(experiment, new.snapshot, new.audit)

    def _tell(self, snapshot: Trial | Run) -> None:
        if isinstance(snapshot, Trial):
            self._publish(TrialChanged(snapshot))
        else:
            self._publish(RunChanged(snapshot))
