"""Real crawls of the living site, which then renames a needed field: quiet before, told at once, in one notice, with a
repair that replay proves and with which the next crawl is quiet again. Every spider that the site can do it to without
a browser, but for `product`: what it reads stands twice in a shop's page, and nothing is lost.

The short form is tests/test_drift_crawl.py; the 200 changed sites in memory are `python -m benchmarks drift`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import config, rounds
from crawler.config import ROOT
from crawler.storage import server
from crawler.storage.connect import connect
from crawler.storage.drift import Drift
from demo.lane import ADDON
from demo.site import Site, running
from demo.site.boards import YOUTUBE_KEY
from demo.site.tiktok.mall import mall_id
from demo.world import World
from demo.world.names import TAGS
from demo.world.shop import HOST

RUNS = 5  # the first four are the least history
EVERY = timedelta(hours=6)
AT_ONCE = 2
KEYS = {"X_BEARER_TOKEN": "many", "YOUTUBE_API_KEY": YOUTUBE_KEY}
PAGE_ALONE = ("posts=0",)


@dataclass(frozen=True)
class Crawl:
    spider: str
    targets: str
    path: str
    """Regular expression: the addresses whose answers rename."""
    more: tuple[str, ...] = ()


def crawls(world: World) -> list[Crawl]:
    handles = "@coral.cooks,@mega_marina,@kelp_lab,@odd_one,@tide.atlas"
    posts = ",".join(post.post_id for _, post in world.popular(0)[:6])
    sounds = ",".join(world.track(n, 0).sound_id for n in range(4))
    sold = world.shop.listed(0)
    goods = ",".join(mall_id(each) for each in sold[:5])
    shown = ",".join(f"https://{HOST}/products/{each.handle}" for each in sold[:4])
    return [
        Crawl("tiktok_profile", handles, "/@", PAGE_ALONE),
        Crawl("tiktok_post", posts, "/@"),
        Crawl("tiktok_hashtag", ",".join(TAGS[:4]), "/tag/", PAGE_ALONE),
        Crawl("tiktok_sound", sounds, "/music/", PAGE_ALONE),
        Crawl("tiktok_discover", "lists", "/node/share/discover"),
        Crawl("tiktok_shop", goods, "/pdp/"),
        Crawl("tiktok_creative_hashtags", "br,us", "/hashtag/list"),
        Crawl("tiktok_creative_sounds", "br,us", "/sound/rank_list"),
        Crawl("tiktok_creative_creators", "br,us", "/creator/list"),
        Crawl("shopify_store", HOST, "/products.json"),
        Crawl("store_collection", f"{HOST}/collections/all", "/products.json"),
        Crawl("store_reviews", shown, "/v1/widget/"),
        Crawl("x_trends", "br,us", "/trends/"),
        Crawl("x_search", "Canção do Mar,Gaivota Clássica", "/search/recent"),
        Crawl("getdaytrends", "br,us", "getdaytrends"),
        Crawl("trends24", "br,us", "trends24"),
        Crawl("google_trends", "br,us", "/trending/rss"),
        Crawl("youtube_trending", "br,us", "/youtube/v3/videos"),
    ]


def campaign(seed: int) -> tuple[bool, str]:
    """seed: 1 is the world that tests know; CAMPAIGN_SPIDERS names some of the spiders."""
    world = World() if seed == 1 else World(seed)
    wanted = os.environ.get("CAMPAIGN_SPIDERS", "").split()
    todo = [each for each in crawls(world) if not wanted or each.spider in wanted]
    with tempfile.TemporaryDirectory(prefix="tidemark-drift-", ignore_cleanup_errors=True) as folder:
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                told = [*pool.map(lambda crawl: "\n".join(followed(crawl, seed, Path(folder))), todo)]
        finally:
            server.stop(Path(folder) / "db")
    good = sum("NOT" not in each for each in told)
    return good == len(told), "\n".join([*told, f"{good} of {len(told)} spiders good"])


def followed(crawl: Crawl, seed: int, folder: Path) -> Iterator[str]:
    """One spider through clean runs, the change, proposal, replay, and a crawl with the repair."""
    with running(World() if seed == 1 else World(seed)) as site:
        database, file = f"drift_{crawl.spider}", folder / f"{crawl.spider}.toml"
        environ = {**os.environ, **site.proxies(), **KEYS, "TIDEMARK_DATA": str(folder), "MONGODB_DATABASE": database}
        for number in range(RUNS):
            if alarms := _told(said := _crawled(site, environ, crawl)):
                yield f"{crawl.spider}: NOT quiet on clean run {number + 1}: {alarms}"
        if "too little history" in said:
            yield f"{crawl.spider}: NOT judged on clean run {RUNS}: {said}"
        site.faults.add("renamed", crawl.path)
        yield f"{crawl.spider}: {_told(_crawled(site, environ, crawl)) or 'NOT told on the first run'}"
        with connect(config.load(environ)) as client:
            kept = Drift(client[database])
            now = max((each.last for each in kept.breaks("open")), default=datetime.now(UTC))
            notices = list(rounds.broken(kept, now))
            yield f"  notice: {notices[0].title}" if len(notices) == 1 else f"  NOT one notice but {len(notices)}"
            yield from _proposed(environ, file)
            if file.exists():
                mended = {**environ, "TIDEMARK_REPAIRS": str(file)}
                alarms = _told(_crawled(site, mended, crawl))
                left = [each.says for each in kept.breaks("open")]
                yield f"  NOT quiet with the repair: {alarms or left}" if alarms or left else "  over with the repair"


def _proposed(environ: Mapping[str, str], file: Path) -> Iterator[str]:
    proposed = _scrapy(environ, "drift", "--propose", "-o", str(file))
    yield from (f"  {line}" for line in proposed.stdout.splitlines()[:8])
    if not file.exists():
        yield f"  NOT repaired {proposed.stderr[-300:]}"
        return
    tried = _scrapy(environ, "replay", "--diff", "--json", "--with", str(file))
    rows = [json.loads(line) for line in tried.stdout.splitlines()]
    brought = sum(row["would_be"] is not None for row in rows)
    yield f"  replay --diff: {len(rows)} stored values of {len({row['capture'] for row in rows})} captures"
    if not rows or brought < len(rows) or tried.returncode:
        yield f"  NOT proved: {brought} of {len(rows)} would get a value; {tried.stderr[-300:]}"


def _crawled(site: Site, environ: Mapping[str, str], crawl: Crawl) -> str:
    site.clock.advance(EVERY)
    arguments = [part for each in (f"targets={crawl.targets}", *crawl.more) for part in ("-a", each)]
    return _scrapy(environ, "crawl", crawl.spider, *arguments, "-s", f"ADDONS={json.dumps(ADDON)}").stderr


def _told(said: str) -> str:
    alarms = re.findall(r"WARNING drift: (.*)", said)
    return " | ".join(each[:160] for each in alarms if "scrapy drift" not in each)


def _scrapy(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments], cwd=ROOT, env=dict(environ), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
