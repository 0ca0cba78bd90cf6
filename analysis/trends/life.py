"""One topic on a board, row by row: what it has been so far, and what has to be known to go on. Pure.

The same columns as evolution.board_evolution, which looks at all rows of a board at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

from analysis.trends.board_columns import ARROW, DAY_MS, HOUR_MS, PATH_ENDS, left_out
from analysis.trends.evolution import TOPS, Clock, Sighting

Reach: TypeAlias = tuple[int, int]
"""Milliseconds, low and high: a moment known by its day lies within 24 h."""


class Moment(NamedTuple):
    ms: int
    by_day: bool


NEVER = Moment(0, False)


@dataclass(frozen=True)
class Window:
    """Snapshots of a board on end, oldest first; the first of them is known already, unless number is 0."""

    clock: Clock
    number: int = 0
    """Of the first, along the whole board."""
    whole_before: int = 0
    """Whole snapshots before the first."""
    last_whole_before: int = -1
    """Number of the newest whole snapshot before the first; -1 without any."""

    @cached_property
    def moments(self) -> list[Moment]:
        return [Moment(ms, day) for ms, day in zip(self.clock.starts_ms, self.clock.by_day, strict=True)]

    @cached_property
    def whole(self) -> list[int]:
        """Whole snapshots of the board up to each, itself included."""
        return list(accumulate(self.clock.whole, initial=self.whole_before))[1:]

    @cached_property
    def max_gap_ms(self) -> int:
        return round(self.clock.max_gap_h * HOUR_MS)

    @cached_property
    def gaps(self) -> list[Reach]:
        return [between(one, other) for one, other in pairwise(self.moments)]

    @property
    def newest(self) -> int:
        return self.number + len(self.moments) - 1

    @property
    def last_whole(self) -> int:
        return self.last_whole_before if self.clock.last_whole < 0 else self.number + self.clock.last_whole


def between(first: Moment, last: Moment) -> Reach:
    if first.ms == last.ms:
        return 0, 0
    gap = last.ms - first.ms
    return max(gap - DAY_MS * first.by_day, 0), gap + DAY_MS * last.by_day


@dataclass
class Run:
    """Snapshots on end in a top; low_ms and high_ms go from its begin to the last of them."""

    begin: Moment
    low_ms: int = 0
    high_ms: int = 0
    unbroken: bool = True
    """No step in it was longer than a snapshot stands."""

    def stood(self, gap: Reach, max_gap_ms: int) -> None:
        low, high = gap
        self.low_ms += min(low, max_gap_ms)
        self.high_ms += min(high, max_gap_ms)
        self.unbroken &= high <= max_gap_ms

    def until(self, end: Moment) -> Reach:
        low, high = between(self.begin, end)  # narrower: the blur of the days between cancels out
        return max(self.low_ms, low) if self.unbroken else self.low_ms, min(self.high_ms, high)


@dataclass
class Path:
    """Volumes as they changed: the first and the last few, and how many lie between."""

    begin: list[str] = field(default_factory=list)
    between: int = 0
    end: list[str] = field(default_factory=list)

    def go(self, word: str) -> None:
        if word == next(iter((self.end or self.begin)[-1:]), None):
            return
        if len(self.begin) < PATH_ENDS:
            self.begin.append(word)
            return
        self.end.append(word)
        if len(self.end) > PATH_ENDS:
            del self.end[0]
            self.between += 1

    def __str__(self) -> str:
        return ARROW.join([*self.begin, *([left_out(self.between)] if self.between else []), *self.end])

    @classmethod
    def read(cls, told: str) -> Path:
        steps = told.split(ARROW) if told else []
        if len(steps) <= 2 * PATH_ENDS:
            return cls(steps[:PATH_ENDS], 0, steps[PATH_ENDS:])
        between = int(steps[PATH_ENDS].strip("()").removesuffix(" more").replace(",", ""))
        return cls(steps[:PATH_ENDS], between, steps[PATH_ENDS + 1 :])


@dataclass
class Life:
    """One topic so far. Changed in place, row by row: an archive has half a million of them."""

    key: str
    first: Moment
    first_number: int
    first_volume: int | None
    topic: str = ""
    last: Moment = NEVER
    last_number: int = -2
    snapshots: int = 0
    run: int = 0
    streak: int = 0
    promoted: int = 0
    re_entries: int = 0
    whole_at_earned: int | None = None
    bought: int = 0
    """Whole snapshots since the last earned place that show it as an advertisement."""
    best_position: int | None = None
    best: Moment | None = None
    last_position: int | None = None
    closed: list[Reach] = field(default_factory=lambda: [(0, 0)] * len(TOPS))
    runs: list[Run | None] = field(default_factory=lambda: [None] * len(TOPS))
    last_volume: int | None = None
    path: Path = field(default_factory=Path)
    hidden: int = 0
    shown: int = 0
    """0, 1 or 2: more make no difference."""
    peak_volume: int | None = None
    peak: Moment | None = None
    half: Reach | None = None

    def see(self, sight: Sighting, window: Window) -> None:
        number, now = window.number + sight.snapshot, window.moments[sight.snapshot]
        on_end = self.last_number + 1 == number
        if not on_end:
            self.leave(window)
        elif any(self.runs):
            self._stand(window)
        self.run = self.run + 1 if on_end else 1
        self.streak = max(self.streak, self.run)
        self.snapshots += 1
        self.topic, self.last, self.last_number = sight.topic, now, number
        self._place(sight, now, window)
        self._volume(sight, now)

    def leave(self, window: Window) -> None:
        """The snapshot behind the last one that showed it has come, without it."""
        if any(self.runs):
            self._stand(window)
            self._close(self._next(window), range(len(TOPS)))

    def _next(self, window: Window) -> Moment:
        return window.moments[self.last_number + 1 - window.number]

    def _stand(self, window: Window) -> None:
        gap = window.gaps[self.last_number - window.number]
        for run in filter(None, self.runs):
            run.stood(gap, window.max_gap_ms)

    def _close(self, end: Moment, tops: Iterable[int]) -> None:
        for i in tops:
            if (run := self.runs[i]) is not None:
                (low, high), (more_low, more_high) = self.closed[i], run.until(end)
                self.closed[i], self.runs[i] = (low + more_low, high + more_high), None

    def _place(self, sight: Sighting, now: Moment, window: Window) -> None:
        whole = window.whole[sight.snapshot]
        if sight.promoted:
            self.promoted += 1
            self.bought += window.clock.whole[sight.snapshot]
            self._close(now, range(len(TOPS)))
            return
        if self.whole_at_earned is not None:
            missed = whole - window.clock.whole[sight.snapshot] - self.whole_at_earned - self.bought
            self.re_entries += missed > 0
        self.whole_at_earned, self.bought = whole, 0
        if self.best_position is None or sight.position < self.best_position:
            self.best_position, self.best = sight.position, now
        self.last_position = sight.position
        self._close(now, (i for i, top in enumerate(TOPS) if sight.position > top))
        for i, top in enumerate(TOPS):
            if sight.position <= top and self.runs[i] is None:
                self.runs[i] = Run(now)

    def _volume(self, sight: Sighting, now: Moment) -> None:
        self.last_volume = sight.volume
        self.hidden += sight.volume is None and sight.floor is not None
        if sight.volume is not None or sight.floor is not None:
            self.path.go(f"<{sight.floor:,}" if sight.volume is None else f"{sight.volume:,}")
        if sight.volume is None:
            return
        self.shown = min(self.shown + 1, 2)
        if self.peak is None or self.peak_volume is None or sight.volume > self.peak_volume:
            self.peak_volume, self.peak, self.half = sight.volume, now, None
        elif self.half is None and 2 * sight.volume <= self.peak_volume:
            self.half = between(self.peak, now)
