"""What alerts at a fixed budget would have brought: how many came true, how early, and what nobody could see.

A rule tells a topic once, when its probability first reaches the threshold, and again only after a quiet time.
The threshold of a fold is the one that would have kept the budget on the folds before it. Never queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.trends.backtest import Forecasts
from analysis.trends.entry import DAY_H, Bools, Candidates, Floats, Ints, Question
from analysis.trends.streams import Stream

QUIET_H = 24.0
LEAST_CHANCE = 0.05  # an alert that nineteen times of twenty comes to nothing is noise, however few are told
STEPS = 40  # halvings of the search for a threshold; its last step is far below any rounding


@dataclass(frozen=True)
class Alerts:
    """Alerts of one forecaster over the test time. Hours are NaN where nothing came true."""

    told: int
    per_day: float
    came_true: int
    precision: float
    lead_h_median: float
    lead_h_low: float
    lead_h_high: float
    caught_of_visible: float
    """Share of the first entries that were seen below the top before, told ahead."""
    caught_of_all: float
    false_per_week: float


@dataclass(frozen=True)
class Visibility:
    """First entries into the top in the test time, and how many were ever seen below it before."""

    entries: int
    never_visible: float
    lead_h_possible: float
    """Median hours between first seen and in the top, of those that were visible; NaN without any."""


def told(rows: Candidates, score: Floats, threshold: float, quiet_h: float = QUIET_H) -> Ints:
    """Rows that are alerts, by time."""
    last: dict[tuple[int, int], float] = {}
    found = []
    for i in np.flatnonzero(score >= threshold).tolist():
        topic, at_h = (int(rows.board[i]), int(rows.topic[i])), float(rows.at_h[i])
        if at_h - last.get(topic, -np.inf) >= quiet_h:
            last[topic] = at_h
            found.append(i)
    return np.array(found, dtype=np.int64)


def threshold_for(rows: Candidates, score: Floats, per_day: float, days: int | None = None) -> float:
    """The lowest threshold that keeps the budget on *rows*, which are of so many days (None: as many as they show)."""
    if not len(score):
        return -np.inf
    days = days or max(len(np.unique(rows.day)), 1)
    low, high = float(score.min()), float(score.max())
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if len(told(rows, score, middle)) <= per_day * days else (middle, high)
    return high


def at_budget(found: Forecasts, name: str, per_day: float, truth: Sequence[Stream]) -> tuple[Alerts, Visibility]:
    """Alerts from the second fold on: the first one sets the first threshold. Nobody tells below LEAST_CHANCE."""
    score, starts = found.scores[name], np.unique(found.fold)
    likely = found.probabilities[name] >= LEAST_CHANCE

    def alerts_of(now: Bools, past: Bools) -> Ints:
        now, days = now & likely, len(np.unique(found.rows.day[past]))
        past = past & likely
        threshold = threshold_for(found.rows.where(past), score[past], per_day, days)
        return np.flatnonzero(now)[told(found.rows.where(now), score[now], threshold)]

    every = np.ones(len(score), dtype=np.bool_)
    alerts = [alerts_of(found.fold == start, found.fold < start) for start in starts[1:]] or [alerts_of(every, every)]
    tested = found.fold > starts[0] if len(starts) > 1 else np.ones(len(score), dtype=np.bool_)
    return _judge(found, np.concatenate(alerts), tested, truth)


def _judge(found: Forecasts, alerts: Ints, tested: Bools, truth: Sequence[Stream]) -> tuple[Alerts, Visibility]:
    rows, question = found.rows, found.question
    first_h, last_h = float(rows.at_h[tested].min()), float(rows.at_h[tested].max())
    hit = found.label[alerts]
    leads = (rows.entered_h - rows.at_h)[alerts][hit]
    entries = _first_entries(truth, question, first_h, last_h)
    warned = _warned(rows, alerts, entries, truth)
    visible = [each for each in entries if each.first_h < each.entered_h]
    days = max((last_h - first_h) / DAY_H, 1e-9)
    low, median, high = np.quantile(leads, [0.25, 0.5, 0.75]).tolist() if len(leads) else [np.nan] * 3
    possible = [each.entered_h - each.first_h for each in visible]
    return Alerts(
        told=len(alerts), per_day=len(alerts) / days, came_true=int(hit.sum()),
        precision=float(hit.mean()) if len(hit) else np.nan, lead_h_median=median, lead_h_low=low, lead_h_high=high,
        caught_of_visible=warned / max(len(visible), 1), caught_of_all=warned / max(len(entries), 1),
        false_per_week=float((~hit).sum()) / days * 7,
    ), Visibility(
        len(entries), 1 - len(visible) / max(len(entries), 1), float(np.median(possible)) if possible else np.nan
    )  # fmt: skip


@dataclass(frozen=True)
class _Entry:
    board: int
    topic: int
    first_h: float
    entered_h: float


def _first_entries(truth: Sequence[Stream], question: Question, first_h: float, last_h: float) -> list[_Entry]:
    """Of each topic its first time in the top, where that lies in the test time. Numbers as in Candidates."""
    found = []
    for board, stream in enumerate(truth):
        numbers: dict[str, int] = {}
        first: dict[str, float] = {}
        done: set[str] = set()
        for snapshot in stream.snapshots:
            for place, key in enumerate(snapshot.keys, 1):
                first.setdefault(key, snapshot.at_h)
                if place > question.top:
                    numbers.setdefault(key, len(numbers))
                elif key not in done:
                    done.add(key)
                    if first_h <= snapshot.at_h <= last_h:
                        found.append(_Entry(board, numbers.get(key, -1), first[key], snapshot.at_h))
    return found


def _warned(rows: Candidates, alerts: Ints, entries: Sequence[_Entry], truth: Sequence[Stream]) -> int:
    moments: dict[tuple[int, int], list[float]] = {}
    for i in alerts.tolist():
        moments.setdefault((int(rows.board[i]), int(rows.topic[i])), []).append(float(rows.at_h[i]))
    return sum(
        any(each.entered_h - DAY_H <= at_h < each.entered_h for at_h in moments.get((each.board, each.topic), ()))
        for each in entries
    )
