"""What one crawl shares: settings, archive, store, and the account of every item.

The only place, besides spiders/base.py and entry points, that asks what time it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from crawler import spool
from crawler.archive import Archive
from crawler.config import Config, load
from crawler.items import Refused
from crawler.spool import CaughtUp, Spool
from crawler.storage.connect import address, connect, safe_uri
from crawler.storage.hosts import Hosts
from crawler.storage.store import Store
from crawler.storage.targets import Targets

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.storage.differences import Differences
    from crawler.storage.reads import Client  # which takes a second to import, and no crawl reads frames

log = logging.getLogger(__name__)
FATES = ("saved", "repeated", "refused", "forgotten", "spooled", "unsaved")
page_read = object()
"""Signal: a page was read. Arguments: row (the ledger's), items (how many will be yielded)."""
answer_heard = object()
"""Signal: a page in the browser got an answer that it had asked for itself. Arguments: headers (lower-case names)."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Opened:
    """A capture whose items are on their way."""

    left: int
    row: dict[str, Any]
    traces: set[str] = field(default_factory=set)
    lost: bool = False


@dataclass(slots=True)
class Accounts:
    """Every yielded item meets exactly one fate; a fetch is ready for the ledger when all its items have."""

    fates: Counter[str] = field(default_factory=Counter)
    yielded: int = 0
    ready: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    _open: dict[str, Opened] = field(default_factory=dict)

    def opened(self, row: Mapping[str, Any], items: int) -> None:
        """A page gave *items* items; row["_id"] is its capture."""
        self.yielded += items
        made = {**row, "items": items}
        if items == 0:
            self.ready.append(made)
        elif row["_id"] in self._open:
            self._open[row["_id"]].left += items
        else:
            self._open[row["_id"]] = Opened(items, made)

    def settled(self, capture: str, fate: str, leaves: str | None = None) -> None:
        """leaves: key of an item of which the database keeps a document for this very capture."""
        self.fates[fate] += 1
        opened = self._open.get(capture)
        if opened is None:
            return
        opened.left -= 1
        opened.lost |= fate == "unsaved"
        if leaves is not None:
            opened.traces.add(leaves)
        if opened.left == 0:
            del self._open[capture]
            # A capture that lost an item has no row: `scrapy verify` then finds it by its absence.
            if not opened.lost:
                self.ready.append({**opened.row, "traces": len(opened.traces)})

    def take_ready(self) -> list[dict[str, Any]]:
        ready, self.ready = self.ready, []
        return ready

    def take_refused(self) -> list[Refused]:
        refused, self.refused = self.refused, []
        return refused


def server_name(config: Config) -> str:
    return safe_uri(config.mongodb_uri) if config.mongodb_uri else "local mongod"


def open_store(config: Config, database: str) -> tuple[Client, Store]:
    """A store that answers, its schema in place, and everything that waited in the spool brought in.

    Raises StorageError when the server cannot be reached or refuses.
    """
    client = connect(config)
    revive = None if config.mongodb_uri else lambda: address(config)
    store = Store(client[database], uri=address(config), revive=revive, hash_key=config.hash_key)
    try:
        store.prepare()
        empty_spool(config, database, store)
    except BaseException:
        store.close()
        client.close()
        raise
    return client, store


def catch_up(config: Config, database: str) -> None:
    """Bring in what waits in the spool, for a start that needs no store of its own. Raises StorageError."""
    client, store = open_store(config, database)
    store.close()
    client.close()


def empty_spool(config: Config, database: str, store: Store) -> CaughtUp | None:
    """Bring in what waits for this database; None when nothing does. Says what it did."""
    folder = config.spool_dir / database
    if not spool.waiting(folder):
        return None
    done = spool.catch_up(folder, server_name(config), store, now())
    if done.files:
        log.warning("%s", done)
    for server, files in done.elsewhere.items():
        log.warning("spool: %d files in %s wait for %s and were left alone", files, folder, server)
    return done


class Context:
    """Made once a crawl; archive and store are opened at first use."""

    _of: ClassVar[WeakKeyDictionary[Crawler, Context]] = WeakKeyDictionary()

    def __init__(self, config: Config, database: str, started_at: datetime, name: str) -> None:
        self.config = config
        self.database = database
        self.started_at = started_at
        self.run = f"{name}-{started_at:%Y%m%dT%H%M%S.%f}-{os.getpid()}"
        self.clock: Callable[[], datetime] = now
        """When a response came in. A simulation puts its own clock here, and captures and items carry its moments."""
        self.accounts = Accounts()
        self.archived: Callable[[str], None] = lambda capture: None
        """Told of every capture that has been archived."""
        self._archive: Archive | None = None
        self._store: Store | None = None
        self._client: Client | None = None
        self._spool: Spool | None = None
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, crawler: Crawler) -> Context:
        """The context of a crawler; made on the first call."""
        if crawler not in cls._of:
            config = load()
            name = crawler.spidercls.name
            database = crawler.settings.get("TIDEMARK_DATABASE") or config.mongodb_database
            cls._of[crawler] = cls(config, database, now(), name)
        return cls._of[crawler]

    @property
    def archive_dir(self) -> Path:
        """An archive a database, so that simulated captures never stand among real ones."""
        return self.config.archive_dir / self.database

    @property
    def archive(self) -> Archive:
        if self._archive is None:
            self._archive = Archive(self.archive_dir)
        return self._archive

    @property
    def store(self) -> Store:
        """Raises StorageError when the server cannot be reached or refuses."""
        if self._store is None:
            self._client, self._store = open_store(self.config, self.database)
        return self._store

    @property
    def targets(self) -> Targets:
        """The watch list. Raises StorageError as store does."""
        _ = self.store
        assert self._client is not None
        return Targets(self._client[self.database])

    @property
    def hosts(self) -> Hosts | None:
        """Whose turn it is, for all workers that share the database; None while it has not answered yet."""
        return None if self._client is None else Hosts(self._client[self.database])

    def differences(self) -> Differences:
        """What storing items would change. Raises StorageError as store does."""
        from crawler.storage.differences import Differences  # no crawl asks this

        _ = self.store
        assert self._client is not None
        return Differences(self._client[self.database])

    @property
    def spool(self) -> Spool:
        if self._spool is None:
            folder = self.config.spool_dir / self.database
            self._spool = Spool(folder, server_name(self.config), self.config.spool_bytes)
        return self._spool

    def stop(self, crawler: Crawler, reason: str, message: str) -> None:
        """End the crawl in good order, after one plain line; said again, nothing more happens."""
        if self._stopping is None and crawler.engine is not None:
            log.error("%s", message)
            closing = crawler.engine.close_spider_async(reason=reason)
            self._stopping = asyncio.get_running_loop().create_task(closing)

    @property
    def where(self) -> str:
        """The database in words a person can use, without credentials."""
        return f"{server_name(self.config)}, database {self.database}"

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        if self._spool is not None:
            self._spool.close()
        if self._store is not None:
            self._store.close()
        if self._client is not None:
            self._client.close()
