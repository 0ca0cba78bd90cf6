"""Terms that rise: how far the people who use a term are above its own past, and how often chance does as much. Pure.

Counts are distinct authors a bin, so that one loud account is one voice. A term's past is its share of all
authors, with old bins weighing less; the spread is the one it has shown (negative binomial), so what swings
every day needs more to be news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control, nbinom

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
DAY = timedelta(days=1)
COLUMNS = ["bin", "key", "authors", "expected", "times", "z", "chance", "false_a_day", "confidence", "state"]


@dataclass(frozen=True)
class RisingSettings:
    bin: timedelta = timedelta(hours=1)
    memory: timedelta = timedelta(days=7)
    """Half-life of a term's past."""
    least_authors: int = 5
    least_bins: int = 12
    """Bins of past before anything can rise."""
    false_a_day: float = 0.2
    """Terms a day that chance alone may bring."""
    false_share: float = 0.05
    """Of the terms said to rise; Benjamini and Hochberg, within each bin."""
    spread: float = 0.25
    """Squared variation of a term's share that is believed before it has shown its own."""


DEFAULT = RisingSettings()
UNSEEN = 0.5  # authors, added to every past: a term never met is rare, not impossible
BELIEF = 1.0  # in squared expected authors: how much showing outweighs the believed spread
CUT = 3.0  # spreads; what enters the past is cut there, or a burst would become the usual
TESTS = (8 / 7, 8)  # chances of a bin alone and of two weigh so: one in eight false terms may come of the second
FLAT = 2.0  # authors added to the spread: one more voice for a rare term is no trend


