"""The tutorial's code runs with only the package renamed, and gives right results."""

import ast
from pathlib import Path
from typing import Any

import pytest

from axdesk.core.trial import TrialStatus

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT.parent / "shared" / "reference" / "automating_orchestration_tutorial.md"
SEED = 0


def longest_code(text: str) -> str:
    """Return as many of the first lines as are Python: prose follows each cell unmarked."""
    lines = text.splitlines()
    for count in range(len(lines), 0, -1):
        code = "\n".join(lines[:count])
        try:
            ast.parse(code)
        except SyntaxError:
            continue
        return code
    raise AssertionError(f"no code in {text!r}")


def tutorial_code() -> str:
    _, *cells = TUTORIAL.read_text("utf-8").split("In [None]:\n")
    code = "\n".join(longest_code(cell) for cell in cells)
    assert code.count("from ax.") == 5
    assert code.count("Client()") == 1
    renamed = code.replace("from ax.", "from axdesk.")
    return renamed.replace("Client()", f"Client(random_seed={SEED})")


@pytest.mark.skipif(not TUTORIAL.exists(), reason=f"{TUTORIAL.name} is not beside the checkout")
@pytest.mark.timeout(300)  # 30 trials that start a second apart, and a model for 25 of them
def test_the_tutorial_runs_as_written_and_finds_a_good_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "tutorial"}
    try:
        exec(compile(tutorial_code(), TUTORIAL.name, "exec"), names)
        trials = names["client"].experiment.trials
        cards = names["cards"]
    finally:
        if "client" in names:
            names["client"].close()

    assert len(trials) == 30
    assert {trial.status for trial in trials.values()} == {TrialStatus.COMPLETED}
    for trial in trials.values():
        (reading,) = trial.observations
        assert reading.mean == pytest.approx(names["hartmann6"](**trial.parameters), rel=1e-12)
    best = trials[names["index"]]
    assert names["best_parameters"] == dict(best.parameters)
    assert names["name"] == best.arm.name
    assert best.observations[0].mean == pytest.approx(
        min(trial.observations[0].mean for trial in trials.values()), abs=0.05
    )
    assert best.observations[0].mean < -2.5
    mean, variance = names["prediction"]["hartmann6"]
    assert mean == pytest.approx(best.observations[0].mean, abs=0.5)
    assert variance >= 0
    printed = capsys.readouterr().out
    assert f"Best Parameters: {names['best_parameters']}" in printed
    assert all(card.title in printed for card in cards)
