"""What is usual of a measure, by its chart over clean runs, and how far chance and nature may take it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from crawler.drift_seen import Alarm, Measure, Memory, counters_of

RUNS = 24  # as many past runs are compared with
FEWEST_RUNS = 4  # of fewer nobody can say what is usual
WIDTH = 5.0  # median absolute deviations
CHANCE = 4.0  # standard errors of a counted share
FEW, SEVERAL, MANY = 3, 5, 10
OFTEN = 8  # runs
SURE, SURE_WITH_WITNESS = 10.0, 3.0  # by chance once in e^10
AMOUNTS = frozenset(("price", "list_price", "rating"))
"""Counters by name that count nothing: they move little, and both ways."""
MAY_END = frozenset(("list_price",))
"""What a page shows for a time only: a sale ends."""


def judged(measure: Measure, memory: Memory, reshaped: bool) -> tuple[Alarm, bool] | None:
    """The measure beside what is usual, and whether it is an alarm; None where nobody can say what is usual.

    reshaped: the page itself has other members than ever; then less has to be seen.
    """
    past = memory.charts.get(measure.name, [])
    what = measure.what.partition(" ")[0]
    runs = memory.group_runs.get(measure.group, 0)
    if runs < FEWEST_RUNS:
        return None
    if what in ("lost", "changed", "zero", "swap", "broken", "odd", "empty"):
        past = past or [0.0]  # so it is at home, until a chart says otherwise
    elif len(past) < max(FEWEST_RUNS, min(runs, RUNS) // 2):
        return None  # not usually there
    if measure.field in MAY_END and what in ("lost", "filled") and not reshaped:
        return None
    usual = median(past)
    low, high = _limits(measure, what, past, usual, reshaped)
    sure = SURE_WITH_WITNESS if reshaped else SURE
    unusual = not low <= measure.value <= high or _none_or_all(measure, what, past, sure)
    return Alarm(measure, usual, low, high, runs), unusual


def _none_or_all(measure: Measure, what: str, past: Sequence[float], sure: float) -> bool:
    """None where there were always some, or all where it never was: of so many, no chance does that."""
    if what in ("changed", "lost", "empty") and not any(past):  # two things, and none has ever done so
        return measure.value == 1 and measure.n >= 2 and len(past) >= OFTEN
    if what not in ("filled", "lost", "form", "zero") or len(past) < FEWEST_RUNS or measure.value not in (0, 1):
        return False
    most = max(past) if measure.value == 1 else 1 - min(past)
    return 0 < most < 1 and -measure.n * math.log(most) >= sure


def _limits(measure: Measure, what: str, past: Sequence[float], usual: float, reshaped: bool) -> tuple[float, float]:
    """Both ends of what is usual; an end that says nothing is infinite."""
    spread = WIDTH * 1.4826 * median([abs(each - usual) for each in past])
    wide = 0.5 * (max(past) - min(past))
    low, high = min(usual - spread, min(past) - wide), max(usual + spread, max(past) + wide)
    n = measure.n
    if what == "step":
        down, up = _reach(measure)  # in which what went viral before has its room already
        return usual - spread - down, usual + spread + up
    if what in ("level", "ratio"):
        reach = math.log(4) + 3 / math.sqrt(n) if n >= SEVERAL else math.inf
        return low - reach, high + reach
    if what == "gone":  # nothing where there was always something; a longer list is no break
        return (1e-9 if min(past) > 0.05 else -math.inf), math.inf
    even = (usual * len(past) + 0.5) / (len(past) + 1)  # never surely 0 or 1 after few runs
    witnessed = reshaped and what in ("lost", "changed", "zero", "filled")
    slack = 1 / (2 * n) if witnessed else CHANCE * math.sqrt(even * (1 - even) / n) + 1.2 / n
    return _share_limits(measure, what, low, high, slack)


def _share_limits(measure: Measure, what: str, low: float, high: float, slack: float) -> tuple[float, float]:
    n, counter = measure.n, measure.field in counters_of_any(measure.group)
    match what:
        case "broken":
            return -1.0, max(high + 0.1, 0.3 if n > 1 else 0.5)
        case "odd":
            return -1.0, high + 0.1
        case "swap":
            return -1.0, max(high, 0.55 if n >= 2 else 0.99)
        case "empty":  # some always may be
            return -1.0, 1.0
        case "lost" if counter:  # a shown counter is not taken away
            return -1.0, max(high + 0.3, 0.5)
        case "lost" | "changed" | "zero":
            return -1.0, high + 0.25 + slack
        case "still":
            return -1.0, (high + 0.1 + slack if n >= SEVERAL and high < 0.8 else 1.0)
        case "known":
            return low - 0.2 - slack, 1.0
        case _:
            return low - 0.1 - slack, high + 0.1 + slack


def counters_of_any(group: str) -> frozenset[str]:
    return frozenset() if group.endswith(" page") else counters_of(group)


def _reach(measure: Measure) -> tuple[float, float]:
    """How far a median may move by itself, down and up, as logarithms: one thing may go viral, ten may not at once."""
    n, counter = measure.n, measure.field in counters_of(measure.group)
    if not counter or measure.field in AMOUNTS:
        return (math.log(8), math.log(8)) if n < SEVERAL else (math.log(4), math.log(4))
    up = 60 if n == 1 else 25 if n == 2 else 8 if n < SEVERAL else 4 if n < MANY else 2.5
    down = 4 if n == 1 else 3 if n == 2 else 2 if n < MANY else 1.5
    return math.log(down), math.log(up)
