"""The prints of a plugin file, in portions."""

import pytest

from axdesk.plugins.host_output import (
    KEPT_BYTES,
    KEPT_LINES,
    LINES_AT_ONCE,
    LINES_PER_SECOND,
    LONGEST_LINE,
    HostOutput,
)
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def output(clock: FakeClock) -> HostOutput:
    return HostOutput("lab.py", clock)


@pytest.fixture
def told(output: HostOutput) -> list[str]:
    told: list[str] = []
    output.listen(lambda file, text: told.extend(text.split("\n")))
    return told


def lines(n: int) -> bytes:
    return b"".join(b"line %d\n" % i for i in range(n))


def test_lines_are_told_whole_however_they_come(output: HostOutput, told: list[str]) -> None:
    for chunk in (b"one\ntw", b"o\n", b"\nthree: \xc2"):
        output.feed(chunk)
    assert told == ["one", "two", ""]
    output.feed(b"\xb5\r\n")

    assert told == ["one", "two", "", "three: µ"]


def test_what_is_no_text_and_what_has_no_end_is_told_too(
    output: HostOutput, told: list[str]
) -> None:
    output.feed(b"\xff\xfe\nunfinished")

    assert output.end_process() == "\ufffd\ufffd\nunfinished"
    assert told == ["\ufffd\ufffd", "unfinished"]
    assert output.end_process() == ""


def test_a_long_line_is_cut(output: HostOutput, told: list[str]) -> None:
    output.feed(b"a" * LONGEST_LINE + b"\n")
    for _ in range(100):
        output.feed(b"b" * LONGEST_LINE)
    output.feed(b"\nnext\n")

    assert told == ["a" * LONGEST_LINE, "b" * LONGEST_LINE + "…", "next"]


def test_of_a_flood_some_lines_are_told_and_all_are_counted(
    output: HostOutput, told: list[str], clock: FakeClock
) -> None:
    output.feed(lines(LINES_AT_ONCE + 1_234))
    assert told == lines(LINES_AT_ONCE).decode().splitlines()

    output.feed(lines(11_111))
    assert len(told) == LINES_AT_ONCE
    output.end_call()
    output.end_call()
    assert told[LINES_AT_ONCE:] == ["… 12,345 more lines were dropped"]

    output.feed(b"dropped\n")
    clock.seconds += 1.0
    output.feed(lines(int(LINES_PER_SECOND)))
    assert told[LINES_AT_ONCE + 1] == "… 1 more line was dropped"
    assert len(told) == LINES_AT_ONCE + 2 + LINES_PER_SECOND

    clock.seconds += 3600.0
    output.feed(lines(1000))
    assert len(told) == 2 * LINES_AT_ONCE + 2 + LINES_PER_SECOND


def test_the_last_lines_are_kept_for_who_comes_late(output: HostOutput) -> None:
    output.feed(lines(KEPT_LINES + 50))
    first: list[str] = []
    second: list[str] = []

    output.listen(lambda file, text: first.append(text))
    output.listen(None)
    output.listen(lambda file, text: second.append(text))

    assert first == ["\n".join(lines(KEPT_LINES + 50).decode().splitlines()[50:])]
    assert second == []


def test_the_last_prints_are_kept_for_the_details(output: HostOutput, told: list[str]) -> None:
    output.feed(lines(100_000))

    last = output.end_process()

    assert last.endswith("line 99999")
    assert len(last) <= KEPT_BYTES


def test_who_is_told_may_stop_listening_at_once(output: HostOutput) -> None:
    told: list[str] = []

    def once(file: str, text: str) -> None:
        told.append(text)
        output.listen(None)

    output.listen(once)
    output.feed(b"one\ntwo\n")
    output.feed(b"three\n")

    assert told == ["one\ntwo"]
