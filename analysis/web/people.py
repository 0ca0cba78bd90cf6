"""What the figures of posts and creators stand on: posts that pass the filters, and creators with rate and growth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.command import UsageError
from analysis.creators.filters import Filters as Wanted
from analysis.creators.filters import filtered, with_places
from analysis.creators.rates import PARTS, floats
from analysis.creators.table import Material, creators, growths, material
from analysis.web.filters import Filters
from analysis.web.site import SLOW_FRESH_S, Site
from analysis.web.words import Words

Row = dict[str, Any]
MOST = 5_000  # posts, the newest; every interval draws them eight hundred times
ACCOUNTS = 3_000


@dataclass(frozen=True)
class Base:
    found: Material
    parts: tuple[str, ...]
    """Of engagement: those that most posts with views show."""
    total: int
    """Posts before filters and before MOST."""

    @property
    def posts(self) -> pd.DataFrame:
        return self.found.posts

    def measured(self, say: Words) -> str:
        rated = int(self.posts["rate"].notna().sum())
        names = " + ".join(say(part) for part in self.parts)
        return say("measured", rated=rated, n=len(self.posts), parts=names)


def base(site: Site, say: Words, filters: Filters) -> Base:
    """Raises UsageError where no post is left."""
    counts = site.views.counts(["posts", "profiles"])
    key = ("people", filters.since, filters.until)

    def make() -> Base:
        posts = site.creators.posts(since=filters.since_at, until=filters.until_at)
        profiles = site.creators.profiles()
        newest = posts.tail(MOST).reset_index(drop=True)
        parts = _parts(newest)
        found = material(newest, profiles, parts)
        placed = with_places(found.posts, found.profiles)
        return Base(found._replace(posts=placed), parts, len(posts))

    made = site.kept.get(key, tuple(counts.values()), make, SLOW_FRESH_S)
    wanted = Wanted(place=filters.place, category=filters.category, media=filters.media)
    posts = filtered(made.posts, wanted)
    if filters.min_engagement is not None:
        posts = posts[floats(posts["engagement"]) >= filters.min_engagement]
    if filters.max_engagement is not None:
        posts = posts[floats(posts["engagement"]) <= filters.max_engagement]
    if posts.empty:
        raise UsageError(say("no_posts" if not made.total else "no_posts_left"))
    return Base(made.found._replace(posts=posts), made.parts, made.total)


def _parts(posts: pd.DataFrame) -> tuple[str, ...]:
    """All parts of engagement where some posts show them all; else those that half of the posts with views show."""
    seen = posts[posts["views"].notna()]
    if seen.empty or seen[list(PARTS)].notna().all(axis=1).mean() >= 0.1:
        return tuple(PARTS)
    kept = tuple(part for part in PARTS if seen[part].notna().mean() >= 0.5)
    return kept or tuple(PARTS)


def accounts(site: Site, say: Words, filters: Filters) -> pd.DataFrame:
    """Creators with their shrunk rate and growth, one row each; columns as analysis.creators.table makes them."""
    made = base(site, say, Filters(since=filters.since, until=filters.until))
    counts = site.views.counts(["posts", "profiles", "observations"])

    def make() -> pd.DataFrame:
        own = made.found.profiles[made.found.profiles["creator"].notna()]
        frame = creators(made.found, made.parts)
        keys = own.sort_values("followers", ascending=False)["key"].head(ACCOUNTS).tolist()
        grown = growths(site.creators.histories(keys), made.found.owner)
        return frame.join(grown, on="creator")

    key = ("accounts", filters.since, filters.until)
    frame = site.kept.get(key, tuple(counts.values()), make, SLOW_FRESH_S)
    for column, wanted in (("region", filters.place), ("category", filters.category)):
        if wanted:
            frame = frame[(frame[column].str.casefold() == wanted.casefold()).fillna(False)]
    if frame.empty:
        raise UsageError(say("no_accounts"))
    return frame
