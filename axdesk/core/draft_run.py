"""From the text of the run settings' cells to values, or to problems that are located."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from axdesk.core.draft_cells import Row, Section, parse_number, parse_percent, parse_whole
from axdesk.core.draft_notes import Notes
from axdesk.core.durations import parse_seconds
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings
from axdesk.core.setup import GENERATION_METHODS, GenerationSettings
from axdesk.core.stopping import EarlyStopping, GlobalStopping


def checked_run(row: Row, notes: Notes) -> tuple[RunSettings, GenerationSettings] | None:
    """Return what the row of the run settings says, None where something is wrong with it."""
    cells = _RunCells(row, notes)
    values = (
        cells.whole("max_trials", 1),
        cells.whole("parallelism", 1),
        cells.number("tolerated_failure_percent"),
        cells.seconds("seconds_between_polls"),
        cells.seconds("seconds_between_launches", may_be_zero=True),
        cells.whole("min_failed_trials", 1),
        cells.whole("poll_retries", 1),
        cells.whole("fetch_retries", 1),
        cells.seconds("max_seconds_between_polls"),
        cells.whole("initial_trials", 1),
        cells.whole("seed", 0),
    )
    optional = {
        name: cells.seconds_or_none(name)
        for name in (
            "trial_time_limit",
            "run_time_limit",
            "run_deadline",
            "poll_deadline",
            "fetch_deadline",
            "stop_deadline",
            "generation_time_limit",
        )
    }
    early, overall = _early_stopping(cells), _global_stopping(cells)
    min_observed = None
    if row.get("min_observed_trials", "").strip():
        min_observed = cells.whole("min_observed_trials", 1)
    words = {name: cells.word(name, allowed) for name, allowed in _WORDS.items()}
    if cells.is_wrong or any(value is None for value in values):
        return None
    (trials, parallel, _, polls, launches, failed, retry_poll, retry_fetch, longest,
     initial, seed) = (value or 0 for value in values)  # fmt: skip
    return notes.at(Section.RUN, 0, "").read(
        lambda: (
            RunSettings(
                max_trials=int(trials),
                parallelism=int(parallel),
                tolerated_trial_failure_rate=parse_percent(row["tolerated_failure_percent"]),
                initial_seconds_between_polls=polls,
                orchestration=OrchestrationConfig(
                    min_seconds_between_launches=launches,
                    min_failed_trials=int(failed),
                    when_failure_rate_exceeded=words["when_failure_rate_exceeded"],  # type: ignore[arg-type]  # among those allowed
                    uncertain_deployment=words["uncertain_deployment"],  # type: ignore[arg-type]  # as above
                    on_error=words["on_error"],  # type: ignore[arg-type]  # as above
                    trial_time_limit=optional["trial_time_limit"],
                    run_time_limit=optional["run_time_limit"],
                    call_deadlines=CallDeadlines(
                        optional["run_deadline"],
                        optional["poll_deadline"],
                        optional["fetch_deadline"],
                        optional["stop_deadline"],
                    ),
                    retry_budget=RetryBudget(int(retry_poll), int(retry_fetch)),
                    max_seconds_between_polls=longest,
                    generation_time_limit=optional["generation_time_limit"],
                    early_stopping=early,
                    global_stopping=overall,
                ),
            ),
            GenerationSettings(
                method=words["method"],  # type: ignore[arg-type]  # as above
                initialization_budget=int(initial),
                initialize_with_center=words["start_at_center"] == "yes",
                seed=int(seed),
                min_observed_initialization_trials=min_observed,
                use_existing_trials_for_initialization=words["count_existing_trials"] == "yes",
            ),
        )
    )


def _early_stopping(cells: "_RunCells") -> EarlyStopping | None:
    percentile = cells.number_or_none("early_percentile")
    threshold = cells.number_or_none("early_threshold")
    usual = EarlyStopping(percentile=50.0)
    low = cells.number_or_none("early_min_progression")
    low = usual.min_progression if low is None else low
    high = cells.number_or_none("early_max_progression")
    curves = cells.whole_or("early_min_curves", 1, usual.min_curves)
    protected = cells.whole_or("early_best_protected", 0, usual.best_protected)
    if high is not None and high < low:
        cells.refuse("early_max_progression", f"Enter at least {low:g}, where judging begins.")
    if cells.is_wrong or (percentile is None and threshold is None):
        return None
    return EarlyStopping(percentile, threshold, low, high, curves, protected)


def _global_stopping(cells: "_RunCells") -> GlobalStopping | None:
    target = cells.number_or_none("global_target")
    percent = cells.number_or_none("global_improvement_percent")
    bar = None if percent is None else parse_percent(cells.row["global_improvement_percent"])
    usual = GlobalStopping(target=0.0)
    stagnation = cells.whole_or("global_stagnation", 1, 0) or None
    window = cells.whole_or("global_window_size", 1, usual.window_size)
    least = cells.whole_or("global_min_trials", 1, usual.min_trials)
    if cells.is_wrong or (target is None and bar is None and stagnation is None):
        return None
    return GlobalStopping(target, bar, stagnation, window, least)


@dataclass(slots=True)
class _RunCells:
    row: Row
    notes: Notes
    is_wrong: bool = False

    def number(self, name: str) -> float | None:
        at = self.notes.at(Section.RUN, 0, name)
        value = at.read(lambda: parse_number(self.row.get(name, "")))
        limits = _NUMBER_LIMITS.get(name)
        if value is not None and limits is not None and not limits[0](value):
            at.note(limits[1])
            value = None
        self.is_wrong = self.is_wrong or value is None
        return value

    def whole(self, name: str, low: int) -> int | None:
        at = self.notes.at(Section.RUN, 0, name)
        value = at.read(lambda: parse_whole(self.row.get(name, "")))
        if value is not None and value < low:
            at.note(f"Enter a whole number of at least {low}.")
            value = None
        self.is_wrong = self.is_wrong or value is None
        return value

    def word(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of the words that are allowed, of which the first is meant by nothing."""
        word = self.row.get(name, "").strip() or allowed[0]
        if word not in allowed:
            self.refuse(name, f"“{word}” is not among {', '.join(allowed)}.")
        return word

    def number_or_none(self, name: str) -> float | None:
        return self.number(name) if self.row.get(name, "").strip() else None

    def whole_or(self, name: str, low: int, usual: int) -> int:
        """Return what stands in a cell that may be left empty; `usual` if it is wrong."""
        value = self.whole(name, low) if self.row.get(name, "").strip() else usual
        return usual if value is None else value

    def refuse(self, name: str, message: str) -> None:
        self.notes.at(Section.RUN, 0, name).note(message)
        self.is_wrong = True

    def seconds(self, name: str, *, may_be_zero: bool = False, otherwise: str = "") -> float | None:
        at = self.notes.at(Section.RUN, 0, name)
        value = at.read(lambda: parse_seconds(self.row.get(name, "")))
        if value == 0 and not may_be_zero:
            at.note(f"Enter a duration above 0{otherwise}, such as 90 s or 5 min.")
            value = None
        self.is_wrong = self.is_wrong or value is None
        return value

    def seconds_or_none(self, name: str) -> float | None:
        if not self.row.get(name, "").strip():
            return None
        return self.seconds(name, otherwise=", or nothing for no limit")


_WORDS: Mapping[str, tuple[str, ...]] = {
    "when_failure_rate_exceeded": ("drain", "stop"),
    "uncertain_deployment": ("ask", "abandon", "redeploy"),
    "on_error": ("continue", "pause", "stop"),
    "method": GENERATION_METHODS,
    "start_at_center": ("yes", "no"),
    "count_existing_trials": ("yes", "no"),
}
"""Cells that hold one of several words; the first is usual."""

_NUMBER_LIMITS: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "tolerated_failure_percent": (lambda v: 0 <= v < 100, "Enter 0 up to, not including, 100."),
    "early_percentile": (lambda v: 0 < v < 100, "Enter a number above 0 and below 100."),
    "global_improvement_percent": (lambda v: v >= 0, "Enter a percentage of at least 0."),
}
