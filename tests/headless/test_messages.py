"""What a person reads of troubles that come, grow and go."""

from datetime import UTC, datetime, timedelta

import pytest

from axdesk.core.events import (
    Event,
    PluginPrinted,
    StorageHealthChanged,
    TrialChanged,
    TrialHealthChanged,
)
from axdesk.core.trial import Arm, Generation, Trial, TrialSource, TrialStatus
from axdesk.headless.messages import Messages
from axdesk.headless.texts import since

NOW = datetime.now(UTC)
WHEN = since(NOW)


@pytest.fixture
def messages() -> Messages:
    return Messages()


def told(messages: Messages, *events: Event) -> list[str]:
    return [text for event in events if (text := messages.of(event))]


def silent(failures: int, index: int = 3) -> TrialHealthChanged:
    return TrialHealthChanged(index, failures, "no route to host", NOW)


def test_a_trial_that_does_not_answer_is_told_when_it_begins_doubles_and_ends(
    messages: Messages,
) -> None:
    lines = told(messages, *(silent(n) for n in range(1, 101)))
    assert len(lines) == 7
    assert lines[0].startswith(f"Trial 3 is not answering{WHEN} (1 failed in a row): no route")
    assert messages.trouble == f"trial 3 is not answering{WHEN}"
    well = TrialHealthChanged(3, 0, "")
    assert told(messages, well, well) == ["Trial 3 answers again, after 100 failed calls."]
    assert messages.trouble == ""


def test_a_trial_that_ends_troubles_nobody_any_more(messages: Messages) -> None:
    told(messages, silent(1), silent(1, index=4))
    failed = Trial(
        3, Arm("3_0", {"x": 1.0}), Generation(TrialSource.SOBOL), status=TrialStatus.FAILED
    )
    assert told(messages, TrialChanged(failed)) == []
    assert messages.trouble == f"trial 4 is not answering{WHEN}"


def test_the_database_is_told_when_it_fails_and_when_it_works_again(messages: Messages) -> None:
    away = StorageHealthChanged("The disk is full.", NOW)
    assert told(messages, away, away, away) == [
        f"The database takes nothing{WHEN}: The disk is full. "
        "Nothing new starts; running trials are followed."
    ]
    assert messages.trouble == "the database takes nothing"
    well = StorageHealthChanged("")
    assert len(told(messages, well, well)) == 1
    assert messages.trouble == ""


def test_each_printed_line_bears_its_file(messages: Messages) -> None:
    printed = PluginPrinted("furnace.py", "warming up\n\nat 80 °C\n")
    assert messages.of(printed) == "furnace.py: warming up\nfurnace.py: \nfurnace.py: at 80 °C"


def test_results_that_do_not_come_are_no_silence(messages: Messages) -> None:
    reason = "The metric 'y' answered (0, True) for trial 0: the value is True, not a number."
    bad = TrialHealthChanged(0, 1, reason, NOW, is_fetching=True)
    assert told(messages, bad) == [
        f"Trial 0 has no valid result yet{WHEN} (1 failed in a row): {reason}"
    ]
    assert messages.trouble == f"trial 0 has no valid result yet{WHEN}"
    well = TrialHealthChanged(0, 0, "")
    assert told(messages, well) == ["Trial 0 answers again, after 1 failed call."]


def test_a_terminal_shows_begin_and_end_of_what_is_printed_at_once() -> None:
    text = "".join(f"{number}\n" for number in range(10_000))
    lines = Messages(cuts_prints=True).of(PluginPrinted("a.py", text)).splitlines()
    assert lines[:2] == ["a.py: 0", "a.py: 1"]
    assert lines[10] == "a.py: … 9,980 lines that are not shown …"
    assert lines[-1] == "a.py: 9999"
    assert len(lines) == 21
    long = Messages(cuts_prints=True).of(PluginPrinted("a.py", "x" * 20_000))
    assert long == f"a.py: {'x' * 200}… and 19,800 characters more"


def test_a_time_of_another_day_bears_its_date() -> None:
    yesterday = NOW - timedelta(days=1)
    assert since(yesterday) == f" since {yesterday.astimezone():%Y-%m-%d %H:%M}"
    assert since(None) == ""
