"""What grows with the history and what must not: storage time an item, memory of a crawl, cost of verify.

- storage: the same saves into a database of 10,000 and one of 1,000,000 stored entities, taking turns;
- memory: resident set of a real `scrapy replay` over 200,000 items, its second half beside its first;
- verify: `scrapy verify --check` of 25,000, 50,000 and 100,000 captures, seconds and seconds a capture.

Run: python -m benchmarks growth [--entities N] [--items N] [--captures N]
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
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.storage import START, batches, documents, posts
from crawler import pages
from crawler.archive import Archive, Capture
from crawler.config import ROOT, load
from crawler.context import Accounts
from crawler.items import Board, BoardEntry, Item, Vantage
from crawler.reading import page_of
from crawler.storage import schema, server
from crawler.storage.connect import connect
from crawler.storage.store import Store

SMALL = 10_000
ROUNDS = 7
SAVED = 2_000
FIRST_ID = 7_000_000_000_000_000_000


def filled(database: Any, entities: int) -> Store:
    """A database of so many posts with an observation each, written raw: only its size matters here."""
    schema.ensure(database)
    latest, seen = documents(_posts(range(SMALL), 10, Random(7)))
    for start in range(0, entities, SMALL):
        for name, docs in (("posts", latest), ("observations", seen)):
            database[name].insert_many([_numbered(doc, start + n) for n, doc in enumerate(docs)], ordered=False)
    return Store(database)


def _numbered(doc: dict[str, Any], number: int) -> dict[str, Any]:
    """The same document of another post."""
    post_id = str(FIRST_ID + number)
    key = f"tiktok:post:{post_id}"
    if "post_id" in doc:
        return {**doc, "_id": key, "post_id": post_id}
    return {**doc, "_id": key + doc["_id"][doc["_id"].index("@") :], "entity": key}


def _posts(numbers: Any, hours: int, random: Random) -> list[Any]:
    """The posts of benchmarks.storage, with numbers of our choice."""
    made = posts(len(numbers), hours, random)
    ids = [str(FIRST_ID + n) for n in numbers]
    return [
        type(post).model_validate({**post.model_dump(exclude={"key"}), "post_id": post_id})
        for post, post_id in zip(made, ids, strict=True)
    ]


def storage(entities: int) -> float:
    client = connect(load())
    stores: dict[int, Store] = {}
    names = []
    try:
        for size in (SMALL, entities):
            names.append(f"benchmark_{uuid.uuid4().hex[:12]}")
            began_s = time.perf_counter()
            stores[size] = filled(client[names[-1]], size)
            print(f"  {size:9,} entities written raw in {time.perf_counter() - began_s:.0f} s", flush=True)
        taken_us: dict[int, list[float]] = {size: [] for size in stores}
        random = Random(11)
        for turn in range(ROUNDS + 1):
            for size, store in stores.items():
                known = random.sample(range(size), SAVED)
                new = range(10_000_000 + turn * SAVED, 10_000_000 + turn * SAVED + SAVED // 2)
                items = _posts([*known, *new], 20 + turn, random)
                random.shuffle(items)
                began_s = time.perf_counter()
                for batch in batches(items):
                    store.save(batch)
                if turn:  # the first warms both up
                    taken_us[size].append((time.perf_counter() - began_s) / len(items) * 1e6)
        medians = {size: statistics.median(each) for size, each in taken_us.items()}
        ratio = medians[entities] / medians[SMALL]
        for size, us in medians.items():
            print(f"  {size:9,} entities stored: {us:6.0f} us an item ({ROUNDS} rounds of {len(items)}, medians)")
        print(f"  ratio {ratio:.2f} (needed at most 1.5)")
        return ratio
    finally:
        for store in stores.values():
            store.close()
        for name in names:
            client.drop_database(name)
        client.close()


def _catalogue(number: int, products: int) -> Capture:
    """A page of a shop with so many products; every page at a moment of its own."""
    rows = [
        {"id": number * products + n, "title": f"Sock {n}", "handle": f"sock-{number}-{n}", "vendor": "Socks",
         "variants": [{"id": n, "title": "S", "available": True, "price": "9.50", "compare_at_price": None}]}
        for n in range(products)
    ]  # fmt: skip
    return Capture(
        url=f"https://shop{number % 97}.example/products.json?limit=250&page={number}",
        fetched_at=START + timedelta(seconds=number), status=200, headers={"content-type": "application/json"},
        body=json.dumps({"products": rows}).encode(), lane="http", vantage=Vantage(),
        target=f"shop{number % 97}.example", spider="shopify_store",
    )  # fmt: skip


def _scrapy(data: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "MONGODB_URI": "", "MONGODB_DATABASE": "growth", "TIDEMARK_DATA": str(data)}
    command = [sys.executable, "-m", "scrapy", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def memory(items: int) -> float:
    a_page = 200  # items: 100 products with an offer each
    with tempfile.TemporaryDirectory(prefix="tidemark-growth-", ignore_cleanup_errors=True) as folder:
        source, data = Path(folder) / "source", Path(folder) / "data"
        with Archive(source) as archive:
            for n in range(items // a_page):
                archive.write(_catalogue(n, a_page // 2))
        try:
            server.ensure(data / "db")
            process = _scrapy(data, "replay", str(source))
            sizes_mb = list(_resident_mb(process))
            if process.returncode:
                raise RuntimeError(f"replay ended with {process.returncode}")
        finally:
            server.stop(data / "db")
    working = sizes_mb[len(sizes_mb) // 10 :]  # after the start
    first, second = max(working[: len(working) // 2]), max(working[len(working) // 2 :])
    print(f"  {items:,} items: {first:.0f} MB at most in the first half, {second:.0f} MB in the second "
          f"({len(sizes_mb)} samples); ratio {second / first:.2f}")  # fmt: skip
    return second / first


def _resident_mb(process: subprocess.Popen[str]) -> Iterator[float]:
    page = os.sysconf("SC_PAGE_SIZE")
    while process.poll() is None:
        try:
            yield int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * page / 1e6
        except (OSError, IndexError):
            return
        time.sleep(0.25)


def verify(captures: int) -> float:
    """Seconds of a check of all of them; the archive and the database grow between the checks."""
    pages.load_all()
    taken_s: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="tidemark-growth-", ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        uri = server.ensure(data / "db")
        try:
            with connect(load({"MONGODB_URI": uri})) as client:
                store = Store(client["growth"])
                store.prepare()
                done = 0
                for goal in (captures // 4, captures // 2, captures):
                    with Archive(data / "archive" / "growth") as archive:
                        _brought_in(archive, store, range(done, goal))
                    done = goal
                    began_s = time.perf_counter()
                    process = _scrapy(data, "verify", "--check")
                    said = process.communicate()[0]
                    taken_s[goal] = time.perf_counter() - began_s
                    if process.returncode:
                        raise RuntimeError(said)
                store.close()
        finally:
            server.stop(data / "db")
    for n, seconds in taken_s.items():
        print(f"  {n:7,} captures verified in {seconds:5.1f} s, {seconds / n * 1e6:4.0f} us each")
    return taken_s[captures]


def _brought_in(archive: Archive, store: Store, numbers: range) -> None:
    """As a crawl does it, without its waiting: archive, read, save, ledger."""
    accounts = Accounts()
    items: list[Item] = []
    for n in numbers:
        capture = _catalogue(n, 1)
        archive.write(capture)
        page = page_of(capture)
        assert page is not None
        archive.note(capture.id, "ok", {})
        found = [each for each in page.items() if isinstance(each, Item)]
        accounts.opened({"_id": capture.id, "capture": capture.id, "at": capture.fetched_at, "outcome": "ok",
                         "parser": page.parser}, len(found))  # fmt: skip
        items += found
        if len(items) >= 1000 or n == numbers[-1]:
            for item, fate in zip(items, store.save(items), strict=True):
                leaves = item.counters or isinstance(item, Board | BoardEntry)
                accounts.settled(item.capture, fate, item.key if leaves else None)
            store.fetches(accounts.take_ready(), datetime.now(UTC))  # older rows would expire
            items = []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks growth", description=__doc__)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--captures", type=int, default=100_000)
    args = parser.parse_args(arguments)
    print("growth: storage time an item")
    storage(args.entities)
    print("growth: memory of a crawl")
    memory(args.items)
    print("growth: verify (needed: 100,000 captures in under 60 s)")
    verify(args.captures)
    return 0
