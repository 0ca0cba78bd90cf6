"""The whole crawl from replay: archive, spider, pages, pipelines, store; beside raw bulk_write of its documents.

A week of boards (50 rows) and grids (30 posts and their author) of our own making lies in an archive and is
replayed into an empty database by `scrapy replay` in a process of its own. `raw` writes the documents of the
same items (latest and observation, or board row), made beforehand, into the same collections.
Run: python -m benchmarks replay
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import ReplaceOne

from crawler.archive import Archive, Capture
from crawler.config import ROOT, load
from crawler.items import Item, Vantage
from crawler.reading import page_of
from crawler.storage import schema
from crawler.storage.connect import connect
from crawler.storage.merge import document, etag, observation
from crawler.storage.store import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
BATCH = 1000


def board(slot: int) -> Capture:
    at = START + timedelta(minutes=30 * slot)
    trends = [
        {"name": f"Topic {(slot * 7 + i * i) % 400}", "promoted_content": None, "query": "q",
         "tweet_volume": 10_000 + slot * 31 + i if i % 3 else None}
        for i in range(50)
    ]  # fmt: skip
    answer = [
        {"trends": trends, "as_of": f"{at:%Y-%m-%dT%H:%M:%SZ}", "locations": [{"name": "Brazil", "woeid": 23424768}]}
    ]
    return capture("https://api.example/1.1/trends/place.json?id=23424768", at, json.dumps(answer).encode())


def grid(n: int) -> Capture:
    at = START + timedelta(minutes=30 * n, seconds=7)
    handle = f"maker{n % 40}"
    posts = {
        str(7_000_000_000_000_000_000 + (n % 40) * 1000 + i): {
            "id": str(7_000_000_000_000_000_000 + (n % 40) * 1000 + i), "desc": f"post {i} #tide",
            "createTime": "1677084289",
            "author": handle, "authorId": str(n % 40), "video": {"duration": 30},
            "music": {"id": str(i), "title": "song"},
            "challenges": [{"title": "tide"}], "authorStats": {"followerCount": 5000 + n},
            "stats": {"diggCount": 10 + n, "shareCount": i, "commentCount": i, "playCount": 1000 + n * 3},
        }
        for i in range(30)
    }  # fmt: skip
    state = {
        "ItemList": {"user-post": {"list": list(posts)}}, "ItemModule": posts,
        "UserPage": {"uniqueId": handle, "statusCode": 0},
        "UserModule": {
            "users": {handle: {"uniqueId": handle, "id": str(n % 40), "nickname": handle}},
            "stats": {handle: {"followerCount": 5000 + n, "heart": 9, "heartCount": 9, "videoCount": 30}},
        },
    }  # fmt: skip
    body = f'<html><script id="SIGI_STATE" type="application/json">{json.dumps(state)}</script></html>'
    return capture(f"https://www.tiktok.com/@{handle}", at, body.encode())


def capture(url: str, at: datetime, body: bytes) -> Capture:
    return Capture(
        url=url, fetched_at=at, status=200, headers={"content-type": "text/html"}, body=body, lane="http",
        vantage=Vantage(), target=None, spider="benchmark",
    )  # fmt: skip


def replayed(folder: Path, database: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "scrapy", "replay", str(folder), "--database", database]
    with tempfile.TemporaryDirectory() as scratch:
        environ = {**os.environ, "TIDEMARK_DATA": scratch, "MONGODB_URI": server()}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return time.perf_counter() - started


def server() -> str:
    from crawler.storage.connect import address

    return address(load())


def startup() -> float:
    """Seconds of a replay that has nothing to do: interpreter, imports, connection, schema."""
    with tempfile.TemporaryDirectory() as empty:
        one = Path(empty) / "archive"
        with Archive(one) as archive:
            archive.write(board(0))
        database = f"benchmark_{uuid.uuid4().hex[:12]}"
        seconds = replayed(one, database)
        connect(load()).drop_database(database)
    return seconds


def raw(client: Any, items: list[Item]) -> float:
    """Seconds to bulk_write the documents of all items, made beforehand, in their order, batch by batch."""
    target = client[f"benchmark_{uuid.uuid4().hex[:12]}"]
    schema.ensure(target)
    batches = []
    for i in range(0, len(items), BATCH):
        batch: dict[str, list[ReplaceOne[Any]]] = defaultdict(list)
        for item in items[i : i + BATCH]:
            made = [(item.collection, document(item))]
            if item.counters:
                made.append(("observations", observation(item)))
            for name, doc in made:
                batch[name].append(ReplaceOne({"_id": doc["_id"]}, {**doc, "etag": etag(doc)}, upsert=True))
        batches.append(batch)
    started = time.perf_counter()
    for batch in batches:
        for name, operations in batch.items():
            target[name].bulk_write(operations, ordered=False)
    seconds = time.perf_counter() - started
    client.drop_database(target.name)
    return seconds


def run(captures: int, repeats: int) -> dict[str, float]:
    client = connect(load())
    ours, plain, idle = [], [], startup()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "archive"
        with Archive(folder) as archive:
            for n in range(captures):
                archive.write(board(n) if n % 2 else grid(n))
        items = read_items(folder)
        for _ in range(repeats):
            database = f"benchmark_{uuid.uuid4().hex[:12]}"
            ours.append(replayed(folder, database))
            plain.append(raw(client, items))
            client.drop_database(database)
        wall, base = statistics.median(ours), statistics.median(plain)
        print(f"replay: {captures} captures, {len(items)} items, {repeats} rounds, medians")
        print(f"  whole crawl     {len(items) / wall:8.0f} items/s   ({wall:.2f} s, of which start {idle:.2f} s)")
        print(f"  raw bulk_write  {len(items) / base:8.0f} items/s   ({base:.2f} s)")
        print(f"  ratio           {base / wall:8.2f}     without the start {base / (wall - idle):.2f}")
        breakdown(folder, items)
    return {"crawl / raw": base / wall}


def read_items(folder: Path) -> list[Item]:
    with Archive(folder, read_only=True) as archive:
        return [item for each in archive.captures() for item in items_of(each)]


def items_of(each: Capture) -> list[Item]:
    page = page_of(each)
    return [] if page is None else [item for item in page.items() if isinstance(item, Item)]


def breakdown(folder: Path, items: list[Item]) -> None:
    """The same work part by part in this process, without Scrapy; the rest of the crawl is Scrapy's."""
    started = time.perf_counter()
    with Archive(folder, read_only=True) as archive:
        captures = list(archive.captures())
    read = time.perf_counter() - started
    started = time.perf_counter()
    for each in captures:
        items_of(each)
    parsed = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as scratch, Archive(Path(scratch)) as archive:
        started = time.perf_counter()
        for each in captures:
            archive.write(each)
        written = time.perf_counter() - started
    database = connect(load())[f"benchmark_{uuid.uuid4().hex[:12]}"]
    store = Store(database)
    store.prepare()
    started = time.perf_counter()
    for i in range(0, len(items), BATCH):
        store.save(items[i : i + BATCH])
    saved = time.perf_counter() - started
    database.client.drop_database(database.name)
    store.close()
    print(
        f"  parts: read archive {read:.2f} s, pages {parsed:.2f} s, write archive {written:.2f} s, store {saved:.2f} s"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks replay", description=__doc__)
    parser.add_argument("--captures", type=int, default=672)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    run(options.captures, options.repeats)
    return 0
