"""TikTok on the living site: what a crawl stored beside what was so at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from demo.site import Site, running
from demo.site.clock import Clock
from demo.world import START, World, names

ADDON = ("-s", 'ADDONS={"demo.lane.Simulated": 1}')
COUNTERS = {
    "profile": ("followers", "likes", "videos"), "hashtag": ("views", "posts"), "sound": ("posts",),
    "post": ("views", "likes", "comments", "shares", "saves", "reposts"),
}  # fmt: skip


@contextmanager
def living(seed: int = 7) -> Iterator[Site]:
    at = START + timedelta(hours=30)
    with running(World(seed), at=at) as site:
        site.clock = Ticking(at)
        yield site


def posts_of(world: World, handle: str, at: datetime) -> set[str]:
    at_h = world.hour(at)
    creator = world.crowd.find(handle, at_h)
    return set() if creator is None else {post.post_id for post in world.crowd.posts(creator, at_h)}


def keys(found: Iterable[tuple[Any, Any]]) -> list[str]:
    return [f"tiktok:post:{post.post_id}" for _, post in found]


class Ticking(Clock):
    """A clock that stands still but for a millisecond at every look: no two answers bear the same moment."""

    def now(self) -> datetime:
        self.looks = getattr(self, "looks", 0) + 1
        return super().now() + timedelta(milliseconds=self.looks)


def false_numbers(database: Any, site: Site, fallen: bool = False) -> list[str]:
    """A line for every stored counter that is not the truth of its moment, or lies further off than it rounds.

    fallen: counters shown at six tenths, by a fault, are what the site said.
    """
    true = _Truth(site.world)
    found = []
    for row in database["observations"].find({"kind": {"$in": list(COUNTERS)}}):
        exact = true.of(row["kind"], row["entity"], row["at"])
        for name in COUNTERS[row["kind"]]:
            value, step = row.get(name), row.get(f"{name}_precision") or 0
            if value is None:
                continue
            shown = [exact[name], *([int(exact[name] * 0.6)] if fallen else [])] if exact else []
            if not any(abs(value - each) <= step for each in shown):
                found.append(f"{row['entity']} {name} at {row['at']}: stored {value}, true {shown}")
    return found


class _Truth:
    def __init__(self, world: World) -> None:
        self.world = world
        self.posts: dict[str, Any] = {}

    def of(self, kind: str, entity: str, at: datetime) -> dict[str, int] | None:
        world, at_h, name = self.world, self.world.hour(at), entity.rpartition(":")[2]
        if kind == "post":
            found = self._post(name, at_h)
            return found.counts(at_h) if found else None
        if kind == "profile":
            creator = next((each for each in world.crowd.creators if each.handle(at_h).lower() == name), None)
            if creator is None or at_h >= creator.removed_h:
                return None
            return {"followers": world.crowd.followers(creator, at_h), "likes": world.crowd.likes(creator, at_h),
                    "videos": len(world.crowd.posts(creator, at_h))}  # fmt: skip
        if kind == "hashtag":
            tag = next((each for each in world.tags(at_h) if each.name.lower() == name), None)
            return {"views": tag.views, "posts": tag.posts} if tag else None
        tracks = (world.track(index, at_h) for index in range(len(names.SOUNDS)))
        return next(({"posts": track.posts} for track in tracks if track.sound_id == name), None)

    def _post(self, post_id: str, at_h: float) -> Any:
        if post_id not in self.posts:
            self.posts |= {post.post_id: post for _, post in self.world.crowd.everything(at_h)}
        return self.posts.get(post_id)


def grid(database: Any, board: str) -> list[str]:
    """The entities of a list, in its order."""
    rows = database["board_entries"].find({"board": board}).sort([("at", 1), ("position", 1)])
    return [row["entity"] for row in rows]


def outcomes(database: Any) -> dict[str, list[tuple[str, str]]]:
    """Lane and outcome of every fetch of a target, in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in database["fetches"].find().sort([("at", 1), ("lane", -1)]):
        found.setdefault(row["target"], []).append((row["lane"], row["outcome"]))
    return found


def listed(site: Site, path: str) -> Iterator[str]:
    """Addresses that the site was asked for, as path?query."""
    for visit in site.log:
        if path in visit.path:
            yield f"{visit.path}?{visit.query}"
