"""Several objectives, targets and the baseline through the public face."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import (
    RangeParameterConfig,
    StorageConfig,
)
from axdesk.api.protocols.metric import IMetric
from axdesk.core.errors import (
    NotFoundError,
    PreflightError,
    TransitionError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.trial import TrialSource, TrialStatus
from tests.api.laboratory import FAST, PARAMETERS, POLL_SECONDS, BenchRunner

Keep = Callable[[Client], Client]


class Reading(IMetric):
    """The value of `x`, or of `z`, whichever the metric's name begins with."""

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
        return 0, float(trial_metadata[self.name[0]])


class Lab(BenchRunner):
    """Leaves the parameters in the metadata."""

    def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
        return super().run_trial(trial_index, parameterization) | dict(parameterization)


def made(
    objective: str,
    *limits: str,
    storage: StorageConfig | None = None,
    method: str = "fast",
    center: bool = True,
) -> Client:
    client = Client(storage, random_seed=2)
    client.configure_experiment(PARAMETERS, name="goals")
    client.configure_optimization(objective, limits)
    client.configure_generation_strategy(
        method,  # type: ignore[arg-type]  # a literal
        initialization_budget=3,
        initialize_with_center=center,
    )
    return client


def run(client: Client, max_trials: int) -> None:
    client.configure_runner(Lab())
    client.configure_metrics(
        [Reading(name) for name in client.experiment.optimization.required_metrics]
    )
    client.run_trials(max_trials, initial_seconds_between_polls=POLL_SECONDS, config=FAST)


def tell(client: Client, index: int, **values: float) -> None:
    client.complete_trial(index, values)


def test_two_objectives_from_the_first_trial_to_the_front(keep: Keep) -> None:
    client = keep(made("x, z"))

    run(client, 5)

    sources = [t.generation.source for t in client.experiment.trials.values()]
    assert sources[-1] is TrialSource.MODEL
    with pytest.raises(UnsupportedError, match="get_pareto_frontier"):
        client.get_best_parameterization()
    measured = client.get_pareto_frontier(use_model_predictions=False)
    predicted = client.get_pareto_frontier()
    assert {best.rule for best in measured} == {"observed"}
    assert {best.rule for best in predicted} == {"model"}
    for parameters, values, index, arm in measured:
        trial = client.experiment.trial(index)
        assert (parameters, arm) == (dict(trial.parameters), trial.arm.name)
        assert values["x"][0] == parameters["x"]
        assert not any(
            other.parameters["x"] > parameters["x"] and other.parameters["z"] > parameters["z"]
            for other in client.experiment.trials.values()
        )
    cards = client.compute_analyses(display=False)
    assert [card.name for card in cards] == ["summary", "pareto_front", "hypervolume"]
    assert [row[0] for row in cards[1].rows] == sorted(
        (index for _, _, index, _ in measured),
        key=lambda i: -float(client.experiment.trial(i).parameters["x"]),
    )
    (point,) = client.predict([{"x": 0.5, "z": 0.5}])
    assert list(point) == ["x", "z"]


def test_one_objective_has_no_front(keep: Keep) -> None:
    client = keep(made("x"))
    with pytest.raises(UnsupportedError, match="get_best_parameterization"):
        client.get_pareto_frontier()


def test_a_front_without_results_is_told(keep: Keep) -> None:
    client = keep(made("x, z"))
    with pytest.raises(NotFoundError, match="No trial has a result yet"):
        client.get_pareto_frontier()
    assert [len(card.rows) for card in client.compute_analyses(display=False)] == [0, 0, 0]


def test_h03_the_best_is_sought_among_all_trials(keep: Keep) -> None:
    client = keep(made("y"))
    for index in range(8):
        client.get_next_trials(1)
        tell(client, index, y=float(index))

    best = client.get_best_parameterization()
    assert (best[2], best.rule) == (7, "model")
    for use_model in (True, False):
        best = client.get_best_parameterization(use_model_predictions=use_model)
        assert best[2] == 7
        parameters, values, index, arm = best
        assert (index, arm) == (7, "7_0")
        assert values["y"][0] == pytest.approx(7.0, abs=0.7)
        assert parameters == dict(client.experiment.trial(7).parameters)

    assert best.rule == "observed"
    assert best.reason == ("#7 has the best measured value, of 8 trials. No model was asked.")
    tell(client, 3, y=99.0)
    assert client.get_best_parameterization(use_model_predictions=False)[2] == 3


def test_the_reason_says_why_no_model_was_used(keep: Keep) -> None:
    client = keep(made("y"))
    client.get_next_trials(1)
    tell(client, 0, y=1.0)

    best = client.get_best_parameterization()

    assert best.rule == "observed"
    assert best.reason.endswith("A model needs 2 completed trials.")


def test_h20_a_result_that_is_voided_is_neither_best_nor_on_a_front(keep: Keep) -> None:
    client = keep(made("x, z"))
    for values in ({"x": 1.0, "z": 1.0}, {"x": 2.0, "z": 2.0}):
        (index,) = client.get_next_trials(1)
        tell(client, index, **values)
    client.mark_trial_abandoned(1)

    front = client.get_pareto_frontier(use_model_predictions=False)

    assert [index for _, _, index, _ in front] == [0]


