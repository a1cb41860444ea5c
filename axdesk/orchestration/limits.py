"""When a run launches no more: its time is over, too many trials failed, or results are enough."""

from axdesk.core.run import RunState
from axdesk.orchestration.failure_rate import FailureRate
from axdesk.orchestration.global_stopping import reason_to_end, unheeded
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.stopping import Stopping


class Limits:
    """Lives in the scheduler's thread.

    Attributes:
        failures: Of the run.
        enough: Why the results are good enough; empty if they are not, or a person wants more.
    """

    def __init__(self, loop: Loop, stopping: Stopping) -> None:
        self._loop = loop
        self._stopping = stopping
        self._began_at = loop.clock.monotonic()
        self._seconds_before = loop.current.elapsed_seconds
        self.failures = FailureRate(loop.experiment, lambda: loop.current)
        self.enough = ""
        self._is_overruled = False
        self._must_judge = True

    @property
    def run_elapsed(self) -> float:
        """Seconds that the run has taken, over restarts."""
        return self._seconds_before + self._loop.clock.monotonic() - self._began_at

    @property
    def is_good_enough(self) -> bool:
        """Whether launching was ended by the results, and nobody wants the rest stopped."""
        return bool(self.enough) and self._stopping.reason is None

    def due_at(self) -> float | None:
        """Return the monotonic time at which the run's time is over; None for never."""
        limit = self._loop.current.settings.orchestration.run_time_limit
        if limit is None or not self._loop.current.state.launches:
            return None
        return self._loop.clock.monotonic() + (limit - self.run_elapsed)

    def judge_again(self) -> None:
        """Look at the results once more: they, or what is asked of them, have changed."""
        self._must_judge = True

    def step(self) -> None:
        """Launch no more where a limit is reached."""
        self._keep_time()
        self.check_failures()
        self._check_results()

    def overruled(self, before: RunState) -> None:
        """Take it that a person, or the start of a sitting, let the run go on after `before`."""
        if before in (RunState.STARTING, RunState.STOPPING):
            self.failures.forgive()
        if self.enough:
            # A person wants more trials all the same.
            self.enough, self._is_overruled = "", True

    def _keep_time(self) -> None:
        over_at = self.due_at()
        if over_at is not None and self._loop.clock.monotonic() >= over_at:
            limit = self._loop.current.settings.orchestration.run_time_limit
            self._loop.change_state(RunState.STOPPING, f"the time limit of {limit:g} s was reached")

    def check_failures(self, *, at_end: bool = False) -> None:
        """Launch no more, or stop what runs, if too many trials failed.

        Args:
            at_end: Whether a single failure is enough to look at the rate.
        """
        # Trials that are stopped on purpose are no failures.
        if self._stopping.reason is not None or not self.failures.check(at_end=at_end):
            return
        if not at_end and self._loop.current.state is not RunState.STOPPING:
            self._loop.change_state(RunState.STOPPING, self.failures.told)
        if self._loop.current.settings.orchestration.when_failure_rate_exceeded == "stop":
            self._loop.stop_now("stopped because too many trials failed")

    def _check_results(self) -> None:
        """Launch nothing more once the results are good enough, or no longer become better."""
        run, experiment = self._loop.current, self._loop.experiment
        rule = run.settings.orchestration.global_stopping
        is_judged = self._must_judge and not self._is_overruled
        if rule is None or not is_judged or run.state is not RunState.RUNNING:
            return
        self._must_judge = False
        trials = sorted(experiment.trials.values(), key=lambda trial: trial.index)
        reason = reason_to_end(rule, trials, run.index, experiment.optimization)
        if reason:
            self._loop.change_state(RunState.STOPPING, reason)
            self.enough = reason

    def warn_of_unheeded_rules(self) -> None:
        """Tell which rules say nothing about what is optimised."""
        config = self._loop.current.settings.orchestration
        message = unheeded(
            self._loop.experiment.optimization,
            has_target=config.global_stopping is not None
            and config.global_stopping.target is not None,
            stops_early=config.early_stopping is not None,
        )
        if message:
            self._loop.warn(message, "Stagnation and improvement are heeded.")
