"""Profile: looks at every item in passing, and at the end says what is unusual about the run as a whole."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crawler.context import Context
from crawler.items import Item
from crawler.profile import RUNS, Tally, alarms
from crawler.storage import run_profiles
from crawler.storage.errors import StorageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
SAID = 5


class ProfilePipeline:
    """A replay mixes sources and times: it gets a profile, but is compared with nothing."""

    def __init__(self, context: Context, crawler: Crawler) -> None:
        self.context = context
        self.crawler = crawler
        self.tally = Tally()

    @property
    def source(self) -> str:
        """Spider and targets: what other targets give says nothing about these."""
        targets = ",".join(getattr(self.crawler.spider, "targets", ()))
        return f"{self.crawler.spidercls.name} {targets}".strip()[:200]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ProfilePipeline:
        return cls(Context.of(crawler), crawler)

    def process_item(self, item: Item) -> Item:
        self.tally.take(item)
        return item

    async def close_spider(self) -> None:
        try:
            await asyncio.to_thread(self._report)
        except StorageError as error:
            log.warning("profile of this run: not kept. %s", error)

    def _report(self) -> None:
        config, database, at = self.context.config, self.context.database, self.context.started_at
        measures = self.tally.measures()
        compare = self.crawler.spidercls.name != "replay"
        history = run_profiles.before(config, database, self.source, at, RUNS) if compare else []
        unusual = [str(each) for each in alarms(measures, history)]
        for each in unusual[:SAID]:
            log.warning("unusual: %s", each)
        if len(unusual) > SAID:
            log.warning("unusual: %d more; see: scrapy profile %s", len(unusual) - SAID, self.source)
        run_profiles.keep(
            config, database, self.context.run, self.source, at, measures, self.tally.ranges(), unusual
        )  # fmt: skip
