"""Fakes at the laboratory's border: time, plugins, the optimiser and the database, by script."""

import heapq
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any, TypeVar

from axdesk.core.errors import (
    CallFailedError,
    DeadlineError,
    SearchSpaceExhaustedError,
    StorageError,
    TrialFailedError,
)
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import Run
from axdesk.core.setup import ExperimentSetup
from axdesk.core.suggestions import Candidate, SuggestionRequest
from axdesk.core.trial import Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.plugins.restarts import Restarts

T = TypeVar("T")

_MOST_WAITS = 20_000


class FakeClock:
    """Time that moves only when the scheduler waits, to the next thing that happens.

    Attributes:
        seconds: What the monotonic clock says.
        wall: What the wall clock says at so many seconds; steps and freezes as tests like.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.wall: Callable[[float], datetime] = lambda seconds: (
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        )
        self._planned: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._waits = 0
        self._idle_at = -1.0

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something, in the scheduler's thread, once this time has come."""
        heapq.heappush(self._planned, (seconds, next(self._numbers), action))

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.wall(self.seconds)

    def receive(self, inbox: "SimpleQueue[object]", seconds: float | None) -> object | None:
        self._waits += 1
        assert self._waits < _MOST_WAITS, f"the run never ends, or spins, at {self.seconds} s"
        until = None if seconds is None else self.seconds + seconds
        while inbox.empty():
            if self._planned and (until is None or self._planned[0][0] <= until):
                at, _, action = heapq.heappop(self._planned)
                self.seconds = max(self.seconds, at)
                action()
            elif until is None:
                raise AssertionError(f"the run waits for ever at {self.seconds} s")
            else:
                # Rounding may leave a wait short of what it waits for; real time goes on.
                is_stuck = until <= self.seconds == self._idle_at
                self.seconds = (
                    math.nextafter(self.seconds, math.inf) if is_stuck else max(self.seconds, until)
                )
                self._idle_at = self.seconds
                return None
        return inbox.get()


@dataclass(slots=True)
class MemoryStore:
    """Remembers every commit; fails from a given one on, with a given error.

    Attributes:
        fails_from: Number of the first commit that fails; None for none.
        is_out: Whether it takes nothing for the moment.
        tries: How many commits were asked for.
    """

    commits: list[Trial | Run | ExperimentSetup] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    fails_from: int | None = None
    error: Exception = field(default_factory=lambda: StorageError("The disk is full."))
    is_out: bool = False
    tries: int = 0
    _latest: dict[int, Trial] = field(default_factory=dict)

    def save_trials(
        self, experiment: Experiment, trials: Sequence[Trial], audit: Sequence[AuditEntry] = ()
    ) -> None:
        for trial in trials:
            self.save_trial(experiment, trial, [e for e in audit if e.trial_index == trial.index])

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        self._refuse_if_failing()
        known, stored = experiment.trials.get(trial.index), self._latest.get(trial.index)
        if stored is not None:
            assert known is not None
            assert known.status is stored.status, "changed elsewhere"
        self._latest[trial.index] = trial
        self._commit(trial, audit)

    def save_run(self, experiment: Experiment, run: Run, audit: Sequence[AuditEntry] = ()) -> None:
        self._refuse_if_failing()
        self._commit(run, audit)

    def save_setup(
        self, experiment: Experiment, setup: ExperimentSetup, audit: Sequence[AuditEntry] = ()
    ) -> None:
        self._refuse_if_failing()
        experiment.change_setup(**{part.name: getattr(setup, part.name) for part in fields(setup)})
        self._commit(setup, audit)

    def _refuse_if_failing(self) -> None:
        self.tries += 1
        if self.is_out:
            raise StorageError("The database is locked.", "Wait.", is_temporary=True)
        if self.fails_from is not None and len(self.commits) >= self.fails_from:
            raise self.error

    def _commit(self, snapshot: Trial | Run | ExperimentSetup, audit: Sequence[AuditEntry]) -> None:
        self.commits.append(snapshot)
        self.audit += audit

    def of_trial(self, index: int) -> list[Trial]:
        return [c for c in self.commits if isinstance(c, Trial) and c.index == index]


