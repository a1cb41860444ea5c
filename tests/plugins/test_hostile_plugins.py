"""Whatever the laboratory's code does harms one call, and nothing else."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from axdesk.core.errors import CallFailedError, DeadlineError, PluginError
from axdesk.plugins.hosts import HostedPluginCalls, describe_folder
from tests.plugins.hostile import CALLS, HOSTILE, SECONDS, Laboratory, nothing_left, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="deeds for Linux")

ENDINGS = {
    "segfault": "the process of rig.py was ended by a segmentation fault (SIGSEGV)",
    "abort": "was ended by an abort (SIGABRT)",
    "os._exit": "ended itself with exit status 3",
    "kill": "(SIGKILL)",
    "terminate": "was ended by SIGTERM",
    "exec": "ended itself with exit status 0",
    "exit in thread": "ended itself with exit status 4",
    "close descriptors": "closed or replaced the pipe that takes its answers",
    "close answers": "closed or replaced the pipe that takes its answers",
    "replace pipes": "closed or replaced the pipe that takes its answers",
    "garbage": "wrote into the pipe that is for axdesk's own messages",
    "long garbage": "wrote into the pipe that is for axdesk's own messages",
}
RAISED = {
    "sys.exit": "SystemExit: 5",
    "recursion": "RecursionError",
    "memory": "MemoryError",
    "odd": "Odd: odd",
    "mute": "Mute",
    "interrupt": "KeyboardInterrupt",
    "surrogate": r"OSError: no file \udc80",
}
HANGS = ("sleep", "spin", "pause in C", "hold the GIL", "ignore SIGTERM", "stop")
HARMLESS = ("fork", "thread", "flood", "interrupt handler")


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    with nothing_left(monkeypatch):
        yield Laboratory(tmp_path)


@pytest.fixture
def calls(laboratory: Laboratory) -> Iterator[HostedPluginCalls]:
    calls = laboratory.calls()
    calls.listen(lambda file, text: laboratory.printed.append((file, text)))
    yield calls
    calls.close()


@pytest.mark.parametrize("deed", ENDINGS)
def test_a_process_that_ends_fails_its_call_and_no_other(
    laboratory: Laboratory, calls: HostedPluginCalls, deed: str
) -> None:
    for place, ask in CALLS.items():
        laboratory.order(deed, place)

        failed, calm = ask(calls), calls.fetch("calm", 7, {})

        error = failed.exception(SECONDS)
        assert type(error) is CallFailedError
        assert error.was_entered
        name = "Gauge" if place.startswith(("fetch", "is_")) else "Rig"
        assert error.message.startswith(f"{name}.{place}")
        assert place.startswith("is_") or "of trial 7 " in error.message
        assert "rig.py" in error.message
        assert ENDINGS[deed] in error.message
        assert f"about to {deed}" in error.details
        assert calm.result(SECONDS).mean == 2.5
        assert ask(calls).exception(SECONDS) is None
        laboratory.clock.skipped += 1000
    assert (laboratory.folder / "precious.txt").exists() == (deed == "replace pipes")
    if deed == "replace pipes":
        assert (laboratory.folder / "precious.txt").read_bytes() == b""


@pytest.mark.parametrize("deed", RAISED)
def test_whatever_is_raised_fails_its_call_in_the_same_process(
    laboratory: Laboratory, calls: HostedPluginCalls, deed: str
) -> None:
    pid = calls.run_trial(0, {}).result(SECONDS)["pid"]
    for place, ask in CALLS.items():
        laboratory.order(deed, place)

        error = ask(calls).exception(SECONDS)

        assert type(error) is CallFailedError
        assert f"raised {RAISED[deed]}" in error.message
        assert "rig.py" in error.details
        error.message.encode("utf-8")
        assert ask(calls).exception(SECONDS) is None
    assert calls.run_trial(0, {}).result(SECONDS)["pid"] == pid


@pytest.mark.parametrize("deed", HANGS)
def test_a_hang_is_given_up_and_the_next_call_works(
    laboratory: Laboratory, calls: HostedPluginCalls, deed: str
) -> None:
    for place, ask in CALLS.items():
        laboratory.order(deed, place)
        already_printed = len(laboratory.printed)
        hung = ask(calls)
        waiting = ask(calls)
        laboratory.wait_until_done()
        wait_for(lambda: len(laboratory.printed) > already_printed)  # noqa: B023

        assert calls.fetch("calm", 7, {}).result(SECONDS).mean == 2.5
        assert hung.running()
        assert not hung.done()
        assert calls.give_up(hung, "It did not answer within 30 s.") is True

        error = hung.exception(0)
        assert type(error) is DeadlineError
        assert error.message == "It did not answer within 30 s."
        assert f"about to {deed}" in error.details
        assert waiting.exception(SECONDS) is None
    # To be given up is no crash.
    assert not laboratory.clock.pauses


@pytest.mark.parametrize("deed", HARMLESS)
def test_what_does_no_harm_is_answered_once(
    laboratory: Laboratory, calls: HostedPluginCalls, deed: str
) -> None:
    pid = calls.run_trial(0, {}).result(SECONDS)["pid"]
    for place, ask in CALLS.items():
        laboratory.order(deed, place)
        assert ask(calls).exception(SECONDS) is None
        assert ask(calls).exception(SECONDS) is None
    assert calls.run_trial(0, {}).result(SECONDS)["pid"] == pid
    calls.close()
    told = "\n".join(text for file, text in laboratory.printed if file == "rig.py")
    if deed == "flood":
        # Behind a flood there is room for as many of the lines as the time in between allows.
        assert 1 <= told.count("about to flood") <= len(CALLS)
        assert "lines were dropped" in told
    else:
        assert told.count(f"about to {deed}") == len(CALLS)
    assert ("lines were dropped" in told) == (deed == "flood")
    assert len(told) < 200_000


def test_a_gigabyte_of_prints_costs_nothing(
    laboratory: Laboratory, calls: HostedPluginCalls
) -> None:
    before = psutil.Process().memory_info().rss
    laboratory.order("flood of 1 GB", "run_trial")

    calls.run_trial(0, {}).result(SECONDS)
    calls.close()

    assert psutil.Process().memory_info().rss - before < 50_000_000
    dropped = [line for _, text in laboratory.printed for line in text.splitlines() if "…" in line]
    shown = sum(text.count("xxx\n") + text.endswith("xxx") for _, text in laboratory.printed)
    counted = sum(int(line.split()[1].replace(",", "")) for line in dropped)
    assert counted > 9_000_000
    assert counted + shown >= 10_000_000


ALL = (*ENDINGS, *RAISED, "sleep", "hold the GIL", "stop")


def test_files_that_do_harm_when_they_are_loaded_are_described_with_their_reasons(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.plugins.hosts.SECONDS_TO_DESCRIBE", 5.0)
    for number, deed in enumerate(ALL):
        name = f"rig{number:02}.py"
        (laboratory.folder / name).write_text(HOSTILE, "utf-8")
        (laboratory.folder / name).with_suffix(".order").write_text(f"{deed}@import")
    reasons = {**ENDINGS, **RAISED, "sys.exit": "It ends the program (sys.exit)"}

    calm, rig, *files = describe_folder(laboratory.folder).files

    assert (calm.error, rig.error) == ("", "")
    for deed, file in zip(ALL, files, strict=True):
        reason = reasons.get(deed, "was not loaded within 5 s")
        assert reason.removeprefix("the process of rig.py ") in file.error
        assert file.sha256 == rig.sha256


@pytest.mark.parametrize("deed", [*ENDINGS, *RAISED, "hold the GIL"])
def test_a_constructor_that_does_harm_cannot_be_used(
    laboratory: Laboratory, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if deed in HANGS:
        monkeypatch.setattr("axdesk.plugins.plugin_host.SECONDS_TO_START", 2.0)
    laboratory.order(deed, "constructor")

    with pytest.raises(PluginError, match="rig") as refused:
        laboratory.calls()

    expected = (ENDINGS | RAISED).get(deed, "making rig.py:Rig took longer than 2 s")
    assert expected.removeprefix("the process of rig.py ") in refused.value.message


@pytest.mark.parametrize(("deed", "place"), [("segfault", "import"), ("odd", "constructor")])
def test_a_call_that_finds_no_process_was_not_entered(
    laboratory: Laboratory, calls: HostedPluginCalls, deed: str, place: str
) -> None:
    os.kill(calls.run_trial(0, {}).result(SECONDS)["pid"], 9)
    laboratory.order(deed, place)

    error = None
    while error is None:  # the death is noticed with the first call after it
        error = calls.run_trial(0, {}).exception(SECONDS)
        if isinstance(error, CallFailedError) and error.was_entered:
            error = None

    assert isinstance(error, CallFailedError)
    assert error.message.startswith("Rig.run_trial of trial 0 was not reached")
    assert not error.was_entered
    assert calls.run_trial(0, {}).exception(SECONDS) is None
