"""A trending list in time: snapshots of (topic, position, volume), oldest first. Pure; never queries.

Positions count earned rows only: an advertisement takes no place. A topic that stands twice in one snapshot
stands at its better place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import pandas as pd

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One list as it was; columns of equal length, best place first."""

    at: datetime
    keys: tuple[str, ...]
    volumes: tuple[float, ...]
    """NaN where the list shows none."""

    @property
    def at_h(self) -> float:
        return (self.at - EPOCH) / HOUR


@dataclass(frozen=True)
class Stream:
    board: str
    snapshots: Sequence[Snapshot]
    names: dict[str, str]
    """Topic as last written, by key."""

    @property
    def cadence_h(self) -> float:
        """Median hours between snapshots; infinite with fewer than two."""
        times = [each.at_h for each in self.snapshots]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return median(gaps) if gaps else math.inf

    @property
    def days(self) -> float:
        return (self.snapshots[-1].at_h - self.snapshots[0].at_h) / 24 if self.snapshots else 0.0


Row = tuple[str, str, float]
"""key, topic, volume (NaN where hidden)."""


def stream(board: str, taken: Iterable[tuple[datetime, Sequence[Row]]]) -> Stream:
    """Snapshots in any order, rows by place; of two at the same moment the fuller one stands, empty ones are gaps."""
    best: dict[datetime, Sequence[Row]] = {}
    for at, rows in taken:
        if rows and len(rows) > len(best.get(at, ())):
            best[at] = rows
    names: dict[str, str] = {}
    snapshots = []
    for at in sorted(best):
        places = {key: volume for key, _, volume in reversed(best[at])}
        names |= {key: topic for key, topic, _ in best[at]}
        keys = tuple(dict.fromkeys(key for key, _, _ in best[at]))
        snapshots.append(Snapshot(at, keys, tuple(places[key] for key in keys)))
    return Stream(board, snapshots, names)


def stream_of_board(board: str, entries: pd.DataFrame) -> Stream:
    """entries: as Reader.entries gives them; promoted rows are left out, and moments known by their day only."""
    earned = entries[~entries["promoted"].fillna(False) & entries["at_precision"].isna()]
    earned = earned.sort_values(["at", "position"], kind="stable")
    taken: dict[datetime, list[Row]] = {}
    columns = (earned[name].tolist() for name in ("at", "topic_key", "topic", "volume"))
    for at, key, topic, volume in zip(*columns, strict=True):
        taken.setdefault(_plain(at), []).append((key, topic, math.nan if pd.isna(volume) else float(volume)))
    return stream(board, taken.items())


def _plain(at: Any) -> datetime:
    moment: datetime = at.to_pydatetime() if isinstance(at, pd.Timestamp) else at
    return moment


def known_until(whole: Stream, moment: datetime) -> Stream:
    """What had been taken by *moment*, that moment included."""
    return Stream(whole.board, [each for each in whole.snapshots if each.at <= moment], whole.names)
