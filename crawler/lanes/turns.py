"""The pace of a host, kept in the database: workers that share one ask a host no faster than one of them would.

Scrapy's own downloader, but that the delay of a host (DOWNLOAD_DELAY, as AutoThrottle has changed it) is waited for in
turns that all workers take from the collection `hosts`. While the database is away, each keeps its own pace.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.core import downloader

from crawler.context import Context
from crawler.lanes.manners import DayOver
from crawler.storage.connect import plain_errors
from crawler.storage.errors import StorageError
from crawler.storage.hosts import Turn

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response

log = logging.getLogger(__name__)
AWAY_S = 30.0  # before a database that did not answer is asked again


class Paced(downloader.Slot):
    """Lets a request go at once: its turn comes later, and AutoThrottle still finds `delay`."""

    __slots__ = ()

    def download_delay(self) -> float:
        return 0.0


class Downloader(downloader.Downloader):
    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.context = Context.of(crawler)
        self.most = self.context.config.day_host_pages
        self.free_s: dict[str, float] = {}
        """Monotonic moment of a host's next turn, kept here while the database does not answer."""
        self.away_until_s = 0.0
        self.tasks: set[asyncio.Task[None]] = set()

    def _get_slot(self, request: Request, spider: Spider | None = None) -> tuple[str, downloader.Slot]:
        key = self.get_slot_key(request)
        known = key in self.slots
        key, slot = super()._get_slot(request)
        if not known:
            slot = self.slots[key] = Paced(slot.concurrency, slot.delay, slot.jitter)
        return key, slot

    async def _download(self, slot: downloader.Slot, request: Request) -> Response:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.hostname:
            slot.transferring.add(request)  # it holds its place while it waits
            try:
                await self._wait(parts.hostname, slot, None if _is_robots(request) else self.most)
            except BaseException:
                slot.transferring.remove(request)
                raise
        return await super()._download(slot, request)

    async def _wait(self, host: str, slot: downloader.Slot, most: int | None) -> None:
        gap_s = slot.delay * (1 + random.uniform(-slot.jitter, slot.jitter))
        if gap_s <= 0 and most is None:
            return
        turn = await asyncio.to_thread(self._turn, host, gap_s, most)
        if not turn.granted:
            self.crawler.stats.inc_value("turns/day_over")
            raise DayOver(host)
        if turn.wait_s > 0:
            await asyncio.sleep(turn.wait_s)

    def _turn(self, host: str, gap_s: float, most: int | None) -> Turn:
        now_s = time.monotonic()
        hosts = self.context.hosts if now_s >= self.away_until_s else None
        if hosts is not None:
            try:
                with plain_errors(""):
                    return hosts.turn(host, timedelta(seconds=gap_s), most)
            except StorageError as error:
                self.away_until_s = time.monotonic() + AWAY_S
                log.debug("%s: its pace is kept without the other workers: %s", host, error)
        at_s = max(self.free_s.get(host, 0.0), now_s)
        self.free_s[host] = at_s + gap_s
        return Turn(at_s - now_s, True)

    def rest(self, host: str, wait_s: float) -> None:
        """The host asked for patience: no worker asks it before."""

        async def told() -> None:
            with suppress(StorageError), plain_errors(""):
                if (hosts := self.context.hosts) is not None:
                    await asyncio.to_thread(hosts.rest, host, timedelta(seconds=wait_s))

        self.tasks.add(task := asyncio.get_running_loop().create_task(told()))
        task.add_done_callback(self.tasks.discard)


def _is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt"))
