"""The archive in an object store: segments copied to ARCHIVE_URL before a run ends, and back. Any address of fsspec.

A dyno's disk is lost at every restart; the object store is then the only copy. Nothing is ever deleted there.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import signals

from crawler.context import Context
from crawler.lanes import redact
from crawler.verdict import VERDICT

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
FILE = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]+-[0-9]{4}\.warc\.gz(?:\.idx|\.gone)?|forgotten\.ids")
WAITS_S = (1.0, 4.0)
EXTRA = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


class ShippingError(OSError):
    """The object store did not take or give a segment; the local archive is whole."""


@dataclass(frozen=True, slots=True)
class Shipped:
    files: int
    bytes: int
    there: int
    """Files that were there already."""


def push(directory: Path, url: str, *, sleep: Callable[[float], None] = time.sleep) -> Shipped:
    """Copy what the store lacks, or has shorter, and check its size there. Raises ShippingError."""
    store, root = _opened(url)
    present = _sizes(store, root, url)
    files = moved = there = 0
    for path in sorted(directory.glob("*")) if directory.is_dir() else ():
        size = path.stat().st_size
        if not FILE.fullmatch(path.name) or size == 0:
            continue
        if present.get(path.name, -1) >= size:  # segments only grow
            there += 1
            continue
        _tried(lambda p=path: _put(store, p, f"{root}/{p.name}"), url, sleep)  # type: ignore[misc]
        files, moved = files + 1, moved + size
    return Shipped(files, moved, there)


def pull(url: str, directory: Path, *, sleep: Callable[[float], None] = time.sleep) -> Shipped:
    """Copy back what *directory* lacks, or has shorter. Raises ShippingError."""
    store, root = _opened(url)
    directory.mkdir(parents=True, exist_ok=True)
    files = moved = there = 0
    for name, size in sorted(_sizes(store, root, url).items()):
        path = directory / name
        if path.exists() and path.stat().st_size >= size:
            there += 1
            continue
        _tried(lambda n=name, p=path: _get(store, f"{root}/{n}", p), url, sleep)  # type: ignore[misc]
        files, moved = files + 1, moved + size
    return Shipped(files, moved, there)


def put_file(path: Path, url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """One file to one address. Raises ShippingError."""
    folder, _, name = url.rpartition("/")
    store, root = _opened(folder)
    _tried(lambda: _put(store, path, f"{root}/{name}"), url, sleep)


def fetch_file(url: str, path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """One file back. Raises ShippingError."""
    folder, _, name = url.rpartition("/")
    store, root = _opened(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    _tried(lambda: _get(store, f"{root}/{name}", path), url, sleep)


def remove_file(url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Gone when this returns, also if it was not there. Raises ShippingError."""
    folder, _, name = url.rpartition("/")
    store, root = _opened(folder)
    store.invalidate_cache()
    if store.exists(f"{root}/{name}"):
        _tried(lambda: store.rm_file(f"{root}/{name}"), url, sleep)


def _put(store: Any, path: Path, to: str) -> None:
    store.put_file(str(path), to)
    store.invalidate_cache()
    found, size = int(store.info(to)["size"]), path.stat().st_size
    if found > size or found == 0:
        raise OSError(f"{path.name}: sent {size} bytes, {found} arrived")


def _get(store: Any, name: str, path: Path) -> None:
    """By way of a file beside it, so that a torn copy never poses as a segment."""
    beside = path.with_name(f".{path.name}.part")
    store.get_file(name, str(beside))
    beside.replace(path)


def _opened(url: str) -> tuple[Any, str]:
    """The fsspec file system and the folder in it."""
    scheme = url.partition("://")[0]
    try:
        store, root = importlib.import_module("fsspec.core").url_to_fs(url)
        store.makedirs(root, exist_ok=True)
    except ImportError:
        needed = f"fsspec {EXTRA.get(scheme, '')}".strip()
        raise ShippingError(f"ARCHIVE_URL: {scheme}:// needs more packages: uv pip install {needed}") from None
    except Exception as error:  # each store has errors of its own
        raise _failed(url, error) from None
    return store, str(root).rstrip("/")


def _sizes(store: Any, root: str, url: str) -> dict[str, int]:
    try:
        store.invalidate_cache()
        rows = store.ls(root, detail=True)
    except FileNotFoundError:
        return {}
    except Exception as error:
        raise _failed(url, error) from None
    named = {str(row["name"]).rpartition("/")[2]: int(row["size"] or 0) for row in rows if row["type"] == "file"}
    return {name: size for name, size in named.items() if FILE.fullmatch(name)}


def _tried(work: Callable[[], None], url: str, sleep: Callable[[float], None]) -> None:
    for wait_s in (*WAITS_S, None):
        try:
            work()
        except Exception as error:
            if wait_s is None:
                raise _failed(url, error) from None
            sleep(wait_s)
        else:
            return


def _failed(url: str, error: Exception) -> ShippingError:
    where = redact.url(url).partition("?")[0]
    return ShippingError(
        f"ARCHIVE_URL: {where}: {type(error).__name__}: {redact.text(str(error))[:200]}. "
        "The captures are whole on this disk; when the store is back: scrapy archive push"
    )


class ShipArchive:
    """Ships after the archive is closed and before the process ends; a run whose captures stay behind is not good."""

    def __init__(self, crawler: Crawler, context: Context) -> None:
        self.crawler = crawler
        self.context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ShipArchive:
        made = cls(crawler, Context.of(crawler))
        if made.context.config.archive_url:
            crawler.signals.connect(made.ship, signal=signals.engine_stopped)
        return made

    async def ship(self) -> None:
        try:
            done = await asyncio.to_thread(push, self.context.archive_dir, address(self.context))
        except ShippingError as error:
            log.error("%s", error)
            if self.crawler.stats is not None:
                self.crawler.stats.set_value(VERDICT, "poor")
        else:
            log.info("archive: %d files, %.1f MB copied to the object store", done.files, done.bytes / 1e6)


def address(context: Context) -> str:
    """A folder for each database, as on disk."""
    return f"{(context.config.archive_url or '').rstrip('/')}/{context.database}"
