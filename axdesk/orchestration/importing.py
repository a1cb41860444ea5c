"""Trials that were run elsewhere: the same with and without a run."""

from collections.abc import Mapping
from datetime import datetime

from axdesk.core.commands import ImportedTrial, ImportTrials
from axdesk.core.errors import AxdeskError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization
from axdesk.core.protocols import AuditEntry, TrialStore
from axdesk.core.trial import (
    Arm,
    Generation,
    Trial,
    TrialSource,
    TrialStatus,
    automatic_name,
)
from axdesk.orchestration.trial_commands import (
    observations_of,
    refuse_automatic_name,
    refuse_other_parameters,
    told_of_added,
)

IMPORTED_STATUSES = (
    TrialStatus.COMPLETED,
    TrialStatus.FAILED,
    TrialStatus.ABANDONED,
    TrialStatus.EARLY_STOPPED,
)
"""What a trial that is imported may be."""

_MOST_TOLD = 20


def import_trials(
    experiment: Experiment, store: TrialStore, command: ImportTrials, now: datetime
) -> tuple[Trial, ...]:
    """Store trials that were run elsewhere, all or none, with their history; return them.

    Raises:
        UserInputError: If one is not allowed; each of them is told by its place, from 0.
    """
    made, problems = list[Trial](), list[str]()
    named = names_of(experiment)
    for number, given in enumerate(command.trials):
        try:
            made.append(imported_trial(experiment, given, len(made), now, named))
        except AxdeskError as error:
            problems.append(f"row {number}: {error}")
    refuse_bad_rows(problems, len(command.trials))
    source = command.source
    entries = [
        AuditEntry(now, "import_trial", trial.index, after=told_of_added(trial), note=source)
        for trial in made
    ]
    store.save_trials(experiment, made, entries)
    for trial in made:
        experiment.put(trial)
    return tuple(made)


def refuse_bad_rows(problems: list[str], count: int) -> None:
    """Refuse an import with problems, such as "row 3: …", of `count` rows.

    Raises:
        UserInputError: If there are any.
    """
    if not problems:
        return
    more = len(problems) - _MOST_TOLD
    told = [*problems[:_MOST_TOLD], *([f"and {more} more"] if more > 0 else [])]
    raise UserInputError(
        f"{len(problems)} of {count} rows cannot be imported, and none was:\n  "
        + "\n  ".join(told),
        "Correct or drop them; the first row is row 0.",
    )


def names_of(experiment: Experiment) -> dict[str, tuple[int, TParameterization]]:
    """Return arm name → a trial that has it, and its planned parameters."""
    return {t.arm.name: (t.index, t.arm.parameters) for t in experiment.trials.values()}


def imported_trial(
    experiment: Experiment,
    given: ImportedTrial,
    number: int,
    now: datetime,
    named: dict[str, tuple[int, TParameterization]],
) -> Trial:
    """Return the trial that was run elsewhere, without storing it.

    Args:
        experiment: It is to belong to.
        given: What is known of it.
        number: Of trials that are added before it, in the same go.
        now: In UTC.
        named: As `names_of` returns it, with the trials before it; the trial is added to it.

    Raises:
        UserInputError: If a value is not allowed, a required one is missing, or the name is that of
            another parameterization.
    """
    index = experiment.next_index + number
    arm = Arm(
        given.arm_name or automatic_name(index), experiment.search_space.typed(given.parameters)
    )
    refuse_automatic_name(arm, index)
    if (other := named.get(arm.name)) is not None:
        refuse_other_parameters(arm, *other)
    if given.status not in IMPORTED_STATUSES:
        raise UserInputError(
            f"A trial that is {given.status.words} cannot be imported.", "It has to be over."
        )
    trial = Trial(
        index=index,
        arm=arm,
        generation=Generation(TrialSource.BASELINE if given.is_baseline else TrialSource.IMPORTED),
        search_space_version=experiment.search_space_version,
        optimization_version=experiment.optimization_version,
        note=given.note,
        is_excluded=given.is_excluded,
        started_at=given.started_at,
        elapsed_seconds=given.elapsed_seconds,
    )
    _refuse_unknown(experiment, given.result)
    found = observations_of(trial, given.result, None)  # type: ignore[arg-type]  # None is allowed
    _refuse_incomplete(experiment, given)
    named.setdefault(arm.name, (index, arm.parameters))
    return trial.moved_to(TrialStatus.RUNNING).moved_to(
        given.status, observations=found, reason=given.reason, finished_at=given.finished_at or now
    )


def _refuse_unknown(experiment: Experiment, result: Mapping[str, object]) -> None:
    known = experiment.optimization.metric_names
    unknown = [metric for metric in result if metric not in known]
    if unknown:
        raise UserInputError(
            f"{unknown[0]!r} is no metric of {experiment.name!r}.",
            f"Its metrics: {', '.join(known)}.",
        )


def _refuse_incomplete(experiment: Experiment, given: ImportedTrial) -> None:
    if given.status is TrialStatus.COMPLETED:
        required = experiment.optimization.required_metrics
        missing = [metric for metric in required if metric not in given.result]
        if missing:
            raise UserInputError(
                f"It has no value of {', '.join(missing)}.",
                "Give one, or the trial_status FAILED or ABANDONED.",
            )
    if given.status is TrialStatus.EARLY_STOPPED and not given.result:
        raise UserInputError(
            "It has no values, so it cannot count as stopped early.",
            "Give its values, or the trial_status FAILED or ABANDONED.",
        )


def told_outside(experiment: Experiment, trials: tuple[Trial, ...]) -> str:
    """Return one sentence on the trials that lie outside the search space; empty for none."""
    found = {t.index: experiment.search_space.deviations(t.parameters) for t in trials}
    outside = {index: sentences for index, sentences in found.items() if sentences}
    if not outside:
        return ""
    first = next(iter(outside))
    lie = "lies" if len(outside) == 1 else "lie"
    return (
        f"{len(outside)} of {len(trials)} imported trials {lie} outside the search space, such as "
        f"trial {first}: {outside[first][0]}"
    )
