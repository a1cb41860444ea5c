"""What early and global stopping may be told."""

import math
from typing import Any

import pytest

from axdesk.core.errors import UserInputError
from axdesk.core.stopping import EarlyStopping, GlobalStopping


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "neither a percentile nor a threshold"),
        ({"percentile": 0}, "percentile is 0; allowed is above 0 and below 100"),
        ({"percentile": 100.0}, "percentile is 100.0"),
        ({"percentile": math.nan}, "percentile is nan"),
        ({"percentile": True}, "percentile is True"),
        ({"threshold": math.inf}, "threshold is inf; a finite number is needed"),
        ({"threshold": "low"}, "threshold is 'low'"),
        ({"percentile": 50, "min_progression": None}, "min_progression is None"),
        ({"percentile": 50, "max_progression": 9}, "max_progression is 9, below min_progression"),
        ({"percentile": 50, "min_curves": 0}, "min_curves is 0; a whole number of at least 1"),
        ({"percentile": 50, "best_protected": -1}, "best_protected is -1"),
    ],
)
def test_early_stopping_refuses(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UserInputError) as error:
        EarlyStopping(**given)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no target, no improvement_bar and no stagnation"),
        ({"target": math.nan}, "target is nan; a finite number is needed"),
        ({"improvement_bar": -0.1}, "improvement_bar is -0.1; a number of at least 0"),
        ({"stagnation": 0}, "stagnation is 0; a whole number of at least 1"),
        ({"stagnation": 2.5}, "stagnation is 2.5"),
        ({"target": 1, "window_size": 0}, "window_size is 0"),
        ({"target": 1, "min_trials": 0}, "min_trials is 0"),
    ],
)
def test_global_stopping_refuses(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UserInputError) as error:
        GlobalStopping(**given)
    assert told in str(error.value)
