"""Trials to analyse."""

from collections.abc import Callable
from typing import Any

import pytest

from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus

TMakeTrial = Callable[..., Trial]


@pytest.fixture
def make_trial() -> TMakeTrial:
    """Make a trial from an index and its values; without values it is running."""

    def make(index: int, /, sem: float | None = None, **values: float) -> Trial:
        details: dict[str, Any] = {
            "status": TrialStatus.COMPLETED if values else TrialStatus.RUNNING
        }
        return Trial(
            index=index,
            arm=Arm(f"{index}_0", {"x": index / 10}),
            generation=Generation(TrialSource.SOBOL),
            observations=tuple(Observation(n, value, sem) for n, value in values.items()),
            **details,
        )

    return make


@pytest.fixture
def space() -> SearchSpace:
    return SearchSpace((RangeParameterConfig("x", (0.0, 10.0), unit="mm"),))


@pytest.fixture
def minimise_y() -> OptimizationConfig:
    return OptimizationConfig(Objective.parse("-y"), units=(("y", "mV"),))
