"""The next candidate: made ahead while trials run, used while it is fresh enough."""

import logging
from collections.abc import Callable
from concurrent.futures import Future

from axdesk.core.errors import SearchSpaceExhaustedError
from axdesk.core.events import FallbackUsed, Publish, SuggestionStarted
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import Clock, Generator
from axdesk.core.suggestions import Candidate, SuggestionRequest, request_for
from axdesk.core.trial import TrialSource

STALE_SHARE = 0.02
"""A candidate made before newer data arrived is used where waiting for a fresh one would cost more
than this share of a trial's usual duration."""

_log = logging.getLogger(__name__)


class Suggesting:
    """Keeps one candidate ready; lives in the scheduler's thread.

    Attributes:
        is_exhausted: Whether every allowed point was tried.
    """

    def __init__(
        self,
        experiment: Experiment,
        generator: Generator,
        *,
        clock: Clock,
        publish: Publish,
        wake: Callable[[], None],
    ) -> None:
        self._experiment = experiment
        self._generator = generator
        self._clock = clock
        self._publish = publish
        self._wake = wake
        self._future: Future[tuple[Candidate, ...]] | None = None
        self._request: SuggestionRequest | None = None
        self._asked_at = 0.0
        self._candidate: Candidate | None = None
        self._usual_seconds = 0.0
        self.is_exhausted = False

    def prepare(self) -> None:
        """Ask for a candidate for the next trial unless there is one or one is being made."""
        if self._future is not None or self._candidate is not None:
            return
        request = request_for(self._experiment)
        if self.is_exhausted and self._request is not None:
            # A failed point may be tried again.
            self.is_exhausted = request.failed == self._request.failed
        if not self.is_exhausted:
            self._request = request
            self._asked_at = self._clock.monotonic()
            self._publish(SuggestionStarted(self._request.trial_index))
            self._future = self._generator.suggest(self._request)
            self._future.add_done_callback(lambda _: self._wake())

    def take_answer(self, time_limit: float | None) -> None:
        """Keep the candidate that was made; if none was made in time, a space-filling one."""
        if self._future is None or self._request is None:
            return
        seconds = self._clock.monotonic() - self._asked_at
        if not self._future.done():
            if time_limit is not None and seconds >= time_limit:
                self._generator.give_up()
                self._fall_back(f"no candidate within {time_limit:g} s")
            return
        future, self._future = self._future, None
        try:
            self._candidate = future.result()[0]
        except SearchSpaceExhaustedError:
            self.is_exhausted = True
        except Exception as error:  # noqa: BLE001  # whatever broke, the run goes on without a model
            _log.warning("No candidate for trial %s", self._request.trial_index, exc_info=True)
            self._fall_back(str(error) or type(error).__name__)
        else:
            if self._candidate.generation.source is TrialSource.MODEL:
                self._usual_seconds = seconds

    def ready(self, usual_trial_seconds: float | None) -> Candidate | None:
        """Return the candidate for the next trial, or None if there is none yet.

        A stale one is dropped, and a fresh one asked for, where that costs little.

        Args:
            usual_trial_seconds: How long a trial takes; None if that is not known yet, or if a
                stale candidate is not to be used at any rate.
        """
        candidate, request = self._candidate, self._request
        if candidate is None or request is None:
            return None
        experiment = self._experiment
        if (
            request.trial_index != experiment.next_index
            or request.search_space != experiment.search_space
        ):
            self._renew()
            return None
        if self._is_designed(candidate):
            return candidate
        if request == request_for(experiment):
            return candidate
        is_cheap = (
            usual_trial_seconds is None or self._usual_seconds <= STALE_SHARE * usual_trial_seconds
        )
        if not is_cheap:
            return candidate
        self._renew()
        return None

    def taken(self) -> None:
        """Forget the candidate: it became a trial."""
        self._candidate = None

    def start_anew(self) -> None:
        """Forget what was suggested, and is being suggested, for another set-up."""
        self._future = self._request = self._candidate = None
        self.is_exhausted = False

    def late_at(self, time_limit: float | None) -> float | None:
        """Return the monotonic time at which the answer is late; None if none is awaited."""
        if self._future is None or time_limit is None:
            return None
        return self._asked_at + time_limit

    def _is_designed(self, candidate: Candidate) -> bool:
        """Whether newer data would change nothing, because no model is used yet."""
        if candidate.generation.source is TrialSource.MODEL:
            return False
        settings = self._experiment.setup.generation
        # A request takes time that grows with the trials: made only where its data matter.
        return settings.method == "random_search" or (
            request_for(self._experiment).designed < settings.initialization_budget
        )

    def _renew(self) -> None:
        self._candidate = None
        self.prepare()

    def _fall_back(self, reason: str) -> None:
        self._future = None
        # A candidate for what is known now: the answer may have been awaited for long.
        self._request = request_for(self._experiment)
        try:
            self._candidate = self._generator.space_filling(self._request, reason)[0]
        except SearchSpaceExhaustedError:
            self.is_exhausted = True
        else:
            self._publish(FallbackUsed(self._request.trial_index, reason))
