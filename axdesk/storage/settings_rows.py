"""The settings of runs as columns, which set-ups and runs share."""

from dataclasses import fields
from typing import TypeVar

from sqlalchemy import RowMapping

from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.storage.rows import Columns


def settings_columns(settings: RunSettings) -> Columns:
    """Return the columns of run settings."""
    more = settings.orchestration
    return {
        "max_trials": settings.max_trials,
        "parallelism": settings.parallelism,
        "tolerated_trial_failure_rate": settings.tolerated_trial_failure_rate,
        "initial_seconds_between_polls": settings.initial_seconds_between_polls,
        "min_seconds_between_launches": more.min_seconds_between_launches,
        "min_failed_trials": more.min_failed_trials,
        "when_failure_rate_exceeded": more.when_failure_rate_exceeded,
        "uncertain_deployment": more.uncertain_deployment,
        "on_error": more.on_error,
        "trial_time_limit": more.trial_time_limit,
        "run_time_limit": more.run_time_limit,
        "run_deadline": more.call_deadlines.run,
        "poll_deadline": more.call_deadlines.poll,
        "fetch_deadline": more.call_deadlines.fetch,
        "stop_deadline": more.call_deadlines.stop,
        "poll_retries": more.retry_budget.poll,
        "fetch_retries": more.retry_budget.fetch,
        "max_seconds_between_polls": more.max_seconds_between_polls,
        "generation_time_limit": more.generation_time_limit,
        **_rule_columns("early_", EarlyStopping, more.early_stopping),
        **_rule_columns("global_", GlobalStopping, more.global_stopping),
    }


TRule = TypeVar("TRule", EarlyStopping, GlobalStopping)


def _rule_columns(prefix: str, kind: type[TRule], rule: TRule | None) -> Columns:
    return {prefix + f.name: None if rule is None else getattr(rule, f.name) for f in fields(kind)}


def _rule_of(prefix: str, kind: type[TRule], row: RowMapping) -> TRule | None:
    values = {field.name: row[prefix + field.name] for field in fields(kind)}
    return None if set(values.values()) == {None} else kind(**values)


def settings_of(row: RowMapping) -> RunSettings:
    """Return the run settings that a row says."""
    return RunSettings(
        max_trials=row["max_trials"],
        parallelism=row["parallelism"],
        tolerated_trial_failure_rate=row["tolerated_trial_failure_rate"],
        initial_seconds_between_polls=row["initial_seconds_between_polls"],
        orchestration=OrchestrationConfig(
            min_seconds_between_launches=row["min_seconds_between_launches"],
            min_failed_trials=row["min_failed_trials"],
            when_failure_rate_exceeded=row["when_failure_rate_exceeded"],
            uncertain_deployment=row["uncertain_deployment"],
            on_error=row["on_error"],
            trial_time_limit=row["trial_time_limit"],
            run_time_limit=row["run_time_limit"],
            call_deadlines=CallDeadlines(
                run=row["run_deadline"],
                poll=row["poll_deadline"],
                fetch=row["fetch_deadline"],
                stop=row["stop_deadline"],
            ),
            retry_budget=RetryBudget(poll=row["poll_retries"], fetch=row["fetch_retries"]),
            max_seconds_between_polls=row["max_seconds_between_polls"],
            generation_time_limit=row["generation_time_limit"],
            early_stopping=_rule_of("early_", EarlyStopping, row),
            global_stopping=_rule_of("global_", GlobalStopping, row),
        ),
    )
