"""What every `PluginCalls` must keep; each implementation's test class inherits it."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from axdesk.core.errors import CallFailedError, NotFoundError, TrialFailedError
from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import PluginCalls
from axdesk.core.trial import Observation, TrialStatus

SECONDS = 20.0

# Answers and errors are chosen by the parameter or the metadata `do`. Everything that happens is
# appended to a file, so that a test sees it from whatever process the code runs in.
LABORATORY = '''
import os
import threading
import time
from pathlib import Path

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialFailedError, TrialStatus


class OddError(BaseException):
    pass


def act(do, good):
    if do == "raise": raise ValueError("no vial")
    if do == "failed because": raise TrialFailedError("no vial in the rack")
    if do == "exit": raise SystemExit(3)
    if do == "interrupt": raise KeyboardInterrupt
    if do == "stop iteration": raise StopIteration
    if do == "odd": raise OddError("odd")
    if do == "none": return None
    if do == "text": return "text"
    if do == "set": return {"vials": {1, 2}}
    if do == "nan": return {"level": float("nan")}
    if do == "tuple": return {"pair": (1, 2)}
    if do == "integer key": return {1: "a"}
    if do == "staged": return TrialStatus.STAGED
    if do == "failed": return TrialStatus.FAILED
    if do == "plain": return "completed"
    if do == "infinite": return 0, float("inf")
    if do == "mean and sem": return 2, (1.5, 0.25)
    return good


class Bench(IRunner):
    """A bench."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.active = 0

    def note(self, text):
        with (self.folder / "journal.txt").open("a") as journal:
            journal.write(text + "\\n")

    def wait_for(self, name):
        self.note("waiting")
        while not (self.folder / name).exists():
            time.sleep(0.002)

    def run_trial(self, trial_index, parameterization):
        self.active += 1
        self.note(f"run {trial_index} active {self.active} thread {threading.get_ident()}")
        do = parameterization.get("do", "")
        if do == "wait":
            self.wait_for("go")
        self.active -= 1
        parameterization.clear()
        return act(do, {"trial": trial_index, "deep": {"list": [1, 2.5, None, True, "µ"]}})

    def poll_trial(self, trial_index, trial_metadata):
        do = trial_metadata.get("do", "")
        trial_metadata.clear()
        return act(do, TrialStatus.RUNNING)

    def stop_trial(self, trial_index, trial_metadata):
        return act(trial_metadata.get("do", ""), {"stopped": True})

    def find_trial(self, trial_index, parameterization):
        return act(parameterization.get("do", ""), {"found": trial_index})


class Level(IMetric):
    """A level."""

    def fetch(self, trial_index, trial_metadata):
        return act(trial_metadata.get("do", ""), (0, 4 + trial_index))


class Live(Level):
    """A level that can be read at any time."""

    def is_available_while_running(self):
        return True


class Odd(Level):
    """A metric that does not know."""

    def is_available_while_running(self):
        return "perhaps"


class Plain(IRunner):
    """Neither stops nor finds."""

    def run_trial(self, trial_index, parameterization):
        return {}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
