"""Trials that were run elsewhere come into a run that goes on."""

from axdesk.core.commands import ImportedTrial, ImportTrials
from axdesk.core.errors import UserInputError
from axdesk.core.events import TrialChanged, Warned
from axdesk.core.trial import TrialSource, TrialStatus
from tests.fakes import Script
from tests.orchestration.bench import Bench, settings

EARLIER = (
    ImportedTrial({"x": 0.9}, {"y": (3.0, None)}, note="by hand"),
    ImportedTrial({"x": 0.2}, {}, TrialStatus.FAILED, reason="leak"),
    ImportedTrial({"x": 4.0}, {"y": 1.0}, is_excluded=True),
)


def test_the_next_suggestion_knows_what_was_imported_meanwhile() -> None:
    bench = Bench({i: Script(seconds=10.0) for i in range(5)})
    bench.submit_at(3.0, ImportTrials(EARLIER, "old.csv"))
    bench.run(settings(2))

    assert [answer.exception() for answer in bench.answers] == [None]
    assert bench.calls.deployed == [0, 4]
    last = bench.generator.requests[-1]
    assert [point.trial_index for point in last.observed] == [0, 1]
    assert [index for index, _ in last.failed] == [2]
    told = [
        e.trial for e in bench.events if isinstance(e, TrialChanged) and e.trial.index in (1, 2, 3)
    ]
    assert [t.generation.source for t in told] == [TrialSource.IMPORTED] * 3
    assert bench.trial(1).note == "by hand"
    assert [(e.action, e.trial_index, e.note) for e in bench.store.audit] == [
        ("import_trial", index, "old.csv") for index in (1, 2, 3)
    ]
    (warned,) = [event for event in bench.events if isinstance(event, Warned)]
    assert warned.message.startswith(
        "1 of 3 imported trials lies outside the search space, such as trial 3: Parameter 'x'"
    )


def test_all_or_none_are_imported() -> None:
    bench = Bench({0: Script(seconds=10.0)})
    bad = ImportedTrial({"x": 0.1}, {"z": 1.0})
    bench.submit_at(3.0, ImportTrials((*EARLIER, bad, ImportedTrial({"x": 0.1}))))
    bench.run(settings(1))

    error = bench.answers[0].exception()
    assert isinstance(error, UserInputError)
    assert "2 of 5 rows cannot be imported, and none was:" in str(error)
    assert "row 3: 'z' is no metric" in str(error)
    assert "row 4: It has no value of y." in str(error)
    assert list(bench.experiment.trials) == [0]
    assert bench.store.audit == []
