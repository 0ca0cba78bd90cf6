"""Upsert: batches by size and time into the store, off the event loop, with back-pressure; else to the spool."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from crawler.context import Accounts, Context, empty_spool, now
from crawler.items import Board, BoardEntry, Item, Refused
from crawler.spool import Load, SpoolError
from crawler.storage.errors import StorageAway, StorageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
BATCH_ITEMS = 1000  # 500 to 1000 measured best; small enough for Atlas M0
BATCH_WAIT_S = 1.0
ASK_AGAIN_S = 30.0  # whether a database that was away is back; asking costs the server selection timeout


class UpsertPipeline:
    def __init__(self, context: Context, crawler: Crawler) -> None:
        self.context = context
        self.accounts: Accounts = context.accounts
        self.crawler = crawler
        self.batch: list[Item] = []
        self.writing = asyncio.Lock()
        self.timer: asyncio.TimerHandle | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.away_since_s: float | None = None
        """Monotonic moment of the last failure; None while the database takes what it is given."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UpsertPipeline:
        return cls(Context.of(crawler), crawler)

    async def open_spider(self) -> None:
        try:
            await asyncio.to_thread(lambda: self.context.store)
        except StorageError as error:
            self._away(error)

    async def process_item(self, item: Item) -> Item:
        self.batch.append(item)
        if len(self.batch) >= BATCH_ITEMS:
            await self.flush(BATCH_ITEMS)
        if self.batch and self.timer is None:
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

    async def flush(self, least: int = 0) -> None:
        """Write what has gathered; one batch at a time, so a slow store slows the crawl.

        least: several pages wait here at once, and what they brought goes with the first; not in batches of a few.
        """
        async with self.writing:
            if len(self.batch) < least:
                return
            batch, self.batch = self.batch, []
            load = Load(batch, self.accounts.take_refused(), self.accounts.take_ready())
            for item, fate in zip(batch, await self._kept(load) if load else (), strict=True):
                self._settle(item, fate)

    async def _kept(self, load: Load) -> list[str]:
        """In the database, else on disk, else nowhere, and then the crawl ends: the fates of load.items."""
        try:
            if await self._worth_trying():
                return await asyncio.to_thread(self._write, load)
        except StorageError as error:
            self._away(error)
        try:
            await asyncio.to_thread(self.context.spool.put, load, now())
        except SpoolError as error:
            self.context.stop(self.crawler, "storage", f"{error}. The captures are in the archive: scrapy verify")
            return ["unsaved"] * len(load.items)
        return ["spooled"] * len(load.items)

    async def _worth_trying(self) -> bool:
        if self.away_since_s is None:
            return True
        if time.monotonic() - self.away_since_s < ASK_AGAIN_S or self.context.config.when_away == "stop":
            return False
        back = await asyncio.to_thread(lambda: self.context.store.answers())
        self.away_since_s = None if back else time.monotonic()
        if back:
            self.context.spool.close()
            log.warning("the database is back")
            await asyncio.to_thread(empty_spool, self.context.config, self.context.database, self.context.store)
        return back

    def _write(self, load: Load) -> list[str]:
        store = self.context.store
        fates = store.save(load.items)
        store.quarantine(load.refused, self.context.run, now())
        store.fetches(load.rows, now())
        return fates

    def _settle(self, item: Item, fate: str) -> None:
        fate, _, reason = fate.partition(":")
        if reason:
            self.accounts.refused.append(Refused.of(item.kind, reason, item.model_dump(mode="json"), item))
        leaves = fate not in ("refused", "forgotten") and (item.counters or isinstance(item, Board | BoardEntry))
        self.accounts.settled(item.capture, fate, item.key if leaves else None)

    def _away(self, error: StorageError) -> None:
        """What was read waits in the spool: the next start of anything brings it in."""
        spool = self.context.spool
        self.away_since_s = time.monotonic()
        where = f"What was read waits in {spool.directory} (now {spool.size_bytes / 1e6:.1f} MB)"
        if isinstance(error, StorageAway) and self.context.config.when_away == "go_on":
            log.error("%s %s; the crawl goes on.", error, where)
        else:
            self.context.stop(self.crawler, "storage", f"{error} {where}; the next start brings it in.")
