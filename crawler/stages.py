"""Two stages: one process captures and reads nothing into the database, another reads what is archived, as it appears.

The first crawls with TIDEMARK_CAPTURE_ONLY=1: it follows links, archives and keeps the ledger, and stores no item. The
second is `scrapy replay --follow`, on the same disk or by way of the object store.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from scrapy import Request
from scrapy.exceptions import NotConfigured

from crawler.archive import Archive, ArchiveError, Capture, CaptureMissing

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
SETTING = "TIDEMARK_CAPTURE_ONLY"
PARSER = "capture@0"
"""In the ledger, of a page that was archived and not read into the database: the name of no reader, so it is due."""
BATCH = 50


class CaptureOnly:
    """Spider middleware: items go no further."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CaptureOnly:
        if not crawler.settings.getbool(SETTING):
            raise NotConfigured
        return cls()

    async def process_spider_output(self, response: Any, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for each in result:
            if isinstance(each, Request):
                yield each


class Applied(Protocol):
    def applied(self, captures: list[str], parsers: Mapping[str, str]) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class Pause:
    """Between two looks; *work* may take a while and is done beside the event loop."""

    seconds: float
    work: Callable[[], None]


def followed(
    directory: Path, store: Applied, parsers: Mapping[str, str], fetch: Callable[[], None], every_s: float,
    looks: Iterable[int],
) -> Iterator[Capture | Pause]:  # fmt: skip
    """Captures that no run has stored with today's parsers, as they appear.

    fetch: brings segments from elsewhere, before each look; looks: one for each look.
    """
    directory.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    with Archive(directory, read_only=True) as archive:
        for _ in looks:
            yield Pause(0 if not seen else every_s, fetch)
            archive.refresh()
            if len(archive) == len(seen):
                continue
            fresh = iter([each for each in archive.ids() if each not in seen])
            while batch := list(islice(fresh, BATCH)):
                seen.update(batch)
                done = store.applied(batch, parsers)
                for each in batch:
                    if each in done:
                        continue
                    try:
                        yield archive.read(each)
                    except (ArchiveError, CaptureMissing) as error:
                        log.error("%s", error)
