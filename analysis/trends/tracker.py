"""What is known of each topic on a list at a snapshot, from that snapshot and those before. Never queries.

One snapshot in, one row of numbers for each of its topics out. Its cost is that of the snapshot, not of the history.
A number that is not known is NaN: a hidden volume, a topic's last step when it has just come.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analysis.trends.streams import Snapshot

Floats: TypeAlias = npt.NDArray[np.float64]

DAY_H, WEEK_H = 24.0, 168.0
FORGET_H = 60 * DAY_H  # a topic away so long counts as new
TIDY_SNAPSHOTS = 500
ABOVE = 0.02  # log volume above the list's middle, from which a topic stands out of a flat list
NAN = math.nan

LIST_FEATURES = (
    "hour", "weekday", "gap_h", "volume_k", "gap_below_k", "volume_k_step", "volume_k_step3", "drift", "new_topics",
    "top_age_h", "top_falling", "top_new", "standing_out", "level", "level_1d", "level_2d", "level_7d", "level_1h",
    "level_3h", "size",
)  # fmt: skip
TOPIC_FEATURES = (
    "position", "volume", "to_volume_k", "to_middle", "to_above", "to_below", "to_3_above", "to_3_below", "to_last",
    "over_middle", "out_of_reach", "state", "age_h", "episode_h", "seen", "away_h", "best", "best_ago_h",
    "episode_best", "draw_down", "top_ago_h", "top_share", "episodes", "entry_position", "since_entry", "mean_position",
    "spread_position", "step", "step2", "step3", "volume_step", "volume_step2", "rate", "against_drift",
    "acceleration", "over_middle_step", "over_middle_before", "over_middle_most", "standing", "rising",
    "volume_z", "last_day",
)  # fmt: skip
FEATURES = (*TOPIC_FEATURES, *LIST_FEATURES)
AT = {name: i for i, name in enumerate(FEATURES)}


@dataclass(slots=True)
class Track:
    """The past of one topic."""

    first_h: float
    episode_h: float
    last_h: float
    snapshot: int
    entry: tuple[int, float]
    seen: int = 0
    episodes: int = 0
    best: int = 10**6
    best_h: float = NAN
    episode_best: int = 10**6
    most: float = -math.inf
    most_over: float = -math.inf
    top_h: float = NAN
    in_top: int = 0
    positions: float = 0.0
    standing: int = 0
    rising: int = 0
    mean: float = NAN
    square: float = 0.0
    steps: deque[tuple[float, int, float, float]] = field(default_factory=lambda: deque(maxlen=4))
    """at_h, position, log volume, over the middle; oldest first."""
    tops: deque[float] = field(default_factory=lambda: deque(maxlen=64))


class Tracker:
    """Feed it the snapshots of one board in order."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.tracks: dict[str, Track] = {}
        self._count = 0
        self._times: list[float] = []
        self._levels: list[float] = []
        self._top_volumes: deque[float] = deque(maxlen=4)

    def add(self, snapshot: Snapshot) -> Floats:
        """One row per topic, best place first; columns as FEATURES. Raises ValueError when fed out of order."""
        at_h = snapshot.at_h
        if self._times and at_h <= self._times[-1]:
            raise ValueError(f"tracker: snapshots go forward; {snapshot.at.isoformat()} is not later than the last")
        volumes = np.log1p(np.array(snapshot.volumes, dtype=np.float64))
        middle = _middle(volumes, self.top)
        whole = self._list_row(at_h, snapshot, volumes, middle)
        rows = np.empty((len(snapshot.keys), len(FEATURES)))
        rows[:, len(TOPIC_FEATURES) :] = whole
        _places(rows, volumes, middle, self.top, whole[LIST_FEATURES.index("standing_out")])
        drift = whole[LIST_FEATURES.index("drift")]
        for i, key in enumerate(snapshot.keys):
            rows[i, _PAST] = self._past(self.tracks.get(key), at_h, i + 1, float(volumes[i]), middle, drift)
        self._learn(snapshot, at_h, volumes, middle)
        return rows

    def _list_row(self, at_h: float, snapshot: Snapshot, volumes: Floats, middle: float) -> Floats:
        top, known = self.top, [self.tracks.get(key) for key in snapshot.keys]
        here = [(i, each) for i, each in enumerate(known) if each and each.snapshot == self._count - 1]
        steps = [float(volumes[i]) - each.steps[-1][2] for i, each in here]
        shown = [each for each in steps if each == each]
        at_k = float(volumes[min(top, len(volumes)) - 1])
        earlier = list(self._top_volumes)
        level_then = [self.level(at_h - back) for back in (DAY_H, 2 * DAY_H, WEEK_H, 1.0, 3.0)]
        return np.array([
            at_h % DAY_H, (at_h // DAY_H + 3) % 7, at_h - self._times[-1] if self._times else NAN, at_k,
            at_k - float(volumes[top]) if len(volumes) > top else NAN,
            at_k - earlier[-1] if earlier else NAN, at_k - earlier[-3] if len(earlier) > 2 else NAN,
            float(np.median(shown)) if shown else NAN, len(known) - len(here),
            sum(at_h - each.episode_h if each else 0.0 for each in known[:top]) / top,
            sum(i < top and step < 0 for (i, _), step in zip(here, steps, strict=True)),
            top - sum(i < top for i, _ in here), float((volumes - middle > ABOVE).sum()), middle,
            *(middle - each for each in level_then), len(known),
        ])  # fmt: skip

    def level(self, at_h: float) -> float:
        """The list's middle at a past moment, between the snapshots around it; NaN before the first."""
        i = bisect_right(self._times, at_h)
        if i == 0:
            return NAN
        if i == len(self._times):
            return self._levels[-1]
        before, after = self._times[i - 1], self._times[i]
        share = (at_h - before) / (after - before)
        return self._levels[i - 1] * (1 - share) + self._levels[i] * share

    def _past(
        self, track: Track | None, at_h: float, position: int, volume: float, middle: float, drift: float
    ) -> list[float]:
        if track is None:
            return [2.0, 0, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, position, 0, *[NAN] * 13, 0, 0, NAN, NAN]
        stays = track.snapshot == self._count - 1
        last = track.steps[-1]
        before = track.steps[-2] if len(track.steps) > 1 else (NAN, NAN, NAN, NAN)
        long_before = track.steps[-3] if len(track.steps) > 2 else (NAN, NAN, NAN, NAN)
        elapsed = at_h - last[0]
        rate, rate_before = (volume - last[2]) / elapsed, (last[2] - before[2]) / (last[0] - before[0])
        places = [each[1] for each in track.steps]
        over = volume - middle
        yesterday = any(abs(at_h - DAY_H - each) <= 1.5 for each in track.tops)
        return [
            0.0 if stays else 1.0, at_h - track.first_h, at_h - track.episode_h if stays else 0.0, track.seen, elapsed,
            track.best, at_h - track.best_h, track.episode_best if stays else NAN,
            volume - track.most if track.most > -math.inf else NAN,
            at_h - track.top_h, track.in_top / track.seen, track.episodes,
            track.entry[0] if stays else position, volume - track.entry[1] if stays else 0.0,
            track.positions / track.seen, _spread(places),
            last[1] - position, before[1] - position, long_before[1] - position, volume - last[2], volume - before[2],
            rate, volume - last[2] - drift, rate - rate_before,
            over - last[3] if stays else NAN, last[3] if stays else NAN,
            track.most_over if track.most_over > -math.inf else NAN,
            track.standing if stays else 0, track.rising if stays else 0,
            (volume - track.mean) / (math.sqrt(track.square) + 0.1), float(yesterday),
        ]  # fmt: skip

    def _learn(self, snapshot: Snapshot, at_h: float, volumes: Floats, middle: float) -> None:
        for i, key in enumerate(snapshot.keys):
            _follow(self._track(key, at_h, i + 1, float(volumes[i])), at_h, i + 1, float(volumes[i]), middle, self.top)
        for key in snapshot.keys:
            self.tracks[key].snapshot = self._count
        self._times.append(at_h)
        self._levels.append(middle if middle == middle else self._levels[-1] if self._levels else NAN)
        self._top_volumes.append(float(volumes[min(self.top, len(volumes)) - 1]))
        self._count += 1
        if self._count % TIDY_SNAPSHOTS == 0:
            self.tracks = {key: each for key, each in self.tracks.items() if at_h - each.last_h <= FORGET_H}

    def _track(self, key: str, at_h: float, position: int, volume: float) -> Track:
        track = self.tracks.get(key)
        if track is None:
            track = self.tracks[key] = Track(at_h, at_h, at_h, self._count, (position, volume))
        elif track.snapshot != self._count - 1:
            track.episode_h, track.entry, track.episode_best = at_h, (position, volume), 10**6
            track.episodes += 1
            track.standing = track.rising = 0
        return track


_PAST = slice(TOPIC_FEATURES.index("state"), len(TOPIC_FEATURES))


def _spread(places: list[int]) -> float:
    if len(places) < 2:
        return NAN
    mean = sum(places) / len(places)
    return math.sqrt(sum((each - mean) ** 2 for each in places) / len(places))


def _middle(volumes: Floats, top: int) -> float:
    """Median log volume of the list below the top; NaN where it shows none."""
    below = volumes[top:]
    shown = below[~np.isnan(below)]
    return float(np.median(shown)) if len(shown) else NAN


def _places(rows: Floats, volumes: Floats, middle: float, top: int, standing_out: float) -> None:
    """The part of a topic's row that its neighbours on the list tell."""
    n = len(volumes)
    place = np.arange(1, n + 1)
    at_k = volumes[min(top, n) - 1]
    over = volumes - middle
    columns = (
        place, volumes, at_k - volumes, np.abs(over), volumes[np.maximum(place - 2, 0)] - volumes,
        volumes - volumes[np.minimum(place, n - 1)], volumes[np.maximum(place - 4, 0)] - volumes,
        volumes - volumes[np.minimum(place + 2, n - 1)], volumes - volumes[-1], over, place - standing_out,
    )  # fmt: skip
    for i, column in enumerate(columns):
        rows[:, i] = column


def _follow(track: Track, at_h: float, position: int, volume: float, middle: float, top: int) -> None:
    last = track.steps[-1][1] if track.steps else 10**6
    track.standing = track.standing + 1 if abs(last - position) <= 1 else 0
    track.rising = track.rising + 1 if position < last else 0
    track.seen += 1
    track.positions += position
    track.last_h = at_h
    if position < track.best:
        track.best, track.best_h = position, at_h
    track.episode_best = min(track.episode_best, position)
    if position <= top:
        track.top_h, track.in_top = at_h, track.in_top + 1
        track.tops.append(at_h)
    if volume == volume:
        track.most = max(track.most, volume)
        track.most_over = max(track.most_over, volume - middle) if middle == middle else track.most_over
        past = track.mean if track.mean == track.mean else volume
        track.mean = past + 0.3 * (volume - past)
        track.square = 0.7 * (track.square + 0.3 * (volume - past) ** 2)
    track.steps.append((at_h, position, volume, volume - middle))
