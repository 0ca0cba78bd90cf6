"""What the web application stands on: the database's readers, its files, what it keeps in memory, and the clock."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from analysis.command import SIMULATED_ENDING
from crawler.archive import Archive
from crawler.config import Config
from crawler.storage.alerts import Alerts
from crawler.storage.connect import connect_async
from crawler.storage.creators import Creators
from crawler.storage.reads import Client, Reader
from crawler.storage.web_reads import Lists, Pages
from crawler.storage.web_views import Views

T = TypeVar("T")
KEPT = 64  # answers; the largest, the topics of a board, are a few MB
FRESH_S = 60.0
STEADY_S = 5.0  # of the top of a list: as stale as a page may be while snapshots keep coming in
SLOW_FRESH_S = 600.0  # of what takes seconds to make


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Hashable = None
    made_at_s: float = float("-inf")
    value: Any = None


class Kept:
    """Answers that cost much, until their watermark moves or FRESH_S have passed; made once, however many ask."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic, most: int = KEPT) -> None:
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.Lock()
        self._clock_s, self._most = clock_s, most

    def get(
        self, key: Hashable, mark: Hashable, make: Callable[[], T], fresh_s: float = FRESH_S, steady_s: float = 0.0
    ) -> T:  # fmt: skip
        """steady_s: an answer so young stands though its data moved, and nobody waits while a newer one is made."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
        there = steady_s > 0 and slot.made_at_s > float("-inf")
        if there and self._clock_s() - slot.made_at_s < steady_s:
            return cast(T, slot.value)
        if not slot.lock.acquire(blocking=not there):
            return cast(T, slot.value)
        try:
            if slot.mark != mark or self._clock_s() - slot.made_at_s > fresh_s:
                slot.value, slot.mark = make(), mark
                slot.made_at_s = self._clock_s()
            return cast(T, slot.value)
        finally:
            slot.lock.release()

    def soon(self, key: Hashable, mark: Hashable, make: Callable[[], T], wait_s: float, fresh_s: float) -> T | None:
        """As `get`, for at most *wait_s*: then the answer of before, or None where there is none; making goes on."""
        maker = threading.Thread(target=lambda: self.get(key, mark, make, fresh_s), daemon=True)
        maker.start()
        maker.join(wait_s)
        with self._lock:
            slot = self._slots.get(key)
        return None if slot is None else cast("T | None", slot.value)


@dataclass
class Site:
    """One database, as the web sees it."""

    database: str
    simulated: bool
    lists: Lists
    open_pages: Callable[[], Pages]
    """For the event loop that calls it."""
    views: Views
    reader: Reader
    alerts: Alerts
    creators: Creators
    archive_dir: Path
    models_dir: Path
    clock: Callable[[], datetime] = now
    kept: Kept = field(default_factory=Kept)
    _archive: Archive | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def archive(self) -> Archive | None:
        """Opened at first use, read-only, with what was written since; None where there is none on this disk."""
        with self._lock:
            if self._archive is None:
                if not self.archive_dir.is_dir():
                    return None
                self._archive = Archive(self.archive_dir, read_only=True)
            else:
                self._archive.refresh()
            return self._archive


def opened(config: Config, client: Client, database: str) -> Site:
    """The site of one database on an open client."""
    held = client[database]
    return Site(
        database, database.endswith(SIMULATED_ENDING), Lists(held),
        lambda: Pages(connect_async(config)[database]), Views(held), Reader(held), Alerts(held), Creators(held),
        config.archive_dir / database, config.data_dir / "models" / database,
    )  # fmt: skip
