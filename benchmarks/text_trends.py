"""A rise planted among real posts: is the term found, how soon, and what is told besides?

The posts of a source are drawn again and again into hours, in an order that chance chose, so that nothing
rises but what is planted: posts that hold one known term come more often for some hours.
Whatever else is told is false.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.text.posts import PostText
from analysis.text.rising import rising
from analysis.text.terms import terms

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEAST_POSTS, MOST_SHARE = 5, 0.02  # of a known term that is worth planting
LATE = 2  # bins


@dataclass(frozen=True)
class Planted:
    source: str
    posts: int
    times: float
    planted: int
    found: int
    days: float
    false: int

    @property
    def false_a_day(self) -> float:
        return self.false / self.days


def tweets(captures: Path) -> Iterator[PostText]:
    """Every status of the captured streams and searches, reposts as the text they repeat."""
    for path in sorted((captures / "tweets" / "twitterstream").glob("*.bz2")):
        with bz2.open(path, "rt", encoding="utf-8") as lines:
            yield from (_tweet(row) for row in map(json.loads, lines) if "text" in row)
    for path in sorted((captures / "tweets").glob("*search_tweets*.json")):
        yield from map(_tweet, json.loads(path.read_text(encoding="utf-8")))


def _tweet(row: dict[str, Any]) -> PostText:
    told = row.get("retweeted_status", row)
    text = told.get("extended_tweet", {}).get("full_text") or told.get("full_text") or told["text"]
    return PostText(row["id_str"], {"caption": text}, author=row["user"]["id_str"], stated_language=row.get("lang"))


def list_rows(beds: Path) -> Iterator[PostText]:
    """Each term of the hourly lists, once for each hour that showed it."""
    path = next((beds / "weibo_hot_2026").glob("*.csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        frame = pd.read_csv(io.StringIO(lines.read()), usecols=["snapshot_utc", "term"])
    frame = frame.assign(hour=frame["snapshot_utc"].str[:13]).drop_duplicates(["hour", "term"])
    for number, term in enumerate(frame["term"].astype(str)):
        yield PostText(f"row:{number}", {"caption": term})


def term_sets(posts: Sequence[PostText]) -> list[frozenset[str]]:
    return [frozenset(term.key for term in terms(post)) for post in posts]


def measure(
    source: str, pool: Sequence[frozenset[str]], times: float, seed: int, *, days: int = 14, each: int = 300,
    rises: int = 40,
) -> Planted:  # fmt: skip
    """*rises* rises to *times* the usual, by at least ten posts, for six hours, in *days* of *each* posts an hour."""
    rng = np.random.default_rng(seed)
    common = Counter(key for held in pool for key in held)
    known = sorted(k for k, n in common.items() if LEAST_POSTS <= n <= MOST_SHARE * len(pool))
    bins = days * 24
    starts = rng.integers(48, bins - 6, rises)
    chosen = rng.choice(len(known), rises, replace=False)
    holding: dict[str, list[int]] = {known[c]: [] for c in chosen}
    for at, held in enumerate(pool):
        for key in held & holding.keys():
            holding[key].append(at)
    drawn = [rng.integers(0, len(pool), each).tolist() for _ in range(bins)]
    for start, c in zip(starts, chosen, strict=True):
        usual = each * common[known[c]] / len(pool)
        for late in range(6):
            drawn[start + late] += rng.choice(holding[known[c]], max(10, round((times - 1) * usual))).tolist()
    told = rising(*_counts(drawn, pool))
    when = {known[c]: START + int(start) * HOUR for start, c in zip(starts, chosen, strict=True)}
    hits = {
        key for key, at in zip(told["key"], told["bin"], strict=True)
        if key in when and timedelta(0) <= at - when[key] < LATE * HOUR
    }  # fmt: skip
    return Planted(source, len(pool), times, rises, len(hits), days, _false(told, when, holding, pool))


def _counts(drawn: Sequence[Sequence[int]], pool: Sequence[frozenset[str]]) -> tuple[pd.DataFrame, pd.Series[int]]:
    counted = [Counter(key for at in posts for key in pool[at]) for posts in drawn]
    rows = [(START + n * HOUR, key, count) for n, found in enumerate(counted) for key, count in found.items()]
    totals = pd.Series([len(posts) for posts in drawn], index=[START + n * HOUR for n in range(len(drawn))])
    return pd.DataFrame(rows, columns=["bin", "key", "authors"]), totals


def _false(
    told: pd.DataFrame, when: dict[str, datetime], holding: dict[str, list[int]], pool: Sequence[frozenset[str]]
) -> int:
    """Terms told that are not, and do not come with, what was planted in those hours."""
    wrong = 0
    for key, at in zip(told["key"], told["bin"], strict=True):
        company = {
            other for planted, start in when.items() if timedelta(0) <= at - start < 6 * HOUR
            for post in holding[planted] for other in pool[post]
        }  # fmt: skip
        wrong += key not in company
    return wrong
