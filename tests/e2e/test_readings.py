"""Each reading that a metric may answer, through the library and a real database."""

import math
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RangeParameterConfig, StorageConfig
from axdesk.core.errors import UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterization
from axdesk.core.run import RetryBudget, RunState
from axdesk.core.trial import Observation, TrialStatus

NAME = "readings"

BAD: tuple[Any, ...] = (
    (0, math.nan),
    (0, math.inf),
    (0, -math.inf),
    (0, None),
    (0, "1.0"),
    (0, True),
    (0, 1 + 2j),
    (0, np.float64("nan")),
    (0, np.bool_(True)),
    (0, np.array([1.0, 2.0])),
    (0, torch.tensor([1.0, 2.0])),
    (0, torch.tensor(True)),
    (0, 10**400),
    (0, Decimal("NaN")),
    (0, (1.0, -1.0)),
    (0, (1.0, math.nan)),
    (0, (1.0, 0.1, 0.2)),
    (0, (math.nan, 0.1)),
    (0, {"mean": 1.0}),
    (0, 1.0, 2.0),
    1.0,
    None,
    "0, 1.0",
    (math.nan, 1.0),
    ("first", 1.0),
)

GOOD: tuple[tuple[Any, float, float | None], ...] = (
    ((0, 2), 2.0, None),
    ((0, np.float32(0.5)), 0.5, None),
    ((0, np.int64(7)), 7.0, None),
    ((0, np.array(3.5)), 3.5, None),
    ((0, torch.tensor(1.5, requires_grad=True)), 1.5, None),
    ((0, Decimal("0.25")), 0.25, None),
    ((0, Fraction(1, 8)), 0.125, None),
    ((0, (1.0, None)), 1.0, None),
    ((0, (1.0, 0.0)), 1.0, 0.0),
    ((0, (-2.5, np.float64(0.1))), -2.5, 0.1),
    ((0, 1.7976931348623157e308), 1.7976931348623157e308, None),
    ((0, 5e-324), 5e-324, None),
    ((0, -0.0), 0.0, None),
)


class Bench(IRunner):
    """Completes each trial at once."""

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {"trial": trial_index}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        return TrialStatus.COMPLETED


class Answering(IMetric):
    """Answers the bad readings, then the good ones."""

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        return (*BAD, *(answer for answer, _, _ in GOOD))[trial_index]


class Flaky(IMetric):
    """Fails or reads nothing every other time it is asked of a trial."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # By trial: two that are asked in turn would else share the failures unequally.
        self.asked: Counter[int] = Counter()

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
        self.asked[trial_index] += 1
        time = self.asked[trial_index] + 2 * trial_index
        if time % 4 == 1:
            raise OSError("no line")
        return 0, math.nan if time % 4 == 3 else float(trial_index)


def configured(database: StorageConfig, metric: IMetric) -> Client:
    client = Client(database, random_seed=1)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))], name=NAME)
    client.configure_optimization("y")
    client.configure_generation_strategy("random_search")
    client.configure_runner(Bench())
    client.configure_metrics([metric])
    return client


def run(client: Client, trials: int, fetch: int, tolerated: float) -> None:
    client.run_trials(
        trials,
        3,
        tolerated,
        initial_seconds_between_polls=0.01,
        config=OrchestrationConfig(
            min_seconds_between_launches=0.0,
            min_failed_trials=trials,
            retry_budget=RetryBudget(fetch=fetch),
        ),
    )


@pytest.fixture
def database(tmp_path: Path) -> StorageConfig:
    return StorageConfig(url=f"sqlite:///{tmp_path / 'lab.sqlite'}")


def test_only_a_real_number_completes_a_trial_and_a_person_may_still_enter_one(
    database: StorageConfig,
) -> None:
    with closing(configured(database, Answering("y"))) as client:
        run(client, len(BAD) + len(GOOD), fetch=1, tolerated=0.9)

    with closing(Client.load_from_database(NAME, database)) as client:
        experiment = client.experiment
        for index, answer in enumerate(BAD):
            trial = experiment.trial(index)
            assert trial.status is TrialStatus.FAILED, answer
            assert trial.observations == ()
            assert trial.reason.startswith("result could not be fetched (1 try)")
            assert repr(answer)[:20] in trial.reason
        for index, (answer, mean, sem) in enumerate(GOOD, start=len(BAD)):
            trial = experiment.trial(index)
            assert trial.status is TrialStatus.COMPLETED, answer
            assert trial.observations == (Observation("y", mean, sem),)

        for index in range(len(BAD)):
            with pytest.raises(UserInputError):
                client.complete_trial(index, {"y": math.nan})
            assert experiment.trial(index).status is TrialStatus.FAILED
            assert client.complete_trial(index, {"y": float(index)}) is TrialStatus.COMPLETED

    with closing(Client.load_from_database(NAME, database)) as client:
        for index in range(len(BAD)):
            trial = client.experiment.trial(index)
            assert trial.status is TrialStatus.COMPLETED
            assert trial.observations == (Observation("y", float(index)),)


def test_a_metric_that_fails_half_the_time_loses_no_trial(database: StorageConfig) -> None:
    metric = Flaky("y")
    with closing(configured(database, metric)) as client:
        run(client, 20, fetch=5, tolerated=0.0)
        experiment = client.experiment
        assert experiment.state is RunState.COMPLETED
        for index, trial in experiment.trials.items():
            assert trial.status is TrialStatus.COMPLETED
            assert trial.observations == (Observation("y", float(index)),)
    assert metric.asked.total() >= 40
