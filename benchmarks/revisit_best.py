"""What no schedule of so many loads could beat, had it known all changes beforehand: a bound a measure, each by itself.

For a price a load, the cheapest looks of a target are found exactly (dynamic programming over its changes: a look at
any other moment gains nothing). The sum over all targets, less the price of the loads allowed, is a lower bound for
every price, by weak duality; the best over a row of prices is taken. How many loads a round holds is not asked, and
what was so when the measuring begins is given away, so the bound is below what any schedule reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.revisit_series import Recorded, Series

Floats = npt.NDArray[np.float64]
PRICES = np.geomspace(1e-8, 3e4, 40)
Cheapest = Callable[[float], tuple[float, int]]
"""For a price: what the looks leave (hours of lag, or error), and how many they are."""


def bounds(recorded: Recorded, since: int, loads: list[float]) -> Floats:
    """Useful share at most, lag and error at least, a row for each number of loads; shape (n, 3)."""
    windows = [sorted(n for n in each.shown if n >= since) for each in recorded.series]
    rounds = sum(map(len, windows))
    changes = sum(sum(n >= since for n in each.changed) for each in recorded.series)
    parts = [(each, window) for each, window in zip(recorded.series, windows, strict=True) if len(window) > 1]
    lag = _curve([_lag(each, window, recorded, since) for each, window in parts])
    error = _curve([_error(each, window) for each, window in parts])
    return np.array([
        [min(1.0, (changes + len(parts)) / n), _least(lag, n) / max(1, changes), _least(error, n) / max(1, rounds)]
        for n in loads
    ])  # fmt: skip


def _curve(targets: list[Cheapest]) -> Floats:
    """Rows of price, cost left, looks; over all targets."""
    rows = []
    for price in PRICES:
        found = [each(float(price)) for each in targets]
        rows.append((price, sum(cost for cost, _ in found), sum(n for _, n in found)))
    return np.array(rows)


def _least(curve: Floats, loads: float) -> float:
    return max(0.0, float(np.max(curve[:, 1] + curve[:, 0] * (curve[:, 2] - loads))))


def _lag(series: Series, window: list[int], recorded: Recorded, since: int) -> Cheapest:
    """A look sees all changes since the one before it; each has waited since its own moment."""
    start = recorded.rounds[since]
    hours = np.array([(recorded.rounds[n] - start) / timedelta(hours=1) for n in series.changed if n >= since])
    end_h = (recorded.rounds[window[-1]] - start) / timedelta(hours=1)
    before = np.concatenate([[0.0], np.cumsum(hours)])
    n = np.arange(len(hours) + 1)

    def waits(first: int | npt.NDArray[np.int64], until: int, at_h: float) -> Floats:
        return np.asarray((until - n[first]) * at_h - (before[until] - before[first]))

    return _cheapest(len(hours), lambda k: waits(n[:k], k, hours[k - 1]), waits(n, len(hours), end_h))


def _error(series: Series, window: list[int]) -> Cheapest:
    """Between two looks the number of the first one stands for all that follow."""
    shown = [series.shown[n] for n in window]
    begins = [0, *(n for n in range(1, len(shown)) if shown[n] != shown[n - 1])]
    lasts = np.diff([*begins, len(shown)])
    names = sorted(shown[0])
    values = np.array([[shown[n].get(name, (np.nan, 1))[0] for name in names] for n in begins])
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(values[:, None, :] - values[None, :, :]) / np.abs(values[None, :, :])
    # Row: what is known; column: what is true, summed over the rounds in which it is.
    known = np.where(np.isfinite(off), off, 0.0).sum(axis=2) / max(1, len(names)) * lasts
    sums = np.concatenate([np.zeros((len(begins), 1)), np.cumsum(known, axis=1)], axis=1)
    own = sums[np.arange(len(begins)), np.arange(len(begins))]
    return _cheapest(len(begins) - 1, lambda k: sums[:k, k] - own[:k], sums[:, -1] - own)


def _cheapest(changes: int, between: Callable[[int], Floats], after: Floats) -> Cheapest:
    """between(k): left until a look at change k, by the change looked at before (0: none); after: left to the end."""
    costs = [np.asarray(between(k)) for k in range(1, changes + 1)]

    def at(price: float) -> tuple[float, int]:
        total, looks = np.zeros(changes + 1), np.zeros(changes + 1, dtype=int)
        for k, cost in enumerate(costs, 1):
            all_in = total[:k] + cost
            best = int(np.argmin(all_in))
            total[k], looks[k] = all_in[best] + price, looks[best] + 1
        whole = total + after
        best = int(np.argmin(whole))
        return float(whole[best] - price * looks[best]), int(looks[best])

    return at
