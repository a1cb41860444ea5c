"""Calls in processes of their own."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import PluginCalls
from axdesk.plugins.hosts import HostedPluginCalls
from tests.plugins.contract import PluginCallsContract, failure


class TestHostedPluginCalls(PluginCallsContract):
    def make(
        self, folder: Path, runner: PluginChoice, metrics: dict[str, PluginChoice]
    ) -> PluginCalls:
        return HostedPluginCalls(folder, runner, tuple(metrics.items()))

    def check_left_by_close(self, hung: "Future[Any]") -> None:
        error = failure(hung)
        assert error.message.startswith("Bench.run_trial of trial 0 was ended")
        assert error.was_entered