def test_h13_trials_with_and_without_standard_errors_are_run_together(keep: Keep) -> None:
    client = keep(made("a, -b"))
    for number in range(6):
        ((index, p),) = client.get_next_trials(1).items()
        a, b = float(p["x"]), float(p["z"])
        client.complete_trial(
            index, {"a": (a, 0.1) if number % 2 else a, "b": b if number % 3 else (b, 0.0)}
        )
    assert client.experiment.trial(5).generation.source is TrialSource.MODEL
    assert client.get_pareto_frontier()


def test_a_target_is_shown_as_its_distance(keep: Keep) -> None:
    client = keep(made("-abs(pH - 7)"))
    for value in (5.0, 7.5, 9.0):
        (index,) = client.get_next_trials(1)
        tell(client, index, pH=value)

    best = client.get_best_parameterization(use_model_predictions=False)

    assert (best[2], best[1]) == (1, {"pH": (7.5, 0.0)})
    cards = {card.name: card for card in client.compute_analyses(display=False)}
    assert cards["best_trials"].sentence == "The best abs(pH - 7) is 0.5, of #1."


# ---- the baseline --------------------------------------------------------------------------------


def test_a_limit_is_relative_to_the_attached_baseline(keep: Keep) -> None:
    client = keep(made("-cost", "qps >= 0.95 * baseline"))
    baseline = client.attach_baseline({"x": 0.1, "z": 0.2}, arm_name="as today")
    with pytest.raises(NotFoundError, match="No trial has a result yet"):
        client.get_best_parameterization()
    for qps, cost in ((96.0, 5.0), (94.0, 1.0)):
        (index,) = client.get_next_trials(1)
        tell(client, index, qps=qps, cost=cost)
    with pytest.raises(NotFoundError, match="cannot be decided before the baseline trial"):
        client.get_best_parameterization()

    tell(client, baseline, qps=100.0, cost=9.0)

    assert client.get_best_parameterization(use_model_predictions=False)[2] == baseline + 1
    trial = client.experiment.trial(baseline)
    assert (trial.arm.name, trial.generation.source) == ("as today", TrialSource.BASELINE)
    tell(client, baseline, qps=98.0, cost=9.0)
    assert client.get_best_parameterization(use_model_predictions=False)[2] == baseline + 2


def test_a_run_does_not_start_with_a_limit_that_nobody_can_decide(keep: Keep) -> None:
    client = keep(made("x", "z >= 0.5*baseline", center=False))
    with pytest.raises(PreflightError, match="there is no baseline trial") as caught:
        run(client, 1)
    assert "attach_baseline" in caught.value.hint
    baseline = client.attach_baseline({"x": 0.1, "z": 0.2})
    with pytest.raises(PreflightError, match=f"the baseline trial #{baseline} has no result"):
        run(client, 1)
    assert list(client.experiment.trials) == [baseline]
    tell(client, baseline, x=0.1, z=0.2)

    run(client, 4)

    best = client.get_best_parameterization(use_model_predictions=False)
    assert float(best[0]["z"]) >= 0.1


def test_the_start_values_serve_as_the_baseline(keep: Keep) -> None:
    client = keep(made("x", "z >= 0.9*baseline"))

    run(client, 5)

    best = client.get_best_parameterization(use_model_predictions=False)
    assert client.experiment.trial(0).generation.source is TrialSource.CENTER
    assert float(best[0]["z"]) >= 0.45


def test_all_of_it_comes_back_from_the_database(storage: StorageConfig, keep: Keep) -> None:
    objective = "0.5*x - 2*abs(z - 0.3), -`µ cost`"
    client = made(objective, "`µ cost` <= 1.1*baseline + 3", storage=storage)
    baseline = client.attach_baseline({"x": 0.1, "z": 0.2})
    client.complete_trial(baseline, {"x": 0.1, "z": 0.2, "µ cost": 5.0})
    client.close()

    again = keep(Client.load_from_database("goals", storage))

    optimization = again.experiment.optimization
    assert optimization.objective_text == objective
    assert [str(limit) for limit in optimization.outcome_constraints] == [
        "`µ cost` <= 1.1*baseline + 3"
    ]
    assert again.experiment.trial(baseline).generation.source is TrialSource.BASELINE
    assert [index for _, _, index, _ in again.get_pareto_frontier()] == [baseline]


def test_what_a_baseline_may_be(keep: Keep) -> None:
    client = keep(made("x"))
    with pytest.raises(UserInputError):
        client.attach_baseline({"x": 0.1})
    client.attach_baseline({"x": 0.1, "z": 0.2})
    client.mark_trial_abandoned(0)
    with pytest.raises(TransitionError):
        tell(client, 0, x=1.0)
    assert client.experiment.trial(0).status is TrialStatus.ABANDONED


@pytest.mark.parametrize("count", [3, 5])
def test_more_objectives(keep: Keep, count: int) -> None:
    names = [f"m{k}" for k in range(count)]
    client = Client(random_seed=1)
    keep(client)
    client.configure_experiment([RangeParameterConfig(n, (0.0, 1.0)) for n in "xz"])
    client.configure_optimization(", ".join(names))
    client.configure_generation_strategy(initialization_budget=3)
    for _ in range(4):
        ((index, p),) = client.get_next_trials(1).items()
        x, z = float(p["x"]), float(p["z"])
        tell(client, index, **{n: -((x - k / count) ** 2) - z * k for k, n in enumerate(names)})

    assert client.experiment.trial(3).generation.source is TrialSource.MODEL
    assert client.get_pareto_frontier()
    card = client.compute_analyses(["hypervolume"], display=False)[0]
    assert (card.rows[-1][1] is None) == (count > 4)
