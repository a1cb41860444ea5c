"""Changing what an experiment is, also after its first trials."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry
from axdesk.core.setup import ExperimentSetup
from axdesk.storage.store import SqlStore


def change_setup(
    store: SqlStore, experiment: Experiment, changes: Mapping[str, Any], now: datetime
) -> None:
    """Store another set-up; of an experiment with trials, what it was stays in the history.

    Args:
        store: That has the experiment.
        experiment: It has the new set-up afterwards.
        changes: Field of the set-up → its new value.
        now: In UTC.

    Raises:
        ExperimentBusyError: If a run goes on.
        UserInputError: If the new name is taken.
    """
    with store.control(experiment):
        setup = replace(experiment.setup, **changes)
        if setup == experiment.setup:
            return
        before, after = _told(experiment.setup), _told(setup)
        entries = [
            AuditEntry(now, f"edit_{what}", before=before[what], after=text)
            for what, text in after.items()
            if experiment.trials and text != before[what]
        ]
        store.save_setup(experiment, setup, entries)


def _told(setup: ExperimentSetup) -> Mapping[str, str]:
    """What the history says of a set-up."""
    optimization = setup.optimization
    objective = [optimization.objective_text, *map(str, optimization.outcome_constraints)]
    return {
        "name": setup.name,
        "description": setup.description,
        "owner": setup.owner,
        "parameters": "; ".join(map(str, setup.search_space.parameters)),
        "parameter_constraints": "; ".join(map(str, setup.search_space.constraints)),
        "optimization": "; ".join(objective),
        "generation": str(setup.generation),
    }
