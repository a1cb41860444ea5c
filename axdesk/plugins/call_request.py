"""One call of the laboratory's code, made wherever that code runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from axdesk.core.errors import CallFailedError, TrialFailedError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.plugins.answers import (
    checked_availability,
    checked_find_answer,
    checked_metadata,
    checked_status,
    checked_stop_answer,
)
from axdesk.plugins.failures import reason_of, storable, traceback_of
from axdesk.plugins.readings import checked_reading


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What is asked of a runner or a metric.

    Attributes:
        class_name: Of the runner or the metric, for messages.
        method: Which of its methods is called.
        metric: The metric's name; None for the runner.
        trial_index: None if the call is about no trial.
        given: The parameterization or the metadata, which the laboratory's code may change; None
            if the call is about no trial.
    """

    class_name: str
    method: str
    metric: str | None = None
    trial_index: int | None = None
    given: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """`Furnace.run_trial of trial 3`."""
        trial = "" if self.trial_index is None else f" of trial {self.trial_index}"
        return f"{self.class_name}.{self.method}{trial}"


def carry_out(plugin: IRunner | IMetric, request: CallRequest) -> Any:
    """Enter the laboratory's code and return its checked answer.

    Raises:
        CallFailedError: Whatever the code raises, and if its answer is not allowed. It holds
            no frame of the laboratory's code.
    """
    try:
        method = getattr(plugin, request.method)
        about = () if request.trial_index is None else (request.trial_index, request.given)
        answer = method(*about)
    except BaseException as error:  # noqa: BLE001  # plugin border: sys.exit() and Ctrl-C's, too
        failure = _raised(request, error)
    else:
        try:
            return _checked(request, answer)
        except CallFailedError as error:
            failure = error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001  # the answer's own methods may raise
            failure = _raised(request, error)
    raise failure


def _raised(request: CallRequest, error: BaseException) -> CallFailedError:
    if isinstance(error, TrialFailedError) and request.method == "poll_trial":
        return TrialFailedError(storable(error.message), details=traceback_of(error))
    message = f"{request.text} raised {reason_of(error)}."
    return CallFailedError(message, details=traceback_of(error))


_CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    "run_trial": checked_metadata,
    "poll_trial": checked_status,
    "stop_trial": checked_stop_answer,
    "find_trial": checked_find_answer,
    "is_available_while_running": checked_availability,
}


def _checked(request: CallRequest, answer: object) -> Any:
    if request.metric is not None and request.trial_index is not None:
        return checked_reading(request.metric, request.trial_index, answer)
    return _CHECKS[request.method](request.text, answer)
