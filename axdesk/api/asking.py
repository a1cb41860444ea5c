"""Ask and tell: suggestions that the caller runs."""

import logging
import warnings
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from axdesk.core.errors import SearchSpaceExhaustedError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization, TParameterValue
from axdesk.core.suggestions import Candidate, SuggestionRequest, request_for
from axdesk.core.trial import Arm, Trial, TrialStatus, automatic_name
from axdesk.storage.store import SqlStore

logger = logging.getLogger(__name__)


class Suggester(Protocol):
    """Makes candidates."""

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        """Return the candidates to come."""
        ...

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        """Return candidates at once, without a model."""
        ...


def next_trials(
    store: SqlStore,
    experiment: Experiment,
    suggester: Suggester,
    *,
    max_trials: int,
    held: TParameterization,
    now: datetime,
) -> dict[int, dict[str, TParameterValue]]:
    """Suggest and store trials that are RUNNING; fewer if every allowed point was tried.

    Raises:
        UserInputError: If a value that is held is not allowed.
        SearchSpaceExhaustedError: If not a single one is left.
    """
    if max_trials < 1:
        raise UserInputError(
            f"max_trials of get_next_trials is {max_trials}; a whole number of at least 1 is "
            "needed."
        )
    suggested: dict[int, dict[str, TParameterValue]] = {}
    with store.control(experiment):
        for _ in range(max_trials):
            try:
                request = request_for(experiment, held=held)
                candidate = _suggested(suggester, request)
            except SearchSpaceExhaustedError:
                if not suggested:
                    raise
                warnings.warn(
                    f"{len(suggested)} of {max_trials} trials were suggested: every allowed point "
                    "was tried.",
                    stacklevel=3,
                )
                break
            index = experiment.next_index
            trial = Trial(
                index=index,
                arm=Arm(automatic_name(index), candidate.parameters),
                generation=candidate.generation,
                search_space_version=experiment.search_space_version,
                optimization_version=experiment.optimization_version,
                staged_at=now,
            ).moved_to(TrialStatus.RUNNING, started_at=now)
            store.save_trial(experiment, trial)
            suggested[index] = dict(candidate.parameters)
    return suggested


def _suggested(suggester: Suggester, request: SuggestionRequest) -> Candidate:
    """Return a candidate: a space-filling one, as in a run, where the model gives none."""
    try:
        return suggester.suggest(request).result()[0]
    except (SearchSpaceExhaustedError, UserInputError):
        raise
    except Exception as error:  # whatever broke, the caller gets a trial
        reason = str(error) or type(error).__name__
        logger.warning("No candidate for trial %s", request.trial_index, exc_info=True)
    candidate = suggester.space_filling(request, reason)[0]
    warnings.warn(
        f"The model gave no candidate for trial {request.trial_index}; a space-filling one stepped "
        f"in: {reason}",
        stacklevel=5,
    )
    return candidate
