"""Calls in threads of this process."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from axdesk.core.errors import PluginError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterization
from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import PluginCalls
from axdesk.core.trial import TrialStatus
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.calls import ThreadedPluginCalls
from axdesk.plugins.loader import load_plugins
from tests.plugins.contract import SECONDS, PluginCallsContract

ROOT = Path(__file__).resolve().parents[2]


class TestThreadedPluginCalls(PluginCallsContract):
    def make(
        self, folder: Path, runner: PluginChoice, metrics: dict[str, PluginChoice]
    ) -> PluginCalls:
        plugins = load_plugins(folder)
        built = [build_metric(plugins, choice, name) for name, choice in metrics.items()]
        return ThreadedPluginCalls(build_runner(plugins, runner), built)

    def check_left_by_close(self, hung: "Future[Any]") -> None:
        assert not hung.done()


class HereRunner(IRunner):
    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {"thread": threading.current_thread().name}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        return TrialStatus.COMPLETED


class ThreadMetric(IMetric):
    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        return 0, threading.get_ident()


class NamelessMetric(ThreadMetric):
    def __init__(self) -> None:
        pass


def test_objects_of_a_library_user_share_one_thread() -> None:
    calls = ThreadedPluginCalls(HereRunner(), [ThreadMetric("a"), ThreadMetric("b")])

    threads = {calls.fetch(name, 0, {}).result(SECONDS).mean for name in ("a", "b")}
    metadata = calls.run_trial(0, {}).result(SECONDS)
    calls.close()

    assert len(threads) == 1
    assert threads != {float(threading.get_ident())}
    assert metadata == {"thread": "axdesk-plugin-objects"}


def test_a_hung_file_does_not_hold_up_another(tmp_path: Path) -> None:
    body = (
        "import threading\n"
        "from axdesk.api.protocols.metric import IMetric\n"
        "go, entered = threading.Event(), threading.Event()\n"
        "class M(IMetric):\n"
        "    def fetch(self, trial_index, trial_metadata):\n"
        "        if trial_metadata['wait']:\n"
        "            entered.set(); go.wait()\n"
        "        return 0, 1\n"
        "    def is_available_while_running(self):\n"
        "        return True\n"
    )
    (tmp_path / "slow.py").write_text(body)
    (tmp_path / "quick.py").write_text(body)
    plugins = load_plugins(tmp_path)
    slow, quick = (
        build_metric(plugins, PluginChoice(f"{name}.py:M", {}), name) for name in ("slow", "quick")
    )
    calls = ThreadedPluginCalls(HereRunner(), [slow, quick])
    module = sys.modules[type(slow).__module__]

    hung = calls.fetch("slow", 0, {"wait": True})
    assert module.entered.wait(SECONDS)
    available = calls.available_while_running()

    assert calls.fetch("quick", 0, {"wait": False}).result(SECONDS).mean == 1
    assert not available.running()
    module.go.set()
    assert hung.result(SECONDS).mean == 1
    assert available.result(SECONDS) == ("slow", "quick")
    calls.close()


def test_metrics_need_a_name_each() -> None:
    with pytest.raises(UserInputError, match="Two metrics are called 'a'"):
        ThreadedPluginCalls(HereRunner(), [ThreadMetric("a"), ThreadMetric("a")])
    with pytest.raises(PluginError, match=r"super\(\).__init__\(name\)"):
        ThreadedPluginCalls(HereRunner(), [NamelessMetric()])


def test_a_hung_call_does_not_hold_the_interpreter() -> None:
    program = """
import threading
from axdesk.core.laboratory import IRunner
from axdesk.plugins.calls import ThreadedPluginCalls
entered = threading.Event()
class Hung(IRunner):
    def run_trial(self, trial_index, parameterization):
        entered.set()
        threading.Event().wait()
    def poll_trial(self, trial_index, trial_metadata): ...
calls = ThreadedPluginCalls(Hung(), [])
future = calls.run_trial(0, {})
entered.wait()
calls.close()
print("left behind", future.running())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "left behind True\n"