def rising(counts: pd.DataFrame, totals: pd.Series[int], settings: RisingSettings = DEFAULT) -> pd.DataFrame:
    """Every rise told, by bin, strongest first; columns as COLUMNS.

    counts: bin, key, authors (distinct, above 0). totals: distinct authors of every bin, zero where the bin was
    watched and empty; a bin that is absent was not watched, and is no zero. `confidence` is one minus the
    false discovery rate; `false_a_day` how many terms as striking chance alone brings each day.
    """
    keys, codes = np.unique(counts["key"].to_numpy(object), return_inverse=True)
    past = _Past(len(keys), settings)
    held: dict[object, tuple[Codes, Vector]] = {}
    for at, part in counts.assign(code=codes).groupby("bin", sort=True):
        held[at] = (part["code"].to_numpy(np.int64), part["authors"].to_numpy(np.float64))
    told = []
    for moment, total in totals.sort_index().items():
        seen, authors = held.get(moment, (np.zeros(0, np.int64), np.zeros(0)))
        told.append(past.step(moment, float(total), seen, authors, keys))
    found = [each for each in told if len(each)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


class _Bin(NamedTuple):
    """One bin as it was judged; arrays over all terms."""

    total: float
    authors: Vector
    expected: Vector
    spread: Vector
    told: npt.NDArray[np.bool_]


class _Past:
    """What each term's share has been, and how it spread."""

    def __init__(self, size: int, settings: RisingSettings) -> None:
        self.settings = settings
        self.kept = 0.5 ** (settings.bin / settings.memory)
        self.authors, self.exposure, self.bins = np.zeros(size), 0.0, 0
        self.excess, self.scale = np.zeros(size), np.zeros(size)
        self.peak, self.pair_peak, self.next_peak = np.zeros(size), np.zeros(size), np.zeros(size)
        self.before: _Bin | None = None

    def step(self, at: object, total: float, codes: Codes, seen: Vector, keys: npt.NDArray[np.object_]) -> pd.DataFrame:
        """Judges one bin by the past, then makes it part of the past."""
        authors = np.zeros(len(self.authors))
        authors[codes] = seen
        expected = total * (self.authors + UNSEEN) / (self.exposure + total) if total else np.zeros_like(authors)
        spread = np.maximum(self.excess + BELIEF * self.settings.spread, 0) / (self.scale + BELIEF)
        now = _Bin(total, authors, np.maximum(expected, 1e-9), np.maximum(spread, 1e-6), np.zeros(len(authors), bool))
        told = self._judge(at, codes, now, keys)
        self._learn(now)
        return told

    def _judge(self, at: object, codes: Codes, now: _Bin, keys: npt.NDArray[np.object_]) -> pd.DataFrame:
        s = self.settings
        if self.bins < s.least_bins or not len(codes):
            return pd.DataFrame(columns=COLUMNS)
        one, mean = now.authors[codes], now.expected[codes]
        peak = self.peak[codes]
        news = one > peak + np.sqrt(peak)  # what comes every evening is no news, nor is a rise told twice
        alone = np.where(news, _chance(one, mean, now.spread[codes]), 1.0)
        chance = np.minimum(1.0, np.minimum(TESTS[0] * alone, TESTS[1] * self._of_two(codes, now)))
        false_a_day = chance * len(codes) * (DAY / s.bin)
        share = false_discovery_control(chance)
        z = (one - mean) / (np.sqrt(mean + now.spread[codes] * mean**2) + FLAT)
        good = (false_a_day <= s.false_a_day) & (share <= s.false_share) & (one >= s.least_authors)
        now.told[codes[good]] = True
        state = np.where(self.authors[codes] > 0, "growing", "new")
        found = pd.DataFrame({
            "bin": at, "key": keys[codes], "authors": one.astype(int), "expected": mean, "times": one / mean, "z": z,
            "chance": chance, "false_a_day": false_a_day, "confidence": 1 - share, "state": state,
        })  # fmt: skip
        strongest: pd.DataFrame = found[good].sort_values(["z", "key"], ascending=[False, True])
        return strongest

    def _of_two(self, codes: Codes, now: _Bin) -> Vector:
        """How often chance brings as many as the lesser of this bin and the one before twice, by the past before both.

        A rise too small for one bin is often clear in two, and one high bin beside a usual one is none. 1 where the
        last bin told it already, and where two bins have had as many before.
        """
        if self.before is None or not self.before.total:
            return np.ones(len(codes))
        both = 2 * np.minimum(now.authors, self.before.authors)[codes]
        mean = self.before.expected[codes] * (1 + now.total / self.before.total)
        peak = self.pair_peak[codes]
        news = (both > peak + np.sqrt(peak)) & ~self.before.told[codes]
        return np.where(news, _chance(both, mean, self.before.spread[codes]), 1.0)

    def _learn(self, now: _Bin) -> None:
        deviation = np.sqrt(now.expected + now.spread * now.expected**2)
        believed = np.minimum(now.authors, now.expected + CUT * deviation + 1)
        if self.bins:
            self.excess = self.excess * self.kept + (believed - now.expected) ** 2 - now.expected
            self.scale = self.scale * self.kept + now.expected**2
        self.authors = self.authors * self.kept + believed
        self.exposure = self.exposure * self.kept + now.total
        self.peak = np.maximum(self.peak * self.kept, now.authors)
        # A bin late: the next two bins share one with the last two.
        self.pair_peak = np.maximum(self.pair_peak * self.kept, self.next_peak)
        self.next_peak = 2 * np.minimum(now.authors, self.before.authors) if self.before else np.zeros(len(self.peak))
        self.before = now
        self.bins += 1


def _chance(count: Vector, mean: Vector, spread: Vector) -> Vector:
    """Of *count* or more where *mean* is expected (negative binomial)."""
    size = 1 / spread
    return np.asarray(nbinom.sf(count - 1, size, size / (size + mean)), np.float64)


def author_counts(votes: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[int]]:
    """From one row for each post and term (bin, key, author, post): distinct authors by bin and key, and by bin.

    A post without a known author is a voice of its own.
    """
    voice = votes["author"].where(votes["author"].notna(), votes["post"])
    each = votes.assign(voice=voice).drop_duplicates(["bin", "key", "voice"])
    counts = each.groupby(["bin", "key"], sort=True).size().rename("authors").reset_index()
    return counts, each.groupby("bin")["voice"].nunique()


def fold_phrases(keys: Sequence[str], posts: dict[str, frozenset[str]], same: float = 0.6) -> dict[str, str]:
    """Each key: the key that stands for it. Terms said by mostly the same posts are one; the first key stands.

    keys: the most striking first. posts: of each key.
    """
    stands: dict[str, str] = {}
    for key in keys:
        for other in [each for each in keys if stands.get(each) == each]:
            shared = len(posts[key] & posts[other])
            if shared >= same * min(len(posts[key]), len(posts[other])) > 0 and _alike(key, other, shared, posts, same):
                stands[key] = other
                break
        else:
            stands[key] = key
    return stands


def _alike(key: str, other: str, shared: int, posts: dict[str, frozenset[str]], same: float) -> bool:
    """Part of one another, or said by the very same posts."""
    if key in other or other in key:
        return True
    return shared >= same * len(posts[key] | posts[other])
