"""What the machine around the optimiser may look like: stale locks, no compiler, a slow start."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from axdesk import generation
from axdesk.api.optimizer_process import OptimizerProcess
from axdesk.core.errors import GenerationError
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import SuggestionRequest
from axdesk.core.trial import TrialSource
from tests.generation.examples import request

ROOT = Path(__file__).parents[2]
SECONDS = 100
"""After which something hangs."""

LINE = SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),))


def by_the_model() -> SuggestionRequest:
    return request(LINE, [({"x": x}, x) for x in (0.1, 0.5, 0.9)])


def by_botorch() -> SuggestionRequest:
    """A request that has no closed form."""
    asked = by_the_model()
    return replace(asked, settings=replace(asked.settings, method="quality"))


SUGGEST_AND_TRY_TO_COMPILE = """
import sys
from axdesk import generation
from tests.generation.test_surroundings import by_botorch
generation.warm_up()
(made,) = generation.suggest(by_botorch())
assert made.generation.source == "model"
from botorch.acquisition.multi_objective import logei
logei._try_load_fused_kernel()
assert logei._C is None
assert "torch.utils.cpp_extension" not in sys.modules
"""


def test_a_stale_lock_of_torchs_compiler_holds_nobody_up(tmp_path: Path) -> None:
    """A build that was killed leaves a lock for which every later one waits for ever."""
    version = f"py{sys.version_info.major}{sys.version_info.minor}_cpu"
    extensions = tmp_path / "extensions"
    places = [extensions / "logei_fused_ext", extensions / version / "logei_fused_ext"]
    for place in places:
        place.mkdir(parents=True)
        (place / "lock").touch()

    def content() -> list[tuple[Path, int]]:
        return sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))

    before = content()
    process = subprocess.run(
        [sys.executable, "-c", SUGGEST_AND_TRY_TO_COMPILE],
        # No compiler is found either, as on a laboratory's computer.
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PATH": "",
            "TORCH_EXTENSIONS_DIR": str(extensions),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert process.returncode == 0, process.stderr
    assert content() == before
    assert not list(Path(os.environ["HOME"]).rglob("torch_extensions"))


def hang() -> None:
    """Never end."""
    threading.Event().wait()


def fail() -> None:
    """Fail as an installation that lacks a library does."""
    raise ImportError("libtorch_cpu.so: cannot open shared object file")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], OptimizerProcess]]:
    """Make an optimiser's process with another warm-up."""
    made: list[OptimizerProcess] = []

    def start(warm_up: object) -> OptimizerProcess:
        with monkeypatch.context() as patch:
            patch.setattr(generation, "warm_up", warm_up)
            made.append(OptimizerProcess())
        return made[-1]

    yield start
    for optimizer in made:
        optimizer.close()


def test_a_warm_up_that_fails_costs_no_suggestion(
    started: Callable[[object], OptimizerProcess],
) -> None:
    optimizer = started(fail)

    (candidate,) = optimizer.suggest(by_the_model()).result(SECONDS)

    assert candidate.generation.source is TrialSource.MODEL


def test_a_warm_up_that_hangs_is_given_up_with_the_suggestion_behind_it(
    started: Callable[[object], OptimizerProcess],
) -> None:
    optimizer = started(hang)
    asked = by_the_model()
    waiting = optimizer.suggest(asked)
    assert not optimizer.is_ready
    assert optimizer.space_filling(asked, "late")[0].generation.source is TrialSource.FALLBACK

    optimizer.give_up()

    with pytest.raises(GenerationError):
        waiting.result(SECONDS)
    (candidate,) = optimizer.suggest(asked).result(SECONDS)
    assert candidate.generation.source is TrialSource.MODEL
