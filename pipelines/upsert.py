"""Upsert: batches by size and time into the store, off the event loop, with back-pressure."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from crawler.context import Accounts, Context, now
from crawler.items import Item, Refused
from crawler.storage.errors import StorageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
BATCH_ITEMS = 1000  # 500 to 1000 measured best; small enough for Atlas M0
BATCH_WAIT_S = 1.0


class UpsertPipeline:
    def __init__(self, context: Context, crawler: Crawler) -> None:
        self.context = context
        self.accounts: Accounts = context.accounts
        self.crawler = crawler
        self.batch: list[Item] = []
        self.writing = asyncio.Lock()
        self.timer: asyncio.TimerHandle | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.failed: StorageError | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UpsertPipeline:
        return cls(Context.of(crawler), crawler)

    async def open_spider(self) -> None:
        await asyncio.to_thread(lambda: self.context.store)

    async def process_item(self, item: Item) -> Item:
        self.batch.append(item)
        if len(self.batch) >= BATCH_ITEMS:
            await self.flush()
        elif self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(BATCH_WAIT_S, self._on_timer)
        return item

    async def close_spider(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        await self.flush()
        await self.flush()  # the ledger rows that the first one settled

    def _on_timer(self) -> None:
        self.timer = None
        task = asyncio.get_running_loop().create_task(self.flush())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def flush(self) -> None:
        """Write what has gathered; one batch at a time, so a slow store slows the crawl."""
        async with self.writing:
            batch, self.batch = self.batch, []
            refused, rows = self.accounts.take_refused(), self.accounts.take_ready()
            fates: list[str] = ["unsaved"] * len(batch)
            if self.failed is None and (batch or refused or rows):
                try:
                    fates = await asyncio.to_thread(self._write, batch, refused, rows)
                except StorageError as error:
                    self._stop(error)
            for item, fate in zip(batch, fates, strict=True):
                self._settle(item, fate)

    def _write(self, batch: list[Item], refused: list[Refused], rows: list[dict[str, Any]]) -> list[str]:
        store = self.context.store
        fates = store.save(batch)
        store.quarantine(refused, self.context.run, now())
        store.fetches(rows, now())
        return fates

    def _settle(self, item: Item, fate: str) -> None:
        fate, _, reason = fate.partition(":")
        if reason:
            self.accounts.refused.append(Refused.of(item.kind, reason, item.model_dump(mode="json"), item))
        self.accounts.settled(item.capture, fate)

    def _stop(self, error: StorageError) -> None:
        """The captures are in the archive: after mending, a replay of it brings in what is missing."""
        self.failed = error
        log.error("%s Nothing is lost: when it is back, run: scrapy replay %s", error, self.context.archive_dir)
        if self.crawler.engine is not None:
            closing = asyncio.get_running_loop().create_task(self.crawler.engine.close_spider_async(reason="storage"))
            self.tasks.add(closing)
            closing.add_done_callback(self.tasks.discard)
