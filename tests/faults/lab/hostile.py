"""A laboratory that misbehaves where it is told to; otherwise it is that of `journal.py`."""

import ctypes
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from axdesk.api.protocols.runner import TrialStatus
from axdesk.api.types import TParameterization
from tests.faults.lab.journal import FindingRunner, JournalMetric, entries

MEGABYTE = 1 << 20
PRINTED_MEGABYTES = 1000


class Unprintable(Exception):  # noqa: N818  # one that is made to be hard to handle
    """Cannot even be told."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no words")

    __repr__ = __str__


class Foreign(Enum):
    """Looks like a status and is none."""

    COMPLETED = 3


def _sleep() -> None:
    time.sleep(1e6)


def _spin() -> None:
    while True:
        pass


def _block() -> None:
    ctypes.PyDLL(None).pause()  # with the interpreter's lock held


def _ignore_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _sleep()


def _recurse() -> None:
    _recurse()


def _take_memory() -> None:
    bytearray(1 << 60)


def _interrupt() -> None:
    raise KeyboardInterrupt


def _leave_by_base_exception() -> None:
    raise BaseException("not an Exception")  # noqa: TRY002


def _raise_unprintable() -> None:
    raise Unprintable


def _print_much() -> None:
    for _ in range(PRINTED_MEGABYTES):
        os.write(1, b"x" * (MEGABYTE - 1) + b"\n")


def _write_everywhere() -> None:
    for descriptor in range(3, 32):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, b'{"answer": 1}\nnonsense\n\xff\xfe')
        except OSError:
            continue


def _close_everything() -> None:
    os.closerange(0, 64)


def _fork() -> None:
    os.fork()  # both return and answer


FAULTS: dict[str, Callable[[], object]] = {
    "sleep": _sleep,
    "spin": _spin,
    "block": _block,
    "ignore_sigterm": _ignore_sigterm,
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "os_exit": lambda: os._exit(0),
    "sys_exit": sys.exit,
    "recursion": _recurse,
    "memory": _take_memory,
    "interrupt": _interrupt,
    "base_exception": _leave_by_base_exception,
    "unprintable": _raise_unprintable,
    "print_much": _print_much,
    "write_everywhere": _write_everywhere,
    "close_everything": _close_everything,
    "fork": _fork,
}


class HostileRunner(FindingRunner):
    """Misbehaves in calls for some trials.

    Args:
        journal: As for the others.
        fault: Which of `FAULTS`.
        in_run: The trial whose deployment does it, after it was deployed; -1 for none.
        in_poll: The trial whose every poll does it.
        in_find: Whether looking for trials does it.
        in_stop: Whether stopping does it.
        release: As for the others.
    """

    def __init__(
        self,
        journal: Path,
        fault: str,
        in_run: int = -1,
        in_poll: int = -1,
        in_find: bool = False,
        in_stop: bool = False,
        release: Path | None = None,
    ) -> None:
        super().__init__(journal, release=release)
        self.fault = FAULTS[fault]
        self.in_run = in_run
        self.in_poll = in_poll
        self.in_find = in_find
        self.in_stop = in_stop

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Deploy, then misbehave."""
        metadata = super().run_trial(trial_index, parameterization)
        if trial_index == self.in_run:
            self.fault()
        return metadata

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Misbehave, then answer."""
        if trial_index == self.in_poll:
            self.fault()
        return super().poll_trial(trial_index, trial_metadata)

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Misbehave, then answer."""
        if self.in_find:
            self.fault()
        return super().find_trial(trial_index, parameterization)

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Misbehave, then answer."""
        if self.in_stop:
            self.fault()
        return super().stop_trial(trial_index, trial_metadata)


class HostileMetric(JournalMetric):
    """Misbehaves when one trial is fetched.

    Args:
        journal: As for the others.
        fault: Which of `FAULTS`.
        in_fetch: The trial; -1 for none.
    """

    def __init__(self, name: str, journal: Path, fault: str, in_fetch: int = -1) -> None:
        super().__init__(name, journal)
        self.fault = FAULTS[fault]
        self.in_fetch = in_fetch

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Misbehave, then answer."""
        if trial_index == self.in_fetch:
            self.fault()
        return super().fetch(trial_index, trial_metadata)


