"""Stored numbers against the world's truth: a number that is not what was so at its moment is a false one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pandas as pd

from crawler.storage.reads import Reader
from demo.site.x import counted
from demo.world import Truth, World, names

POSTS = 100
PROFILE_COUNTERS = ("followers", "likes", "videos")
Ranked = list[tuple[str, int | None]]
Comparison = tuple[str, str]
"""What was compared (a board, `profile`, `offer`), and a line that says what is false: empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    compared: Counter[str]
    """How many numbers, by board or kind."""
    false: tuple[str, ...]
    """One line each: what, when, stored, true."""

    @property
    def total(self) -> int:
        return self.compared.total()


def check(reader: Reader, world: World) -> Verdict:
    """Compare every profile counter, board row and offer in a database with the truth at its moment."""
    truth = lru_cache(maxsize=None)(world.truth)  # a moment's prices are asked for once a variant
    found = [
        *_profiles(reader, truth), *_boards(reader, world), *_offers(reader, truth), *_written(reader, world),
    ]  # fmt: skip
    return Verdict(Counter(kind for kind, _ in found), tuple(line for _, line in found if line))


def _profiles(reader: Reader, truth: Callable[[datetime], Truth]) -> Iterator[Comparison]:
    for entity in _entities(reader, "tiktok:profile:", "profile"):
        for row in _rows(reader.observations(entity)):
            true = truth(row["at"]).profiles.get(entity)
            for name in PROFILE_COUNTERS:
                if pd.isna(row[name]):
                    continue
                exact = None if true is None else true[name]
                is_true = isinstance(exact, int) and _is_near(row[name], row[f"{name}_precision"], exact)
                yield "profile", _line(is_true, entity, row["at"], row[name], exact)


def _boards(reader: Reader, world: World) -> Iterator[Comparison]:
    for summary in reader.known_boards():
        source, place = _parts(summary.board)
        if source not in TRUE:
            continue
        for at, rows in reader.entries(summary.board).groupby("at"):
            moment: datetime = pd.Timestamp(at).to_pydatetime()  # type: ignore[arg-type]
            ranked = TRUE[source](world, place, moment)
            for row in _rows(rows):
                position = int(row["position"])
                topic, exact = ranked[position - 1] if position <= len(ranked) else ("", None)
                is_true = row["topic"] == topic and _is_near(row["volume"], row["volume_precision"], exact)
                stored = (row["topic"], row["volume"])
                yield source, _line(is_true, f"{summary.board}#{position}", moment, stored, (topic, exact))


def _offers(reader: Reader, truth: Callable[[datetime], Truth]) -> Iterator[Comparison]:
    for entity in _entities(reader, "", "offer"):
        host, _, key = entity.partition(":product:")
        for row in _rows(reader.observations(entity)):
            true = truth(row["at"]).offers.get(key)
            before = None if pd.isna(row["list_price"]) else row["list_price"]
            stored = (row["price"], before, bool(row["available"]))
            exact = None if true is None else (_units(true["cents"]), _units(true["was"]), true["available"])
            yield "offer", _line(stored == exact, f"{host}:{key}", row["at"], stored, exact)


def _written(reader: Reader, world: World) -> Iterator[Comparison]:
    """Posts on X, the most often seen ones: a question to the database each."""
    for entity in _entities(reader, "x:post:", "post")[:POSTS]:
        tweet = world.talkers.tweet(entity.rpartition(":")[2])
        for row in _rows(reader.observations(entity)):
            counts = {} if tweet is None else tweet.counts(world.hour(row["at"]))
            for name, theirs in (("views", "impression_count"), ("likes", "like_count"), ("reposts", "retweet_count")):
                is_true = theirs in counts and _is_near(row[name], None, counts[theirs])
                yield "post", _line(is_true, f"{entity} {name}", row["at"], row[name], counts.get(theirs))


def _x(world: World, place: str, at: datetime) -> Ranked:
    return [(row.topic, counted(row)) for row in world.board(place, at) if not row.promoted]


def _others(world: World, place: str, at: datetime) -> Ranked:
    """What is bought looks like everything else on the boards that others make."""
    return [(row.topic, row.volume) for row in world.board(place, at)]


def _google(world: World, place: str, at: datetime) -> Ranked:
    return [(row.topic, row.traffic) for row in world.searched(place, at)]


def _youtube(world: World, place: str, at: datetime) -> Ranked:
    hour = world.hour(at)
    return [(video.title, video.counts(hour)["views"]) for video in world.screen.chart(place, hour)]


def _creative(world: World, place: str, at: datetime) -> Ranked:
    """By views of seven days; the seventh is bought, takes no rank and stands behind the others."""
    hour, before = world.hour(at), world.hour(at - timedelta(days=7))
    gained = sorted(((world.tag(n, hour).views - world.tag(n, before).views, n) for n in names.TAGS), reverse=True)
    ranked: Ranked = [(f"#{name}", views) for views, name in gained]
    return [*ranked[:6], *ranked[7:], ranked[6]]


TRUE: dict[str, Callable[[World, str, datetime], Ranked]] = {
    "x:trends": _x, "getdaytrends:trends": _others, "trends24:trends": _others, "google:trends": _google,
    "youtube:popular": _youtube, "tiktok:creative_hashtags_7d": _creative,
}  # fmt: skip
"""The ranking that a board of this source should show, by place and moment."""


def _parts(board: str) -> tuple[str, str]:
    """'youtube:popular:br:from51' -> ('youtube:popular', 'br'); positions count from the first page."""
    source, _, place = board.partition(":from")[0].rpartition(":")
    return source, place


def _entities(reader: Reader, prefix: str, kind: str) -> list[str]:
    return [str(entity) for entity in reader.entities(kind)["entity"] if str(entity).startswith(prefix)]


def _is_near(stored: Any, step: Any, exact: int | None) -> bool:
    """Equal, or no further off than the stored rounding step; hidden only where the source hides it."""
    if pd.isna(stored) or exact is None:
        return bool(pd.isna(stored)) and exact is None
    return abs(int(stored) - exact) <= (0 if pd.isna(step) else int(step))


def _units(cents: Any) -> Decimal | None:
    return None if cents is None else Decimal(cents) / 100


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in frame.to_dict("records"):
        yield {
            str(name): value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }


def _line(is_true: bool, what: str, at: datetime, stored: object, exact: object) -> str:
    return "" if is_true else f"{what} at {at:%Y-%m-%d %H:%M}: stored {stored}, true {exact}"