@dataclass(slots=True)
class ScriptedGenerator:
    """Makes one candidate a request, in a given time; fails where it is told to.

    Attributes:
        seconds: From the request to the answer; 0 for at once.
        errors: Trial index → what its suggestion fails with.
        hangs: Trial indices whose suggestion is never answered.
        points: Points there are, where a failed one may be tried again; None for no end.
    """

    clock: FakeClock
    source: TrialSource = TrialSource.MODEL
    seconds: float = 0.0
    errors: dict[int, Exception] = field(default_factory=dict)
    hangs: set[int] = field(default_factory=set)
    points: int | None = None
    requests: list[SuggestionRequest] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    given_up: int = 0

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        self.requests.append(request)
        self.asked_at.append(self.clock.seconds)
        if request.trial_index in self.hangs:
            return Future()
        error = self.errors.get(request.trial_index)
        return later(self.clock, self.seconds, lambda: self._made(request, self.source), error)

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        return self._made(request, TrialSource.FALLBACK, reason)

    def _made(
        self, request: SuggestionRequest, source: TrialSource, reason: str = ""
    ) -> tuple[Candidate, ...]:
        tried = len(request.observed) + len(request.pending) + len(request.abandoned)
        if self.points is not None and tried >= self.points:
            raise SearchSpaceExhaustedError("Every point was tried.")
        generation = Generation(source, observed=len(request.observed), reason=reason)
        return (Candidate({"x": request.trial_index / 1000}, generation),)

    def give_up(self) -> None:
        self.given_up += 1

    def close(self) -> None:
        pass


HANG = float("inf")
"""Seconds of a call that is entered and never answers."""


@dataclass(slots=True)
class Script:
    """What the laboratory does with one trial.

    Attributes:
        run_seconds: Until each `run_trial` answers; the last one counts for all later calls.
        run_errors: What the first calls of `run_trial` raise.
        starts_anyway: Whether a `run_trial` that raises or never answers has started the trial.
        seconds: From its start to its end.
        ends_as: What polls tell from then on.
        fails_because: The reason with which polls tell from then on that it failed.
        poll_errors: So many polls raise first.
        poll_seconds: Until a poll answers.
        fetch_errors: Metric → so many fetches raise first.
        stop_error: What `stop_trial` raises.
        stop_seconds: Until `stop_trial` answers.
        find_error: What `find_trial` raises.
        find_seconds: Until `find_trial` answers.
        metadata: What `run_trial` answers; None for metadata of its own.
        hangs: Kind of call (`"run"`, `"poll"`, `"stop"`, `"find"`, a metric) → so many first ones
            are entered and never answer.
        not_entered: Kind of call → so many first ones fail without being entered.
        waits: Kind of call → seconds that each waits in a queue before it is entered.
        pattern: Which polls, and which fetches of a metric, raise: `"x"`; others answer: `"."`. It
            is repeated, and each trial begins at its index.
    """

    run_seconds: float = 0.0
    run_errors: int = 0
    starts_anyway: bool = False
    seconds: float = 1.0
    ends_as: TrialStatus = TrialStatus.COMPLETED
    fails_because: str = ""
    poll_errors: int = 0
    poll_seconds: float = 0.0
    fetch_errors: dict[str, int] = field(default_factory=dict)
    stop_error: str = ""
    stop_seconds: float = 0.0
    find_error: str = ""
    find_seconds: float = 0.0
    metadata: dict[str, Any] | None = None
    hangs: dict[str, int] = field(default_factory=dict)
    not_entered: dict[str, int] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    pattern: str = "."