class LyingRunner(FindingRunner):
    """Answers polls with what is no status, and changes what it is handed."""

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Answer nonsense for the first trials."""
        self.asked[trial_index] = self.asked.get(trial_index, 0) + 1
        if isinstance(trial_metadata, dict):
            trial_metadata["uid"] = trial_metadata.pop("uid") + "changed"
        flips = TrialStatus.COMPLETED if self.asked[trial_index] % 2 else TrialStatus.RUNNING
        answers: list[Any] = [None, "done", Foreign.COMPLETED, TrialStatus.CANDIDATE, 3.7, flips]
        if trial_index < len(answers):
            answer: TrialStatus = answers[trial_index]
            return answer
        return TrialStatus.COMPLETED


class LyingMetric(JournalMetric):
    """Fails at first where the runner calls a trial completed and then running again."""

    asked = 0

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Raise once for trial 5."""
        if trial_index == 5 and not self.asked:
            self.asked += 1
            raise OSError("the file is not there yet")
        return super().fetch(trial_index, trial_metadata)


class OddMetadataRunner(FindingRunner):
    """Deploys as the others, and answers with metadata that cannot be kept."""

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Answer nonsense for the first trials."""
        metadata = super().run_trial(trial_index, parameterization)
        cyclic: dict[str, Any] = {**metadata}
        cyclic["self"] = cyclic
        odd: list[Any] = [
            {**metadata, "set": {1, 2}},
            {**metadata, "nan": math.nan},
            {**metadata, "much": "x" * (10 * MEGABYTE)},
            cyclic,
            {**metadata, 7: "a key that is no text"},
            [metadata],
            {**metadata, "pair": (1, 2)},
        ]
        answer: dict[str, Any] = odd[trial_index] if trial_index < len(odd) else metadata
        return answer


class SameJobRunner(FindingRunner):
    """Answers with the same metadata for every trial but the first."""

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Name the first job of all."""
        super().run_trial(trial_index, parameterization)
        return {"uid": entries(self.journal)[0]["uid"]}


class OddMetric(JournalMetric):
    """Answers with readings of every kind, and counts the trials from the first that is odd."""

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        """Answer: what is a number stands in `good`, what is none in `bad`."""
        import numpy as np

        _, value = super().fetch(trial_index, trial_metadata)
        assert isinstance(value, float)
        bad: list[Any] = [
            math.nan,
            math.inf,
            -math.inf,
            None,
            str(value),
            complex(value, 1),
            True,
            np.bool_(True),
            (value, 0.1, 0.2),
            (value,),
            (value, -1.0),
            (value, math.nan),
            (math.nan, 0.1),
            np.array([value, value]),
            {"value": value},
            b"1.0",
        ]
        good: list[Any] = [
            np.float64(value),
            Decimal(value),
            Fraction(value),
            np.array(value),
            (value, None),
            (np.float64(value), 0),
        ]
        readings = [*bad, *good]
        return 0, readings[trial_index] if trial_index < len(readings) else value


BAD_READINGS = 16
GOOD_READINGS = 6


class FlakyRunner(FindingRunner):
    """Works at every other poll.

    Args:
        journal: As for the others.
        failures: Before each call that works.
    """

    def __init__(self, journal: Path, failures: int = 1) -> None:
        super().__init__(journal, polls=1)
        self.failures = failures
        self.failed: dict[int, int] = {}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Raise a few times, then answer."""
        failed = self.failed.get(trial_index, 0)
        if failed < self.failures:
            self.failed[trial_index] = failed + 1
            raise ConnectionError("the instrument is busy")
        self.failed[trial_index] = 0
        return super().poll_trial(trial_index, trial_metadata)


class FlakyMetric(JournalMetric):
    """Works after a few fetches of each trial.

    Args:
        journal: As for the others.
        failures: Before each call that works.
    """

    def __init__(self, name: str, journal: Path, failures: int = 1) -> None:
        super().__init__(name, journal)
        self.failures = failures
        self.failed: dict[int, int] = {}

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Raise a few times, then answer."""
        failed = self.failed.get(trial_index, 0)
        if failed < self.failures:
            self.failed[trial_index] = failed + 1
            raise TimeoutError("no answer")
        return super().fetch(trial_index, trial_metadata)


class LostConnectionRunner(FindingRunner):
    """Loses the connection when a trial was deployed."""

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Deploy, then raise for every other trial."""
        metadata = super().run_trial(trial_index, parameterization)
        if trial_index % 2:
            raise ConnectionError("lost")
        return metadata
