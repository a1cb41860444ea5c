"""The pre-flight: what is checked before a run starts, line by line."""

import math
from dataclasses import dataclass
from enum import StrEnum

from axdesk.core.draft_cells import Problem
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup


class Verdict(StrEnum):
    """What a check says."""

    PASSED = "passed"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check.

    Attributes:
        title: What is checked, such as `"Parameters"`.
        verdict: A run starts with a warning, but not with a problem.
        message: What was found, in sentences.
        place: Where in the set-up it can be mended; None if that is elsewhere.
    """

    title: str
    verdict: Verdict
    message: str
    place: Problem | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found.

    Attributes:
        lines: In the order of the set-up; each check at least once.
        setup: What would be run; None if the set-up itself has problems.
        trial_seconds: How long a trial takes, by earlier ones of the same runner; None if there
            are none.
    """

    lines: tuple[CheckLine, ...]
    setup: ExperimentSetup | None = None
    trial_seconds: float | None = None

    def of(self, verdict: Verdict) -> tuple[CheckLine, ...]:
        """Return the lines of one verdict."""
        return tuple(line for line in self.lines if line.verdict is verdict)

    @property
    def may_start(self) -> bool:
        """Whether nothing keeps the run from starting."""
        return not self.of(Verdict.PROBLEM)

    @property
    def run_seconds(self) -> float | None:
        """How long the run would take; None if nobody knows."""
        if self.setup is None or self.trial_seconds is None:
            return None
        return estimated_seconds(self.setup.run, self.trial_seconds)


def estimated_seconds(run: RunSettings, trial_seconds: float) -> float:
    """Return about how long a run takes whose trials take `trial_seconds` each."""
    more = run.orchestration
    by_slots = math.ceil(run.max_trials / run.parallelism) * trial_seconds
    by_launches = (run.max_trials - 1) * more.min_seconds_between_launches + trial_seconds
    seconds = max(by_slots, by_launches)
    return seconds if more.run_time_limit is None else min(seconds, more.run_time_limit)
