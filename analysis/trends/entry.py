"""T1: will a topic that is on the list, but outside the top, enter it within some hours? Never queries.

An origin is a snapshot; its candidates are the topics below the top. The answer is known where at least one
snapshot was taken within the horizon and the archive reaches past it; other origins are dropped and counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from analysis.trends.streams import Stream
from analysis.trends.tracker import AT, FEATURES, Tracker

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

NEVER = 10**6
DAY_H = 24.0
ORIGINS = 10**7  # more snapshots than a board can have
REACHES = (0.5, 1.0, 2.0)
"""Horizons, in units of the one asked for, over which the best place is looked up: the team learns from all three."""


@dataclass(frozen=True)
class Question:
    """top: how many places are the top. horizon_h: hours ahead."""

    top: int = 10
    horizon_h: float = 3.0


@dataclass(frozen=True)
class Candidates:
    """Columns of equal length, by time; one row per origin and topic outside the top."""

    features: npt.NDArray[np.float32]
    at_h: Floats
    origin: Ints
    board: Ints
    topic: Ints
    """Number of the topic on its board; the same in every origin."""
    best: Ints
    """Best place within each reach, NEVER where it was not seen: one column per REACHES."""
    known: Bools
    """Whether each reach was wholly observed: one column per REACHES."""
    entered_h: Floats
    """Moment of the first snapshot in the top within a day; NaN where there is none."""

    @property
    def position(self) -> Floats:
        return self.features[:, AT["position"]].astype(np.float64)

    @property
    def first_episode(self) -> Bools:
        """Never in the top before, and on the list without a break since first seen."""
        return np.asarray(np.isnan(self.features[:, AT["top_ago_h"]]) & (self.features[:, AT["episodes"]] == 0))

    @property
    def day(self) -> Ints:
        return (self.at_h // DAY_H).astype(np.int64)

    def entered(self, question: Question) -> Bools:
        return np.asarray(self.best[:, REACHES.index(1.0)] <= question.top)

    def where(self, rows: Bools) -> Candidates:
        return Candidates(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


@dataclass
class _Columns:
    features: list[Any] = field(default_factory=list)
    at_h: list[float] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    board: list[int] = field(default_factory=list)
    topic: list[int] = field(default_factory=list)
    best: list[list[int]] = field(default_factory=list)
    known: list[list[bool]] = field(default_factory=list)
    entered_h: list[float] = field(default_factory=list)


def candidates(truth: Sequence[Stream], question: Question, seen: Sequence[Stream] | None = None) -> Candidates:
    """seen: what the features may know, where that is less than what truly happened (stress); same boards."""
    columns = _Columns()
    for board, (true, shown) in enumerate(zip(truth, seen or truth, strict=True)):
        _board(columns, board, true, shown, question)
    made = Candidates(
        features=np.concatenate(columns.features or [np.empty((0, len(FEATURES)), np.float32)]),
        at_h=np.array(columns.at_h), origin=np.array(columns.origin, np.int64), board=np.array(columns.board, np.int64),
        topic=np.array(columns.topic, np.int64), best=np.array(columns.best, np.int64).reshape(-1, len(REACHES)),
        known=np.array(columns.known, np.bool_).reshape(-1, len(REACHES)), entered_h=np.array(columns.entered_h),
    )  # fmt: skip
    order = np.argsort(made.at_h, kind="stable")
    return Candidates(**{each.name: getattr(made, each.name)[order] for each in fields(made)})


def _board(columns: _Columns, board: int, true: Stream, shown: Stream, question: Question) -> None:
    tracker, future = Tracker(question.top), Future(true, question)
    numbers: dict[str, int] = {}
    for number, snapshot in enumerate(shown.snapshots):
        rows = tracker.add(snapshot)[question.top :]
        columns.features.append(rows.astype(np.float32))
        known = future.known(snapshot.at_h)
        for key in snapshot.keys[question.top :]:
            best, entered = future.of(key, snapshot.at_h)
            columns.at_h.append(snapshot.at_h)
            columns.origin.append(board * ORIGINS + number)
            columns.board.append(board)
            columns.topic.append(numbers.setdefault(key, len(numbers)))
            columns.best.append(best)
            columns.known.append(known)
            columns.entered_h.append(entered)


class Future:
    """What happened after a moment on one board: for labels only, never for features."""

    def __init__(self, true: Stream, question: Question) -> None:
        self._times = np.array([each.at_h for each in true.snapshots])
        self._seen: dict[str, list[tuple[float, int]]] = {}
        for snapshot in true.snapshots:
            for place, key in enumerate(snapshot.keys, 1):
                self._seen.setdefault(key, []).append((snapshot.at_h, place))
        self._next: dict[str, int] = {}
        self._reaches = [reach * question.horizon_h for reach in REACHES]
        self._top = question.top

    def known(self, at_h: float) -> list[bool]:
        after = int(np.searchsorted(self._times, at_h, side="right"))
        following = self._times[after] if after < len(self._times) else math.inf
        return [following <= at_h + reach <= self._times[-1] for reach in self._reaches]

    def of(self, key: str, at_h: float) -> tuple[list[int], float]:
        """Best place within each reach, and when it first stood in the top within a day. Moments go forward."""
        sightings, i = self._seen.get(key, []), self._next.get(key, 0)
        while i < len(sightings) and sightings[i][0] <= at_h:
            i += 1
        self._next[key] = i
        best, entered = [NEVER] * len(self._reaches), math.nan
        last = at_h + max(DAY_H, self._reaches[-1])
        for seen_h, place in sightings[i:]:
            if seen_h > last:
                break
            if place <= self._top and math.isnan(entered) and seen_h <= at_h + DAY_H:
                entered = seen_h
            best = [
                min(each, place) if seen_h <= at_h + reach else each
                for each, reach in zip(best, self._reaches, strict=True)
            ]
        return best, entered
