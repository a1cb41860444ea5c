"""Trials: one parameterization on its way from suggestion to result.

CANDIDATE ──> STAGED ──> RUNNING ──> COMPLETED
    │            │          ├──────> FAILED          may be suggested again; a result may follow
    │            │          ├──────> EARLY_STOPPED   not promising
    └────────────┴──────────┴──────> ABANDONED       not to be repeated
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from axdesk.core.attachments import Attachment
from axdesk.core.errors import TransitionError, UserInputError
from axdesk.core.parameters import TParameterValue


class TrialStatus(StrEnum):
    """Where a trial stands; the value is what is stored."""

    CANDIDATE = "candidate"
    STAGED = "staged"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"
    EARLY_STOPPED = "early_stopped"

    @property
    def is_terminal(self) -> bool:
        """Whether the laboratory is done with the trial."""
        return self in _TERMINAL

    @property
    def words(self) -> str:
        """The status as a person says it: `"stopped early"`."""
        return "stopped early" if self is TrialStatus.EARLY_STOPPED else self.value

    @property
    def is_pending(self) -> bool:
        """Whether the trial occupies a slot: staged or running."""
        return self in (TrialStatus.STAGED, TrialStatus.RUNNING)


_TERMINAL = frozenset(
    {
        TrialStatus.COMPLETED,
        TrialStatus.FAILED,
        TrialStatus.ABANDONED,
        TrialStatus.EARLY_STOPPED,
    }
)

TRANSITIONS: Mapping[TrialStatus, frozenset[TrialStatus]] = {
    # A manual trial is run by a person: it starts without being staged.
    TrialStatus.CANDIDATE: frozenset(
        {TrialStatus.STAGED, TrialStatus.RUNNING, TrialStatus.ABANDONED}
    ),
    # STAGED → COMPLETED: it may have started, and a person knows the result.
    TrialStatus.STAGED: frozenset(
        {TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.FAILED, TrialStatus.ABANDONED}
    ),
    TrialStatus.RUNNING: _TERMINAL,
    # COMPLETED → COMPLETED corrects the result, COMPLETED → ABANDONED voids it.
    TrialStatus.COMPLETED: frozenset({TrialStatus.COMPLETED, TrialStatus.ABANDONED}),
    # FAILED → RUNNING: the answer of a deployment that was given up arrives late.
    TrialStatus.FAILED: frozenset(
        {TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.ABANDONED}
    ),
    TrialStatus.ABANDONED: frozenset(),
    TrialStatus.EARLY_STOPPED: frozenset({TrialStatus.COMPLETED, TrialStatus.ABANDONED}),
}
"""Status → the statuses that may follow."""

_WAYS_ON: Mapping[TrialStatus, str] = {
    TrialStatus.CANDIDATE: "Deploy it first, or abandon it.",
    TrialStatus.STAGED: "Wait until it runs, enter its result, or mark it failed or abandoned.",
    TrialStatus.RUNNING: "Enter its result, or mark it failed, abandoned or stopped early.",
    TrialStatus.COMPLETED: "Correct its result, or void it.",
    TrialStatus.FAILED: "Enter its result if there is one, or abandon it.",
    TrialStatus.ABANDONED: "It stays so; replicate it to measure the same parameters again.",
    TrialStatus.EARLY_STOPPED: "Enter its result if there is one, or abandon it.",
}
"""Status → what a person may do with a trial that cannot become what was asked."""


class TrialSource(StrEnum):
    """Where the parameterization of a trial comes from; the value is what is stored."""

    CENTER = "center"
    SOBOL = "sobol"
    MODEL = "model"
    FALLBACK = "fallback"
    """Space filling, because the model failed or was late."""
    MANUAL = "manual"
    BASELINE = "baseline"
    """Attached by a person; limits may be relative to its results."""
    IMPORTED = "imported"
    """Run elsewhere before."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of one metric.

    Attributes:
        metric: The metric's name.
        mean: The value, finite.
        sem: Standard error of the mean: None for unknown, 0.0 for noiseless.
        progression: Step in a time series, such as an epoch; 0 where there is none.
    """

    metric: str
    mean: float
    sem: float | None = None
    progression: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise UserInputError(f"The value {self.mean} of {self.metric!r} is no finite number.")
        if self.sem is not None and not (math.isfinite(self.sem) and self.sem >= 0):
            raise UserInputError(
                f"The standard error {self.sem} of {self.metric!r} must be finite and at least 0."
            )
        if not math.isfinite(self.progression):
            raise UserInputError(f"The progression {self.progression} must be a finite number.")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model expected of one metric at one point: mean and its standard error."""

    metric: str
    mean: float
    sem: float


_WHY = {
    TrialSource.CENTER: "The start values, or the middle of the search space.",
    TrialSource.SOBOL: "One of the space-filling points from which the model learns.",
}


