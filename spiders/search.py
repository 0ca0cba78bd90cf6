"""Posts by keyword from X's recent search (seven days back), with the user's own token. It never parses.

A run that a limit, a budget or a crash ended is taken up where it stopped: what is not yet asked for is kept as
ranges of time, and asking twice changes nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import scrapy
from scrapy import signals

from crawler.items import Item, Post, Refused
from crawler.outcomes import GOOD
from crawler.pages.x import RECENT, beyond_reach, iso_second
from crawler.storage import progress
from crawler.targets import TargetError, TargetForm
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

FIELDS = (
    "max_results=100&tweet.fields=created_at,lang,public_metrics,entities,author_id,referenced_tweets"
    "&expansions=author_id&user.fields=username,public_metrics"
)


@dataclass
class Range:
    """Posts created from `start` to `end`, newest first; None: as far as the API goes."""

    start: str | None
    end: str | None
    newest: datetime | None = None
    oldest: datetime | None = None
    finished: bool = False

    def left(self) -> list[dict[str, str | None]]:
        """What of it is still to be asked for."""
        if self.finished:
            return []
        if self.oldest is None:  # nothing came; the open end is asked for again anyway
            return [] if self.end is None else [{"start": self.start, "end": self.end}]
        # `end_time` excludes its own second.
        return [{"start": self.start, "end": iso_second(self.oldest + timedelta(seconds=1))}]


class XSearch(PageSpider):
    """-a query='skincare lang:pt' [-a pages=10]; several with -a targets=a,b."""

    name = "x_search"
    page = "x.search"
    url = "https://api.x.com/2/tweets/search/recent?query={target}&" + FIELDS
    hosts = ("api.x.com",)
    target = TargetForm(r"(.{1,512})", "skincare lang:pt", fold=False)
    least_items = 0  # nobody may have written of it
    custom_settings = {"RETRY_HTTP_CODES": [500, 502, 503, 504, 522, 524, 408]}  # noqa: RUF012 - Scrapy's own

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> XSearch:
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, XSearch)
        crawler.signals.connect(spider.keep, signal=signals.spider_closed)
        return spider

    def __init__(self, query: str = "", pages: str = "10", targets: str = "", **kwargs: Any) -> None:
        super().__init__(targets=targets, **kwargs)
        self.targets = (query.strip(),) if query.strip() else self.targets
        self.pages_left = _whole(pages)
        self.ranges: dict[str, list[Range]] = {}
        self.since: dict[str, str | None] = {}
        self.answered: dict[str, bool] = {}

    def credentials(self) -> dict[str, str]:
        token = self.context.config.x_bearer_token
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def start(self) -> AsyncIterator[Request]:
        if not self.credentials():
            self.logger.error("x_search: needs your own token; set X_BEARER_TOKEN (see .env.example)")
            return
        for target in self.targets:
            known = await asyncio.to_thread(
                progress.load, self.context.config, self.context.database, self.name, target
            )  # fmt: skip
            self.since[target] = known.get("newest")
            waiting = [Range(each.get("start"), each.get("end")) for each in known.get("left", ())]
            self.ranges[target] = [Range(self.since[target], None), *waiting]
            for each in self.ranges[target]:
                yield self._request(self._address(target, each), self.page, target)

    def _address(self, target: str, part: Range) -> str:
        times = (("start_time", part.start), ("end_time", part.end))
        return self.url.format(target=quote(target, safe="")) + "".join(f"&{k}={v}" for k, v in times if v)

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        target = response.meta["target"]
        part = self._range(target, response.url)
        if response.status == 400:
            yield from super().parse(response)
            if part and beyond_reach(response.url, at := response.meta["capture"].fetched_at):
                # What was written before the seven days can no longer be had; what came after it can.
                part.start, part.finished = None, part.end is not None and part.end < iso_second(at - RECENT)
                if not part.finished:
                    yield self._request(self._address(target, part), self.page, target)
            return
        self.pages_left -= 1
        more = False
        for each in super().parse(response):
            if isinstance(each, scrapy.Request):
                more = True
                if self.pages_left > 0:
                    yield each
                continue
            if part and isinstance(each, Post) and each.created_at:
                part.newest = max(part.newest or each.created_at, each.created_at)
                part.oldest = min(part.oldest or each.created_at, each.created_at)
            yield each
        if part and not more and self.answered.get(response.meta["capture"].id):
            part.finished = True

    def _range(self, target: str, url: str) -> Range | None:
        asked = parse_qs(urlsplit(url).query)
        times = [asked[name][0] if name in asked else None for name in ("start_time", "end_time")]
        return next((each for each in self.ranges[target] if [each.start, each.end] == times), None)

    def _tell(self, row: dict[str, Any], items: int) -> None:
        self.answered[row["_id"]] = row["outcome"] in GOOD
        super()._tell(row, items)

    async def keep(self) -> None:
        """After the run, what of each query is left for the next one."""
        for target, parts in self.ranges.items():
            newest = [iso_second(each.newest) for each in parts if each.newest]
            state = {
                "newest": max([*newest, self.since[target] or ""]) or None,
                "left": [part for each in parts for part in each.left()],
            }
            await asyncio.to_thread(
                progress.keep, self.context.config, self.context.database, self.name, target, state
            )  # fmt: skip


def _whole(written: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", written):
        raise TargetError(f"pages {written[:20]!r}: expected how many to ask for at most, like 10")
    return int(written)