@dataclass
class ScriptedCalls:
    """The laboratory: it outlives runs, and remembers what it was asked and when.

    Attributes:
        scripts: Trial index → its script; `usual` for all others.
        can_give_up: Whether a call that hangs can be ended.
        started: Trial index → when it really started.
        open: Trial indices whose `run_trial` has not answered yet.
        launches: (trial index, when called, when answered) of each `run_trial` that was answered.
        given_up: When calls were given up, and with which reason.
        told: Where prints go; None before and after a run.
        progression: Of a value that is fetched so many seconds after its trial's start.
        value: What is fetched of a trial at a progression.
        before_run: Called with the trial index before each `run_trial`.
        crashes: Trial indices whose polls end the process that all calls share.
    """

    clock: FakeClock
    usual: Script = field(default_factory=Script)
    scripts: dict[int, Script] = field(default_factory=dict)
    can_stop: bool = False
    can_find: bool = False
    can_give_up: bool = False
    metric_names: tuple[str, ...] = ("y",)
    runner_name: str = "the reactor"
    early: tuple[str, ...] = ()
    early_hangs: bool = False
    started: dict[int, float] = field(default_factory=dict)
    deployed: list[int] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    launches: list[tuple[int, float, float]] = field(default_factory=list)
    polls: list[tuple[float, int]] = field(default_factory=list)
    fetches: list[tuple[float, int, str]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    searched: list[int] = field(default_factory=list)
    given_up: list[tuple[float, str]] = field(default_factory=list)
    told: Callable[[str, str], None] | None = None
    progression: Callable[[float], float] = lambda seconds: seconds
    value: Callable[[int, float], float] = lambda index, progression: float(index)
    before_run: Callable[[int], object] = lambda index: None
    crashes: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.restarts = Restarts(self.clock)

    def script(self, index: int) -> Script:
        return self.scripts.get(index, self.usual)

    def metadata(self, index: int) -> dict[str, Any]:
        metadata = self.script(index).metadata
        return {"job": index} if metadata is None else metadata

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any]]":
        self.before_run(trial_index)
        self.deployed.append(trial_index)
        script, called_at = self.script(trial_index), self.clock.seconds
        tries = self.deployed.count(trial_index)
        if self.restarts.rest or tries <= script.not_entered.get("run", 0):
            return not_entered("run_trial")
        if script.starts_anyway:
            self.started[trial_index] = called_at

        def answer() -> dict[str, Any]:
            self.launches.append((trial_index, called_at, self.clock.seconds))
            self.started.setdefault(trial_index, self.clock.seconds)
            return self.metadata(trial_index)

        fails = tries <= script.run_errors
        error = CallFailedError("run_trial raised: no pressure") if fails else None
        seconds = HANG if tries <= script.hangs.get("run", 0) else script.run_seconds
        self.open.add(trial_index)
        future = later(self.clock, seconds, answer, error, script.waits.get("run", 0.0))
        future.add_done_callback(lambda _: self.open.discard(trial_index))
        return future

    def poll_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[TrialStatus]":
        assert trial_metadata == self.metadata(trial_index)
        self.polls.append((self.clock.seconds, trial_index))
        script = self.script(trial_index)
        tries = sum(index == trial_index for _, index in self.polls)
        if self.restarts.rest or tries <= script.not_entered.get("poll", 0):
            return not_entered("poll_trial")
        if trial_index in self.crashes:
            self.restarts.crashed()
            crash: Future[TrialStatus] = Future()
            crash.set_exception(CallFailedError("The process was ended by SIGSEGV."))
            return crash
        self.restarts.worked()
        fails = tries <= script.poll_errors or _is_bad(script, trial_index, tries)
        error = CallFailedError("poll_trial raised: no line") if fails else None

        def answer() -> TrialStatus:
            is_over = self.clock.seconds >= self.started[trial_index] + script.seconds
            if is_over and script.fails_because:
                raise TrialFailedError(script.fails_because)
            return script.ends_as if is_over else TrialStatus.RUNNING

        seconds = HANG if tries <= script.hangs.get("poll", 0) else script.poll_seconds
        return later(self.clock, seconds, answer, error, script.waits.get("poll", 0.0))

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[Observation]":
        asked_at = self.clock.seconds
        self.fetches.append((asked_at, trial_index, metric_name))
        script = self.script(trial_index)
        tries = sum(fetch[1:] == (trial_index, metric_name) for fetch in self.fetches)
        if self.restarts.rest or tries <= script.not_entered.get(metric_name, 0):
            return not_entered(f"fetching {metric_name}")
        fails = tries <= script.fetch_errors.get(metric_name, 0) or _is_bad(
            script, trial_index, tries
        )
        error = CallFailedError(f"{metric_name} raised: no file") if fails else None
        is_early = metric_name in self.early
        progression = self.progression(asked_at - self.started[trial_index]) if is_early else 0.0
        seconds = HANG if tries <= script.hangs.get(metric_name, 0) else 0.0
        value = self.value(trial_index, progression)
        return later(
            self.clock, seconds, lambda: Observation(metric_name, value, None, progression), error
        )

    def stop_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[dict[str, Any]]":
        assert self.can_stop
        self.stopped.append(trial_index)
        script = self.script(trial_index)
        tries = self.stopped.count(trial_index)
        if self.restarts.rest or tries <= script.not_entered.get("stop", 0):
            return not_entered("stop_trial")
        error = CallFailedError(script.stop_error) if script.stop_error else None
        seconds = HANG if tries <= script.hangs.get("stop", 0) else script.stop_seconds
        return later(self.clock, seconds, dict[str, Any], error)

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any] | None]":
        assert self.can_find
        self.searched.append(trial_index)
        script = self.script(trial_index)
        tries = self.searched.count(trial_index)
        if self.restarts.rest or tries <= script.not_entered.get("find", 0):
            return not_entered("find_trial")
        error = CallFailedError(script.find_error) if script.find_error else None

        def answer() -> dict[str, Any] | None:
            return self.metadata(trial_index) if trial_index in self.started else None

        seconds = HANG if tries <= script.hangs.get("find", 0) else script.find_seconds
        return later(self.clock, seconds, answer, error)

    def available_while_running(self) -> "Future[tuple[str, ...]]":
        return later(self.clock, HANG if self.early_hangs else 0.0, lambda: self.early)

    def give_up(self, answer: "Future[Any]", reason: str) -> bool:
        if self.can_give_up and not answer.done():
            self.given_up.append((self.clock.seconds, reason))
            answer.set_exception(DeadlineError(reason))
        return answer.done()

    def listen(self, told: Callable[[str, str], None] | None) -> None:
        self.told = told

    def close(self) -> None:
        pass


def _is_bad(script: Script, trial_index: int, tries: int) -> bool:
    return script.pattern[(trial_index + tries) % len(script.pattern)] == "x"


def not_entered(call: str) -> "Future[Any]":
    """Return the Future of a call that surely did nothing."""
    future: Future[Any] = Future()
    future.set_exception(CallFailedError(f"{call} was not reached.", was_entered=False))
    return future


def later(
    clock: FakeClock,
    seconds: float,
    answer: Callable[[], T],
    error: Exception | None = None,
    waits: float = 0.0,
) -> "Future[T]":
    """Return the Future of a call that answers some seconds after it was entered."""
    future: Future[T] = Future()

    def enter() -> None:
        if not future.set_running_or_notify_cancel():
            return
        if seconds == 0:
            resolve()
        elif seconds != HANG:
            clock.at(clock.seconds + seconds, resolve)

    def resolve() -> None:
        if future.done():
            return  # it was given up
        if error is not None:
            future.set_exception(error)
            return
        try:
            future.set_result(answer())
        except (SearchSpaceExhaustedError, TrialFailedError) as told:
            future.set_exception(told)

    if waits:
        clock.at(clock.seconds + waits, enter)
    else:
        enter()
    return future
