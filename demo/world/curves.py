"""The shapes of the world: a burst that rises and falls, a counter that fills up, a rhythm of the day."""

from __future__ import annotations

import math
from dataclasses import dataclass

FORGOTTEN = 7  # half-lives after which a burst is under one per cent of its height


@dataclass(frozen=True, slots=True)
class Burst:
    """Interest that sets in, peaks and halves again and again; hours count from the world's start."""

    onset_h: float
    peak_h: float
    half_life_h: float
    height: float

    @property
    def end_h(self) -> float:
        return self.peak_h + FORGOTTEN * self.half_life_h

    def value(self, at_h: float) -> float:
        """Height at a moment: from 0 at the onset along a parabola to the peak, then halving."""
        if at_h <= self.onset_h or at_h >= self.end_h:
            return 0.0
        if at_h < self.peak_h:
            return self.height * ((at_h - self.onset_h) / (self.peak_h - self.onset_h)) ** 2
        return self.height * math.exp2((self.peak_h - at_h) / self.half_life_h)

    def total(self, at_h: float) -> float:
        """Area up to a moment, in height times hours: what a counter has gained from the burst."""
        if at_h <= self.onset_h:
            return 0.0
        rise_h = self.peak_h - self.onset_h
        if at_h < self.peak_h:
            return self.height * rise_h * ((at_h - self.onset_h) / rise_h) ** 3 / 3
        fallen_h = min(at_h, self.end_h) - self.peak_h
        tail_h = self.half_life_h / math.log(2)
        return self.height * (rise_h / 3 + tail_h * (1 - math.exp2(-fallen_h / self.half_life_h)))

    def phase(self, at_h: float) -> str:
        """before, rising, falling or over."""
        if at_h <= self.onset_h:
            return "before"
        return "rising" if at_h < self.peak_h else "falling" if at_h < self.end_h else "over"


def filling(age_h: float, scale_h: float) -> float:
    """How much of its final count a post has after *age_h*: 0 at first, 63 % after *scale_h*, near 1 later."""
    return 1 - math.exp(-age_h / scale_h) if age_h > 0 else 0.0


def rhythm(at_h: float, peak_hour: float, depth: float) -> float:
    """1 plus or minus *depth* over the day; *at_h* counts from midnight UTC."""
    return 1 + depth * math.cos((at_h - peak_hour) * math.tau / 24)


def rounded(exact: int) -> int:
    """As these sites round: below ten thousand exactly, above it to one decimal of K, M or B."""
    for unit in (10**9, 10**6, 10**3):
        if exact >= max(unit, 10_000):
            step = unit // 10
            return (exact + step // 2) // step * step
    return exact


def label(exact: int) -> str:
    """'783.4K', '4M', '1053': what a page prints for a counter."""
    shown = rounded(exact)
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if shown >= max(unit, 10_000):
            return f"{shown / unit:.1f}".removesuffix(".0") + letter
    return str(shown)
