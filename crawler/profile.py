"""What a run's items look like as a whole, and whether that is unusual: fill rates, ranges, repeats, sizes. Pure.

Numbers of one run are compared with those of the runs before it by a robust control chart: median and median absolute
deviation, so that one odd run in twenty moves the limits little. A break is meant to be seen on its first run.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from crawler.items import Board, BoardEntry, Item

RUNS = 20  # as many past runs are compared with
FEWEST_RUNS = 6  # of fewer nobody can say what is usual
WIDTH = 5.0  # deviations; of normal numbers one in two million lies beyond
ALL_UP_TO, ONE_IN = 2_000, 8  # of a kind, so many items are looked at closely, then one in eight
REMEMBERED = 200_000  # names counted apart, per kind
Measures = dict[str, float]


@dataclass(slots=True)
class Kind:
    """What was seen of one kind of item."""

    n: int = 0
    looked_at: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, array[float]] = field(default_factory=dict)
    names: array[int] = field(default_factory=lambda: array("q"))
    """Hashes, with repeats: an eighth of what a set of them takes while a crawl runs."""


@dataclass(slots=True)
class Tally:
    """Everything that a run gave, counted in passing."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    """Rows of every snapshot, by board."""

    def take(self, item: Item) -> None:
        kind = self.kinds.setdefault(item.kind, Kind())
        kind.n += 1
        if isinstance(item, Board):
            self.sizes.setdefault(item.board, []).append(item.size or 0)
        if isinstance(item, BoardEntry) and len(kind.names) < REMEMBERED:
            # The same topic again within one list of one capture: a source that lost its own deduplication.
            kind.names.append(hash((item.board, item.at, item.topic_key)))
        if kind.n <= ALL_UP_TO or kind.n % ONE_IN == 0:
            self._look_at(kind, item)

    def _look_at(self, kind: Kind, item: Item) -> None:
        kind.looked_at += 1
        values = item.__dict__
        for name in item.facts():
            value = values[name]
            if value is None:
                continue
            kind.filled[name] += 1
            if type(value) in (int, float):
                kind.numbers.setdefault(name, array("d")).append(float(value))

    def measures(self) -> Measures:
        """Flat numbers: `boardentry n`, `boardentry filled volume`, `boardentry median volume`, `size x:trends:br`."""
        found: Measures = {}
        for name, kind in sorted(self.kinds.items()):
            found[f"{name} n"] = float(kind.n)
            for each, n in sorted(kind.filled.items()):
                found[f"{name} filled {each}"] = n / kind.looked_at
            for each, numbers in sorted(kind.numbers.items()):
                if not each.endswith(("_precision", "_floor", "position")):
                    found[f"{name} median {each}"] = median(numbers)
            if kind.names:
                found[f"{name} distinct"] = len(set(kind.names)) / len(kind.names)
        for board, sizes in sorted(self.sizes.items()):
            found[f"size {board}"] = float(median(sizes))
        return found

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest of every number looked at, by `<kind> <field>`."""
        return {
            f"{name} {each}": (min(numbers), max(numbers))
            for name, kind in sorted(self.kinds.items())
            for each, numbers in sorted(kind.numbers.items())
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """A number outside what the runs before it make likely."""

    measure: str
    value: float
    usual: float
    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        return (
            f"{self.measure}: {_short(self.value)}, usually {_short(self.usual)} "
            f"({_short(self.low)} to {_short(self.high)} after {self.runs} runs)"
        )


def alarms(now: Mapping[str, float], before: Sequence[Mapping[str, float]]) -> list[Alarm]:
    """What is unusual about *now*; *before*: measures of earlier runs of the same source, oldest first.

    A measure that is missing now counts as 0: that nothing came is the loudest news of all.
    """
    past = list(before)[-RUNS:]
    found = []
    for measure in sorted({name for each in past for name in each}):
        seen = [each[measure] for each in past if measure in each]
        if len(seen) < max(FEWEST_RUNS, len(past) // 2):
            continue  # not usually there
        value = now.get(measure, 0.0)
        low, usual, high = limits(seen, share=" filled " in measure or measure.endswith(" distinct"))
        if not low <= value <= high:
            found.append(Alarm(measure, value, usual, low, high, len(seen)))
    return found


def limits(seen: Sequence[float], *, share: bool) -> tuple[float, float, float]:
    """Low, median, high. Counts vary by factors, so they are judged by their logarithm; shares as they are."""
    scaled = [each if share else math.log1p(max(each, 0.0)) for each in seen]
    middle = median(scaled)
    spread = 1.4826 * median([abs(each - middle) for each in scaled])
    # A source that never varied must be allowed to begin: five hundredths of a share, a fifth of a count.
    reach = max(WIDTH * spread, 0.05 if share else math.log(1.2))
    low, high = middle - reach, middle + reach
    if share:
        return max(low, 0.0), middle, min(high, 1.0)
    return max(math.expm1(low), 0.0), math.expm1(middle), math.expm1(high)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
