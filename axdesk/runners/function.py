"""A plain Python function as a laboratory: `def evaluate(parameters)`."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from axdesk.core.errors import TrialFailedError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.names import first_duplicate
from axdesk.core.numbers import NumberError, real_number
from axdesk.core.parameters import TParameterValue
from axdesk.core.texts import shown
from axdesk.core.trial import TrialStatus

TValue = float | tuple[float, float]
"""A mean, or a mean and its standard error (sem)."""

TEvaluate = Callable[[dict[str, TParameterValue]], TValue | Mapping[str, TValue]]
"""Receives parameter name → value; returns the value of the only metric, or metric → value."""


class FunctionRunner(IRunner):
    """Evaluates each trial by a function, in a thread of its own.

    So many evaluations go on at once as trials do. One that raises, or returns no value of a
    metric, makes its trial FAILED with the reason. Results live in this object: a trial whose
    evaluation was cut off by the end of the program is FAILED once the run is resumed.

    Attributes:
        metrics: One for each name, for `Client.configure_metrics`.
    """

    def __init__(self, evaluate: TEvaluate, metric_names: Sequence[str]) -> None:
        """Take the function; threads start with the trials.

        Args:
            evaluate: May be called in several threads at once.
            metric_names: What it returns the values of, at least one.

        Raises:
            UserInputError: If no name is given, or one of them twice.
        """
        names = tuple(metric_names)
        twice = first_duplicate(names)
        if not names or twice is not None:
            raise UserInputError(
                f"metric_names is {names!r}; at least one name is needed, and each once."
            )
        self.metrics: tuple[IMetric, ...] = tuple(_FunctionMetric(name, self) for name in names)
        self._evaluate = evaluate
        self._names = names
        self._results: dict[str, Future[dict[str, TValue]]] = {}

    def run_trial(
        self, trial_index: int, parameterization: Mapping[str, TParameterValue]
    ) -> dict[str, Any]:
        """Begin to evaluate a trial, and return at once."""
        key = uuid.uuid4().hex
        self._results[key] = Future()
        # A daemon: an evaluation that hangs must not hold the end of the program.
        threading.Thread(
            target=self._work,
            args=(self._results[key], dict(parameterization)),
            name=f"evaluation of trial {trial_index}",
            daemon=True,
        ).start()
        return {"evaluation": key}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING or COMPLETED.

        Raises:
            TrialFailedError: If the function raised, or returned no value of a metric.
        """
        result = self._results.get(trial_metadata["evaluation"])
        if result is None:
            raise TrialFailedError("the program ended before the evaluation did")
        if not result.done():
            return TrialStatus.RUNNING
        error = result.exception()
        if error is not None:
            raise TrialFailedError(str(error))
        return TrialStatus.COMPLETED

    def value_of(self, metric: str, trial_metadata: Mapping[str, Any]) -> TValue:
        """Return a value of a trial that is completed."""
        return self._results[trial_metadata["evaluation"]].result(timeout=0)[metric]

    def _work(
        self, result: "Future[dict[str, TValue]]", parameters: dict[str, TParameterValue]
    ) -> None:
        try:
            returned = self._evaluate(parameters)
            result.set_result(_values(returned, self._names))
        except BaseException as error:  # noqa: BLE001  # the laboratory's own function
            known = isinstance(error, _FailedError)
            reason = str(error) if known else f"{type(error).__name__}: {error}".rstrip(": ")
            # Without the error itself, which would keep everything alive that it was raised in.
            result.set_exception(_FailedError(reason))


class _FunctionMetric(IMetric):
    """Reads what the function returned."""

    def __init__(self, name: str, runner: FunctionRunner) -> None:
        super().__init__(name)
        self._runner = runner

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, TValue]:
        """Return (0, value) or (0, (mean, sem))."""
        return 0, self._runner.value_of(self.name, trial_metadata)


class _FailedError(Exception):
    """Why an evaluation gave no result."""


def _values(returned: object, names: Sequence[str]) -> dict[str, TValue]:
    if not isinstance(returned, Mapping):
        if len(names) > 1:
            raise _FailedError(
                f"the function returned {returned!r}, not a dict with {', '.join(names)}"
            )
        returned = {names[0]: returned}
    missing = [name for name in names if name not in returned]
    if missing:
        raise _FailedError(f"the function returned no value of {', '.join(missing)}")
    return {name: _checked(name, returned[name]) for name in names}


def _checked(name: str, value: Any) -> TValue:
    """Refuse at once what every later fetch would refuse."""
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    mean, sem = value if is_pair else (value, None)
    try:
        number = real_number(mean)
        if sem is None:
            return number
        error = real_number(sem)
    except NumberError:
        error = number = -1.0
    if error < 0:
        raise _FailedError(
            f"the function returned {shown(value)} for {name}, neither a finite number nor a pair "
            "of mean and sem"
        )
    return number, error
