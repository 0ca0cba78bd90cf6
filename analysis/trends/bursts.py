"""Burst onset in a count series, online: one number in, a strength and perhaps an alert out. Never queries.

The strength says how far the last minutes lie above what this hour of this kind of day usually brings,
in the spread that the series itself has shown: half on the scale of the counts, which great bursts rule,
half on the logarithm, on which a quiet series speaks as loudly as a busy one. Both are means over several
widths, so that a sharp peak and a slow swell count alike.

An alert needs more strength, the more alerts the series has had lately: what comes every other day is no news.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
HOURS_OF_A_DAY = 24
SATURDAY = 5


@dataclass(frozen=True)
class BurstSettings:
    """One set for every series; how it was found is told in docs/trends.md."""

    widths: tuple[timedelta, ...] = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), HOUR)
    memory: timedelta = 7 * DAY
    """Half-life of the spread."""
    level_memory: timedelta = 3 * DAY
    calendar_memory: timedelta = 10 * DAY
    learning: timedelta = timedelta(hours=62.5)
    """No alert before; the benchmark's 750 rows of five minutes."""
    quiet: timedelta = DAY
    """No second alert within this time of the first."""
    habit: timedelta = 28 * DAY
    """Half-life of an alert in the count of recent ones."""


DEFAULT = BurstSettings()
THRESHOLD = 2.97  # best on NAB's ten series of tweets, standard profile; see docs/trends.md
FLOOR = 0.1  # of the usual level: a spread below it is not believed
LOG_SHIFT = 2.0  # so that one tweet after none is no doubling
LOG_FLOOR = 0.1
CLIP_SPREADS, CLIP_TIMES = 8.0, 3.0  # a burst must not become the usual: what enters the baseline is cut there
PRIOR_ROWS = 24.0  # of an hour's factor, towards both kinds of day; of both, towards no season at all
LEAST = 0.01


class Mean:
    """An exponentially weighted mean that is right from the first value on."""

    __slots__ = ("_kept", "_sum", "_weight")

    def __init__(self, half_life_rows: float) -> None:
        self._kept: float = 0.5 ** (1 / half_life_rows)
        self._sum, self._weight = 0.0, 0.0

    def add(self, value: float, weight: float = 1.0) -> None:
        self._sum = self._sum * self._kept + value
        self._weight = self._weight * self._kept + weight

    def get(self, otherwise: float) -> float:
        return self._sum / self._weight if self._weight > 0 else otherwise


class Usual:
    """What this hour of this kind of day usually brings: a level times a factor of hour and weekend."""

    def __init__(self, settings: BurstSettings, bin: timedelta) -> None:
        self._level = Mean(settings.level_memory / bin)
        self._kept = 0.5 ** (1 / max(settings.calendar_memory / bin / HOURS_OF_A_DAY, 1.0))
        self._seen = [[0.0] * HOURS_OF_A_DAY for _ in range(2)]
        self._due = [[0.0] * HOURS_OF_A_DAY for _ in range(2)]

    def expected(self, at: datetime) -> float:
        return max(self._base() * self._factor(*_slot(at)), LEAST)

    def add(self, at: datetime, count: float) -> None:
        expected, (kind, hour) = self.expected(at), _slot(at)
        believed = min(count, CLIP_TIMES * expected + CLIP_SPREADS * math.sqrt(expected))
        base, factor = self._base(), self._factor(kind, hour)
        if self._level.get(-1.0) < 0:
            base = max(count, 2 * LEAST)
        self._level.add(believed, factor)
        self._seen[kind][hour] = self._seen[kind][hour] * self._kept + believed
        self._due[kind][hour] = self._due[kind][hour] * self._kept + base

    def _base(self) -> float:
        return max(self._level.get(0.0), 2 * LEAST)

    def _factor(self, kind: int, hour: int) -> float:
        prior = PRIOR_ROWS * self._base()
        seen, due = (each[0][hour] + each[1][hour] for each in (self._seen, self._due))
        both = (seen + prior) / (due + prior)
        return (self._seen[kind][hour] + prior * both) / (self._due[kind][hour] + prior)


