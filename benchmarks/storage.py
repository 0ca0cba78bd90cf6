"""Items a second into the real mongod: our store beside raw bulk_write and one update_one an item.

Each item is its latest document and its observation. All three write the same two documents into
collections with the same indexes and validators. `raw` is an unordered bulk of ReplaceOne with
upsert, documents made beforehand: the least work that can be right for a writer who never asks what
is there. New, newer and replayed-older items are timed apart. Run: python -m benchmarks storage
"""

from __future__ import annotations

import argparse
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from pymongo import ReplaceOne

from crawler.config import load
from crawler.items import Post
from crawler.storage import schema
from crawler.storage.connect import connect
from crawler.storage.merge import document, etag, observation
from crawler.storage.store import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
BATCH = 1000


def posts(n: int, hours: int, random: Random) -> list[Post]:
    """n posts as a grid shows them, seen *hours* after the start."""
    at = START + timedelta(hours=hours)
    return [
        Post(
            platform="tiktok", url=f"https://www.tiktok.com/@user{i % 997}/video/{7_000_000_000_000_000_000 + i}",
            observed_at=at, capture=f"{hours:08x}{i // 30:024x}", parser="tiktok.profile@1",
            post_id=str(7_000_000_000_000_000_000 + i), media="video", author=f"user{i % 997}", author_id=str(i % 997),
            created_at=START - timedelta(hours=i % 500), caption=f"post {i} about something #tide #trend{i % 50}",
            hashtags=("tide", f"trend{i % 50}"), mentions=(), sound_id=str(i % 313), sound_title="original sound",
            duration_s=float(i % 60), views=1000 + hours * 100 + random.randrange(90), likes=100 + hours,
            comments=i % 40, shares=i % 9, saves=i % 13, is_ad=False, location="BR",
        )
        for i in range(n)
    ]  # fmt: skip


def batches(items: list[Post]) -> list[list[Post]]:
    return [items[i : i + BATCH] for i in range(0, len(items), BATCH)]


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def documents(items: list[Post]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    latest = [document(item) for item in items]
    seen = [observation(item) for item in items]
    return [{**doc, "etag": etag(doc)} for doc in latest], [{**doc, "etag": etag(doc)} for doc in seen]


def save_all(store: Store, items: list[Post]) -> None:
    for batch in batches(items):
        store.save(batch)


def raw(database: Any, latest: list[dict[str, Any]], seen: list[dict[str, Any]]) -> None:
    for i in range(0, len(latest), BATCH):
        for name, docs in (("posts", latest), ("observations", seen)):
            operations = [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in docs[i : i + BATCH]]
            database[name].bulk_write(operations, ordered=False)


def one_by_one(database: Any, latest: list[dict[str, Any]], seen: list[dict[str, Any]]) -> None:
    for name, docs in (("posts", latest), ("observations", seen)):
        for doc in docs:
            database[name].update_one({"_id": doc["_id"]}, {"$set": {k: v for k, v in doc.items() if k != "_id"}}, True)


def run(n: int, repeats: int) -> dict[str, float]:
    """Medians over *repeats* rounds, each in fresh databases, the two ways alternating; prints a table."""
    client = connect(load())
    random = Random(7)
    first, later = posts(n, 10, random), posts(n, 20, random)
    sets = {"new": first, "newer": later, "replayed-older": first}
    rates: dict[str, list[float]] = {f"{way} {name}": [] for way in ("ours", "raw") for name in sets}
    for _ in range(repeats):
        for way in ("ours", "raw"):
            database = client[f"benchmark_{uuid.uuid4().hex[:12]}"]
            schema.ensure(database)
            store = Store(database)
            for name, items in sets.items():
                made = documents(items) if way == "raw" else ([], [])
                work = partial(save_all, store, items) if way == "ours" else partial(raw, database, *made)
                rates[f"{way} {name}"].append(len(items) / seconds(work))
            store.close()
            client.drop_database(database.name)
    few = first[: max(200, n // 20)]
    database = client[f"benchmark_{uuid.uuid4().hex[:12]}"]
    schema.ensure(database)
    made = documents(few)
    usual = len(few) / seconds(lambda: one_by_one(database, *made))
    client.drop_database(database.name)
    return told(rates, usual, n, repeats)


def told(rates: dict[str, list[float]], usual: float, n: int, repeats: int) -> dict[str, float]:
    print(f"storage: {n} items, {repeats} rounds, medians; an item is 2 documents")
    result: dict[str, float] = {}
    for name in ("new", "newer", "replayed-older"):
        ours, plain = statistics.median(rates[f"ours {name}"]), statistics.median(rates[f"raw {name}"])
        result[f"{name} / raw"] = ours / plain
        result[f"{name} / update_one"] = ours / usual
        print(
            f"  {name:15} {ours:8.0f} items/s   raw bulk_write {plain:8.0f}   ratio {ours / plain:5.2f}   "
            f"update_one {usual:6.0f}   ratio {ours / usual:5.1f}"
        )
    return result


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks storage", description=__doc__)
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    run(options.n, options.repeats)
    return 0
