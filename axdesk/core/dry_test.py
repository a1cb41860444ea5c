"""A dry test: one trial with the index -1 through the runner and the metrics, never recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from axdesk.core.draft_cells import Goal, Problems, Section
from axdesk.core.drafts import Draft
from axdesk.core.parameters import TParameterValue
from axdesk.core.plugins import PluginCatalogue
from axdesk.core.setup import ExperimentSetup

DRY_TEST_INDEX = -1
"""The index of its trial, by which plugins can tell it from all others."""


class StepKind(StrEnum):
    """What a step of the test does."""

    START = "start"
    DEPLOY = "deploy"
    POLL = "poll"
    FETCH = "fetch"
    STOP = "stop"


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    NOT_REACHED = "not reached"


class DryOutcome(StrEnum):
    """How a dry test ended."""

    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DryStep:
    """One step of a dry test.

    Attributes:
        kind: What it does.
        metric: The metric that it fetches; empty else.
        state: Where it stands.
        text: What came of it, in a sentence; empty before.
        details: The traceback, the laboratory's frames first, or what its process printed last.
        count: How many calls it took so far.
        started_at: UTC; None before.
        seconds: How long it took; while it runs, 0.
    """

    kind: StepKind
    metric: str = ""
    state: StepState = StepState.WAITING
    text: str = ""
    details: str = ""
    count: int = 0
    started_at: datetime | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DryTest:
    """A dry test as it stands.

    Attributes:
        parameterization: With which it is made.
        steps: In order.
        started_at: UTC.
        ended_at: UTC; None while it goes on.
        outcome: How it ended; None while it goes on.
        is_stopping: Whether the operator asked for its end.
        remark: What the operator must know when it ended, such as that the trial may still run.
        hashes: (file name, SHA-256) of the plugin files that ran; empty before they started.
        printed: The last lines that the plugins printed.
    """

    parameterization: Mapping[str, TParameterValue]
    steps: tuple[DryStep, ...]
    started_at: datetime
    ended_at: datetime | None = None
    outcome: DryOutcome | None = None
    is_stopping: bool = False
    remark: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    printed: tuple[str, ...] = ()

    def step(self, kind: StepKind, metric: str = "") -> DryStep:
        """Return the step of a kind; a KeyError if there is none."""
        for step in self.steps:
            if (step.kind, step.metric) == (kind, metric):
                return step
        raise KeyError(kind)


@dataclass(frozen=True, slots=True)
class PassedTest:
    """That a dry test passed, and with which plugins.

    Attributes:
        at: UTC.
        plugins: References of the classes, sorted.
        hashes: (file name, SHA-256) of their files, in order of name.
    """

    at: datetime
    plugins: tuple[str, ...]
    hashes: tuple[tuple[str, str], ...]


def plugins_of(setup: ExperimentSetup) -> tuple[str, ...]:
    """Return the references of the classes that a set-up uses, sorted."""
    choices = [choice for _, choice in setup.metrics]
    if setup.runner is not None:
        choices.append(setup.runner)
    return tuple(sorted({choice.reference for choice in choices}))


def dry_test_setup(draft: Draft, catalogue: PluginCatalogue | None) -> ExperimentSetup | Problems:
    """Return what a dry test needs of a draft, or the problems that keep it from being made.

    It needs parameters, a runner, and what fetches each metric; all else may be incomplete.
    """
    rows = [
        {k: v for k, v in row.items() if k in ("name", "metric") or k.startswith("option.")}
        | {"goal": Goal.RECORD if place else Goal.MAXIMISE}
        for place, row in enumerate(draft.objectives)
    ]
    wanted = replace(draft, objectives=tuple(rows))
    checked = wanted.checked(catalogue)
    if isinstance(checked, Problems):
        if checked.of(Section.GENERAL):
            wanted = replace(wanted, general={**wanted.general, "name": "Dry test"})
        if checked.of(Section.CONSTRAINTS):
            wanted = replace(wanted, constraints=())
        if checked.of(Section.RUN):
            wanted = replace(wanted, run=Draft().run)
        checked = wanted.checked(catalogue)
    return checked
