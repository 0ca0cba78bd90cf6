"""T2: a topic's volume at a later moment, with quantiles, walked forward beside the usual guesses. Never queries.

The forecast is of log(1 + volume) at the next snapshot, for topics that are on it. A list's volumes rise and fall
together with the day, so what the list did at that hour on earlier days is told to the learner, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from analysis.trends.entry import DAY_H, Bools, Floats
from analysis.trends.measures import pinball
from analysis.trends.streams import Stream
from analysis.trends.team import SEED, TooLittle, shown_columns
from analysis.trends.tracker import AT, WEEK_H, Tracker

MIDDLE = 0.5
QUANTILES = (0.1, MIDDLE, 0.9)
DAMPING = 0.3
BACK_H = (DAY_H, 2 * DAY_H, 3 * DAY_H, WEEK_H)
AROUND_H = (-1.0, 0.0, 1.0)
LEAST_ROWS = 500
REFIT_DAYS = 14.0
MOST_FOLDS = 6
PERSISTENCE = "persistence"
OURS = "Tidemark"


@dataclass(frozen=True)
class Steps:
    """Columns of equal length, by time: one row per topic and pair of successive snapshots that show its volume."""

    features: npt.NDArray[np.float32]
    at_h: Floats
    ahead_h: Floats
    change: Floats
    """Of log(1 + volume), to the next snapshot."""
    rate: Floats
    """Last change per hour; NaN for a topic that has just come."""
    yesterday: Floats
    """What the list's middle did in the same hours a day before."""


@dataclass(frozen=True)
class Result:
    n: int
    mae: dict[str, float]
    pinball: float
    inside_80: float
    """Share of what came true between the 10 % and the 90 % quantile."""

    @property
    def ratio(self) -> float:
        return self.mae[OURS] / self.mae[PERSISTENCE]


def steps(streams: Sequence[Stream], top: int) -> Steps:
    parts: list[list[Any]] = [[] for _ in range(6)]
    for stream in streams:
        tracker = Tracker(top)
        for now, then in zip(stream.snapshots, stream.snapshots[1:], strict=False):
            rows = tracker.add(now)
            after = dict(zip(then.keys, np.log1p(np.array(then.volumes)).tolist(), strict=True))
            change = np.array([after.get(key, np.nan) for key in now.keys]) - rows[:, AT["volume"]]
            kept = ~np.isnan(change)
            if not kept.any():
                continue
            ahead = then.at_h - now.at_h
            level = _levels(tracker, now.at_h, ahead)
            wide = np.hstack([rows[kept], np.tile(level, (int(kept.sum()), 1))])
            n = len(wide)
            columns = (
                wide,
                np.full(n, now.at_h),
                np.full(n, ahead),
                change[kept],
                rows[kept, AT["rate"]],
                np.full(n, level[2]),
            )
            for part, column in zip(parts, columns, strict=True):
                part.append(column)
    if not parts[0]:
        raise TooLittle("no volume was shown twice in a row: there is nothing to forecast")
    order = np.argsort(np.concatenate(parts[1]), kind="stable")
    features, *rest = (np.concatenate(part)[order] for part in parts)
    return Steps(features.astype(np.float32), *rest)


def _levels(tracker: Tracker, at_h: float, ahead_h: float) -> Floats:
    """Hours ahead, hour of day then, and what the list's middle did there on earlier days."""
    now = tracker.level(at_h)
    then = at_h + ahead_h
    same = tracker.level(then - DAY_H) - tracker.level(at_h - DAY_H)
    days = [tracker.level(then - back) - now for back in BACK_H]
    around = [tracker.level(then - DAY_H + shift) - now for shift in AROUND_H]
    return np.array([ahead_h, then % DAY_H, same, (then // DAY_H + 3) % 7, *days, min(around), max(around)])


def walk_forward(rows: Steps, refit_days: float = REFIT_DAYS) -> Result:
    """Tested on the second half of the time. Raises TooLittle where there is too little to learn from."""
    first, last = float(rows.at_h[0]), float(rows.at_h[-1])
    half = (first + last) / 2
    step = max(refit_days * DAY_H, (last - half) / MOST_FOLDS + 1e-6)
    told = {each: np.full(len(rows.change), np.nan) for each in QUANTILES}
    for start in np.arange(half, last + 1e-6, step).tolist():
        known = rows.at_h + rows.ahead_h < start
        test = (rows.at_h >= start) & (rows.at_h < start + step)
        if int(known.sum()) < LEAST_ROWS:
            raise TooLittle(f"{int(known.sum())} steps of a volume before the first test; needs {LEAST_ROWS}")
        if test.any():
            columns = shown_columns(rows.features[known])
            for quantile, forecast in _fit(rows.features[known][:, columns], rows.change[known]).items():
                told[quantile][test] = forecast.predict(rows.features[test][:, columns])
    return _result(rows, told, ~np.isnan(told[MIDDLE]))


def _fit(features: npt.NDArray[np.float32], change: Floats) -> dict[float, Any]:
    return {
        quantile: HistGradientBoostingRegressor(
            loss="absolute_error" if quantile == MIDDLE else "quantile",
            quantile=None if quantile == MIDDLE else quantile,
            max_iter=300 if quantile == MIDDLE else 60, learning_rate=0.08, max_leaf_nodes=31, min_samples_leaf=40,
            max_features=0.4, early_stopping=False, random_state=SEED,
        ).fit(features, change)
        for quantile in QUANTILES
    }  # fmt: skip


def guesses(rows: Steps) -> dict[str, Floats]:
    """Changes that the usual rules expect."""
    growth = np.nan_to_num(rows.rate, nan=0.0) * rows.ahead_h
    return {
        PERSISTENCE: np.zeros(len(rows.change)),
        "last growth": growth,
        "damped growth": DAMPING * growth,
        "seasonal naive": np.nan_to_num(rows.yesterday, nan=0.0),
    }


def _result(rows: Steps, told: dict[float, Floats], tested: Bools) -> Result:
    actual = rows.change[tested]
    spoken = {quantile: each[tested] for quantile, each in told.items()}
    mae = {name: float(np.abs(actual - guess[tested]).mean()) for name, guess in guesses(rows).items()}
    mae[OURS] = float(np.abs(actual - spoken[MIDDLE]).mean())
    low, high = spoken[QUANTILES[0]], spoken[QUANTILES[-1]]
    return Result(len(actual), mae, pinball(actual, spoken), float(((actual >= low) & (actual <= high)).mean()))
