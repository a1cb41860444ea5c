"""The order of methods: the centre, a space-filling design, then the model.

Everything here is a pure function: the same request gets the same answer, in any process. A
request for several candidates is answered one after the other, each knowing those before it as
pending. What the model needs is imported when it is first used; torch only where the model has no
closed form.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import Candidate, ObservedPoint, Parameters, SuggestionRequest
from axdesk.core.trial import Generation, Observation, Prediction, TrialSource
from axdesk.generation.encoding import Encoding
from axdesk.generation.problem import Problem
from axdesk.generation.seeds import Stream, integer
from axdesk.generation.sobol import center_point, sobol_point


def next_source(request: SuggestionRequest) -> TrialSource:
    """Return how the first candidate of a request will be made; loads nothing heavy."""
    settings = request.settings
    given_up = (request.failed, request.excused, request.abandoned)
    if settings.initialize_with_center and not any((request.observed, request.pending, *given_up)):
        return TrialSource.CENTER
    if settings.method == "random_search" or request.designed < settings.initialization_budget:
        return TrialSource.SOBOL
    required = set(request.optimization.required_metrics)
    encoding = Encoding(request.search_space)
    complete = [
        point.parameters
        for point in request.observed
        # Recorded metrics come on top.
        if required <= {o.metric for o in point.observations}
    ]
    learnt = sum(row is not None for row in encoding.learnt_rows(complete))
    return TrialSource.MODEL if learnt >= settings.needed_results else TrialSource.SOBOL


def suggest(request: SuggestionRequest) -> tuple[Candidate, ...]:
    """Return the next `request.n` candidates.

    Raises:
        SearchSpaceExhaustedError: If every allowed point was tried.
        GenerationError: If the model could not be used; `space_filling` can step in.
    """
    problem, candidates = Problem(request), list[Candidate]()
    by_model = None
    for _ in range(request.n):
        one = _after(request, candidates)
        source = next_source(one)
        if source is not TrialSource.MODEL:
            candidates.append(_without_model(one, problem, source, ""))
            continue
        if by_model is None:
            from axdesk.generation.modelling import ModelStep

            by_model = ModelStep(problem)
        candidates.append(by_model.candidate(one))
    return tuple(candidates)


def predict(
    request: SuggestionRequest, points: Sequence[Parameters]
) -> tuple[tuple[Prediction, ...], ...]:
    """Return the model's mean and standard error of every required metric at each point.

    Raises:
        UserInputError: If a point does not fit the search space.
        GenerationError: If the model could not be used, or nothing was observed.
    """
    from axdesk.generation import modelling

    return modelling.predict(request, points)


def best_point(request: SuggestionRequest) -> tuple[int, tuple[Prediction, ...]]:
    """Return the trial that the model holds for the best, and the required metrics there.

    Only observed points are considered; those that keep more outcome constraints go first.

    Raises:
        GenerationError: If the model could not be used, or nothing was observed.
    """
    from axdesk.generation import modelling

    return modelling.best_point(request)


def warm_up() -> None:
    """Make one small suggestion, so that what it needs is imported and the next one is quick."""
    suggest(
        SuggestionRequest(
            SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),)),
            OptimizationConfig(Objective.parse("y")),
            GenerationSettings(initialization_budget=1),
            trial_index=2,
            observed=tuple(
                ObservedPoint(i, {"x": float(i)}, (Observation("y", float(i)),)) for i in range(2)
            ),
        )
    )


def space_filling(request: SuggestionRequest, reason: str = "") -> tuple[Candidate, ...]:
    """Return candidates without a model, at once.

    Args:
        request: What is asked.
        reason: Why they step in for the model; empty if they are the method that is due.

    Raises:
        SearchSpaceExhaustedError: If every allowed point was tried.
    """
    problem, candidates = Problem(request), list[Candidate]()
    for _ in range(request.n):
        one = _after(request, candidates)
        is_center = next_source(one) is TrialSource.CENTER
        source = TrialSource.CENTER if is_center else TrialSource.SOBOL
        candidates.append(
            _without_model(one, problem, TrialSource.FALLBACK if reason else source, reason)
        )
    return tuple(candidates)


def _after(request: SuggestionRequest, made: Sequence[Candidate]) -> SuggestionRequest:
    earlier = ((request.trial_index + i, one.parameters) for i, one in enumerate(made))
    return replace(
        request,
        n=1,
        trial_index=request.trial_index + len(made),
        pending=(*request.pending, *earlier),
    )


def _without_model(
    request: SuggestionRequest, problem: Problem, source: TrialSource, reason: str
) -> Candidate:
    started = time.monotonic()
    seed = request.settings.seed
    if source is TrialSource.CENTER:
        row = center_point(problem)
    else:
        row = sobol_point(problem, seed, request.trial_index)
    problem.add(row)
    generation = Generation(
        source,
        search_seconds=time.monotonic() - started,
        seed=integer(seed, Stream.SPACE_FILLING, request.trial_index),
        observed=len(request.observed),
        reason=reason,
    )
    return Candidate(problem.encoding.parameterization(row), generation)
