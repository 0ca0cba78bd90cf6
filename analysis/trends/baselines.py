"""What a forecast has to beat: the usual answers to "what will enter the top", as scores; more is likelier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analysis.trends.entry import Bools, Candidates, Floats
from analysis.trends.tracker import AT

Rule: TypeAlias = Callable[[Candidates, float], Floats]
"""Rows and the horizon in hours; a score for each row."""

UNKNOWN = -1e6  # a topic of which the number is not known comes last
DAMPING = 0.3
LOGISTIC_COLUMNS = [AT[name] for name in ("position", "to_volume_k", "rate", "age_h")]


def _column(rows: Candidates, name: str) -> Floats:
    return rows.features[:, AT[name]].astype(np.float64)


def _known(score: Floats) -> Floats:
    return np.where(np.isfinite(score), score, UNKNOWN)


def persistence(rows: Candidates, horizon_h: float) -> Floats:
    """The nearer to the top already, the likelier."""
    return -_column(rows, "position")


def gap(rows: Candidates, horizon_h: float) -> Floats:
    return _known(-_column(rows, "to_volume_k"))


def last_growth(rows: Candidates, horizon_h: float) -> Floats:
    return _known(_column(rows, "rate"))


def damped_growth(rows: Candidates, horizon_h: float) -> Floats:
    """Where its volume stands after the horizon, if it goes on growing at 30 % of its last rate."""
    growth = np.nan_to_num(_column(rows, "rate"), nan=0.0)
    return _known(DAMPING * growth * horizon_h - _column(rows, "to_volume_k"))


def seasonal_naive(rows: Candidates, horizon_h: float) -> Floats:
    """In the top at this hour yesterday; ties by position."""
    return np.nan_to_num(_column(rows, "last_day"), nan=0.0) * 1000 - _column(rows, "position")


def k_sigma(rows: Candidates, horizon_h: float) -> Floats:
    """How far its place is above the mean of its places, in their spread and one place more."""
    return _known((_column(rows, "mean_position") - _column(rows, "position")) / (_column(rows, "spread_position") + 1))


def three_times(rows: Candidates, horizon_h: float) -> Floats:
    """Three times its last volume, the rule of many a script; ties by position."""
    tripled = (_column(rows, "volume_step") >= np.log(3.0)).astype(np.float64)
    return np.asarray(tripled * 1000 - _column(rows, "position"))


def signitrend(rows: Candidates, horizon_h: float) -> Floats:
    """Volume above its own moving mean, in its own moving spread."""
    return _known(_column(rows, "volume_z"))


RULES: Mapping[str, Rule] = {
    "persistence (position)": persistence,
    "volume gap to the top": gap,
    "last growth": last_growth,
    "damped growth": damped_growth,
    "seasonal naive": seasonal_naive,
    "k-sigma": k_sigma,
    "3x rule": three_times,
    "SigniTrend": signitrend,
}
PERSISTENCE = "persistence (position)"
LOGISTIC = "logistic, 4 numbers"


def logistic(rows: Candidates, label: Bools) -> Callable[[Candidates], Floats]:
    """Position, gap, growth and age in a line; label holds both answers."""
    line = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=500),
    )
    with quiet_lanes():
        line.fit(rows.features[:, LOGISTIC_COLUMNS].astype(np.float64), label)

    def told(asked: Candidates) -> Floats:
        with quiet_lanes():
            return np.asarray(line.predict_proba(asked.features[:, LOGISTIC_COLUMNS].astype(np.float64))[:, 1])

    return told


def quiet_lanes() -> np.errstate:
    """The linear algebra below us computes on whole vector lanes, also on those beyond a short matrix, and their
    garbage may raise a flag now and then. The inputs are finite: imputed and standardised."""
    return np.errstate(invalid="ignore", over="ignore", divide="ignore")
