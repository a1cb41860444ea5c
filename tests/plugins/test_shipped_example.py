"""The example laboratory that comes with axdesk."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from axdesk.core.plugins import PluginChoice, PluginKind, TOptionValue
from axdesk.core.protocols import PluginCalls
from axdesk.core.resources import resource_path
from axdesk.core.trial import TrialStatus
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.calls import ThreadedPluginCalls
from axdesk.plugins.loader import LoadedPlugins, load_plugins

SECONDS = 20.0
MINIMISER = dict(
    zip(
        ("x1", "x2", "x3", "x4", "x5", "x6"),
        (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def plugins() -> LoadedPlugins:
    return load_plugins(resource_path("plugins"))


class Bench:
    """Makes calls to the example, each as if axdesk had just been started."""

    def __init__(self, plugins: LoadedPlugins) -> None:
        self.plugins = plugins
        self.made: list[PluginCalls] = []

    def start(
        self, folder: Path | None, *, seconds: float = 0.0, noise_sd: float = 0.0
    ) -> PluginCalls:
        options: dict[str, TOptionValue] = {"seconds": seconds}
        if folder is not None:
            options["folder"] = str(folder)
        runner = build_runner(self.plugins, PluginChoice("hartmann6.py:Hartmann6Runner", options))
        choice = PluginChoice("hartmann6.py:Hartmann6Metric", {"noise_sd": noise_sd})
        calls = ThreadedPluginCalls(runner, [build_metric(self.plugins, choice, "hartmann6")])
        self.made.append(calls)
        return calls


@pytest.fixture
def bench(plugins: LoadedPlugins) -> Iterator[Bench]:
    bench = Bench(plugins)
    yield bench
    for calls in bench.made:
        calls.close()


def value(calls: PluginCalls, trial_index: int, metadata: dict[str, object]) -> float:
    return calls.fetch("hartmann6", trial_index, metadata).result(SECONDS).mean


def test_it_offers_a_runner_that_stops_and_finds_and_a_metric(plugins: LoadedPlugins) -> None:
    file = next(file for file in plugins.catalogue.files if file.name == "hartmann6.py")
    runner, metric = file.plugins
    assert (runner.kind, metric.kind) == (PluginKind.RUNNER, PluginKind.METRIC)

    assert file.error == ""
    assert (runner.can_stop, runner.can_find) == (True, True)
    assert [(o.name, o.default) for o in runner.options] == [
        ("folder", "~/.axdesk/hartmann6"),
        ("seconds", 5.0),
    ]
    assert [o.name for o in metric.options] == ["noise_sd"]
    assert all(option.help for option in (*runner.options, *metric.options))


def test_a_trial_is_run_polled_and_fetched(bench: Bench, tmp_path: Path) -> None:
    calls = bench.start(tmp_path / "new" / "folder")

    metadata = calls.run_trial(7, MINIMISER).result(SECONDS)

    assert Path(metadata["file"]).name.startswith("trial_0007_")
    assert calls.poll_trial(7, metadata).result(SECONDS) is TrialStatus.COMPLETED
    observation = calls.fetch("hartmann6", 7, metadata).result(SECONDS)
    assert observation.mean == pytest.approx(-3.32237, abs=1e-5)
    assert observation.sem is None


def test_the_function_is_the_tutorial_s(bench: Bench, tmp_path: Path) -> None:
    calls = bench.start(tmp_path)
    parameters = dict(zip(MINIMISER, (0.1, 0.45, 0.8, 0.25, 0.552, 1.0), strict=True))

    metadata = calls.run_trial(-1, parameters).result(SECONDS)

    assert value(calls, -1, metadata) == pytest.approx(-0.4878737485613134, abs=1e-9)


def test_a_trial_runs_for_its_seconds_over_a_restart(bench: Bench, tmp_path: Path) -> None:
    metadata = bench.start(tmp_path, seconds=3600).run_trial(0, MINIMISER).result(SECONDS)
    again = bench.start(tmp_path, seconds=3600)

    assert again.poll_trial(0, metadata).result(SECONDS) is TrialStatus.RUNNING

    file = Path(metadata["file"])
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(content | {"completed_at": content["completed_at"] - 3600}), "utf-8")
    assert again.poll_trial(0, metadata).result(SECONDS) is TrialStatus.COMPLETED


def test_an_interrupted_deployment_is_found_and_another_is_not(
    bench: Bench, tmp_path: Path
) -> None:
    metadata = bench.start(tmp_path).run_trial(2, MINIMISER).result(SECONDS)
    again = bench.start(tmp_path)

    assert again.find_trial(2, MINIMISER).result(SECONDS) == metadata
    assert again.find_trial(3, MINIMISER).result(SECONDS) is None
    assert again.find_trial(2, MINIMISER | {"x1": 0.5}).result(SECONDS) is None
    assert bench.start(tmp_path / "none").find_trial(2, MINIMISER).result(SECONDS) is None


def test_a_stopped_trial_is_abandoned(bench: Bench, tmp_path: Path) -> None:
    calls = bench.start(tmp_path, seconds=3600)
    metadata = calls.run_trial(0, MINIMISER).result(SECONDS)

    assert calls.stop_trial(0, metadata).result(SECONDS) == {}
    assert calls.poll_trial(0, metadata).result(SECONDS) is TrialStatus.ABANDONED


def test_a_trial_whose_file_is_gone_has_failed(bench: Bench, tmp_path: Path) -> None:
    calls = bench.start(tmp_path)
    metadata = calls.run_trial(0, MINIMISER).result(SECONDS)
    Path(metadata["file"]).unlink()

    assert calls.poll_trial(0, metadata).result(SECONDS) is TrialStatus.FAILED


def test_two_experiments_share_a_folder_but_no_result(bench: Bench, tmp_path: Path) -> None:
    one, other = bench.start(tmp_path), bench.start(tmp_path)
    far = dict.fromkeys(MINIMISER, 1.0)

    of_one = one.run_trial(0, MINIMISER).result(SECONDS)
    of_other = other.run_trial(0, far).result(SECONDS)

    assert value(one, 0, of_one) == pytest.approx(-3.32237, abs=1e-5)
    assert value(other, 0, of_other) > -0.1
    assert one.find_trial(0, MINIMISER).result(SECONDS) == of_one
    assert other.find_trial(0, far).result(SECONDS) == of_other


def test_noise_belongs_to_the_trial(bench: Bench, tmp_path: Path) -> None:
    calls = bench.start(tmp_path, noise_sd=0.1)
    trials = [(i, calls.run_trial(i, MINIMISER).result(SECONDS)) for i in range(2)]

    first, second = (calls.fetch("hartmann6", i, m).result(SECONDS) for i, m in trials)
    again = calls.fetch("hartmann6", *trials[0]).result(SECONDS)

    assert first == again
    assert first.mean != second.mean
    assert first.sem == 0.1
    assert math.isclose(first.mean, -3.32, abs_tol=0.6)


def test_the_default_folder_is_in_the_home(bench: Bench) -> None:
    metadata = bench.start(None).run_trial(0, MINIMISER).result(SECONDS)

    assert Path(metadata["file"]).parent == Path.home() / ".axdesk" / "hartmann6"
