"""When a trial is not worth finishing, and when a run is not worth going on with."""

from dataclasses import dataclass

from axdesk.core.errors import UserInputError
from axdesk.core.setting_checks import check_count, is_number


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Which running trials are stopped before their end, by the curve of the objective.

    A curve is made of the values that are fetched while a trial runs, at their progressions. It
    is judged at its latest progression; each criterion that is given is enough. With several
    objectives no trial is stopped.

    Attributes:
        percentile: A trial is stopped when its value is worse than this percentile of the other
            trials' values at the same progression, interpolated where they have none there;
            0 < percentile < 100, larger is better; 50 stops the worse half. None leaves it out.
        threshold: A trial is stopped when its value is worse than this one, in the objective's
            unit. None leaves it out.
        min_progression: No trial is stopped before it has reached this progression.
        max_progression: No trial is stopped beyond it; None for no such limit.
        min_curves: Other trials that must have reached the progression before the percentile
            counts, at least 1.
        best_protected: So many best trials at the progression are not stopped by the percentile;
            at least 0.

    Raises:
        UserInputError: If a value is not allowed, with those that are.
    """

    percentile: float | None = None
    threshold: float | None = None
    min_progression: float = 10.0
    max_progression: float | None = None
    min_curves: int = 5
    best_protected: int = 3

    def __post_init__(self) -> None:
        if self.percentile is None and self.threshold is None:
            raise UserInputError(
                "early_stopping has neither a percentile nor a threshold.", "Give one of them."
            )
        percentile = self.percentile
        if percentile is not None and not (is_number(percentile) and 0 < percentile < 100):
            raise UserInputError(
                f"early_stopping.percentile is {percentile!r}; allowed is above 0 and below 100.",
                "50 stops the worse half.",
            )
        for name in ("threshold", "min_progression", "max_progression"):
            _check_finite(f"early_stopping.{name}", getattr(self, name), name != "min_progression")
        if self.max_progression is not None and self.max_progression < self.min_progression:
            raise UserInputError(
                f"early_stopping.max_progression is {self.max_progression:g}, below "
                f"min_progression, {self.min_progression:g}.",
                "No trial would ever be stopped; raise it, or leave it out.",
            )
        check_count("early_stopping.min_curves", self.min_curves, low=1)
        check_count("early_stopping.best_protected", self.best_protected, low=0)


@dataclass(frozen=True, slots=True)
class GlobalStopping:
    """When a run ends before its budget is spent; each criterion that is given is enough.

    Only completed trials count that are not excluded, and only those that keep every limit can be
    the best one. With several objectives, a trial on the Pareto front stands for the best one.

    Attributes:
        target: The run ends when a trial is at least as good as this value of the objective, also
            one of an earlier run; of an objective with a target of its own, the distance from it.
            With several objectives it is not heeded. None leaves it out.
        improvement_bar: The run ends when the best value became better by at most this share of
            the spread of all values, over the last `window_size` trials of the run; the spread is
            the distance between their quartiles. With several objectives: when the hypervolume
            grew by at most this share of itself. At least 0. None leaves it out.
        stagnation: The run ends when so many trials of it in a row, by index, were not better
            than the best one before them, at least 1. None leaves it out.
        window_size: Trials, at least 1.
        min_trials: Completed trials of the run before improvement and stagnation are looked at,
            at least 1.

    Raises:
        UserInputError: If a value is not allowed, with those that are.
    """

    target: float | None = None
    improvement_bar: float | None = None
    stagnation: int | None = None
    window_size: int = 5
    min_trials: int = 10

    def __post_init__(self) -> None:
        if self.target is None and self.improvement_bar is None and self.stagnation is None:
            raise UserInputError(
                "global_stopping has no target, no improvement_bar and no stagnation.",
                "Give one of them.",
            )
        _check_finite("global_stopping.target", self.target, may_be_none=True)
        bar = self.improvement_bar
        if bar is not None and not (is_number(bar) and bar >= 0):
            raise UserInputError(
                f"global_stopping.improvement_bar is {bar!r}; a number of at least 0 is needed.",
                "Write 10 % of the spread as 0.1.",
            )
        if self.stagnation is not None:
            check_count("global_stopping.stagnation", self.stagnation, low=1)
        check_count("global_stopping.window_size", self.window_size, low=1)
        check_count("global_stopping.min_trials", self.min_trials, low=1)


def _check_finite(name: str, value: object, may_be_none: bool) -> None:  # noqa: FBT001, RUF100  # named where it is not obvious
    if not is_number(value) and not (may_be_none and value is None):
        raise UserInputError(f"{name} is {value!r}; a finite number is needed.")
