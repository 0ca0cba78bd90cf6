"""The usual burst rules, beside which ours is measured: strengths per row, from rows up to it. Never queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats: TypeAlias = npt.NDArray[np.float64]
Rule: TypeAlias = Callable[[Floats, timedelta], Floats]

DAY = timedelta(hours=24)
WEEK = 7 * DAY
MINUTES_15 = timedelta(minutes=15)
LEARNING_ROWS = 750
LEAST = 0.01
KLEINBERG_TIMES = 3.0  # the busy state sends three times as much
KLEINBERG_UP = 1.0  # cost of entering it, times ln n as in the paper; n: rows of a week, the whole is not known yet


def k_sigma(counts: Floats, bin: timedelta) -> Floats:
    """Spreads above the mean, both of the last day."""
    past = pd.Series(counts).shift(1).rolling(_rows(DAY, bin), min_periods=2)
    return _clean((counts - past.mean().to_numpy()) / (past.std().to_numpy() + LEAST))


def times_the_mean(counts: Floats, bin: timedelta) -> Floats:
    """How often the mean of the last day: the "three times as much" of many a script."""
    mean = pd.Series(counts).shift(1).rolling(_rows(DAY, bin), min_periods=2).mean().to_numpy()
    return _clean(counts / np.maximum(mean, 1.0))


def signitrend(counts: Floats, bin: timedelta) -> Floats:
    """Schubert, Weiler, Kriegel: SigniTrend, KDD 2014; 15 minutes against a week, with the paper's bias term."""
    smooth = pd.Series(counts).rolling(_rows(MINUTES_15, bin), min_periods=1).mean()
    bias = 0.1 * pd.Series(counts).expanding().mean().to_numpy()[np.minimum(np.arange(len(counts)), LEARNING_ROWS)]
    past = smooth.ewm(halflife=_rows(WEEK, bin))
    mean, spread = (each.shift(1).to_numpy() for each in (past.mean(), past.std(bias=True)))
    return _clean((smooth.to_numpy() - np.maximum(mean, bias)) / (spread + bias + LEAST))


def kleinberg(counts: Floats, bin: timedelta) -> Floats:
    """Kleinberg, KDD 2002, two states, read forward only: how much cheaper the busy state is by now."""
    usual = pd.Series(counts).shift(1).ewm(halflife=_rows(WEEK, bin)).mean().fillna(counts[0]).to_numpy() + LEAST
    gain = counts * np.log(KLEINBERG_TIMES) - (KLEINBERG_TIMES - 1) * usual
    entering = KLEINBERG_UP * np.log(_rows(WEEK, bin))
    told, ahead = np.zeros(len(counts)), -entering
    for row, each in enumerate(gain.tolist()):
        ahead = max(ahead + each, -entering)
        told[row] = ahead
    return _clean(told)


def _rows(width: timedelta, bin: timedelta) -> int:
    return max(2, round(width / bin))


def _clean(found: Floats) -> Floats:
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


RULES: Mapping[str, Rule] = {
    "k-sigma, last day": k_sigma,
    "times the day's mean": times_the_mean,
    "SigniTrend": signitrend,
    "Kleinberg, forward": kleinberg,
}
