"""The pre-flight of a run, for window and headless alike; every function blocks."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from axdesk import generation
from axdesk.api.keep_awake import why_not_awake
from axdesk.api.network_drives import network_drive
from axdesk.core.clock import SystemClock
from axdesk.core.draft_cells import ParameterKind, Problem, Problems, Section
from axdesk.core.draft_doubts import doubts
from axdesk.core.drafts import Draft
from axdesk.core.dry_test import PassedTest, plugins_of
from axdesk.core.durations import duration
from axdesk.core.errors import AxdeskError, PreflightError, RefusedOptionsError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.outcomes import baseline_trial
from axdesk.core.plugins import PluginChoice
from axdesk.core.preflight import CheckLine, Preflight, Verdict
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.setup import ExperimentSetup
from axdesk.orchestration.setup_commands import refuse_without_baseline

_SECTIONS = {
    Section.GENERAL: "Name",
    Section.PARAMETERS: "Parameters",
    Section.OBJECTIVES: "Objectives & limits",
    Section.CONSTRAINTS: "Search space",
    Section.RUNNER: "Plugins",
    Section.RUN: "Run settings",
}
_PLACES = {"plugin_folder": "Plugin folder", "plugin_python": "Python of the plugins"}
"""Fields of the general section that have a check of their own."""

_DOUBTS = {Section.CONSTRAINTS: "Start values"}
"""What a doubt about a section is about, where that is not the section itself."""

_TOO_LITTLE, _LITTLE = 200_000, 1_000_000_000
"""Bytes of a disk. A trial takes a few thousand, and a run waits while its disk is full; what the
laboratory's own files take is not known here."""


class Place(Protocol):
    """What is asked of the workspace that would run it."""

    def check(self, draft: Draft, experiment_id: int | None = None) -> ExperimentSetup | Problems:
        """Return the set-up that a draft says, or its problems."""
        ...

    def passed_test(self, setup: ExperimentSetup) -> PassedTest | None:
        """Return the last dry test that the plugins passed as they are."""
        ...

    def refusals(self, setup: ExperimentSetup) -> tuple[tuple[str | None, AxdeskError], ...]:
        """Return which plugins cannot be made with their options, and why."""
        ...

    def trial_seconds(self, runner: PluginChoice) -> float | None:
        """Return how long a trial of a runner took."""
        ...

    def summaries(self) -> tuple[ExperimentSummary, ...]:
        """Return all experiments."""
        ...


def examined(
    workspace: Place, draft: Draft, experiment_id: int | None, database: Path
) -> Preflight:
    """Check all that a run needs.

    Args:
        workspace: That would run it.
        draft: The set-up.
        experiment_id: Its number in the database; None if it is not there.
        database: Where it would be run.
    """
    checked = workspace.check(draft, experiment_id)
    problems = checked if isinstance(checked, Problems) else Problems(())
    setup = None if isinstance(checked, Problems) else checked
    lines = [line for section in Section for line in _of_section(draft, section, problems)]
    trial_seconds = None
    if setup is not None:
        if refused := list(_of_making(workspace, draft, setup)):
            lines = [line for line in lines if line.title != _SECTIONS[Section.RUNNER]] + refused
        lines += _of_doubts(draft, setup)
        lines.append(_of_tests(workspace, setup))
        trial_seconds = None if setup.runner is None else workspace.trial_seconds(setup.runner)
    lines += [*_of_storage(database), _of_control(workspace, experiment_id), _of_sleep()]
    found = Preflight(tuple(lines), setup, trial_seconds)
    if setup is None:
        return found
    return Preflight((*lines, _of_duration(found)), setup, trial_seconds)


