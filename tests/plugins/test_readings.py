"""Any real number is a reading."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from axdesk.core.errors import CallFailedError
from axdesk.core.trial import Observation
from axdesk.plugins.readings import checked_reading


class Weight:
    def __float__(self) -> float:
        return 2.5


class BrokenWeight:
    def __float__(self) -> float:
        raise RuntimeError("no scale")

    def __repr__(self) -> str:
        raise RuntimeError("no text either")


class FakeTensor:
    """A number as a library that is not installed here would answer it."""

    def __init__(self, value: float, dtype: object, ndim: int = 0) -> None:
        self.value, self.dtype, self.ndim = value, dtype, ndim

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"FakeTensor({self.value}, {self.dtype}, ndim={self.ndim})"


class NamedType:
    """As TensorFlow has them: shown otherwise than called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<dtype: {self.name!r}>"


NUMBERS: list[tuple[Any, float]] = [
    (3, 3.0),
    (-0.25, -0.25),
    (Decimal("1.5"), 1.5),
    (Fraction(1, 4), 0.25),
    (Weight(), 2.5),
    (np.float32(0.5), 0.5),
    (np.float64(0.1), 0.1),
    (np.longdouble(2), 2.0),
    (np.int64(7), 7.0),
    (np.uint8(7), 7.0),
    (np.array(1.25), 1.25),
    (np.array(1.25, dtype=">f8"), 1.25),
    (np.array(Decimal("1.5"), dtype=object), 1.5),
    (FakeTensor(1.5, NamedType("float32")), 1.5),
    (FakeTensor(1.5, NamedType("bfloat16")), 1.5),
    (FakeTensor(2.0, "torch.int64"), 2.0),
    (torch.tensor(1.25), 1.25),
    (torch.tensor(4), 4.0),
    (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
    (torch.tensor(1.5, requires_grad=True), 1.5),
]

NO_NUMBERS: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "bool"),
    (np.True_, "bool"),
    (np.array(False), "bool"),
    (torch.tensor(True), "bool"),
    ("1.5", "str"),
    (b"1.5", "bytes"),
    (np.str_("1.5"), "str"),
    (np.array("1.5"), "not a real number"),
    (1j, "complex"),
    (np.complex64(1), "complex"),
    (torch.tensor(1j), "complex"),
    (np.timedelta64(3, "s"), "timedelta"),
    (np.datetime64("2026-01-01"), "datetime"),
    (FakeTensor(1.0, NamedType("bool")), "of type bool"),
    (FakeTensor(1.0, NamedType("complex64")), "of type complex64"),
    (FakeTensor(1.0, NamedType("string")), "of type string"),
    (FakeTensor(1.0, NamedType("float32"), ndim=1), "an array"),
    (np.array(True, dtype=object), "of type bool"),
    (np.array(None, dtype=object), "is None"),
    (np.array([1.5]), "an array"),
    (torch.tensor([1.5, 2.0]), "an array"),
    ([1.0, 2.0, 3.0], "3 parts"),
    ({"mean": 1.0}, "no number"),
    (object(), "no number"),
    (BrokenWeight(), "no scale"),
    (float("nan"), "not finite"),
    (float("inf"), "not finite"),
    (np.float64("-inf"), "not finite"),
    (Decimal("NaN"), "not finite"),
    (Decimal("sNaN"), "no number"),
    (Decimal("1e999"), "not finite"),
    (10**400, "too large"),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=lambda v: f"{type(v).__name__}")
def test_a_real_number_is_a_value_a_sem_and_a_progression(value: Any, number: float) -> None:
    assert checked_reading("y", 0, (0, value)) == Observation("y", number)
    assert checked_reading("y", 0, (value, (value, 0.5))) == Observation("y", number, 0.5, number)
    observation = checked_reading("y", 0, [0, [1, abs(value) if number < 0 else value]])
    assert observation == Observation("y", 1.0, abs(number))
    assert all(type(v) is float for v in (observation.mean, observation.sem))


@pytest.mark.parametrize(("value", "why"), NO_NUMBERS, ids=lambda v: f"{type(v).__name__}")
def test_anything_else_is_refused_with_its_reason(value: Any, why: str) -> None:
    for answer in ((0, value), (value, 1.0)):
        with pytest.raises(CallFailedError) as refused:
            checked_reading("Yield (%)", 17, answer)
        assert "'Yield (%)'" in refused.value.message
        assert "trial 17" in refused.value.message
        assert why in refused.value.message or "progression" in refused.value.message
    with pytest.raises(CallFailedError, match="trial 17"):
        checked_reading("Yield (%)", 17, (0, (1.0, value if value is not None else "")))


def test_a_sem_of_none_is_unknown_and_of_zero_noiseless() -> None:
    assert checked_reading("y", 0, (0, (1.0, None))).sem is None
    assert checked_reading("y", 0, (0, (1.0, 0))).sem == 0.0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (1.5, "not a pair"),
        (None, "not a pair"),
        ((), "not a pair"),
        ((0,), "not a pair"),
        ((0, 1.0, 0.1), "not a pair"),
        ("ab", "not a pair"),
        ((0, ()), "0 parts"),
        ((0, (1.0, 0.1, 0.2)), "3 parts"),
        ((0, (1.0, -0.1)), "the sem is negative"),
        ((0, (1.0, float("nan"))), "the sem is not finite"),
        ((0, (None, 0.1)), "the value is None"),
        ((None, 1.0), "the progression is None"),
    ],
)
def test_a_wrong_shape_is_refused_with_the_raw_answer(answer: Any, why: str) -> None:
    with pytest.raises(CallFailedError) as refused:
        checked_reading("y", 3, answer)

    assert why in refused.value.message
    assert repr(answer) in refused.value.message


def test_a_huge_answer_is_shown_shortened() -> None:
    with pytest.raises(CallFailedError) as refused:
        checked_reading("y", 0, "x" * 100_000)

    assert len(refused.value.message) < 1000
