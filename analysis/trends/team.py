"""The learner of T1: a few gradient boostings that answer neighbouring questions, averaged and calibrated.

Entering the top 10 within 3 h is rare and partly chance. A model asked the same about the top 6 or 15, or about
half or twice the time, sees the same cause with other luck; their mean ranks better than any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from analysis.trends.baselines import quiet_lanes
from analysis.trends.entry import REACHES, Bools, Candidates, Floats, Question

SEED = 0
LEAST_POSITIVES = 50  # fewer examples of what is to be learnt: no learner, the best baseline answers
LEAST_CALIBRATION = 30
EDGE = 1e-5


@dataclass(frozen=True)
class Member:
    """A question near the one asked: places and hours as multiples of it."""

    places: float
    reach: float


TEAM = (Member(1.0, 1.0), Member(0.6, 1.0), Member(1.5, 1.0), Member(1.0, 2.0), Member(1.0, 0.5))
ALONE = TEAM[:1]


class TooLittle(ValueError):
    """Not enough history to learn from; says how much there is."""


@dataclass(frozen=True)
class Team:
    """Fitted; `log_odds` ranks, `Calibration` makes probabilities of it."""

    members: tuple[Any, ...]
    columns: npt.NDArray[np.int64]
    """Those that were known at least once while learning; the others say nothing, and binning them is an error."""

    def log_odds(self, features: npt.NDArray[np.float32]) -> Floats:
        told = [log_odds(each.predict_proba(features[:, self.columns])[:, 1]) for each in self.members]
        return np.asarray(np.mean(told, axis=0), dtype=np.float64)


def log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def learner() -> Any:
    """Leaves small enough for a rare answer, a third of the columns at each split: columns here repeat each other."""
    return HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=80, l2_regularization=5.0,
        max_features=0.3, early_stopping=False, random_state=SEED,
    )  # fmt: skip


def fit(rows: Candidates, question: Question, members: Sequence[Member] = TEAM) -> Team:
    """Raises TooLittle where what is asked happened too rarely. Members without enough examples stay away."""
    fitted, columns = [], shown_columns(rows.features[rows.known[:, REACHES.index(1.0)]])
    for member in members:
        reach = REACHES.index(member.reach)
        known = rows.known[:, reach]
        label = rows.best[known, reach] <= max(1, round(member.places * question.top))
        positives = int(label.sum())
        if min(positives, len(label) - positives) >= LEAST_POSITIVES:
            fitted.append(learner().fit(rows.features[known][:, columns], label))
        elif member == members[0]:
            raise TooLittle(
                f"{positives} of {len(label)} known origins and topics entered the top {question.top} within "
                f"{question.horizon_h:g} h; a learner needs {LEAST_POSITIVES}. "
                "Keep collecting; the logistic baseline answers until then."
            )
    return Team(tuple(fitted), columns)


def shown_columns(features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    return np.flatnonzero(~np.isnan(features).all(axis=0))


@dataclass(frozen=True)
class Calibration:
    """Platt's: a line through the log odds, learnt on forecasts made before their answer was known."""

    slope: float
    offset: float

    def probability(self, told: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-(self.slope * told + self.offset))), dtype=np.float64)


def calibrate(told: Floats, label: Bools) -> Calibration | None:
    """None where there are too few answers to learn a line from."""
    if min(int(label.sum()), int((~label).sum())) < LEAST_CALIBRATION:
        return None
    with quiet_lanes():
        line = LogisticRegression(C=1e6).fit(told.reshape(-1, 1), label)
    return Calibration(max(float(line.coef_[0][0]), EDGE), float(line.intercept_[0]))
