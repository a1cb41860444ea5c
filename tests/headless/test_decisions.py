"""What a person decides by the options of `resume`, and what is told of it."""

from typing import Any

import pytest


def test_a_result_that_is_corrected_is_told_with_the_old_one(lab: Any) -> None:
    assert lab.run("run", lab.file, "--max-trials", 2).returncode == 0

    done = lab.run("resume", "quick", "--result", 1, "y=5")

    assert done.stdout.startswith("Trial 1: y = 5 (was "), done.stderr


def test_failed_trials_are_fetched_again(lab: Any) -> None:
    lab.flag("fail")
    failed = lab.run("run", lab.file)
    assert failed.returncode == 4, failed.stderr
    (lab.folder / "fail").unlink()

    done = lab.run("resume", "quick", *(f"--fetch-again={index}" for index in range(5)))

    assert done.returncode == 0, done.stderr
    assert "6 of 6 trials finished" in done.stdout
    deployed = (lab.folder / "deployed").read_text().split()
    assert deployed == [str(index) for index in range(6)]


def test_a_trial_that_did_not_fail_is_not_fetched_again(lab: Any) -> None:
    with_one_left = lab.run("run", lab.file, "--max-trials", 2)
    assert with_one_left.returncode == 0

    done = lab.run("resume", "quick", "--fetch-again", 1)

    assert "there is nothing to fetch again" in done.stderr


def test_status_says_how_to_go_on_after_a_power_cut(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("AXDESK_FAILPOINT", "trial_staged")
        assert lab.run("run", lab.file).returncode not in range(8)

    told = lab.run("status", "quick").stdout

    assert "Trial 0 may have started: axdesk ended before the runner had answered.\n" in told
    assert told.endswith(f"Go on with: axdesk --headless resume quick --database {lab.database}\n")


def heeding(lab: Any, on_error: str) -> None:
    """Let the experiment file say what is done on an error, and lose the line."""
    text = lab.file.read_text("utf-8")
    rule = f'on_error = "{on_error}"\n\n[run.retry_budget]\npoll = 1\n'
    lab.file.write_text(text + rule, "utf-8")
    lab.flag("silent")


def test_a_run_that_asks_on_an_error_ends_with_the_ways_to_answer(lab: Any) -> None:
    heeding(lab, "pause")

    asked = lab.run("run", lab.file)

    assert asked.returncode == 7, asked.stderr
    assert "Trial 0: could not be polled (1 try): " in asked.stderr
    assert f"resume quick --database {lab.database} --answer 0=failed" in asked.stderr
    assert "--answer 0=redeploy" not in asked.stderr
    assert "--uncertain" not in asked.stderr.partition("go on with one of these commands")[2]

    asked_again = lab.run("resume", "quick")
    assert asked_again.returncode == 7, asked_again.stderr
    refused = lab.run("resume", "quick", "--answer", "0=redeploy")
    assert refused.returncode == 2
    assert "trial 0 has started" in refused.stderr

    (lab.folder / "silent").unlink()
    done = lab.run("resume", "quick", "--answer", "0=failed")
    assert done.returncode == 0, done.stderr
    assert "6 of 6 trials finished" in done.stdout


def test_a_run_that_stops_on_an_error_can_be_resumed(lab: Any) -> None:
    heeding(lab, "stop")

    stopped = lab.run("run", lab.file)

    assert stopped.returncode == 5, stopped.stderr
    assert "stopped by an error of trial 0: could not be polled (1 try)" in stopped.stdout
    assert f"go on with: axdesk --headless resume quick --database {lab.database}" in stopped.stderr

    (lab.folder / "silent").unlink()
    done = lab.run("resume", "quick")
    assert done.returncode == 0, done.stderr
    assert "6 of 6 trials finished" in done.stdout
