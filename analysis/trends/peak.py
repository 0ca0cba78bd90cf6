"""T4: hours until a topic's best place, with an interval, beside what topics of its age had left. Never queries.

The peak is the first snapshot with the best place of an unbroken stay on the list; 0 h are left where no later place is
better than the best so far. Stays that were not over when the fold began teach nothing and are counted: their peak is
not known. The baseline is a survival table: the same quantiles, over past topics of about the same age and place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from analysis.trends.entry import Bools, Floats
from analysis.trends.measures import pinball
from analysis.trends.streams import Stream
from analysis.trends.team import SEED, TooLittle, shown_columns
from analysis.trends.tracker import AT, Tracker

QUANTILES = (0.1, 0.5, 0.9)
TEST_FROM = 0.6  # of the time
LEAST_ROWS = 1000
MOST_ROWS = 100_000
AGES_H = (0.5, 1.5, 3.0, 6.0, 12.0)
PLACES = (3, 10, 20, 35)


@dataclass(frozen=True)
class Stays:
    """One row per topic and snapshot, by time."""

    features: npt.NDArray[np.float32]
    at_h: Floats
    left_h: Floats
    """Until the best place."""
    over_h: Floats
    """Moment at which the stay was known to be over; infinite where it never was."""


@dataclass(frozen=True)
class Result:
    n: int
    censored: int
    pinball: float
    pinball_survival: float
    inside_80: float
    inside_80_survival: float
    mae_h: float
    mae_h_survival: float


def stays(streams: Sequence[Stream], top: int) -> Stays:
    parts: list[tuple[Any, ...]] = []
    for stream in streams:
        tracker = Tracker(top)
        seen: dict[str, list[tuple[int, float, int]]] = {}
        rows, times, places = [], [], []
        running: dict[str, int] = {}
        left, over = [], []
        for number, snapshot in enumerate(stream.snapshots):
            rows.append(tracker.add(snapshot).astype(np.float32))
            for place, key in enumerate(snapshot.keys, 1):
                seen.setdefault(key, []).append((number, snapshot.at_h, place))
            times.append(np.full(len(snapshot.keys), snapshot.at_h))
            places.append(snapshot.keys)
        moments = [each.at_h for each in stream.snapshots]
        told = {key: _left(each, moments) for key, each in seen.items()}
        for keys in places:
            for key in keys:
                i = running.get(key, 0)
                running[key] = i + 1
                left.append(told[key][i][0])
                over.append(told[key][i][1])
        parts.append((np.concatenate(rows), np.concatenate(times), np.array(left), np.array(over)))
    features, at_h, left_h, over_h = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(at_h, kind="stable")
    return Stays(features[order], at_h[order], left_h[order], over_h[order])


def _left(seen: Sequence[tuple[int, float, int]], moments: Sequence[float]) -> list[tuple[float, float]]:
    """Of each sighting the hours to the peak of its stay, and when that stay was known to be over."""
    found: list[tuple[float, float]] = []
    start = 0
    for end in range(1, len(seen) + 1):
        if end < len(seen) and seen[end][0] == seen[end - 1][0] + 1:
            continue
        stay, after = seen[start:end], seen[end - 1][0] + 1
        over = moments[after] if after < len(moments) else float("inf")
        found += [(hours, over) for hours in _to_peak(stay)]
        start = end
    return found


def _to_peak(stay: Sequence[tuple[int, float, int]]) -> list[float]:
    ahead: list[tuple[int, float]] = []  # the best place from each sighting on, and its first moment
    for _, at_h, place in reversed(stay):
        ahead.append((place, at_h) if not ahead or place <= ahead[-1][0] else ahead[-1])
    ahead.reverse()
    best, found = stay[0][2], []
    for (_, at_h, place), (later, peak_h) in zip(stay, ahead, strict=True):
        best = min(best, place)
        found.append(peak_h - at_h if later < best else 0.0)
    return found


def judged(rows: Stays) -> Result:
    """Learnt on the first part of the time, tested on the rest. Raises TooLittle."""
    start = rows.at_h[0] + TEST_FROM * (rows.at_h[-1] - rows.at_h[0])
    past = np.flatnonzero(rows.over_h < start)[-MOST_ROWS:]
    asked = (rows.at_h >= start) & np.isfinite(rows.over_h)
    if len(past) < LEAST_ROWS or not asked.any():
        raise TooLittle(f"{len(past)} places of stays that were over before the test; needs {LEAST_ROWS}")
    told = _learner(rows, past, asked)
    usual = survival(rows, past, asked)
    actual = rows.left_h[asked]
    return Result(
        len(actual), int(((rows.at_h >= start) & ~np.isfinite(rows.over_h)).sum()),
        pinball(actual, told), pinball(actual, usual), _inside(actual, told), _inside(actual, usual),
        float(np.abs(actual - told[0.5]).mean()), float(np.abs(actual - usual[0.5]).mean()),
    )  # fmt: skip


def _inside(actual: Floats, told: dict[float, Floats]) -> float:
    return float(((actual >= told[QUANTILES[0]]) & (actual <= told[QUANTILES[-1]])).mean())


def _learner(rows: Stays, past: npt.NDArray[np.int64], asked: Bools) -> dict[float, Floats]:
    columns = shown_columns(rows.features[past])
    learnt, questions = rows.features[past][:, columns], rows.features[asked][:, columns]
    told = []
    for quantile in QUANTILES:
        fitted = HistGradientBoostingRegressor(
            loss="quantile", quantile=quantile, max_iter=120, learning_rate=0.08, max_leaf_nodes=15,
            min_samples_leaf=60, max_features=0.4, early_stopping=False, random_state=SEED,
        ).fit(learnt, np.log1p(rows.left_h[past]))  # fmt: skip
        told.append(np.maximum(np.expm1(fitted.predict(questions)), 0.0))
    ordered = np.sort(np.array(told), axis=0)  # quantiles learnt apart may cross
    return dict(zip(QUANTILES, ordered, strict=True))


def survival(rows: Stays, past: npt.NDArray[np.int64], asked: Bools) -> dict[float, Floats]:
    """Quantiles of the hours left over past topics of the same class of age and place."""
    classes = _classes(rows.features)
    known, left = classes[past], rows.left_h[past]
    table = {
        each: np.quantile(left[known == each] if (known == each).any() else left, QUANTILES)
        for each in np.unique(classes[asked]).tolist()
    }
    told = np.array([table[each] for each in classes[asked].tolist()])
    return {quantile: told[:, i] for i, quantile in enumerate(QUANTILES)}


def _classes(features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    age = np.searchsorted(AGES_H, np.nan_to_num(features[:, AT["episode_h"]].astype(np.float64)))
    place = np.searchsorted(PLACES, features[:, AT["position"]].astype(np.float64))
    return np.asarray(age * (len(PLACES) + 1) + place, dtype=np.int64)
