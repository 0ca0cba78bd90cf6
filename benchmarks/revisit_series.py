"""Recorded counters to try schedules on: what each target showed in every round, as far as it is known."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

from crawler import pages
from crawler.counts import rounded
from crawler.items import BoardEntry
from crawler.lanes.sources import Options, Skipped, read
from crawler.pages.base import Page
from crawler.revisit import Difference, Learned, Look
from demo.world import START, World
from demo.world import curves as site

Shown = Mapping[str, tuple[float, float]]
"""Value and step of rounding, by counter."""
DAYS, POSTS = 30, 100  # of the simulated web: profiles, tags, sounds, products and as many posts of all ages
SAME_ROUND = timedelta(minutes=20)  # the two hosts are seconds apart
KEPT_TARGETS, KEPT_TIME = 0.4, 0.35  # set aside for the end: targets by their names, and the last part of the time


@dataclass(frozen=True)
class Series:
    name: str
    source: str
    """Its kind: targets of a source are taken to be alike until they are known."""
    group: str
    """Whatever is one thing in the world: it is kept aside, and drawn, as a whole."""
    shown: Mapping[int, Shown]
    """By round; a round in which it is not recorded is none in which it could be loaded."""

    @property
    def changed(self) -> list[int]:
        """Rounds in which it differs from what it was."""
        order = sorted(self.shown)
        return [now for was, now in pairwise(order) if self.shown[was] != self.shown[now]]

    def true_rates(self, since: int) -> Learned:
        """As a target would be known whose every round from *since* on had been looked at, a thousand times over."""
        order = [n for n in sorted(self.shown) if n >= since]
        looks = [Look(START, str(n), self.shown[n]) for n in order]
        found = [Difference.of(was, now) for was, now in pairwise(looks)]
        changes, growth = sum(each.changed for each in found), sum(each.growth for each in found)
        return Learned(START, len(found), changes, 1000 * changes, 1000 * growth, 1000 * len(found))


@dataclass(frozen=True)
class Recorded:
    name: str
    rounds: Sequence[datetime]
    series: Sequence[Series]

    def part(self, which: str, seed: int) -> tuple[Recorded, int]:
        """And the round from which is measured; what comes before is there to be learnt from.

        seen: targets to develop on, without the last third of the time.  kept: the other targets, measured in it.
        late: all targets, measured in it.
        """
        cut = int(len(self.rounds) * (1 - KEPT_TIME))
        if which == "late":
            return self, cut
        if which == "kept":
            return replace(self, series=[each for each in self.series if kept(each.group, seed)]), cut
        seen = [
            replace(each, shown={n: shown for n, shown in each.shown.items() if n < cut})
            for each in self.series if not kept(each.group, seed)
        ]  # fmt: skip
        return Recorded(self.name, self.rounds[:cut], [each for each in seen if each.shown]), int(cut * 0.3)


def kept(group: str, seed: int) -> bool:
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest()[:4]) < KEPT_TARGETS * 2**32


def hourly_lists(folder: Path) -> Recorded:
    """TikTok's discover lists of two hosts: accounts, hashtags and sounds, with the number that each list shows."""
    found: dict[tuple[str, str], dict[datetime, Shown]] = defaultdict(dict)
    for path in sorted(folder.glob("*_hourly.tar.xz")):
        host = path.name.partition("_")[0]
        for page in _pages(path):
            for item in page.items():
                if isinstance(item, BoardEntry) and item.entity and item.volume is not None:
                    number = (float(item.volume), float(item.volume_precision or 1))
                    found[host, item.entity][page.fetched_at] = {"volume": number}
    rounds: list[datetime] = []
    place: dict[datetime, int] = {}
    for moment in sorted({at for each in found.values() for at in each}):
        if not rounds or moment - rounds[-1] > SAME_ROUND:
            rounds.append(moment)
        place[moment] = len(rounds) - 1
    series = [
        Series(f"{host} {key}", f"{host} {key.split(':')[1]}", key, {place[at]: shown for at, shown in each.items()})
        for (host, key), each in sorted(found.items())
    ]
    return Recorded("TikTok's hourly lists", rounds, series)


def _pages(path: Path) -> Iterator[Page]:
    for each in read([path], Options()):
        if isinstance(each, Skipped):
            continue
        cls = pages.choose(each.url, each.body)
        if cls is not None:
            yield cls(each.url, each.body, each.fetched_at, each.headers, capture=each.id, at_precision=None)


def living_site(seed: int) -> Recorded:
    """What the simulated web truly shows, hour by hour, rounded as its pages round."""
    world = World(seed)
    found: dict[tuple[str, str], dict[int, Shown]] = defaultdict(dict)
    rounds = [START + timedelta(hours=hour) for hour in range(24 * DAYS)]
    drawn: set[str] = set()
    for n, at in enumerate(rounds):
        truth = world.truth(at)
        if n % 240 == 0:  # posts of all ages, those that come later among them
            drawn |= set(Random(seed + n).sample(sorted(truth.posts), POSTS // 3))
        for kind, names, of in (
            ("profile", ("followers", "likes", "videos"), truth.profiles.items()),
            ("hashtag", ("views",), truth.hashtags.items()), ("sound", ("posts",), truth.sounds.items()),
            ("post", ("views", "likes", "comments", "shares"),
             [(each, truth.posts[each]) for each in drawn if each in truth.posts]),
        ):  # fmt: skip
            for key, row in of:
                found[kind, key][n] = {name: _as_shown(row[name]) for name in names}
        for product, row in truth.products.items():
            found["product", product][n] = {"rating_count": _as_shown(row["rating_count"])}
        for offer, row in truth.offers.items():
            product, _, variant = offer.partition(":")
            found["product", product][n] = {**found["product", product][n], variant: (float(str(row["cents"])), 1.0)}
    series = [Series(f"{kind} {key}", kind, key, shown) for (kind, key), shown in sorted(found.items())]
    return Recorded("the living site", rounds, series)


def _as_shown(exact: object) -> tuple[float, float]:
    assert isinstance(exact, int)
    value = site.rounded(exact)
    return float(value), float(rounded(value) if value >= 10_000 else 1)


def live(series: Iterable[Series]) -> dict[int, list[int]]:
    """Places of the series that could be loaded, by round."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, each in enumerate(series):
        for n in each.shown:
            found[n].append(place)
    return found
