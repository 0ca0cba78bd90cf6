"""Drift: looks at every item in passing, and at the end says which fields of which page have changed their shape."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

from crawler import trees
from crawler.archive import ArchiveError, CaptureMissing
from crawler.context import Context, page_read
from crawler.drift import examine
from crawler.drift_seen import PageSeen, Run, field_of, names
from crawler.items import Item
from crawler.storage import drift
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
SAID = 5
REMEMBERED = 20_000  # fetches; a stream runs for weeks
LOOKED_AT = 4  # bodies of a page object and outcome: 10 ms each, and all of a kind are made alike


class DriftPipeline:
    """A replay mixes times: it is judged by nobody."""

    def __init__(self, context: Context, crawler: Crawler) -> None:
        self.context = context
        self.crawler = crawler
        self.run = Run(context.started_at)
        self.rows: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DriftPipeline:
        made = cls(Context.of(crawler), crawler)
        crawler.signals.connect(made.page_read, signal=page_read)
        return made

    def process_item(self, item: Item) -> Item:
        self.run.take(item)
        return item

    def page_read(self, row: dict[str, Any], items: int) -> None:
        if "parser" in row:
            self.rows.append({name: row.get(name) for name in ("parser", "outcome", "capture", "odd", "at")})

    async def close_spider(self) -> None:
        if self.crawler.spidercls.name == "replay" or not self.rows:
            return
        try:
            await asyncio.to_thread(self._report)
        except StorageError as error:
            log.warning("drift of this run: not judged. %s", error)

    def _report(self) -> None:
        config, spider = self.context.config, self.crawler.spidercls.name
        self.run.pages = self._pages()
        moments = [row["at"] for row in self.rows if row["at"] is not None]
        self.run.at = min(moments, default=self.run.at)  # of the captures, which proposals look for
        with opened(config, self.context.database) as database:
            kept = drift.Drift(database)
            found = examine(self.run, kept.memory(spider))
            kept.keep(spider, self.context.run, self.run.at, found.memory, found.alarms)
        for each in found.alarms[:SAID]:
            log.warning("drift: %s", each)
        if found.alarms:
            more = f"{len(found.alarms) - SAID} more. " if len(found.alarms) > SAID else ""
            log.warning("drift: %sWhere did the values go?  scrapy drift --propose  Is it the usual now?  "
                        "scrapy drift --accept %s", more, self.context.run)  # fmt: skip
        elif found.untold:
            log.info("drift: %s changed shape, and this run does not tell whether that is over; see: scrapy drift",
                     ", ".join(each.replace("|", ".").rstrip(".") for each in found.untold[:SAID]))  # fmt: skip
        elif found.little:
            log.info("drift: too little history to judge %s", ", ".join(found.little))

    def _pages(self) -> list[PageSeen]:
        looked: Counter[tuple[str, str]] = Counter()
        found: dict[str, list[PageSeen]] = defaultdict(list)
        for row in self.rows:
            parser, outcome = str(row["parser"]).partition("@")[0], str(row["outcome"])
            odd = tuple(sorted({name for path in row["odd"] or () if (name := field_of(path))}))
            words, links, damaged = frozenset[str](), frozenset[str](), False
            if row["capture"] and looked[parser, outcome] < LOOKED_AT:
                looked[parser, outcome] += 1
                words, links, damaged = self._made_of(row["capture"])
            found[parser].append(PageSeen(parser, outcome, words, links, odd, damaged))
        return [page for each in found.values() for page in each]

    def _made_of(self, capture: str) -> tuple[frozenset[str], frozenset[str], bool]:
        try:
            body = self.context.archive.read(capture).body
        except (ArchiveError, CaptureMissing):
            return frozenset(), frozenset(), False
        words, links = trees.vocabulary(body)
        return names(words), names(links), trees.torn(body)
