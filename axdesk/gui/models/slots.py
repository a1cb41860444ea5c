"""Which trial occupied which slot of a run, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import is_

from axdesk.core.trial import Trial

_NEVER = datetime.max.replace(tzinfo=UTC)

SPANS = (
    (600, "Last 10 min"),
    (3600, "Last hour"),
    (4 * 3600, "Last 4 h"),
    (24 * 3600, "Last 24 h"),
    (7 * 86400, "Last 7 days"),
    (0, "Whole run"),
)
"""Seconds that the slots can show, and their words; 0 for all."""

_TRIALS_IN_SIGHT = 4.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One trial in a lane, from `start` to `end` (None: it runs)."""

    trial: Trial
    lane: int
    start: datetime
    end: datetime | None


class SlotPlan:
    """The bars of a run, in order of starting; brought up to date by the trials that changed.

    Attributes:
        bars: In order of starting.
        lanes: How many lanes they take.
        longest: The longest time that a trial took.
        latest_end: When the last trial ended; None before the first.
        laid_out: How often all bars were laid out, for tests of the cost.
    """

    def __init__(self) -> None:
        self.bars: list[Bar] = []
        self.lanes = 1
        self.longest = timedelta(0)
        self.latest_end: datetime | None = None
        self.laid_out = 0
        self._trials: Sequence[Trial] = ()
        self._places: dict[int, int] = {}
        self._free_since: list[datetime | None] = []

    def show(self, trials: Sequence[Trial], parallelism: int) -> list[Bar] | None:
        """Follow the trials of a run.

        Returns:
            The bars that are new or other than before; None where all may be.
        """
        before, self._trials = self._trials, trials
        changed: list[Bar] | None = None
        if before and len(before) <= len(trials) and len(self._free_since) >= parallelism:
            others = [
                trial
                for trial, is_same in zip(trials, map(is_, before, trials), strict=False)
                if not is_same
            ]
            changed = self._follow([*others, *trials[len(before) :]])
        if changed is None:
            self._lay_out(trials, parallelism)
        return changed

    def _lay_out(self, trials: Sequence[Trial], parallelism: int) -> None:
        self.laid_out += 1
        self.bars, self._places, self.longest = [], {}, timedelta(0)
        self.latest_end = None
        self._free_since = [None] * max(parallelism, 1)
        timed = [(start, trial.index, trial) for trial in trials if (start := _start(trial))]
        for start, _, trial in sorted(timed, key=lambda one: one[:2]):
            self._add(trial, start)
        self.lanes = len(self._free_since)

    def _follow(self, trials: Sequence[Trial]) -> list[Bar] | None:
        """Take in some trials; None if bars before them would have to move."""
        found: list[Bar] = []
        for trial in sorted(trials, key=lambda t: (_start(t) or _NEVER, t.index)):
            start, place = _start(trial), self._places.get(trial.index)
            if place is None:
                if start is not None and self.bars and start < self.bars[-1].start:
                    return None
                if start is not None and self._add(trial, start):
                    found.append(self.bars[-1])
                continue
            bar = self.bars[place]
            end = _end(trial)
            if start != bar.start or (bar.end is not None and end != bar.end):
                return None
            self.bars[place] = replace(bar, trial=trial, end=end)
            if end is not None and bar.end is None:
                self._free_since[bar.lane] = end
                self._note_end(bar.start, end)
            found.append(self.bars[place])
        self.lanes = len(self._free_since)
        return found

    def _add(self, trial: Trial, start: datetime) -> bool:
        """Put a trial into the lane that has been free longest."""
        end = _end(trial)
        if trial.status.is_terminal and end is None:
            return False
        free = [i for i, since in enumerate(self._free_since) if since is None or since <= start]
        if free:
            lane = min(free, key=lambda i: (self._free_since[i] or start, i))
            never_used = [i for i in free if self._free_since[i] is None]
            lane = never_used[0] if never_used else lane
        else:
            self._free_since.append(None)  # parallelism was higher before
            lane = len(self._free_since) - 1
        self._free_since[lane] = end or _NEVER
        if end is not None:
            self._note_end(start, end)
        self._places[trial.index] = len(self.bars)
        self.bars.append(Bar(trial, lane, start, end))
        return True

    def _note_end(self, start: datetime, end: datetime) -> None:
        self.longest = max(self.longest, end - start)
        self.latest_end = max(self.latest_end or end, end)

    def bar_of(self, trial_index: int) -> Bar | None:
        """The bar of a trial; None without one."""
        place = self._places.get(trial_index)
        return None if place is None else self.bars[place]


def busy_share(bars: Sequence[Bar], lanes: int, first: datetime, last: datetime) -> float | None:
    """The share of the slots' time between two moments in which a trial ran; None for no time."""
    whole = (last - first).total_seconds() * lanes
    if whole <= 0:
        return None
    busy = sum(
        max((min(bar.end or last, last) - max(bar.start, first)).total_seconds(), 0.0)
        for bar in bars
    )
    return min(busy / whole, 1.0)


def usual_span(mean_seconds: float | None) -> int:
    """The seconds that the slots show until somebody chooses: some trials of the mean duration."""
    if mean_seconds is None:
        return 0
    wanted = _TRIALS_IN_SIGHT * mean_seconds
    return next((span for span, _ in SPANS if span >= wanted and span), 0)


def _start(trial: Trial) -> datetime | None:
    return trial.started_at or trial.staged_at


def _end(trial: Trial) -> datetime | None:
    return trial.finished_at if trial.status.is_terminal else None
