"""What the model says and suggests. `strategy` imports it when it is needed.

The usual path is in closed form; what has none goes through BoTorch, and only then torch is loaded.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from axdesk.core.errors import GenerationError, SearchSpaceExhaustedError, UserInputError
from axdesk.core.outcomes import true_limits
from axdesk.core.suggestions import Candidate, Parameters, SuggestionRequest
from axdesk.core.trial import Generation, Prediction, TrialSource
from axdesk.generation import closed_form
from axdesk.generation.acquisition import Acquisition, Term
from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.held import Lift, LiftedTerm
from axdesk.generation.problem import Problem
from axdesk.generation.search import Search
from axdesk.generation.seeds import Stream, generator, integer
from axdesk.generation.surrogate import MetricData, Surrogate
from axdesk.generation.workability import Workability, workability

_ANCHORS = 2
"""Best observed points around which the next one is sought most closely."""

_FRONT_ANCHORS = 3
"""As many of a Pareto front."""


def _is_closed_form(request: SuggestionRequest) -> bool:
    """Whether a request's model has a closed form; else BoTorch makes it."""
    is_usual = request.settings.method != "quality"
    return is_usual and closed_form.is_closed_form(request.optimization)


def _computing(request: SuggestionRequest) -> AbstractContextManager[None]:
    seed = integer(request.settings.seed, Stream.SURROGATE, request.trial_index)
    if _is_closed_form(request):
        return closed_form.computing()
    from axdesk.generation import botorch_surrogate

    return botorch_surrogate.computing(seed)


def _surrogate(request: SuggestionRequest, data: Mapping[str, MetricData]) -> Surrogate:
    is_feasible = _has_feasible(request)
    if _is_closed_form(request):
        return closed_form.ClosedFormSurrogate(data, request.optimization, is_feasible=is_feasible)
    from axdesk.generation.botorch_surrogate import BoTorchSurrogate

    return BoTorchSurrogate(
        data, request.optimization, is_feasible=is_feasible, method=request.settings.method
    )


class FittedModel:
    """The surrogate of a request with the points that it knows.

    To be used within `_computing`.
    """

    def __init__(self, request: SuggestionRequest, encoding: Encoding) -> None:
        observed = sorted(request.observed, key=lambda point: point.trial_index)
        rows = encoding.learnt_rows([point.parameters for point in observed])
        known = [(p, row) for p, row in zip(observed, rows, strict=True) if row is not None]
        metrics = request.optimization.required_metrics
        data = {}
        for metric in metrics:
            of_metric = [
                (row, observation)
                for point, row in known
                for observation in point.observations
                if observation.metric == metric
            ]
            if not of_metric:
                raise GenerationError(f"No trial has a value of {metric!r} yet.")
            features = encoding.features(np.array([row for row, _ in of_metric]))
            data[metric] = MetricData(features, tuple(o for _, o in of_metric))
        self.encoding = encoding
        self.rows = np.array([row for _, row in known])
        self.surrogate = _surrogate(request, data)
        self.ranking, self._front = self.surrogate.ranking(encoding.features(self.rows))
        self.best_trial = known[self.ranking[0]][0].trial_index
        self._has_several = request.optimization.has_several

    @property
    def best_score(self) -> tuple[float, float] | None:
        """Objective at the best observed point and its standard error; larger is better.

        None with several objectives, among which none is the best.
        """
        if self._has_several:
            return None
        best = self.encoding.features(self.rows[self.ranking[:1]])
        scores, sems = self.surrogate.objective(best)
        return float(scores[0]), float(sems[0])

    def anchors(self, rng: np.random.Generator) -> Array:
        """Return the rows of the most promising points; a few of those on a Pareto front."""
        chosen = self.ranking[:_ANCHORS]
        if self._has_several:
            chosen = rng.permutation(self.ranking[: self._front])[:_FRONT_ANCHORS]
        return np.asarray(self.rows[chosen])

    def predictions(self, rows: Array) -> list[tuple[Prediction, ...]]:
        """Return the predictions of every metric at each row."""
        means, sems = self.surrogate.predict(self.encoding.features(rows))
        return [
            tuple(map(Prediction, self.surrogate.metrics, mean.tolist(), sem.tolist()))
            for mean, sem in zip(means, sems, strict=True)
        ]


