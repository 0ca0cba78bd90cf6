"""Captures through the same pages and pipelines as a live crawl. Run by `scrapy replay`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import scrapy

from crawler import pages
from crawler.archive import Capture
from crawler.lanes.sources import Skipped
from crawler.pages import Page
from crawler.reading import is_redirect
from crawler.stages import Pause
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request


UNNEEDED = (
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware",
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware",
    "scrapy.spidermiddlewares.referer.RefererMiddleware",
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware",
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
)


class Replay(PageSpider):
    name = "replay"
    least_items = 0
    custom_settings = {  # noqa: RUF012 - Scrapy's own attribute
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "RETRY_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "COOKIES_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        # Each would pass on every item through a generator of its own, and none has anything to do here.
        "SPIDER_MIDDLEWARES": dict.fromkeys(UNNEEDED),
        "CONCURRENT_REQUESTS": 4,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    }

    def __init__(
        self, captures: Iterable[Capture | Skipped | Pause] = (), page_name: str | None = None,
        skipped: list[Skipped] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.captures = captures
        self.page_name = page_name
        self.skipped = [] if skipped is None else skipped

    async def start(self) -> AsyncIterator[Request]:
        pages.load_all()
        for capture in self.captures:
            if isinstance(capture, Pause):
                await asyncio.to_thread(capture.work)
                await asyncio.sleep(capture.seconds)
                continue
            if isinstance(capture, Skipped):
                self.skipped.append(capture)
                self.crawler.stats.inc_value("replay/skipped")
                continue
            meta = {"replayed": capture, "page": self.page_name, "download_slot": "replay"}
            yield scrapy.Request(
                f"capture://{capture.id}", callback=self.taken, errback=self.failed, meta=meta, dont_filter=True
            )

    def read(self, capture: Capture, name: str | None) -> Page | None:
        page = None if is_redirect(capture) else super().read(capture, name)
        if page is None:
            reason = "a redirect, not a page" if is_redirect(capture) else "no page object knows it"
            self.skipped.append(Skipped(capture.url, reason))
            self.crawler.stats.inc_value("replay/unknown")
        return page
