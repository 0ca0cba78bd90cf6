"""TikTok on the living site: what a crawl stored beside what was so at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from demo.site import Site
from demo.world import World
from demo.world.world import Truth

ADDON = ("-s", 'ADDONS={"demo.lane.Simulated": 1}')
COUNTERS = {
    "profiles": ("followers", "likes", "videos"), "hashtags": ("views", "posts"), "sounds": ("posts",),
    "posts": ("views", "likes", "comments", "shares", "saves", "reposts"),
}  # fmt: skip


def posts_of(world: World, handle: str, at: datetime) -> set[str]:
    at_h = world.hour(at)
    creator = world.crowd.find(handle, at_h)
    return set() if creator is None else {post.post_id for post in world.crowd.posts(creator, at_h)}


def keys(found: Iterable[tuple[Any, Any]]) -> list[str]:
    return [f"tiktok:post:{post.post_id}" for _, post in found]


def false_numbers(database: Any, site: Site, fallen: bool = False) -> list[str]:
    """A line for every stored counter that is not the truth of the site's moment, or lies further off than it rounds.

    fallen: counters shown at six tenths, by a fault, are what the site said.
    """
    truth = Truth(site.world, site.clock.now())
    found = []
    for collection, names in COUNTERS.items():
        true: dict[str, dict[str, Any]] = getattr(truth, collection)
        for document in database[collection].find():
            exact = true.get(document["_id"])
            for name in names:
                value, step = document.get(name), document.get(f"{name}_precision") or 0
                if value is None:
                    continue
                shown = [] if exact is None else [exact[name], *([int(exact[name] * 0.6)] if fallen else [])]
                if not any(abs(value - each) <= step for each in shown):
                    found.append(f"{document['_id']} {name}: stored {value}, true {shown}")
    return found


def grid(database: Any, board: str) -> list[str]:
    """The entities of a list, in its order."""
    rows = database["board_entries"].find({"board": board}).sort([("at", 1), ("position", 1)])
    return [row["entity"] for row in rows]


def outcomes(database: Any) -> dict[str, list[tuple[str, str]]]:
    """Lane and outcome of every fetch of a target, in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in database["fetches"].find({"again": {"$exists": False}}).sort([("at", 1), ("lane", -1)]):
        found.setdefault(row["target"], []).append((row["lane"], row["outcome"]))
    return found


def listed(site: Site, path: str) -> Iterator[str]:
    """Addresses that the site was asked for, as path?query."""
    for visit in site.log:
        if path in visit.path:
            yield f"{visit.path}?{visit.query}"