class ModelStep:
    """Makes candidates one after the other from one fit."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._model: FittedModel | None = None
        self._workability: Workability | None = None

    def candidate(self, request: SuggestionRequest) -> Candidate:
        """Return the next candidate, with all earlier ones among the request's pending trials.

        Raises:
            SearchSpaceExhaustedError: If every allowed point was tried.
            GenerationError: If the model could not be used.
        """
        if self._problem.is_exhausted:
            raise SearchSpaceExhaustedError("Every allowed point of the search space was tried.")
        seed = integer(request.settings.seed, Stream.SURROGATE, request.trial_index)
        encoding, fit_seconds = self._problem.whole, 0.0
        with _computing(request):
            if self._model is None:
                self._model = FittedModel(request, encoding)
                self._workability = workability(request, encoding)
                fit_seconds = self._model.surrogate.fit_seconds
            model, started = self._model, time.monotonic()
            waiting = sorted(request.pending, key=lambda trial: trial[0])
            pending = [encoding.row(parameters) for _, parameters in waiting]
            terms, words = model.surrogate.worth(
                np.unique(encoding.features(model.rows), axis=0),
                encoding.features(_stacked(pending, encoding)),
                seed,
            )
            if self._workability is not None:
                terms.append(self._workability)
                words += " Where trials failed is avoided."
            rng = generator(request.settings.seed, Stream.SEARCH, request.trial_index)
            row, value = self._best(terms, model.surrogate.steps, rng, model.anchors(rng))
            parameters = self._problem.encoding.parameterization(row)
            whole_row = encoding.row(parameters)
            assert whole_row is not None, "a candidate fits its search space"
            (predictions,) = model.predictions(whole_row[None])
        self._problem.add(row)
        generation = Generation(
            TrialSource.MODEL,
            predictions=predictions,
            model_best=model.best_score,
            acquisition_value=value,
            fit_seconds=fit_seconds,
            search_seconds=time.monotonic() - started,
            seed=seed,
            observed=len(request.observed),
            reason=words,
        )
        return Candidate(parameters, generation)

    def _best(
        self, terms: list[Term], steps: Array, rng: np.random.Generator, anchors: Array
    ) -> tuple[Array, float]:
        """Return the best row of what is searched, and its acquisition value."""
        problem = self._problem
        if problem.whole is not problem.encoding:
            lift = Lift(problem.whole, problem.encoding)
            terms = [LiftedTerm(term, lift) for term in terms]
            steps, anchors = lift.narrow_features(steps), lift.narrow_rows(anchors)
        return Search(problem, Acquisition(terms, steps), rng).best(anchors)


def _has_feasible(request: SuggestionRequest) -> bool:
    """Whether the results of a trial keep every limit that is known and no mere threshold."""
    limits = [one for one in true_limits(request.optimization) if not one.is_relative]
    results = ({o.metric: o.mean for o in point.observations} for point in request.observed)
    return any(
        all(values.keys() >= set(limit.names) and limit.violation(values) <= 0 for limit in limits)
        for values in results
    )


def _stacked(rows: list[Array | None], encoding: Encoding) -> Array:
    known = [row for row in rows if row is not None]
    return np.array(known).reshape(len(known), encoding.dimension)


def predict(
    request: SuggestionRequest, points: Sequence[Parameters]
) -> tuple[tuple[Prediction, ...], ...]:
    """Return the model's mean and standard error of every required metric at each point.

    Raises:
        UserInputError: If a point does not fit the search space.
        GenerationError: If the model could not be used.
    """
    encoding, rows = Encoding(request.search_space), []
    for point in points:
        row = encoding.row(point)
        if row is None:
            raise UserInputError(
                f"The point {dict(point)} cannot be predicted.",
                f"Give a value for each of {', '.join(p.name for p in encoding.space.tunable)}.",
            )
        rows.append(row)
    with _computing(request):
        return tuple(FittedModel(request, encoding).predictions(np.array(rows)))


def best_point(request: SuggestionRequest) -> tuple[int, tuple[Prediction, ...]]:
    """Return the observed point that the model holds for the best, outcome constraints first.

    Raises:
        GenerationError: If the model could not be used, or nothing was observed.
    """
    encoding = Encoding(request.search_space)
    with _computing(request):
        model = FittedModel(request, encoding)
        (predictions,) = model.predictions(model.rows[model.ranking[:1]])
    return model.best_trial, predictions
