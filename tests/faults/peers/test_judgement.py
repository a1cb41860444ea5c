"""The judgement sees each way of losing an experiment, measured on Ax 1.3.1, and no other."""

import math
from typing import Any

import pytest

from tests.faults.peers.judgement import judge

POINTS = {0: 0.5, 1: 0.25, 2: 0.75, 3: 0.125}
ONCE = list(POINTS.items())


def found(*left_out: int, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """What a database holds: all results, less some trials, with changes to trial 1."""
    trials = {
        index: {"index": index, "x": x, "status": "COMPLETED", "value": x**2}
        for index, x in POINTS.items()
        if index not in left_out
    }
    trials[1] |= changed.get("trial_1", {})
    return list(trials.values())


def test_nothing_lost_is_survived() -> None:
    happened, survived = judge("killed", ONCE, {"raised": "", "trials": found()})

    assert survived
    assert happened == "0, 1, 2, 3 COMPLETED"


def test_a_value_rounded_to_ten_decimals_is_kept() -> None:
    rounded = found(trial_1={"x": 1 / 3, "value": round(1 / 9, 10)})
    deployed = [(index, 1 / 3 if index == 1 else x) for index, x in ONCE]

    assert judge("locked", deployed, {"raised": "", "trials": rounded})[1]


def test_a_trial_that_has_no_result_may_fail() -> None:
    failed = found(trial_1={"status": "FAILED", "value": None})

    assert judge("nan", ONCE, {"raised": "", "trials": failed})[1]
    assert not judge("unreadable", ONCE, {"raised": "", "trials": failed})[1]


@pytest.mark.parametrize(
    ("fault", "deployed", "raised", "trials", "says"),
    [
        ("killed", [*ONCE, (2, 0.75)], "", found(), "trial 2 deployed 2 times"),
        ("killed", [*ONCE, (2, 0.1)], "", found(), "deployed trial 2 not known afterwards"),
        ("locked", ONCE, "OperationalError: locked", found(), "run_trials raised OperationalError"),
        ("unconfirmed", ONCE[:3], "", found(3), "3 of 4 trials known"),
        (
            "unreachable",
            ONCE,
            "",
            found(trial_1={"status": "ABANDONED", "value": None}),
            "result of trial 1 not stored",
        ),
        (
            "unreadable",
            ONCE,
            "",
            found(trial_1={"status": "ABANDONED"}),
            "trial 1 not completed with its result",
        ),
        (
            "nan",
            ONCE,
            "",
            found(trial_1={"value": math.nan}),
            "nan stored as the result of trial 1",
        ),
        ("nan", ONCE, "", found(trial_1={"value": None}), "trial 1 COMPLETED without a result"),
    ],
)
def test_each_loss_is_seen_and_said(
    fault: str,
    deployed: list[tuple[int, float]],
    raised: str,
    trials: list[dict[str, Any]],
    says: str,
) -> None:
    happened, survived = judge(fault, deployed, {"raised": raised, "trials": trials})

    assert not survived
    assert says in happened