def _of_section(draft: Draft, section: Section, problems: Problems) -> Iterator[CheckLine]:
    for problem in problems.of(section):
        row = draft.rows(section)[problem.row] if problem.row is not None else {}
        name = row.get("name", "").strip() or row.get("expression", "").strip()
        is_named = section not in (Section.GENERAL, Section.RUNNER, Section.RUN) and name
        message = f"{name}: {problem.message}" if is_named else problem.message
        title = _PLACES.get(problem.field, _SECTIONS[section])
        yield CheckLine(title, Verdict.PROBLEM, message, problem)
    found = {problem.field for problem in problems.of(section)}
    unread = any(problem.field in _PLACES for problem in problems.of(Section.GENERAL))
    if not found - _PLACES.keys() and not (section is Section.RUNNER and unread):
        yield CheckLine(_SECTIONS[section], Verdict.PASSED, _passed(draft, section))


def _passed(draft: Draft, section: Section) -> str:
    match section:
        case Section.GENERAL:
            return f"no other experiment is called {draft.general.get('name', '').strip()}"
        case Section.PARAMETERS:
            on = [row for row in draft.parameters if row.get("on") != "no"]
            fixed = sum(row.get("kind") == ParameterKind.FIXED for row in on)
            more = f", {fixed} of them fixed" if fixed else ""
            return f"{len(on)} in use{more}; names unique, bounds and scales valid"
        case Section.OBJECTIVES:
            return "each response has a metric; at least one goal"
        case Section.CONSTRAINTS:
            space = draft.search_space()
            if space is None:
                return "each constraint is understood"
            if not space.constraints:
                return "every setting within the bounds is allowed"
            return generation.feasible_share(space).sentence
        case Section.RUNNER:
            references = [draft.runner.get("reference", "")]
            references += [row.get("metric", "") for row in draft.objectives]
            files = sorted({reference.partition(":")[0] for reference in references if reference})
            verb = "matches" if len(files) == 1 else "match"
            return f"{' and '.join(files)} {verb} the interface; option types fit"
        case Section.RUN:
            trials, parallel = (draft.run.get(f, "").strip() for f in ("max_trials", "parallelism"))
            return f"{trials} trial{'s' if trials != '1' else ''}, {parallel} at a time"


def _of_making(workspace: Place, draft: Draft, setup: ExperimentSetup) -> Iterator[CheckLine]:
    """Whether the plugins take their options; where a run goes on, it has the instrument."""
    if any(summary.controller for summary in workspace.summaries()):
        return
    try:
        refusals = workspace.refusals(setup)
    except AxdeskError:
        return  # a file is not there any more, which is told with its section
    rows = {row.get("name", "").strip(): n for n, row in enumerate(draft.objectives)}
    for metric, error in refusals:
        is_refused = isinstance(error, RefusedOptionsError | UserInputError)
        message = str(error) if is_refused else f"{error} It may be in use; the start tries again."
        place = Problem(Section.RUNNER, 0, "reference", message)
        if metric is not None:
            place = Problem(Section.OBJECTIVES, rows[metric], "metric", message)
        verdict = Verdict.PROBLEM if is_refused else Verdict.WARNING
        yield CheckLine(_SECTIONS[Section.RUNNER], verdict, message, place)


def _of_doubts(draft: Draft, setup: ExperimentSetup) -> Iterator[CheckLine]:
    for doubt in doubts(draft, setup):
        title = _DOUBTS.get(doubt.section, _SECTIONS[doubt.section])
        name = draft.rows(doubt.section)[doubt.row or 0].get("name", "").strip()
        message = (
            f"{name}: {doubt.message}" if doubt.section is Section.PARAMETERS else doubt.message
        )
        yield CheckLine(title, Verdict.WARNING, message, doubt)


def _of_tests(workspace: Place, setup: ExperimentSetup) -> CheckLine:
    files = " and ".join(sorted({one.partition(":")[0] for one in plugins_of(setup)}))
    try:
        passed = workspace.passed_test(setup)
    except AxdeskError as error:
        message = str(error)
    else:
        if passed is not None:
            at = f"{passed.at.astimezone():%d %b at %H:%M}".lstrip("0")
            return CheckLine("Test", Verdict.PASSED, f"{files} as now passed a test on {at}")
        message = (
            f"No test was passed with {files} as now. A test runs one trial that is not recorded, "
            "and shows whether deploying, polling and fetching work."
        )
    place = Problem(Section.RUNNER, 0, "reference", message)
    return CheckLine("Test", Verdict.WARNING, message, place)