@dataclass(frozen=True, slots=True)
class Generation:
    """How a candidate was made.

    Attributes:
        source: The method.
        predictions: Of each required metric at the point; empty if no model was used.
        model_best: Predicted objective (larger is better) at the model's best observed point and
            its standard error; None if no model was used.
        acquisition_value: Of the candidate; None if no model was used.
        fit_seconds: Time for fitting the model.
        search_seconds: Time for finding the candidate.
        seed: What the candidate's randomness was derived from.
        observed: Number of completed trials that were known.
        reason: What the model sought, or why a space-filling candidate stepped in; empty for none.
    """

    source: TrialSource
    predictions: tuple[Prediction, ...] = ()
    model_best: tuple[float, float] | None = None
    acquisition_value: float | None = None
    fit_seconds: float = 0.0
    search_seconds: float = 0.0
    seed: int | None = None
    observed: int = 0
    reason: str = ""

    @property
    def why(self) -> str:
        """Why this candidate, in words; empty where a person chose it or nothing is known."""
        if self.source is not TrialSource.MODEL:
            return _WHY.get(self.source, self.reason)
        results = f"{self.observed} result{'s' * (self.observed != 1)}"
        seconds = self.fit_seconds + self.search_seconds
        return f"{self.reason} Learnt from {results}, found in {seconds:.2g} s.".lstrip()


def automatic_name(trial_index: int) -> str:
    """Return the name of the arm of a trial that nobody named: `"12_0"`."""
    return f"{trial_index}_0"


def is_automatic_name(name: str) -> bool:
    """Whether a trial of some index has this name by itself."""
    return re.fullmatch(r"[0-9]+_0", name) is not None


@dataclass(frozen=True, slots=True)
class Arm:
    """A parameterization with a name.

    Attributes:
        name: `TRIAL_0`, such as `"12_0"`, unless a person named it. A name stands for one
            parameterization, whose replicates may share it.
        parameters: Parameter name → value.
    """

    name: str
    parameters: Mapping[str, TParameterValue]


@dataclass(frozen=True, slots=True)
class Trial:
    """A snapshot of a trial.

    Attributes:
        index: From 0, in order of suggestion.
        arm: What was planned.
        generation: How it was made.
        run_index: The run that deployed it; None for a trial outside any run.
        search_space_version: Version of the search space that it was made for, from 1.
        optimization_version: Version of the objectives and limits that it was made for, from 1.
        status: Where it stands.
        metadata: What the runner answered to its deployment; None before.
        executed_parameters: What was really run where that differs from the arm; else None.
        observations: Every valid value that was fetched or entered.
        reason: Why it failed, was abandoned, or is uncertain; empty otherwise.
        may_have_started: The deployment was asked for, and nobody knows whether it happened.
        is_excluded: Shown, but not given to the model.
        note: The operator's.
        staged_at: UTC, of the latest intent to deploy it; None before, and while it is known not
            to have started.
        started_at: UTC, when the runner had answered; None before.
        finished_at: UTC; None before.
        elapsed_seconds: Time in RUNNING so far, over restarts.
        attachments: Its files, in the order in which they were attached.
    """

    index: int
    arm: Arm
    generation: Generation
    run_index: int | None = None
    search_space_version: int = 1
    status: TrialStatus = TrialStatus.CANDIDATE
    metadata: Mapping[str, Any] | None = None
    executed_parameters: Mapping[str, TParameterValue] | None = None
    observations: tuple[Observation, ...] = ()
    reason: str = ""
    may_have_started: bool = False
    is_excluded: bool = False
    note: str = ""
    staged_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    elapsed_seconds: float = 0.0
    optimization_version: int = 1
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if self.index < 0:
            raise UserInputError(f"A trial index must be at least 0, not {self.index}.")
        if self.status is TrialStatus.COMPLETED and not self.observations:
            raise UserInputError(f"Trial {self.index} cannot be completed without a result.")

    @property
    def parameters(self) -> Mapping[str, TParameterValue]:
        """What the model learns from: the executed parameters, else the planned ones."""
        return self.executed_parameters or self.arm.parameters

    @property
    def is_uncertain(self) -> bool:
        """Whether a deployment was intended and nobody knows whether it happened."""
        return self.status is TrialStatus.STAGED and self.may_have_started

    @property
    def surely_not_started(self) -> bool:
        """Whether it waits to be deployed again: an earlier try is known not to have begun."""
        return self.status is TrialStatus.STAGED and self.staged_at is None

    def moved_to(self, status: TrialStatus, **changes: Any) -> "Trial":
        """Return the successor in another status.

        Raises:
            TransitionError: If the transition table does not allow it.
        """
        if status not in TRANSITIONS[self.status]:
            raise TransitionError(
                f"Trial {self.index} is {self.status.words} and cannot become {status.words}.",
                _WAYS_ON[self.status],
            )
        return replace(self, status=status, **changes)

    def latest(self, metric: str) -> Observation | None:
        """Return the observation of a metric at its highest progression, or None."""
        found: Observation | None = None
        for one in self.observations:
            # Of equal progressions the one that came last: a correction.
            if one.metric == metric and (found is None or one.progression >= found.progression):
                found = one
        return found
