"""What is written as JSON is read back as it was, whatever the experiment."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axdesk.core.protocols import AuditEntry
from axdesk.core.record import ExperimentRecord
from axdesk.exchange.snapshot import read_snapshot, write_snapshot
from tests import strategies

audits = st.builds(
    AuditEntry,
    at=strategies.times,
    action=strategies.texts,
    trial_index=st.none() | st.integers(0, 9),
    before=strategies.texts,
    after=strategies.texts,
    note=strategies.texts,
)


@st.composite
def records(draw: st.DrawFn) -> ExperimentRecord:
    """An experiment with earlier versions of its search space, trials, runs and history."""
    setup = draw(strategies.setups())
    earlier = draw(st.lists(strategies.search_spaces(), max_size=2))
    spaces = [*earlier, setup.search_space]
    goals = [*draw(st.lists(strategies.optimizations(), max_size=2)), setup.optimization]
    return ExperimentRecord(
        setup=setup,
        created_at=draw(strategies.times),
        search_spaces=tuple((draw(strategies.times), space) for space in spaces),
        trials=tuple(draw(strategies.trials(setup, index)) for index in range(draw(counts))),
        runs=tuple(draw(strategies.runs(index)) for index in range(4)),
        history=tuple(draw(st.lists(audits, max_size=3))),
        optimizations=tuple((draw(strategies.times), one.goals) for one in goals),
    )


counts = st.integers(0, 3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_a_record_is_read_back_as_it_was_written(record: ExperimentRecord) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.json"
        write_snapshot(record, path)
        again = read_snapshot(path)
    assert again == record
    # 1, 1.0 and True are equal but not alike.
    assert typed_values(again) == typed_values(record)


def typed_values(record: ExperimentRecord) -> str:
    spaces = [space.parameters for _, space in record.search_spaces]
    trials = [(dict(t.arm.parameters), t.executed_parameters, t.metadata) for t in record.trials]
    return repr((spaces, record.setup.runner, record.setup.metrics, trials))