def _of_storage(database: Path) -> Iterator[CheckLine]:
    """The database can be written, there is room, and its disk is this computer's own."""
    folder = next(place for place in database.absolute().parents if place.exists())
    places = [folder] if not database.exists() else [database, database.parent]
    locked = next((place for place in places if not os.access(place, os.W_OK)), None)
    if locked is not None:
        message = f"{locked} cannot be written. Change its permissions, or use another database."
        yield CheckLine("Storage", Verdict.PROBLEM, message)
        return
    free = shutil.disk_usage(folder).free
    room = f"{free / 1e9:.1f} GB" if free >= _LITTLE else f"{free / 1e6:.0f} MB"
    if free < _LITTLE:
        verdict = Verdict.PROBLEM if free < _TOO_LITTLE else Verdict.WARNING
        message = f"Only {room} are free where the database lies, in {folder}."
        yield CheckLine("Storage", verdict, message)
    drive = network_drive(folder)
    if drive:
        message = (
            f"The database lies on a drive of the network ({drive}), in {folder}. Its locks may "
            "fail there, and a lost connection stops the run. Use a disk of this computer."
        )
        yield CheckLine("Storage", Verdict.WARNING, message)
    if free >= _LITTLE and not drive:
        can = "can be written" if database.exists() else "is made by the first run"
        message = f"the database {can}, on a local disk, {room} free"
        yield CheckLine("Storage", Verdict.PASSED, message)


def _of_control(workspace: Place, experiment_id: int | None) -> CheckLine:
    controllers = {summary.id: summary.controller for summary in workspace.summaries()}
    controller = controllers.get(-1 if experiment_id is None else experiment_id, "")
    if not controller or controller.startswith(f"{os.getpid()}@"):
        return CheckLine("Control", Verdict.PASSED, "no other axdesk runs this experiment")
    process, _, host = controller.partition("@")
    message = f"Another axdesk runs this experiment: process {process} on {host}. Stop it there."
    return CheckLine("Control", Verdict.PROBLEM, message)


def _of_sleep() -> CheckLine:
    reason = why_not_awake()
    if not reason:
        return CheckLine("Sleep", Verdict.PASSED, "this computer stays awake while a run goes on")
    message = (
        f"This computer cannot be kept awake: {reason}. Asleep, it starts and fetches no trials. "
        "Switch its sleep off for long runs."
    )
    return CheckLine("Sleep", Verdict.WARNING, message)


def _of_duration(found: Preflight) -> CheckLine:
    seconds = found.run_seconds
    if seconds is None or found.trial_seconds is None:
        return CheckLine("Duration", Verdict.PASSED, "unknown until the first trial finished")
    message = (
        f"about {duration(seconds)}; a trial of this runner took {duration(found.trial_seconds)}"
    )
    return CheckLine("Duration", Verdict.PASSED, message)


def missing_baseline(setup: ExperimentSetup, experiment: Experiment | None) -> tuple[Problem, ...]:
    """What keeps limits from being decided that are relative to a baseline.

    Args:
        setup: As it would be run.
        experiment: As it is stored; None if it is not.
    """
    known = experiment or Experiment(0, setup, SystemClock().now())
    try:
        refuse_without_baseline(known, setup)
    except PreflightError as error:
        if known.trials:
            way = "Add one by Manual trial with “Use as the baseline”, or compare with a value."
            if baseline_trial(known.trials.values()) is not None:
                way = "Enter its result in the table of trials, or compare with a value."
            return (Problem(Section.OBJECTIVES, None, "", f"{error.message} {way}"),)
        message = f"{error.message} Measure the start values first."
        remedy = ("Measure them first", {"start_at_center": "yes"})
        return (Problem(Section.RUN, 0, "start_at_center", message, (remedy,)),)
    return ()
