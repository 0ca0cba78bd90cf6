"""Several simulated days of crawling: which sources when, and what goes wrong on the way."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.log import configure_logging
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor

from crawler.context import Context, page_read
from crawler.outcomes import GOOD, Outcome
from crawler.verdict import VERDICT
from demo.lane import ADDON
from demo.site import Fault, Site
from demo.site.boards import YOUTUBE_KEY
from demo.site.x import TOKEN
from demo.world import START
from demo.world.shop import HOST

HANDLES = (
    "@tide.atlas,@coral.cooks,@mega_marina,@quiet.cove,@gone_overboard,@old.pier,@new.pier,@sinking_ship1,@small.fry"
)


@dataclass(frozen=True, slots=True)
class Source:
    spider: str
    targets: str
    hours: frozenset[int]
    """Hours of the day at which it is asked."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Further arguments of the spider."""


SOURCES = (
    Source("x_trends", "br,world", frozenset(range(0, 24, 3))),
    Source("getdaytrends", "br", frozenset((6, 18))),
    Source("trends24", "br", frozenset((0,))),
    Source("google_trends", "br,us", frozenset((6, 12, 18))),
    Source("youtube_trending", "br", frozenset((15,))),
    Source("tiktok_creative_hashtags", "br", frozenset((15,))),
    Source("x_search", "#FestivalDoFarol", frozenset((18,)), {"pages": "1"}),
    Source("tiktok_profile", HANDLES, frozenset((12,))),
    Source("shopify_store", HOST, frozenset((9, 21))),
)
KEYS = {"X_BEARER_TOKEN": TOKEN, "YOUTUBE_API_KEY": YOUTUBE_KEY}
"""Keys of the simulated web, in the place of the user's own, which never go there."""
MISHAPS = (
    (30, Fault("forbidden", "getdaytrends")),
    (36, Fault("captcha", "tiktok.com/@coral.cooks")),
    (39, Fault("rate_limited", "^api")),
    (60, Fault("dropped", "tiktok.com/@tide", times=1)),  # once: the second attempt brings it
    (84, Fault("shell", "tiktok.com/@mega")),
)
"""(hour of the story, what goes wrong then)."""


@dataclass
class Told:
    """What came of it: by source, how many runs, fetches by outcome, items by fate."""

    runs: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    items: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(hour, spider, target, outcome) of every fetch that was no answer."""
    poor: list[tuple[int, str]] = field(default_factory=list)
    """(hour, spider) of every run that was not good."""

    def unplanned(self) -> list[tuple[int, str]]:
        """Runs that were not good though nothing had been planned to go wrong."""
        planned = {hour for hour, _ in MISHAPS}
        return [each for each in self.poor if each[0] not in planned]


def hours(days: int) -> Iterator[int]:
    """The hours of the story at which at least one source is asked."""
    asked = frozenset().union(*(source.hours for source in SOURCES))
    return (hour for hour in range(days * 24) if hour % 24 in asked)


def settings(database: str) -> Settings:
    """The product's own settings with the simulated lane in them."""
    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")
    made: Settings = get_project_settings()
    made.set("ADDONS", ADDON, priority="cmdline")
    made.set("TIDEMARK_DATABASE", database, priority="cmdline")
    made.set("LOG_LEVEL", "ERROR", priority="cmdline")
    return made


async def tell(site: Site, days: int, database: str) -> Told:
    """Crawl every source when it is due, moving the site's clock from one hour to the next."""
    told, runner = Told(), AsyncCrawlerRunner(settings(database))
    for hour in hours(days):
        site.clock.set(START + timedelta(hours=hour))
        site.faults.clear()
        for when, fault in MISHAPS:
            if when == hour:
                site.faults.put(fault)
        for source in SOURCES:
            if hour % 24 in source.hours:
                await _crawl(runner, source, told, hour)
        if hour % 24 == 21:
            print(f"simulated {START + timedelta(hours=hour):%Y-%m-%d}: {sum(told.items.values()):,} items", flush=True)
    return told


async def _crawl(runner: AsyncCrawlerRunner, source: Source, told: Told, hour: int) -> None:
    crawler = runner.create_crawler(source.spider)
    counted = told.outcomes.setdefault(source.spider, Counter())

    def read(row: dict[str, Any], items: int) -> None:
        counted[row["outcome"]] += 1
        if Outcome(row["outcome"]) not in GOOD:
            told.gaps.append((hour, source.spider, str(row.get("target")), row["outcome"]))

    crawler.signals.connect(read, signal=page_read)
    await runner.crawl(crawler, targets=source.targets, **source.more)
    assert crawler.stats is not None
    told.runs[source.spider] += 1
    if crawler.stats.get_value(VERDICT) == "good":
        told.good[source.spider] += 1
    else:
        told.poor.append((hour, source.spider))
    told.items[source.spider] += Context.of(crawler).accounts.fates["saved"]


def run(site: Site, days: int, database: str) -> Told:
    """The whole story in this process; the reactor can be run only once."""
    configured = settings(database)
    configure_logging(configured)
    logging.getLogger("crawler").setLevel(logging.ERROR)
    install_reactor(configured["TWISTED_REACTOR"])
    from twisted.internet import reactor
    from twisted.internet.task import react

    told: list[Told] = []

    async def whole(_: object) -> None:
        told.append(await tell(site, days, database))

    try:
        react(deferred_f_from_coro_f(whole), (), _reactor=reactor)
    except SystemExit as end:
        if not told:
            raise SystemExit(end.code or 1) from None
    return told[0]