'''

RAISING = ("raise", "exit", "interrupt", "stop iteration", "odd")


def failure(future: "Future[Any]") -> CallFailedError:
    error = future.exception(SECONDS)
    assert isinstance(error, CallFailedError)
    return error


class PluginCallsContract(ABC):
    """Subclasses make the calls for the classes of `LABORATORY`, written to `lab.py`."""

    @abstractmethod
    def make(
        self, folder: Path, runner: PluginChoice, metrics: dict[str, PluginChoice]
    ) -> PluginCalls:
        """Return calls to plugins of the folder."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
        return tmp_path

    @pytest.fixture
    def bench(self, folder: Path) -> PluginChoice:
        return PluginChoice("lab.py:Bench", {"folder": str(folder)})

    @pytest.fixture
    def calls(self, folder: Path, bench: PluginChoice) -> Iterator[PluginCalls]:
        metrics = {
            "level": PluginChoice("lab.py:Level", {}),
            "Live (%)": PluginChoice("lab.py:Live", {}),
        }
        calls = self.make(folder, bench, metrics)
        yield calls
        (folder / "go").touch()
        calls.close()

    def journal(self, folder: Path) -> list[str]:
        file = folder / "journal.txt"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def wait_until_entered(self, folder: Path) -> None:
        clock = threading.Event()
        for _ in range(int(SECONDS / 0.005)):
            if "waiting" in self.journal(folder):
                return
            clock.wait(0.005)
        pytest.fail("the laboratory's code was not entered")

    def test_a_trial_is_run_polled_fetched_stopped_and_found(self, calls: PluginCalls) -> None:
        metadata = calls.run_trial(3, {"x": 1.5}).result(SECONDS)

        assert metadata == {"trial": 3, "deep": {"list": [1, 2.5, None, True, "µ"]}}
        assert calls.poll_trial(3, metadata).result(SECONDS) is TrialStatus.RUNNING
        assert calls.fetch("level", 3, metadata).result(SECONDS) == Observation("level", 7.0)
        assert calls.stop_trial(3, metadata).result(SECONDS) == {"stopped": True}
        assert calls.find_trial(3, {"x": 1.5}).result(SECONDS) == {"found": 3}

    def test_the_plugins_are_told_by_name_and_ability(
        self, calls: PluginCalls, folder: Path
    ) -> None:
        assert calls.runner_name == "Bench"
        assert calls.metric_names == ("level", "Live (%)")
        assert (calls.can_stop, calls.can_find) == (True, True)

        plain = self.make(folder, PluginChoice("lab.py:Plain", {}), {})

        assert (plain.can_stop, plain.can_find) == (False, False)
        assert "cannot stop" in str(failure(plain.stop_trial(0, {})))
        plain.close()

    def test_what_the_laboratory_does_to_its_arguments_stays_there(
        self, calls: PluginCalls
    ) -> None:
        parameters, metadata = {"x": 1.0}, {"do": ""}

        calls.run_trial(0, parameters).result(SECONDS)
        calls.poll_trial(0, metadata).result(SECONDS)

        assert (parameters, metadata) == ({"x": 1.0}, {"do": ""})

    def test_metrics_say_whether_they_can_be_fetched_while_running(
        self, calls: PluginCalls, folder: Path, bench: PluginChoice
    ) -> None:
        assert calls.available_while_running().result(SECONDS) == ("Live (%)",)

        without = self.make(folder, bench, {})
        assert without.available_while_running().result(SECONDS) == ()
        without.close()

        odd = self.make(folder, bench, {"odd": PluginChoice("lab.py:Odd", {})})
        assert "True or False" in str(failure(odd.available_while_running()))
        odd.close()

    def test_calls_are_serial_in_one_thread_and_running_once_entered(
        self, calls: PluginCalls, folder: Path
    ) -> None:
        first = calls.run_trial(0, {"do": "wait"})
        second = calls.run_trial(1, {})
        fetched = calls.fetch("level", 0, {})
        self.wait_until_entered(folder)

        assert first.running()
        assert not second.running()
        assert not fetched.running()

        (folder / "go").touch()
        assert fetched.result(SECONDS).mean == 4
        runs = [line.split() for line in self.journal(folder) if line.startswith("run")]
        assert [(run[1], run[3]) for run in runs] == [("0", "1"), ("1", "1")]
        assert runs[0][5] == runs[1][5]

    @pytest.mark.parametrize("do", RAISING)
    def test_whatever_is_raised_fails_the_call_and_no_other(
        self, calls: PluginCalls, do: str
    ) -> None:
        futures: list[Future[Any]] = [
            calls.run_trial(0, {"do": do}),
            calls.poll_trial(0, {"do": do}),
            calls.stop_trial(0, {"do": do}),
            calls.find_trial(0, {"do": do}),
            calls.fetch("level", 0, {"do": do}),
        ]

        for future in futures:
            error = failure(future)
            assert "of trial 0 raised" in error.message
            frames = [line for line in error.details.splitlines() if line.startswith("  File")]
            assert "lab.py" in frames[0]
        assert calls.poll_trial(0, {}).result(SECONDS) is TrialStatus.RUNNING

    @pytest.mark.parametrize(
        ("do", "told"),
        [
            ("text", "'text'; a dict of metadata is needed"),
            ("set", "key 'vials'"),
            ("nan", "key 'level'"),
            ("tuple", "key 'pair' with the value (1, 2) would be read back as something else"),
            ("integer key", "key 1 "),
        ],
    )
    def test_metadata_that_is_no_json_is_refused_with_its_key(
        self, calls: PluginCalls, do: str, told: str
    ) -> None:
        futures: list[Future[Any]] = [
            calls.run_trial(4, {"do": do}),
            calls.stop_trial(4, {"do": do}),
            calls.find_trial(4, {"do": do}),
        ]

        for future in futures:
            error = failure(future)
            assert told in error.message
            assert "trial 4" in error.message

    def test_no_metadata_is_refused_where_it_would_be_a_lie(self, calls: PluginCalls) -> None:
        assert "a dict of metadata is needed" in str(failure(calls.run_trial(0, {"do": "none"})))
        assert calls.find_trial(0, {"do": "none"}).result(SECONDS) is None
        assert calls.stop_trial(0, {"do": "none"}).result(SECONDS) == {}

    def test_a_poll_answers_a_status_or_its_value(self, calls: PluginCalls) -> None:
        assert calls.poll_trial(0, {"do": "failed"}).result(SECONDS) is TrialStatus.FAILED
        assert calls.poll_trial(0, {"do": "plain"}).result(SECONDS) is TrialStatus.COMPLETED
        for do in ("none", "text", "staged", "set"):
            error = failure(calls.poll_trial(5, {"do": do}))
            assert "Bench.poll_trial of trial 5 answered" in error.message
            assert "COMPLETED" in error.hint

    def test_a_poll_says_why_a_trial_failed(self, calls: PluginCalls) -> None:
        with pytest.raises(TrialFailedError) as told:
            calls.poll_trial(3, {"do": "failed because"}).result(SECONDS)
        assert told.value.message == "no vial in the rack"
        error = calls.run_trial(3, {"do": "failed because"}).exception(SECONDS)
        assert type(error) is CallFailedError
        assert "TrialFailedError: no vial in the rack" in error.message

    def test_a_reading_is_checked(self, calls: PluginCalls) -> None:
        future = calls.fetch("Live (%)", 0, {"do": "mean and sem"})

        assert future.result(SECONDS) == Observation("Live (%)", 1.5, 0.25, 2.0)
        error = failure(calls.fetch("Live (%)", 6, {"do": "infinite"}))
        for part in ("'Live (%)'", "trial 6", "(0, inf)", "not finite"):
            assert part in error.message

    def test_an_unknown_metric_is_said_at_once(self, calls: PluginCalls) -> None:
        with pytest.raises(NotFoundError, match="level"):
            calls.fetch("levle", 0, {})

    def test_a_call_that_is_cancelled_while_it_waits_is_never_entered(
        self, calls: PluginCalls, folder: Path
    ) -> None:
        first = calls.run_trial(0, {"do": "wait"})
        waiting = calls.run_trial(1, {})
        self.wait_until_entered(folder)
        assert not first.cancel()
        assert waiting.cancel()
        (folder / "go").touch()

        assert first.result(SECONDS)["trial"] == 0
        assert calls.run_trial(2, {}).result(SECONDS)["trial"] == 2
        assert not any(line.startswith("run 1 ") for line in self.journal(folder))

    @abstractmethod
    def check_left_by_close(self, hung: "Future[Any]") -> None:
        """Assert what becomes of a call that is under way when its plugins are closed."""

    def test_close_waits_for_no_hung_call_and_cancels_what_waits(
        self, calls: PluginCalls, folder: Path
    ) -> None:
        hung = calls.run_trial(0, {"do": "wait"})
        waiting = calls.poll_trial(0, {})
        self.wait_until_entered(folder)

        calls.close()

        assert waiting.cancelled()
        self.check_left_by_close(hung)
        assert "after the end" in str(failure(calls.poll_trial(0, {})))
