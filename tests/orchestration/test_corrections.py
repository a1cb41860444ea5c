"""Corrections of trials: what they refuse, what they tell the history, and that nothing is lost."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.commands import (
    Abandon,
    AddTrial,
    EnterResult,
    MarkEarlyStopped,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    TrialCommand,
    Void,
)
from axdesk.core.errors import AxdeskError, TransitionError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.protocols import AuditEntry
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.trial_commands import apply_to_trial

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Kept:
    """Keeps what is stored, in order."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self.history: list[AuditEntry] = []

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        self.trials.append(trial)
        self.history += audit


class Bench:
    def __init__(self) -> None:
        setup = ExperimentSetup(
            "bowl",
            SearchSpace((RangeParameterConfig("x", (0, 1)),)),
            OptimizationConfig(Objective.parse("-y")),
        )
        self.experiment = Experiment(1, setup, NOW)
        self.kept = Kept()

    def do(self, command: TrialCommand) -> Trial:
        return apply_to_trial(self.experiment, self.kept, command, NOW)  # type: ignore[arg-type]


def test_only_a_result_is_voided_and_its_values_and_time_stay() -> None:
    bench = Bench()
    bench.do(AddTrial({"x": 0.5}))
    with pytest.raises(TransitionError, match="no result to be voided"):
        bench.do(Void(0))
    done = bench.do(EnterResult(0, {"y": (3.0, 0.1)}))
    voided = bench.do(Void(0, "wrong vial"))
    assert (voided.status, voided.reason) == (TrialStatus.ABANDONED, "wrong vial")
    assert (voided.observations, voided.finished_at) == (done.observations, done.finished_at)
    assert bench.kept.history[-1] == AuditEntry(
        NOW, "void", 0, "completed; y = 3.0 ± 0.1", "abandoned: wrong vial; y = 3.0 ± 0.1",
        "wrong vial",
    )  # fmt: skip


def test_why_a_trial_is_excluded_is_in_the_history() -> None:
    bench = Bench()
    bench.do(AddTrial({"x": 0.5}, result={"y": 1.0}))
    bench.do(SetExcluded(0, is_excluded=True, reason="air in the line"))
    bench.do(SetExcluded(0, is_excluded=False))
    told = [(e.before, e.after, e.note) for e in bench.kept.history[1:]]
    assert told == [("included", "excluded", "air in the line"), ("excluded", "included", "")]


def test_a_manual_trial_that_is_to_be_deployed_keeps_to_the_search_space() -> None:
    bench = Bench()
    waiting = bench.do(AddTrial({"x": 0.5}, is_deployed=True))
    assert waiting.surely_not_started
    with pytest.raises(UserInputError, match=r"not deployed.*outside"):
        bench.do(AddTrial({"x": 1.5}, is_deployed=True))
    with pytest.raises(UserInputError, match="no result yet"):
        bench.do(AddTrial({"x": 0.5}, is_deployed=True, result={"y": 1.0}))
    assert [*bench.experiment.trials] == [0]
    # A person may have run it: it is told, and kept.
    assert bench.do(AddTrial({"x": 1.5})).status is TrialStatus.RUNNING
    with pytest.raises(UserInputError, match="Trial 1 is not deployed again"):
        bench.do(Replicate(1))


NUMBERS = st.floats(-1e6, 1e6)
CORRECTIONS = st.one_of(
    st.builds(
        EnterResult,
        st.integers(0, 3),
        st.fixed_dictionaries({"y": NUMBERS | st.tuples(NUMBERS, st.floats(0, 9))}),
        st.none() | st.integers(0, 3).map(float),
        st.text(max_size=5),
    ),
    st.builds(MarkFailed, st.integers(0, 3), st.text(max_size=5)),
    st.builds(Abandon, st.integers(0, 3), st.text(max_size=5)),
    st.builds(Void, st.integers(0, 3), st.text(max_size=5)),
    st.builds(MarkEarlyStopped, st.integers(0, 3)),
    st.builds(SetExcluded, st.integers(0, 3), st.booleans(), st.text(max_size=5)),
    st.builds(SetNote, st.integers(0, 3), st.text(max_size=5)),
    st.builds(AddTrial, st.just({"x": 0.5})),
    st.builds(Replicate, st.integers(0, 3), st.booleans()),
)


@given(st.lists(CORRECTIONS, max_size=25))
def test_no_correction_loses_an_old_value(corrections: list[TrialCommand]) -> None:
    bench = Bench()
    bench.do(AddTrial({"x": 0.25}, result={"y": 1.0}))
    for command in corrections:
        before = dict(bench.experiment.trials)
        lines = len(bench.kept.history)
        try:
            after = bench.do(command)
        except AxdeskError:
            assert bench.experiment.trials == before
            assert len(bench.kept.history) == lines
            continue
        old = before.get(after.index)
        [entry] = bench.kept.history[lines:]
        assert entry.trial_index == after.index
        if old is None:
            continue
        # Every value that there ever was is still there, in its order.
        assert after.observations[: len(old.observations)] == old.observations
        if isinstance(command, SetNote):
            assert (entry.before, entry.after) == (old.note, after.note)
        elif not isinstance(command, SetExcluded):
            assert entry.before.startswith(old.status)
            assert old.reason in entry.before
            latest = old.latest("y")
            assert latest is None or repr(latest.mean) in entry.before
