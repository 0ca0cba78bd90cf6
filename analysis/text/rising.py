"""Terms that rise: how far the people who use a term are above its own past, and how often chance does as much. Pure.

Counts are distinct authors a bin, so that one loud account is one voice. A term's past is its share of all
authors, with old bins weighing less; the spread is the one it has shown (negative binomial), so what swings
every day needs more to be news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

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


class _Past:
    """What each term's share has been, and how it spread."""

    def __init__(self, size: int, settings: RisingSettings) -> None:
        self.settings = settings
        self.kept = 0.5 ** (settings.bin / settings.memory)
        self.authors, self.exposure, self.bins = np.zeros(size), 0.0, 0
        self.excess, self.scale = np.zeros(size), np.zeros(size)
        self.peak = np.zeros(size)

    def step(self, at: object, total: float, codes: Codes, seen: Vector, keys: npt.NDArray[np.object_]) -> pd.DataFrame:
        """Judges one bin by the past, then makes it part of the past."""
        authors = np.zeros(len(self.authors))
        authors[codes] = seen
        expected = total * (self.authors + UNSEEN) / (self.exposure + total) if total else np.zeros_like(authors)
        spread = np.maximum(self.excess + BELIEF * self.settings.spread, 0) / (self.scale + BELIEF)
        deviation = np.sqrt(expected + spread * expected**2)
        told = self._judge(at, codes, authors, expected, spread, deviation, keys)
        self._learn(authors, expected, deviation, total)
        return told

    def _judge(
        self, at: object, codes: Codes, authors: Vector, expected: Vector, spread: Vector,
        deviation: Vector, keys: npt.NDArray[np.object_],
    ) -> pd.DataFrame:  # fmt: skip
        s = self.settings
        if self.bins < s.least_bins or not len(codes):
            return pd.DataFrame(columns=COLUMNS)
        one, mean = authors[codes], np.maximum(expected[codes], 1e-9)
        size = 1 / np.maximum(spread[codes], 1e-6)
        chance = nbinom.sf(one - 1, size, size / (size + mean))
        false_a_day = chance * len(codes) * (DAY / s.bin)
        share = false_discovery_control(np.clip(chance, 0, 1))
        z = (one - mean) / (deviation[codes] + FLAT)
        peak = self.peak[codes]
        news = one > peak + np.sqrt(peak)  # what comes every evening is no news, nor is a rise told twice
        good = (false_a_day <= s.false_a_day) & (share <= s.false_share) & (one >= s.least_authors) & news
        state = np.where(self.authors[codes] > 0, "growing", "new")
        found = pd.DataFrame({
            "bin": at, "key": keys[codes], "authors": one.astype(int), "expected": mean, "times": one / mean, "z": z,
            "chance": chance, "false_a_day": false_a_day, "confidence": 1 - share, "state": state,
        })  # fmt: skip
        strongest: pd.DataFrame = found[good].sort_values(["z", "key"], ascending=[False, True])
        return strongest

    def _learn(self, authors: Vector, expected: Vector, deviation: Vector, total: float) -> None:
        believed = np.minimum(authors, expected + CUT * deviation + 1)
        if self.bins:
            self.excess = self.excess * self.kept + (believed - expected) ** 2 - expected
            self.scale = self.scale * self.kept + expected**2
        self.authors = self.authors * self.kept + believed
        self.exposure = self.exposure * self.kept + total
        self.peak = np.maximum(self.peak * self.kept, authors)
        self.bins += 1


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
