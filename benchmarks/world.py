"""The simulated web: how long a month of its world takes, and what a page costs the site.

CPU time of one process, no sockets. Run: python -m benchmarks world [--days 30] [--seed 7]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

from demo.site import Look, Site
from demo.site.app import Asked, View
from demo.site.clock import Clock
from demo.site.tiktok.token import signed
from demo.site.x import MANY
from demo.world import START, World
from demo.world.shop import HOST
from demo.world.topics import PLACES

REPEATS = 30


def cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def boards(world: World, days: int) -> int:
    made = [world.board(place, START + timedelta(hours=hour)) for hour in range(24 * days) for place in PLACES]
    return sum(map(len, made))


def truths(world: World, days: int) -> int:
    return sum(len(world.truth(START + timedelta(days=day)).json()) for day in range(days))


def requests(world: World) -> dict[str, Asked]:
    """One request of each kind that crawls ask for most."""
    view = View(world, START + timedelta(days=2))
    posts = f"count=35&secUid={world.crowd.creators[1].sec_uid}&cursor=0"

    def grid(path: str, query: str) -> Asked:
        return Asked("GET", "www.tiktok.com", path, signed(view, path, query))

    return {
        "profile": Asked("GET", "www.tiktok.com", "/@coral.cooks"),
        "35 posts": grid("/api/post/item_list/", posts),
        "12 hits": grid("/api/search/item/full/", "count=12&keyword=harbour&cursor=0"),
        "catalogue": Asked("GET", HOST, "/products.json", "limit=250"),
        "X trends": Asked("GET", "api.x.com", "/1.1/trends/place.json", "id=1", {"authorization": f"Bearer {MANY}"}),
        "trends24, 24 lists": Asked("GET", "trends24.in", "/brazil/"),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks world", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    world = World(options.seed)
    rows = []
    took = cpu_s(lambda: rows.append(boards(world, options.days)))
    print(f"{options.days} days, a board an hour in {len(PLACES)} places: {rows[0]:,} rows, {took:.2f} s")
    took = cpu_s(lambda: rows.append(truths(world, options.days)))
    print(f"{options.days} days, the whole truth once a day: {rows[1] / 1e6:.1f} MB of JSON, {took:.2f} s")
    site = Site(World(options.seed), Clock(START + timedelta(days=2)), Look())
    for name, asked in requests(site.world).items():
        first = cpu_s(lambda asked=asked: site.answer(asked, True))
        again = cpu_s(lambda asked=asked: [site.answer(asked, True) for _ in range(REPEATS)]) / REPEATS
        given, _, _ = site.answer(asked, True)
        kb = len(given.body) / 1000 if isinstance(given.body, bytes) else 0
        print(f"{name:20} {1000 * first:7.1f} ms the first time, {1000 * again:5.2f} ms then, {kb:6.1f} kB")
