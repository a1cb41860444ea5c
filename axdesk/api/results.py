"""What the trials of an experiment say: cards, the best point, a data frame."""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from axdesk.analysis.best_point import best_point, front_points
from axdesk.analysis.rendering import text
from axdesk.analysis.tables import compute_cards
from axdesk.core.cards import BestPoint, Card
from axdesk.core.errors import AxdeskError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization
from axdesk.core.suggestions import SuggestionRequest, request_for
from axdesk.core.trial import TrialStatus

if TYPE_CHECKING:
    import pandas as pd

    from axdesk.core.trial import Prediction

_MIN_MODEL_TRIALS = 2


class Predictor(Protocol):
    """Tells what the model expects."""

    def predict(
        self, request: SuggestionRequest, points: Sequence[TParameterization]
    ) -> "Future[tuple[tuple[Prediction, ...], ...]]":
        """Return the expectation of each required metric at each point."""
        ...


class BestParameterization(tuple[Any, ...]):
    """(parameters, {metric: (mean, variance)}, trial index, arm name), as the tutorial prints it.

    Attributes:
        rule: Whether predicted (`"model"`) or measured (`"observed"`) values were compared.
        reason: Why this trial and why this rule, as a sentence.
    """

    rule: Literal["model", "observed"]
    reason: str

    @classmethod
    def of(cls, point: BestPoint) -> Self:
        """Return a point of an analysis in this form."""
        made = cls((dict(point.parameters), dict(point.values), point.trial_index, point.arm_name))
        made.rule, made.reason = point.rule, point.reason
        return made


def best_of(experiment: Experiment, predictor: Predictor, use_model: bool) -> BestParameterization:  # noqa: FBT001, RUF100  # handed through from the tutorial's signature
    """Return the best point of an experiment.

    Raises:
        NotFoundError: If no completed trial keeps the limits.
        UnsupportedError: If there are several objectives.
    """
    trials, optimization = experiment.trials.values(), experiment.optimization
    asks = use_model and not optimization.has_several
    predictions, why = _predictions(experiment, predictor, asks=asks)
    return BestParameterization.of(
        best_point(trials, optimization, predictions, why, experiment.search_space)
    )


def front_of(
    experiment: Experiment,
    predictor: Predictor,
    use_model: bool,  # noqa: FBT001, RUF100  # handed through from the signature of Ax
) -> list[BestParameterization]:
    """Return the Pareto front of an experiment.

    Raises:
        NotFoundError: If no completed trial keeps the limits.
        UnsupportedError: If there is one objective.
    """
    trials, optimization = experiment.trials.values(), experiment.optimization
    asks = use_model and optimization.has_several
    predictions, why = _predictions(experiment, predictor, asks=asks)
    front = front_points(trials, optimization, predictions, why, experiment.search_space)
    return [BestParameterization.of(point) for point in front]


def _predictions(
    experiment: Experiment, predictor: Predictor, *, asks: bool
) -> tuple[Mapping[int, Mapping[str, tuple[float, float]]] | None, str]:
    """What the model expects at the observed points; None with the reason where there is none."""
    if not asks:
        return None, "No model was asked."
    request = request_for(experiment)
    if len(request.observed) < _MIN_MODEL_TRIALS:
        return None, f"A model needs {_MIN_MODEL_TRIALS} completed trials."
    points = [point.parameters for point in request.observed]
    try:
        predicted = predictor.predict(request, points).result()
    except AxdeskError as error:
        return None, error.message
    expected = {
        point.trial_index: {p.metric: (p.mean, p.sem) for p in at_point}
        for point, at_point in zip(request.observed, predicted, strict=True)
    }
    return expected, ""


def cards_of(experiment: Experiment, names: Sequence[str] | None, *, display: bool) -> list[Card]:
    """Return cards, and write them to the standard output if asked to."""
    cards = compute_cards(
        experiment.trials.values(), experiment.optimization, experiment.search_space, names
    )
    if display:
        for card in cards:
            sys.stdout.write(f"{text(card)}\n\n")
    return list(cards)


def data_frame(
    experiment: Experiment,
    indices: Sequence[int] | None = None,
    statuses: Sequence[TrialStatus] | None = None,
) -> "pd.DataFrame":
    """Return one row a trial, of some or of all."""
    import pandas as pd

    wanted = experiment.trials if indices is None else {i: experiment.trial(i) for i in indices}
    rows = []
    for index, trial in sorted(wanted.items()):
        if statuses is not None and trial.status not in statuses:
            continue
        row: dict[str, object] = {
            "trial_index": index,
            "arm_name": trial.arm.name,
            "trial_status": trial.status.name,
            "failure_reason": trial.reason or None,
            "generation_node": trial.generation.source.value,
        }
        own = {**row, **dict.fromkeys(trial.parameters)}
        own |= {m + end: None for m in experiment.optimization.metric_names for end in ("", "_sem")}
        row |= {key: v for key, v in (trial.metadata or {}).items() if key not in own}
        for metric in experiment.optimization.metric_names:
            observation = trial.latest(metric)
            row[metric] = None if observation is None else observation.mean
            row[f"{metric}_sem"] = None if observation is None else observation.sem
        rows.append(row | dict(trial.parameters))
    return pd.DataFrame(rows)
