"""A process that may die at any border it crosses, and what the world outside then knows of it.

What is on record here outlives each process: what the database took, in order, and what the
laboratory really did. A death is a `BaseException` at one border; from then on the process can
neither store nor ask nor tell anything, and its successor finds the database's files as they lay
there at that moment.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from axdesk.core.errors import StorageError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import Run
from axdesk.core.setup import ExperimentSetup
from axdesk.core.suggestions import Candidate, SuggestionRequest
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.storage.store import SqlStore
from tests.fakes import FakeClock, ScriptedCalls, ScriptedGenerator

T = TypeVar("T")


class Died(BaseException):
    """The process ended here, without warning."""


class Life:
    """One process: it dies at a given border, or never.

    Attributes:
        crossed: Borders so far.
        is_over: Whether it died.
    """

    def __init__(self, dies_at: int | None, will: Callable[[], None]) -> None:
        """Begin a life.

        Args:
            dies_at: Number of the border at which it dies, from 1; None for never.
            will: Called at the moment of death, before anything is cleaned up.
        """
        self.crossed = 0
        self.is_over = False
        self._dies_at = dies_at
        self._will = will

    def border(self) -> None:
        """Go on, or die."""
        if not self.is_over:
            self.crossed += 1
            if self.crossed != self._dies_at:
                return
            self._will()
            self.is_over = True
        raise Died


@dataclass
class Record:
    """What the database has taken.

    Attributes:
        trials: Trial index → every snapshot, in order.
        changes: Every change of a trial: before, after, and what the history says of it.
        audit: The history.
        commits: How many there were.
    """

    trials: dict[int, list[Trial]] = field(default_factory=dict)
    changes: list[tuple[Trial, Trial, tuple[AuditEntry, ...]]] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    commits: int = 0

    def latest(self) -> dict[int, Trial]:
        """Return what must be stored."""
        return {index: snapshots[-1] for index, snapshots in sorted(self.trials.items())}


class _Mortal(Sequence[AuditEntry]):
    """A history that is written amid a transaction, where the process may die."""

    def __init__(self, life: Life, entries: Sequence[AuditEntry]) -> None:
        self._life = life
        self._entries = entries

    def __iter__(self) -> Iterator[AuditEntry]:
        self._life.border()
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: Any) -> Any:
        return self._entries[index]


class MortalStore:
    """A real store: the process may die before, amid and after each commit.

    Attributes:
        is_out: Whether the database takes nothing for the moment.
    """

    def __init__(self, store: SqlStore, life: Life, record: Record) -> None:
        self._store = store
        self._life = life
        self._record = record
        self.is_out = False

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Store a trial, and put it on record once it is committed."""

        def keep() -> None:
            snapshots = self._record.trials.setdefault(trial.index, [])
            if snapshots:
                self._record.changes.append((snapshots[-1], trial, tuple(audit)))
            snapshots.append(trial)

        commit = self._store.save_trial
        self._commit(lambda entries: commit(experiment, trial, entries), keep, audit)

    def save_trials(
        self, experiment: Experiment, trials: Sequence[Trial], audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Store several trials at once, which no script here asks for."""
        raise NotImplementedError

    def save_run(self, experiment: Experiment, run: Run, audit: Sequence[AuditEntry] = ()) -> None:
        """Store a run."""
        commit = self._store.save_run
        self._commit(lambda entries: commit(experiment, run, entries), lambda: None, audit)

    def save_setup(
        self, experiment: Experiment, setup: ExperimentSetup, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Store a set-up."""
        commit = self._store.save_setup
        self._commit(lambda entries: commit(experiment, setup, entries), lambda: None, audit)

    def _commit(
        self,
        commit: Callable[[Sequence[AuditEntry]], None],
        keep: Callable[[], None],
        audit: Sequence[AuditEntry],
    ) -> None:
        self._life.border()
        if self.is_out:
            raise StorageError("The disk is full.", is_temporary=True)
        commit(_Mortal(self._life, audit))
        keep()
        self._record.audit += audit
        self._record.commits += 1
        self._life.border()


class PassingClock(FakeClock):
    """Moves on a little even where there is nothing to wait for, as time does."""

    def receive(self, inbox: "SimpleQueue[object]", seconds: float | None) -> object | None:
        return super().receive(inbox, None if seconds is None else max(seconds, 1e-6))


class MortalGenerator(ScriptedGenerator):
    """The process may die when it asks for a candidate."""

    life: Life

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        self.life.border()
        return super().suggest(request)


class MortalCalls(ScriptedCalls):
    """The laboratory; the process that asks it may die before and after each call.

    Attributes:
        life: The process that asks at the moment.
    """

    life: Life

    def begin(self, life: Life, clock: FakeClock) -> None:
        """Be asked by a new process; what the one before was waiting for is gone."""
        self.life = life
        self.clock = clock
        self.open.clear()

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any]]":
        return self._asked(
            lambda: super(MortalCalls, self).run_trial(trial_index, parameterization)
        )

    def poll_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[TrialStatus]":
        return self._asked(lambda: super(MortalCalls, self).poll_trial(trial_index, trial_metadata))

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[Observation]":
        return self._asked(
            lambda: super(MortalCalls, self).fetch(metric_name, trial_index, trial_metadata)
        )

    def stop_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[dict[str, Any]]":
        return self._asked(lambda: super(MortalCalls, self).stop_trial(trial_index, trial_metadata))

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any] | None]":
        return self._asked(
            lambda: super(MortalCalls, self).find_trial(trial_index, parameterization)
        )

    def _asked(self, call: Callable[[], T]) -> T:
        self.life.border()
        answer = call()
        self.life.border()
        return answer

    def starts(self, index: int) -> int:
        """Return how often a trial was really started."""
        script = self.script(index)
        if not script.starts_anyway:
            return sum(launched == index for launched, _, _ in self.launches)
        return max(0, self.deployed.count(index) - script.not_entered.get("run", 0))


_FOLDERS = itertools.count()


def wreck_of(database: Path) -> Path:
    """Copy a database's files, as a process that dies now leaves them; return the copy."""
    folder = database.parent.parent / f"wreck{next(_FOLDERS)}"
    folder.mkdir()
    for suffix in ("", "-journal", "-wal", "-shm"):
        file = database.with_name(database.name + suffix)
        if file.exists():
            shutil.copyfile(file, folder / file.name)
    return folder / database.name
