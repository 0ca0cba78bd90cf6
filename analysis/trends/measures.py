"""How good a forecast was: ranking, calibration, and what chance alone would give. Pure.

Intervals and comparisons resample whole days, because rows of one day are not independent of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

RELIABILITY_BINS = 15
ROUNDS = 300  # of the bootstrap; its interval moves by less than a tenth of itself between seeds


def average_precision(label: Bools, score: Floats, weight: Floats | None = None) -> float:
    """Area under precision and recall by steps; equal scores count as one step. NaN without a positive."""
    order = np.argsort(-score, kind="stable")
    return _precision_by_steps(label[order], score[order], np.ones(len(label)) if weight is None else weight[order])


def _precision_by_steps(label: Bools, score: Floats, weight: Floats) -> float:
    hits, all_told = np.cumsum(weight * label), np.cumsum(weight)
    if not len(label) or hits[-1] <= 0:
        return float("nan")
    last = np.flatnonzero(np.diff(score, append=-np.inf) != 0)
    hits, all_told = hits[last], all_told[last]
    gained = np.diff(hits, prepend=0.0)
    precision = np.divide(hits, all_told, out=np.zeros_like(hits), where=all_told > 0)
    return float((precision * gained).sum() / hits[-1])


@dataclass(frozen=True)
class Interval:
    low: float
    value: float
    high: float


def by_day(label: Bools, scores: Mapping[str, Floats], day: Ints, seed: int, rounds: int = ROUNDS) -> dict[str, Floats]:
    """Average precision of each score in the same *rounds* resamplings of days: pair them to compare."""
    rng, days = np.random.default_rng(seed), np.unique(day)
    place = np.searchsorted(days, day)
    orders = {name: np.argsort(-score, kind="stable") for name, score in scores.items()}
    found: dict[str, list[float]] = {name: [] for name in scores}
    for _ in range(rounds):
        weight = np.bincount(rng.integers(0, len(days), len(days)), minlength=len(days)).astype(np.float64)[place]
        for name, order in orders.items():
            found[name].append(_precision_by_steps(label[order], scores[name][order], weight[order]))
    return {name: np.array(values) for name, values in found.items()}


def interval(value: float, resampled: Floats) -> Interval:
    known = resampled[~np.isnan(resampled)]
    if not len(known):
        return Interval(float("nan"), value, float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(float(low), value, float(high))


@dataclass(frozen=True)
class Reliability:
    """Forecasts of about the same probability, and how often it came true."""

    promised: float
    kept: float
    n: int


def reliability(label: Bools, probability: Floats, bins: int = RELIABILITY_BINS) -> list[Reliability]:
    """By equal width of the probability; empty bins are left out."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    return [
        Reliability(float(probability[place == i].mean()), float(label[place == i].mean()), int((place == i).sum()))
        for i in range(bins)
        if (place == i).any()
    ]


def calibration_error(label: Bools, probability: Floats, bins: int = RELIABILITY_BINS) -> float:
    """Mean distance between promised and kept, weighted by how often it was promised (ECE)."""
    if not len(label):
        return float("nan")
    return sum(each.n * abs(each.promised - each.kept) for each in reliability(label, probability, bins)) / len(label)


def brier(label: Bools, probability: Floats) -> float:
    return float(((probability - label) ** 2).mean())


def at_most(label: Bools, score: Floats, origin: Ints, k: int) -> tuple[float, float]:
    """Precision and recall of the *k* best of each origin; origins without a positive count in precision only."""
    order = np.lexsort((-score, origin))
    starts = np.flatnonzero(np.diff(origin[order], prepend=origin[order][:1] - 1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    chosen = label[order][place < k]
    return float(chosen.mean()), float(chosen.sum() / max(int(label.sum()), 1))


def recall_at_precision(label: Bools, score: Floats, least: float) -> float:
    """Largest share of the positives that can be told with this precision or better; 0 where none can."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    precise = hits / np.arange(1, len(hits) + 1) >= least
    return float(hits[precise].max() / hits[-1]) if precise.any() and hits[-1] else 0.0


def pinball(actual: Floats, quantiles: Mapping[float, Floats]) -> float:
    losses = [np.maximum(q * (actual - told), (q - 1) * (actual - told)).mean() for q, told in quantiles.items()]
    return float(np.mean(losses))


def false_discoveries(p_values: Sequence[float], share: float) -> Bools:
    """Benjamini and Hochberg: which of many tests hold when at most *share* of those told may be wrong."""
    values = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    holds = np.flatnonzero(values[order] <= share * np.arange(1, len(order) + 1) / max(len(order), 1))
    told = np.zeros(len(values), dtype=np.bool_)
    if len(holds):
        told[order[: holds[-1] + 1]] = True
    return told
