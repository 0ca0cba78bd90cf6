"""T1 walked forward through an archive: at each origin only what was known then; every baseline on the same rows.

Learners are fitted anew at each fold, on rows whose answer was known an embargo before the fold begins. What makes
probabilities of their log odds is learnt on earlier folds, forecast before their answers were known. Never queries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from sklearn.isotonic import IsotonicRegression

from analysis.trends import baselines, team
from analysis.trends.entry import DAY_H, REACHES, Bools, Candidates, Floats, Question
from analysis.trends.streams import EPOCH, HOUR

TEAM_NAME = "Tidemark"
BASE_RATE = "base rate"
FIRST_MONTHS = 2
LEAST_FOLDS = 3  # the first one sets the threshold of alerts, so there must be others
FIRST_SHARE = 0.4  # of an archive too short to learn from two months
WARM_UP = 0.6  # of the first training window; the rest of it teaches the first calibration


@dataclass(frozen=True)
class Settings:
    refit_days: float = 30.0
    most_folds: int = 8
    """A long archive is refitted more rarely rather than more often."""
    most_rows: int = 150_000
    """Newest rows that a learner is fitted on."""
    members: tuple[team.Member, ...] = team.TEAM


@dataclass(frozen=True)
class Fold:
    start_h: float
    end_h: float


@dataclass
class Forecasts:
    """Test rows and what each forecaster said of them, columns by row of `rows`."""

    question: Question
    rows: Candidates
    scores: dict[str, Floats]
    """Ranks; more is likelier."""
    probabilities: dict[str, Floats]
    fold: Floats
    """Start of the fold each row was tested in, in hours."""
    dropped_origins: int
    """Origins whose answer was not observed."""
    folds: list[Fold] = field(default_factory=list)
    note: str | None = None
    """Why the best baseline answers instead of the learner."""

    @property
    def label(self) -> Bools:
        return self.rows.entered(self.question)


def folds(at_h: Floats, settings: Settings) -> list[Fold]:
    """From the third calendar month on; without three, from 40 % of the archive on. Raises TooLittle when empty."""
    if not len(at_h):
        raise team.TooLittle("no origin whose answer was observed: take snapshots more often, or look further ahead")
    first, last = float(at_h.min()), float(at_h.max())
    start = _month_start(first, FIRST_MONTHS)
    if start > first + (last - first) * (1 - FIRST_SHARE / 2):
        start = first + (last - first) * FIRST_SHARE
    wanted = round((last - start) / DAY_H / settings.refit_days)
    count = min(max(wanted, LEAST_FOLDS), settings.most_folds)
    edges = np.linspace(start, last + 1e-6, count + 1)
    return [Fold(float(a), float(b)) for a, b in pairwise(edges.tolist())]


def _month_start(at_h: float, months: int) -> float:
    at = EPOCH + timedelta(hours=at_h)
    # A month of which only a last day is there is no month to learn from.
    month = at.month - 1 + months + (at.day > 28)
    return (datetime(at.year + month // 12, month % 12 + 1, 1, tzinfo=UTC) - EPOCH) / HOUR


def walk_forward(rows: Candidates, question: Question, settings: Settings) -> Forecasts:
    """rows: as candidates gives them. Raises TooLittle where not even a baseline can be tested."""
    observed = rows.known[:, REACHES.index(1.0)]
    dropped = len(np.unique(rows.origin[~observed]))
    known = rows.where(observed)
    label, note = known.entered(question), None
    ahead = max(REACHES) * question.horizon_h + question.horizon_h  # the longest answer, and the embargo
    names = [TEAM_NAME, baselines.LOGISTIC, *baselines.RULES, BASE_RATE]
    scores = {name: np.full(len(label), np.nan) for name in names}
    promised = {name: np.full(len(label), np.nan) for name in names}
    fold_of, learnt = np.full(len(label), np.nan), np.full(len(label), np.nan)
    tested = folds(known.at_h, settings)
    for fold in (_warm_up(known.at_h, tested[0]), *tested):
        test = (known.at_h >= fold.start_h) & (known.at_h < fold.end_h)
        past = np.flatnonzero(known.at_h < fold.start_h - ahead)[-settings.most_rows :]
        if not test.any() or not label[past].any():
            continue
        train, asked = known.where(_mask(past, len(label))), known.where(test)
        told, spoken = _forecast(train, asked, question, settings)
        note = spoken if spoken and fold in tested else note
        # Log odds of the logistic line, which answers where the learner cannot, are on another scale.
        earlier = (learnt == (spoken is None)) & (known.at_h < fold.start_h - ahead)
        learnt[test] = spoken is None
        for name, score in told.items():
            scores[name][test] = score
        line = team.calibrate(scores[TEAM_NAME][earlier], label[earlier])
        for name in names:
            promised[name][test] = _promise(name, told, line, train, question)
        if fold in tested:
            fold_of[test] = fold.start_h
    kept = ~np.isnan(fold_of)
    if not kept.any():
        raise team.TooLittle("no fold could be tested: nothing entered the top before the first one")
    return Forecasts(
        question, known.where(kept), {name: each[kept] for name, each in scores.items()},
        {name: each[kept] for name, each in promised.items()}, fold_of[kept], dropped, tested, note,
    )  # fmt: skip


def _warm_up(at_h: Floats, first: Fold) -> Fold:
    begin = float(at_h.min())
    return Fold(begin + WARM_UP * (first.start_h - begin), first.start_h)


def _mask(places: np.ndarray[tuple[int], np.dtype[np.int64]], n: int) -> Bools:
    found = np.zeros(n, dtype=np.bool_)
    found[places] = True
    return found


def _forecast(
    train: Candidates, asked: Candidates, question: Question, settings: Settings
) -> tuple[dict[str, Floats], str | None]:
    label, note = train.entered(question), None
    told = {name: rule(asked, question.horizon_h) for name, rule in baselines.RULES.items()}
    told[BASE_RATE] = np.full(len(asked.at_h), float(label.mean()))
    told[baselines.LOGISTIC] = baselines.logistic(train, label)(asked)
    try:
        told[TEAM_NAME] = team.fit(train, question, settings.members).log_odds(asked.features)
    except team.TooLittle as error:
        note = str(error)
        told[TEAM_NAME] = team.log_odds(told[baselines.LOGISTIC])
    return told, note


def _promise(
    name: str, told: dict[str, Floats], line: team.Calibration | None, train: Candidates, question: Question
) -> Floats:
    """A probability for each score: the learner's by Platt on earlier forecasts, a rule's by how often it held.

    Without enough earlier forecasts the learner only ranks, and the logistic line's probability stands for it.
    """
    if name == TEAM_NAME:
        return line.probability(told[name]) if line else told[baselines.LOGISTIC]
    if name in (BASE_RATE, baselines.LOGISTIC):
        return told[name]
    past = baselines.RULES[name](train, question.horizon_h)
    held = IsotonicRegression(out_of_bounds="clip").fit(past, train.entered(question).astype(np.float64))
    return np.asarray(held.predict(told[name]), dtype=np.float64)
