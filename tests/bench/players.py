"""The packages that are raced, each through its public names alone."""

import importlib
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

from tests.bench.problems import Parameter, Point, Problem

Readings = Mapping[str, float]


class Player(Protocol):
    """One experiment of a package."""

    def ask(self) -> tuple[Any, Point]:
        """Return the next trial, by whatever the package knows it, and its point."""
        ...

    def tell(self, trial: Any, point: Point, readings: Readings | None) -> None:
        """Give the readings of a trial; None says that it failed."""
        ...

    def best(self) -> Point:
        """Return the point that the package reports as the best."""
        ...


class ClientPlayer:
    """Ax or axdesk: both have the same client.

    Args:
        package: `"ax"` or `"axdesk"`.
    """

    def __init__(self, package: str, problem: Problem, seed: int) -> None:
        self._problem = problem
        self._configs: Any = importlib.import_module(f"{package}.api.configs")
        client: Any = importlib.import_module(f"{package}.api.client")
        self._client = client.Client(random_seed=seed)
        self._client.configure_experiment(
            name=f"{problem.name} {seed}",
            parameters=[self._parameter(p) for p in problem.parameters],
            parameter_constraints=[limit.text for limit in problem.limits] or None,
        )
        self._client.configure_optimization(
            objective=", ".join(f"-{name}" for name in problem.objectives),
            outcome_constraints=[f"{n} <= {bound:g}" for n, bound in problem.bounds.items()]
            or None,
        )

    def _parameter(self, parameter: Parameter) -> Any:
        if parameter.values:
            return self._configs.ChoiceParameterConfig(
                name=parameter.name, values=list(parameter.values), parameter_type="str",
                is_ordered=False,
            )  # fmt: skip
        kind = "int" if parameter.is_integer else "float"
        bounds = (parameter.low, parameter.high)
        if parameter.is_integer:
            bounds = (int(parameter.low), int(parameter.high))
        return self._configs.RangeParameterConfig(
            name=parameter.name, bounds=bounds, parameter_type=kind
        )

    def ask(self) -> tuple[Any, Point]:
        """Return the next trial and its point."""
        ((index, point),) = self._client.get_next_trials(max_trials=1).items()
        return index, dict(point)

    def tell(self, trial: Any, point: Point, readings: Readings | None) -> None:
        """Give the readings, with their standard error where the problem tells it."""
        if readings is None:
            self._client.mark_trial_failed(trial_index=trial)
            return
        raw: dict[str, Any] = dict(readings)
        if self._problem.tells_noise:
            raw = {name: (value, self._problem.noise) for name, value in readings.items()}
        self._client.complete_trial(trial_index=trial, raw_data=raw)

    def best(self) -> Point:
        """Return the point of the best trial."""
        return dict(self._client.get_best_parameterization()[0])


class OptunaPlayer:
    """Optuna with its `GPSampler`, told whether outcomes are exact.

    Optuna has neither linear limits nor known noise: the former are given to it as outcomes that
    are limited, the latter not at all.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self._optuna: Any = importlib.import_module("optuna")
        importlib.import_module("greenlet")  # without it Optuna would search in another way
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        self._problem = problem
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it calls deterministic_objective experimental
            sampler = self._optuna.samplers.GPSampler(
                seed=seed, deterministic_objective=not problem.noise
            )
        self._study = self._optuna.create_study(
            sampler=sampler, directions=["minimize"] * len(problem.objectives)
        )
        self._space = {p.name: self._distribution(p) for p in problem.parameters}

    def _distribution(self, parameter: Parameter) -> Any:
        distributions = self._optuna.distributions
        if parameter.values:
            return distributions.CategoricalDistribution(parameter.values)
        if parameter.is_integer:
            return distributions.IntDistribution(int(parameter.low), int(parameter.high))
        return distributions.FloatDistribution(parameter.low, parameter.high)

    def ask(self) -> tuple[Any, Point]:
        """Return the next trial and its point."""
        trial = self._study.ask(self._space)
        return trial, dict(trial.params)

    def tell(self, trial: Any, point: Point, readings: Readings | None) -> None:
        """Give the readings, and what passes a limit."""
        if readings is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return
        for number, limit in enumerate(self._problem.limits):
            trial.set_constraint(f"limit {number}", limit.excess(point))
        for name, bound in self._problem.bounds.items():
            if name not in self._problem.objectives:
                trial.set_constraint(name, readings[name] - bound)
        self._study.tell(trial, [readings[name] for name in self._problem.objectives])

    def best(self) -> Point:
        """Return the point of the best trial, as it was read."""
        return dict(self._study.best_trial.params)


PACKAGES = ("axdesk", "optuna", "ax")


def begin(package: str, problem: Problem, seed: int) -> Player:
    """Begin an experiment of one of `PACKAGES`."""
    if package == "optuna":
        return OptunaPlayer(problem, seed)
    return ClientPlayer(package, problem, seed)
