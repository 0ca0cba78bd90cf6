"""What one crawl shares: settings, archive, store, and the account of every item.

The only place, besides spiders/base.py and entry points, that asks what time it is.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from crawler.archive import Archive
from crawler.config import Config, load
from crawler.items import Refused
from crawler.storage.connect import address, connect, safe_uri
from crawler.storage.reads import Client
from crawler.storage.store import Store

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

FATES = ("saved", "repeated", "refused", "spooled", "unsaved")
page_read = object()
"""Signal: a page was read. Arguments: row (the ledger's), items (how many will be yielded)."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Accounts:
    """Every yielded item meets exactly one fate; a fetch is ready for the ledger when all its items have."""

    fates: Counter[str] = field(default_factory=Counter)
    yielded: int = 0
    ready: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    _open: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def opened(self, row: Mapping[str, Any], items: int) -> None:
        """A page gave *items* items; row["_id"] is its capture."""
        self.yielded += items
        made = {**row, "items": items}
        if items == 0:
            self.ready.append(made)
        else:
            left, _ = self._open.get(row["_id"], (0, made))
            self._open[row["_id"]] = (left + items, made)

    def settled(self, capture: str, fate: str) -> None:
        self.fates[fate] += 1
        left, row = self._open.get(capture, (0, {}))
        if left > 1:
            self._open[capture] = (left - 1, row)
        elif left == 1:
            del self._open[capture]
            self.ready.append(row)

    def take_ready(self) -> list[dict[str, Any]]:
        ready, self.ready = self.ready, []
        return ready

    def take_refused(self) -> list[Refused]:
        refused, self.refused = self.refused, []
        return refused


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
        self._archive: Archive | None = None
        self._store: Store | None = None
        self._client: Client | None = None

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
            self._client = connect(self.config)
            store = Store(self._client[self.database], uri=address(self.config))
            store.prepare()
            self._store = store
        return self._store

    @property
    def where(self) -> str:
        """The database in words a person can use, without credentials."""
        server = safe_uri(self.config.mongodb_uri) if self.config.mongodb_uri else "local mongod"
        return f"{server}, database {self.database}"

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        if self._store is not None:
            self._store.close()
        if self._client is not None:
            self._client.close()
