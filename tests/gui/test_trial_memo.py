"""What is kept of the trials is the same as if it were worked out anew, and costs what changed."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core import outcomes
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import Objective, OptimizationConfig, parse_objectives
from axdesk.core.outcomes import best_observed, pareto_front
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.gui.models.formatting import metric_decimals
from axdesk.gui.models.trial_memo import TrialMemo, replaced
from tests.gui.scenes import coupling_experiment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = OptimizationConfig(Objective.parse("a"), (OutcomeConstraint.parse("b <= 5"),))
TWO = OptimizationConfig(Objective.parse("a"), further_objectives=(Objective.parse("-b"),))
STATES = (TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.FAILED)


@st.composite
def trials_of(draw: Any, index: int) -> Trial:
    status = draw(st.sampled_from(STATES))
    values = [draw(st.integers(0, 9)) for _ in "ab"]
    readings = tuple(
        Observation(name, float(value), draw(st.sampled_from([None, 0.0, 0.5])))
        for name, value in zip("ab", values, strict=True)
    )
    has_time = status.is_terminal and draw(st.booleans())
    return Trial(
        index, Arm(f"{index}_0", {}), Generation(TrialSource.SOBOL), status=status,
        observations=readings if status is TrialStatus.COMPLETED else (),
        is_excluded=draw(st.booleans()),
        finished_at=NOW + timedelta(seconds=draw(st.integers(0, 5))) if has_time else None,
    )  # fmt: skip


@st.composite
def histories(draw: Any) -> list[tuple[Trial, ...]]:
    """Snapshots of trials of which some change, come or go from one to the next."""
    trials: list[Trial] = []
    snapshots = []
    for _ in range(draw(st.integers(1, 6))):
        trials = list(trials)
        for position in draw(st.sets(st.integers(0, max(len(trials) - 1, 0)), max_size=2)):
            if position < len(trials):
                trials[position] = draw(trials_of(trials[position].index))
        if trials and draw(st.integers(0, 4)) == 0:
            del trials[draw(st.integers(0, len(trials) - 1))]
        start = trials[-1].index + 1 if trials else 0
        trials += [draw(trials_of(start + i)) for i in range(draw(st.integers(0, 4)))]
        snapshots.append(tuple(trials))
    return snapshots


@given(histories())
def test_whatever_happens_it_is_as_if_worked_out_anew(history: list[tuple[Trial, ...]]) -> None:
    memo = TrialMemo()

    def read(trial: Trial) -> tuple[float, float | None] | None:
        observation = trial.latest("a")
        return None if observation is None else (observation.mean, observation.sem)

    for trials in history:
        best = best_observed(trials, ONE)
        assert memo.leaders(trials, ONE) == (() if best is None else (best,))
        known = [o for t in trials if (o := t.latest("a")) is not None]
        wanted = metric_decimals([o.mean for o in known], [o.sem for o in known])
        assert memo.decimals("a", trials, read) == wanted
        ended = [t for t in trials if t.status.is_terminal]
        ended.sort(key=lambda t: (t.finished_at is None, t.finished_at or NOW, t.index))
        assert memo.in_order(trials) == tuple(ended)
        for trial in trials:
            if trial.status is TrialStatus.COMPLETED:
                assert memo.broken(trial, ONE) == outcomes.broken_limits(trial, ONE)


@given(histories())
def test_a_front_is_as_if_worked_out_anew(history: list[tuple[Trial, ...]]) -> None:
    memo = TrialMemo()
    for trials in history:
        assert set(map(id, memo.leaders(trials, TWO))) == set(map(id, pareto_front(trials, TWO)))


def test_a_change_is_judged_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    original = outcomes.objective_scores

    def counting(trial: Trial, optimization: OptimizationConfig) -> Any:
        judged.append(trial.index)
        return original(trial, optimization)

    monkeypatch.setattr(outcomes, "objective_scores", counting)
    done = Trial(0, Arm("0_0", {}), Generation(TrialSource.SOBOL), status=TrialStatus.COMPLETED,
                 observations=(Observation("a", 1.0), Observation("b", 1.0)))  # fmt: skip
    trials = tuple(replace(done, index=i) for i in range(500))
    memo = TrialMemo()
    memo.leaders(trials, ONE)
    judged.clear()
    memo.leaders((*trials, replace(done, index=500)), ONE)
    assert set(judged) == {0, 500}


def test_trials_that_stand_elsewhere_are_not_taken_for_changed_ones() -> None:
    done = [Trial(i, Arm(f"{i}_0", {}), Generation(TrialSource.SOBOL)) for i in range(3)]
    assert replaced((done[0], done[2]), tuple(done)) is None
    assert replaced(tuple(done), tuple(done[:2])) is None
    assert replaced(tuple(done[:2]), tuple(done)) == ((), (done[2],))


def test_hypervolumes_are_those_worked_out_anew() -> None:
    chance = random.Random(5)
    experiment = coupling_experiment()
    base = experiment.trial(17)
    optimization = OptimizationConfig.of(parse_objectives("Yield, -Impurity"), ())
    memo = TrialMemo()
    trials: dict[int, Trial] = {}
    followed = 0
    for step in range(150):
        index = chance.choice([len(trials), len(trials), chance.randrange(len(trials) + 1)])
        readings = (
            Observation("Yield", chance.triangular(0, 100, 20)),
            Observation("Impurity", chance.uniform(0, 3)),
        )
        done = replace(base, index=index, observations=readings, is_excluded=step % 17 == 3)
        trials[index] = done if step % 3 or index in trials else experiment.trial(19)
        trials[index] = replace(trials[index], index=index)
        shown = tuple(trials[i] for i in sorted(trials))
        before = memo._volumes
        found = memo.hypervolumes(shown, optimization)
        assert memo._volumes is not None
        followed += before is not None and memo._volumes.extent is before.extent
        anew = TrialMemo().hypervolumes(shown, optimization)
        assert found is not None
        assert anew is not None
        assert list(found) == list(anew)
        assert list(found.values()) == pytest.approx(list(anew.values()))
    assert followed > 50
