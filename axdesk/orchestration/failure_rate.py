"""When too many trials of a run failed."""

from collections.abc import Callable

from axdesk.core.errors import FailureRateExceededError
from axdesk.core.experiment import Experiment
from axdesk.core.run import Run
from axdesk.core.trial import Trial, TrialStatus


class FailureRate:
    """Failed and abandoned trials over the trials of the run; lives in the scheduler's thread.

    Attributes:
        exceeded: Trial index → reason, as they were when the rate was exceeded; empty before.
    """

    def __init__(self, experiment: Experiment, run: Callable[[], Run]) -> None:
        self._experiment = experiment
        self._run = run
        self._forgiven: frozenset[int] = frozenset()
        self.exceeded: dict[int, str] = {}

    def check(self, *, at_end: bool) -> bool:
        """Return whether the rate is exceeded now, for the first time.

        Args:
            at_end: Whether a single failure is enough to look at the rate.
        """
        if self.exceeded:
            return False
        self.exceeded = self._over_rate(1 if at_end else self._run().settings.min_failed_trials)
        return bool(self.exceeded)

    def forgive(self) -> None:
        """Count no longer what was over the rate when a person let the run go on."""
        self._forgiven |= self._over_rate(1).keys()
        self.exceeded = {}

    @property
    def told(self) -> str:
        """How many trials failed, as a clause."""
        count = len(self._counted)
        return f"{len(self.exceeded)} of {count} {'trial' if count == 1 else 'trials'} failed"

    def error(self) -> FailureRateExceededError:
        """Return the error that ends the run."""
        rate = self._run().settings.tolerated_trial_failure_rate
        return FailureRateExceededError(
            f"{self.told}; at most {100 * rate:.12g} % of a run's trials may fail.",
            "Mend the cause, then resume the run.",
            failures=self.exceeded,
        )

    @property
    def _counted(self) -> tuple[Trial, ...]:
        trials = self._experiment.of_run(self._run())
        return tuple(trial for trial in trials if trial.index not in self._forgiven)

    def _over_rate(self, least: int) -> dict[int, str]:
        """Return trial index → reason if so many are over the rate; else nothing."""
        trials = self._counted
        lost = (TrialStatus.FAILED, TrialStatus.ABANDONED)
        failures = {t.index: t.reason for t in trials if t.status in lost}
        tolerated = self._run().settings.tolerated_trial_failure_rate * len(trials) + 1e-9
        return failures if len(failures) >= least and len(failures) > tolerated else {}
