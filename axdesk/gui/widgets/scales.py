"""Scales of plots: how far a value lies between two ends, and which values are labelled."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

Tick = tuple[float, str]
"""A value and its label."""

_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
    2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400,
)  # fmt: skip


class Scaling(StrEnum):
    """How values are spread."""

    LINEAR = "linear"
    LOG = "log"
    """By powers of ten; all values are above 0."""
    SYMMETRIC = "symmetric"
    """By powers of ten on either side of 0, and in proportion close to it."""


@dataclass(frozen=True)  # no slots: what follows from the ends is worked out once and kept
class Scale:
    """From `low` to `high`, both finite, `low` below `high`; with `LOG` above 0.

    Attributes:
        low: At share 0.
        high: At share 1.
        scaling: How values are spread.
        linear_below: With `SYMMETRIC`: the size below which they are spread in proportion.
    """

    low: float
    high: float
    scaling: Scaling = Scaling.LINEAR
    linear_below: float = 1.0

    def share(self, value: float) -> float:
        """How far a value lies from `low` (0) to `high` (1); outside of them beyond."""
        low, span = self._ends
        return (self._spread(value) / 2 - low) / span if span else 0.5

    def onto(self, start: float, end: float) -> Callable[[float], float]:
        """A function that says where values lie between `start` and `end`; for very many."""
        low, span = self._ends
        if not span:
            return lambda _: (start + end) / 2
        if self.scaling is not Scaling.LINEAR:
            return lambda value: start + self.share(value) * (end - start)
        factor = (end - start) / span / 2
        offset = start - low * 2 * factor
        return lambda value: offset + value * factor

    def padded(self, below: float, above: float) -> "Scale":
        """The scale with these shares of its length added at its ends."""
        low, high = self._spread(self.low), self._spread(self.high)
        span = high / 2 - low / 2
        return Scale(
            self._value(low - 2 * below * span), self._value(high + 2 * above * span),
            self.scaling, self.linear_below,
        )  # fmt: skip

    def ticks(self, most: int) -> list[Tick]:
        """At most about `most` values between the ends, with their labels."""
        if self.scaling is Scaling.LINEAR:
            return linear_ticks(self.low, self.high, most)
        if self.scaling is Scaling.LOG:
            return self._log_ticks(most)
        return self._symmetric_ticks(most)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """Half of the lower end and half of the length, so that neither overflows."""
        low, high = self._spread(self.low) / 2, self._spread(self.high) / 2
        return low, high - low

    def _spread(self, value: float) -> float:
        if self.scaling is Scaling.LOG:
            return math.log10(max(value, 5e-324))
        if self.scaling is Scaling.SYMMETRIC:
            return math.copysign(math.log1p(abs(value) / self.linear_below), value)
        return value

    def _value(self, spread: float) -> float:
        if self.scaling is Scaling.LOG:
            return float(10 ** min(max(spread, -323.0), 308.0))
        if self.scaling is Scaling.SYMMETRIC:
            return math.copysign(math.expm1(min(abs(spread), 700.0)) * self.linear_below, spread)
        return min(max(spread, -1.7e308), 1.7e308)

    def _log_ticks(self, most: int) -> list[Tick]:
        first, last = math.log10(self.low), math.log10(self.high)
        if last - first < 1.0:
            return linear_ticks(self.low, self.high, most)
        powers = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)
        if len(powers) * 3 <= most:
            values = [
                f * 10.0**p for p in range(math.floor(first), powers[-1] + 1) for f in (1, 2, 5)
            ]
        else:
            stride = max(math.ceil(len(powers) / max(most, 1)), 1)
            values = [10.0**p for p in powers if p % stride == 0]
        return [(v, plain_number(v)) for v in values if self.low <= v <= self.high]

    def _symmetric_ticks(self, most: int) -> list[Tick]:
        largest = max(abs(self.low), abs(self.high), self.linear_below)
        first = math.ceil(math.log10(self.linear_below) - 1e-9)
        powers = range(first, math.floor(math.log10(largest)) + 1)
        sides = 1 + (self.low < 0 < self.high)
        stride = max(math.ceil(len(powers) * sides / max(most - 1, 1)), 1)
        sizes = [10.0**p for p in list(powers)[::-1][::stride]]
        values = sorted([*sizes, *(-size for size in sizes), 0.0])
        return [(v, plain_number(v)) for v in values if self.low <= v <= self.high]


def linear_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Values at 1, 2, 2.5 or 5 times a power of ten, at most about `most`."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return []
    rough = span / max(most, 1)
    power = math.floor(math.log10(rough))
    factor = next(f for f in (1, 2, 2.5, 5, 10) if rough <= f * 10.0**power * (1 + 1e-9))
    step = factor * 10.0**power
    if step <= 4 * math.ulp(max(abs(low), abs(high))):
        return []  # closer together than numbers can be
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    largest = max(abs(first), abs(last)) * step
    decimals = max(-power + (factor == 2.5), 0)
    is_plain = largest < 1e6 and decimals <= 6
    texts = []
    for count in range(first, last + 1):
        value = count * step
        if is_plain:
            text = f"{value:.{decimals}f}"
        else:
            digits = max(math.floor(math.log10(largest)) - power + (factor == 2.5), 0)
            text = _scientific(value, min(digits, 12))
        texts.append((value, _signed(text)))
    return texts


def count_ticks(first: float, last: float, most: int) -> list[Tick]:
    """Whole numbers from 0 on between two values; the last one of them has a label, too."""
    end = math.floor(last)
    step = max(math.ceil(next(
        (f * 10.0**p for p in range(19) for f in (1, 2, 5) if end / (f * 10.0**p) <= max(most, 1)),
        1e18,
    )), 1)  # fmt: skip
    found = [v for v in range(0, end + 1, step) if v >= first]
    if found and end - found[-1] >= step / 2:
        found.append(end)
    elif found and len(found) > 1:
        found[-1] = end
    return [(float(v), str(v)) for v in found]


def roomy_end(end: int) -> int:
    """A whole number a little above `end`, so that a few more do not change the scale."""
    step = max(int(10 ** (len(str(end)) - 2)), 1)
    return (end // step + 1) * step


def plain_number(value: float) -> str:
    """Write a round value of an axis."""
    if value == 0:
        return "0"
    is_plain = 1e-4 <= abs(value) < 1e6
    return _signed(f"{value:g}" if is_plain else _scientific(value, 3))


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, power = f"{value:.{digits}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(power)}"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def time_ticks(first: datetime, last: datetime, most: int) -> list[tuple[datetime, str]]:
    """Round local times between two aware ones, at most about `most`, with their labels.

    The day stands in place of midnight's time, so that a run of several days can be read.
    """
    span = (last - first).total_seconds()
    step = next((s for s in _TIME_STEPS if span / s <= max(most, 1)), _TIME_STEPS[-1])
    local = first.astimezone()
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if step > 86400:
        midnight -= timedelta(days=midnight.toordinal() % (step // 86400))
    count = math.ceil((local - midnight).total_seconds() / step)
    found: list[tuple[datetime, str]] = []
    while (moment := midnight + timedelta(seconds=count * step)) <= last and len(found) < 100:
        if moment >= first:
            is_midnight = moment.hour == moment.minute == moment.second == 0
            day = f"{moment.day} {moment.strftime('%b')}"
            pattern = "%H:%M:%S" if step < 60 else "%H:%M"
            found.append((moment, day if is_midnight else moment.strftime(pattern)))
        count += 1
    return found