def _slot(at: datetime) -> tuple[int, int]:
    return int(at.weekday() >= SATURDAY), at.hour


class Width:
    """Strength over the last *rows* rows: above the usual, in spreads, on both scales."""

    def __init__(self, rows: int, memory_rows: float) -> None:
        self._last: deque[tuple[float, float]] = deque(maxlen=rows)
        self._above, self._square, self._log_square = (Mean(memory_rows) for _ in range(3))

    def add(self, count: float, expected: float, floor: float) -> float:
        self._last.append((count, expected))
        seen, due = (sum(each) / len(self._last) for each in zip(*self._last, strict=True))
        above, log_above = seen - due, math.log((seen + LOG_SHIFT) / (due + LOG_SHIFT))
        usual = self._above.get(0.0)
        spread = math.sqrt(max(self._square.get(0.0) - usual * usual, 0.0))
        log_spread = math.sqrt(self._log_square.get(0.0))
        strength: float = (above - usual) / (spread + floor) / 2 + log_above / (log_spread + LOG_FLOOR)
        self._above.add(above)
        self._square.add(above * above)
        self._log_square.add(log_above * log_above)
        return strength


class Strength:
    """Strength of each row of a series with one row per *bin*, from rows up to it alone."""

    def __init__(self, bin: timedelta, settings: BurstSettings = DEFAULT) -> None:
        if bin <= timedelta(0):
            raise ValueError(f"bursts: a bin lasts longer than nothing; found {bin}")
        self._usual = Usual(settings, bin)
        rows = sorted({max(1, round(width / bin)) for width in settings.widths})
        self._widths = [Width(each, settings.memory / bin) for each in rows]
        self._learning, self._rows, self._sum = settings.learning / bin, 0, 0.0

    def add(self, at: datetime, count: float) -> float:
        expected = self._usual.expected(at) if self._rows else max(count, LEAST)
        self._usual.add(at, count)
        if self._rows < self._learning:
            self._rows, self._sum = self._rows + 1, self._sum + count
        floor = max(FLOOR * self._sum / self._rows, LEAST)
        return sum(each.add(count, expected, floor) for each in self._widths) / len(self._widths)


class Alarm:
    """Turns strengths into alerts: one per burst, and fewer where bursts are a habit.

    Needs *threshold* times the root of 1 + the alerts of late, each halved every `habit`. Rows below the
    threshold may be left out; rows in the time for learning count as alerts of late, but are not told.
    """

    def __init__(self, threshold: float, bin: timedelta, settings: BurstSettings = DEFAULT) -> None:
        self._threshold = threshold
        self._quiet, self._learning = settings.quiet / bin, settings.learning / bin
        self._kept = 0.5 ** (bin / settings.habit)
        self._load, self._at, self._fired = 0.0, 0, -math.inf

    def add(self, row: int, strength: float) -> bool:
        if strength < self._threshold or row - self._fired < self._quiet:
            return False
        if strength < self.needed(row):
            return False
        self._load, self._at, self._fired = self._load_at(row) + 1, row, row
        return row >= self._learning

    def needed(self, row: int) -> float:
        """Strength that an alert would need at *row*."""
        return self._threshold * math.sqrt(1 + self._load_at(row))

    def _load_at(self, row: int) -> float:
        return self._load * float(self._kept ** (row - self._at))


def strengths(series: Iterable[tuple[datetime, float]], bin: timedelta) -> list[float]:
    rule = Strength(bin)
    return [rule.add(at, count) for at, count in series]


def alerts(strength: Sequence[float], threshold: float, bin: timedelta) -> list[int]:
    """Rows at which an alert is told."""
    alarm = Alarm(threshold, bin)
    return [row for row, each in enumerate(strength) if each >= threshold and alarm.add(row, each)]
