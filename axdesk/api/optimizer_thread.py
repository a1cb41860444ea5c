"""Suggestions in a thread of this process: for the library, whose scripts cannot be spawned."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from axdesk import generation
from axdesk.core.parameters import TParameterization
from axdesk.core.suggestions import Candidate, SuggestionRequest

if TYPE_CHECKING:
    from axdesk.core.trial import Prediction


class OptimizerThread:
    """A `Generator`; what the model needs is imported with the first suggestion that it makes."""

    def __init__(self) -> None:
        self._executor = self._new_executor()

    @staticmethod
    def _new_executor() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="axdesk-optimizer")

    @property
    def is_ready(self) -> bool:
        """Whether a suggestion by the model would start at once; a thread always does."""
        return True

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        """Return the candidates to come."""
        return self._executor.submit(generation.suggest, request)

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        """Return candidates at once, without a model."""
        return generation.space_filling(request, reason)

    def predict(
        self, request: SuggestionRequest, points: Sequence[TParameterization]
    ) -> "Future[tuple[tuple[Prediction, ...], ...]]":
        """Return what the model expects of each required metric at each point."""
        return self._executor.submit(generation.predict, request, points)

    def give_up(self) -> None:
        """Leave the suggestion that is being made behind."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._new_executor()

    def close(self) -> None:
        """Let the thread end once its suggestion is made."""
        self._executor.shutdown(wait=False, cancel_futures=True)
