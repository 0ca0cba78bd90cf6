"""Phases of a topic: rising, peak, falling, returning. For telling the past, never for early alerts. Never queries.

Levels come from change points in the whole path (ruptures, Pelt with a penalty): a few stretches,
each with a level of its own. The stretch with the highest level is the peak; before it the topic rises, behind it it
falls. A stay that begins after a snapshot without the topic returns, whatever it does then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import ruptures

from analysis.trends.streams import Stream

Phase: TypeAlias = Literal["rising", "peak", "falling", "returning", "steady"]

SHORTEST = 2  # snapshots; one alone is no level
PENALTY = 2.0  # times the noise's variance and the log of the length, as the information criteria have it
LEAST_STEP = 0.1  # of the log: smaller steps are no change to a reader
MAD_OF_STEPS = 1.4826 / math.sqrt(2)


@dataclass(frozen=True)
class Stretch:
    phase: Phase
    from_h: float
    to_h: float
    level: float
    """Mean log volume, or minus mean log position where the list shows no volume."""
    snapshots: int
    of: Literal["volume", "position"]

    @property
    def typical(self) -> float:
        """The level as a number of its own unit."""
        return math.expm1(self.level) if self.of == "volume" else math.exp(-self.level)


def phases(whole: Stream, topic_key: str) -> list[Stretch]:
    """Stretches of every stay, oldest first; empty where the topic was never there."""
    found: list[Stretch] = []
    for number, stay in enumerate(_stays(whole, topic_key)):
        told = _levels(stay)
        found += told if number == 0 else [replace(each, phase="returning") for each in told]
    return found


Sight: TypeAlias = tuple[float, int, float]
"""at_h, position, volume."""


def _stays(whole: Stream, topic_key: str) -> list[list[Sight]]:
    stays: list[list[Sight]] = []
    there = False
    for snapshot in whole.snapshots:
        if topic_key in snapshot.keys:
            place = snapshot.keys.index(topic_key)
            if not there:
                stays.append([])
            stays[-1].append((snapshot.at_h, place + 1, snapshot.volumes[place]))
        there = topic_key in snapshot.keys
    return stays


def _levels(stay: Sequence[Sight]) -> list[Stretch]:
    shown = all(volume == volume for _, _, volume in stay)
    values = [math.log1p(volume) if shown else -math.log(place) for _, place, volume in stay]
    moments = [at_h for at_h, _, _ in stay]
    ends = _change_points(np.array(values))
    starts = [0, *ends[:-1]]
    levels = [float(np.mean(values[a:b])) for a, b in zip(starts, ends, strict=True)]
    peak = levels.index(max(levels))
    names: list[Phase] = ["rising" if i < peak else "peak" if i == peak else "falling" for i in range(len(levels))]
    if len(levels) == 1:
        names = ["steady"]
    return [
        Stretch(name, moments[a], moments[b - 1], level, b - a, "volume" if shown else "position")
        for name, a, b, level in zip(names, starts, ends, levels, strict=True)
    ]


class _Spread(ruptures.base.BaseCost):  # type: ignore[misc]  # ruptures has no types
    """The library's own "l2", squares around a stretch's mean, from running sums: a twentieth of its time."""

    model = "l2"
    min_size = 1

    def fit(self, signal: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> _Spread:
        self.signal = signal
        centred = signal[:, 0] - signal[:, 0].mean()  # so that squares and their sums lose no digits
        self._sums = [0.0, *np.cumsum(centred).tolist()]
        self._squares = [0.0, *np.cumsum(centred**2).tolist()]
        return self

    def error(self, start: int, end: int) -> float:
        total = self._sums[end] - self._sums[start]
        return max(0.0, float(self._squares[end] - self._squares[start] - total * total / (end - start)))


def _change_points(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    """Ends of the stretches; the last is the length."""
    n = len(values)
    if n < 2 * SHORTEST:
        return [n]
    noise = max(MAD_OF_STEPS * float(np.median(np.abs(np.diff(values)))), LEAST_STEP)
    search = ruptures.Pelt(custom_cost=_Spread(), min_size=SHORTEST, jump=1).fit(values.reshape(-1, 1))
    found: list[int] = search.predict(pen=PENALTY * noise**2 * math.log(n))
    return found
