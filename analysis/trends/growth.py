"""Growth between two readings of a counter, with both bounds. Pure; never queries.

A shown number stands for an interval: 14.0M with a rounding step of 100,000 lies within half a step
of it on either side. So does a moment: one known only by its day lies in [at, at + 24 h).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

Number: TypeAlias = int | float | Decimal
Sign: TypeAlias = Literal["up", "down", "flat", "uncertain", "new"]

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Shown:
    """A counter as one capture shows it."""

    value: Number
    at: datetime
    precision: int | None = None
    """Rounding step of value; None when exact."""
    at_precision: str | None = None
    """`day`: the moment lies in [at, at + 24 h); None: it is exact."""

    @property
    def low(self) -> Number:
        """Least the counter can be; never below zero for a value that is not."""
        if not self.precision:
            return self.value
        least = self.value - -(-self.precision // 2)
        return least if self.value < 0 else max(0, least)

    @property
    def high(self) -> Number:
        return self.value + -(-self.precision // 2) if self.precision else self.value

    @property
    def blur(self) -> timedelta:
        """How much later than `at` it may have been."""
        return DAY if self.at_precision == "day" else timedelta(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """Change per unit of time; all None where the readings may lie at the same moment."""

    low: float | None = None
    mid: float | None = None
    high: float | None = None

    def times(self, factor: float) -> Rate:
        if self.low is None or self.mid is None or self.high is None:
            return self
        return Rate(self.low * factor, self.mid * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Growth:
    """Change of a counter between two readings. All numbers are None when `sign` is "new"."""

    sign: Sign
    """up or down only where both bounds say so; new: there is nothing to compare with."""
    change_low: Number | None = None
    change: Number | None = None
    change_high: Number | None = None
    elapsed_h_low: float | None = None
    elapsed_h: float | None = None
    elapsed_h_high: float | None = None
    per_hour: Rate = Rate()
    per_day: Rate = Rate()


def growth(before: Shown | None, after: Shown) -> Growth:
    """How *after* stands to *before*; before None: a new entity, which is never growth.

    No rate where the elapsed time may be zero: two readings of the same day, known by day only.
    Where even their order is unknown, the sign is uncertain unless nothing changed.
    Raises ValueError when before is certainly the later one.
    """
    if before is None:
        return Growth("new")
    shortest = (after.at - before.at - before.blur) / HOUR
    longest = (after.at - before.at + after.blur) / HOUR
    if longest < 0:
        first, second = before.at.isoformat(), after.at.isoformat()
        raise ValueError(f"growth: before ({first}) must not be later than after ({second})")
    change = _minus(after.value, before.value)
    low, high = _minus(after.low, before.high), _minus(after.high, before.low)
    per_hour = _rate(low, change, high, shortest, longest)
    return Growth(
        sign=_sign(low, high, order_known=shortest >= 0),
        change_low=low,
        change=change,
        change_high=high,
        elapsed_h_low=max(0.0, shortest),
        elapsed_h=(max(0.0, shortest) + longest) / 2,
        elapsed_h_high=longest,
        per_hour=per_hour,
        per_day=per_hour.times(24),
    )


def _minus(end: Number, start: Number) -> Number:
    if isinstance(end, Decimal) or isinstance(start, Decimal):
        return Decimal(end) - Decimal(start)
    return end - start


def _sign(low: Number, high: Number, *, order_known: bool) -> Sign:
    if low == 0 == high:
        return "flat"
    if low > 0 and order_known:
        return "up"
    if high < 0 and order_known:
        return "down"
    return "uncertain"


def _rate(low: Number, change: Number, high: Number, shortest_h: float, longest_h: float) -> Rate:
    if shortest_h <= 0:
        return Rate()
    slowest = float(low) / (longest_h if low > 0 else shortest_h)
    fastest = float(high) / (shortest_h if high > 0 else longest_h)
    return Rate(slowest, float(change) / ((shortest_h + longest_h) / 2), fastest)
