"""History from files: board rows a second into the database, beside raw bulk_write of the same rows.

The whole road of `scrapy replay FILE` (tar or table read, cut, archived, parsed, validated, stored, ledger written) in
a process of its own, start included, against unordered ReplaceOne upserts of the same documents, made beforehand,
into the same collections with the same validators and indexes. The two alternate. Without PATH a month of boards
of our own making in a tar.xz. Run: python -m benchmarks boards [PATH…]
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pymongo import ReplaceOne

from crawler import pages
from crawler.config import ROOT, load
from crawler.items import Board, BoardEntry
from crawler.lanes.sources import Options, Skipped, read
from crawler.storage import schema
from crawler.storage.connect import address, connect
from crawler.storage.merge import document, etag

START = datetime(2026, 3, 1, tzinfo=UTC)
BATCH = 1000
PLACES = ("Worldwide", "UnitedStates", "Brazil", "India", "UnitedKingdom", "Mumbai", "SanFrancisco", "Singapore")
Rows = list[tuple[str, dict[str, Any]]]


def made(folder: Path, snapshots: int) -> Path:
    """A tar.xz of *snapshots* files, each with 50 rows of 8 places."""
    random = Random(7)
    path = folder / "boards.tar.xz"
    with tarfile.open(path, "w:xz", preset=1) as tar:
        for n in range(snapshots):
            at = START + timedelta(minutes=30 * n)
            lines = ["name,url,promoted_content,query,tweet_volume,location,country,as_of,created_at"]
            for place in PLACES:
                for i in range(50):
                    volume = "" if random.random() < 0.4 else f"{random.randrange(10_000, 900_000)}.0"
                    lines.append(f"Topic {random.randrange(3000)},u,,q{i},{volume},{place},,{at:%Y-%m-%dT%H:%M:%SZ},")
            body = "\n".join(lines).encode()
            member = tarfile.TarInfo(f"data/trends_{at:%Y%m%d%H%M}.csv")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return path


def documents(paths: Sequence[Path]) -> Iterator[Rows]:
    """What a replay stores of these files, batch by batch."""
    batch: Rows = []
    for capture in read(paths, Options()):
        if isinstance(capture, Skipped):
            continue
        cls = pages.choose(capture.url, capture.body)
        if cls is None:
            continue
        page = cls(
            capture.url, capture.body, capture.fetched_at, capture.headers, capture=capture.id,
            at_precision=capture.at_precision,
        )  # fmt: skip
        for item in page.items():
            if isinstance(item, Board | BoardEntry):
                doc = document(item)
                del doc["first_seen"]
                batch.append((item.collection, {**doc, "etag": etag(doc)}))
        while len(batch) >= BATCH:
            yield batch[:BATCH]
            batch = batch[BATCH:]
    if batch:
        yield batch


def server_cpu_s(client: Any) -> float:
    """Processor time of the database server so far; 0 where the system does not tell."""
    told = client.admin.command("serverStatus").get("extra_info", {})
    return float(told.get("user_time_us", 0) + told.get("system_time_us", 0)) / 1e6


def crawl_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def raw(client: Any, paths: Sequence[Path]) -> tuple[float, float, int]:
    """Seconds in bulk_write alone, its processor time here, and rows; making the documents is not counted."""
    target = client[f"benchmark_{uuid.uuid4().hex[:12]}"]
    schema.ensure(target)
    seconds, cpu, rows = 0.0, 0.0, 0
    for batch in documents(paths):
        for name in ("boards", "board_entries"):
            operations = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for each, d in batch if each == name]
            if operations:
                started, began = time.perf_counter(), time.process_time()
                target[name].bulk_write(operations, ordered=False)
                seconds += time.perf_counter() - started
                cpu += time.process_time() - began
                rows += len(operations)
    client.drop_database(target.name)
    return seconds, cpu, rows


def replayed(paths: Sequence[Path], database: str) -> float:
    command = [sys.executable, "-m", "scrapy", "replay", *map(str, paths), "--database", database]
    with tempfile.TemporaryDirectory() as scratch:
        environ = {**os.environ, "TIDEMARK_DATA": scratch, "MONGODB_URI": address(load())}
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
    if "items:" not in done.stderr + done.stdout:
        raise RuntimeError(done.stderr[-2000:])
    return seconds


def run(paths: Sequence[Path], repeats: int) -> dict[str, float]:
    client = connect(load())
    taken: dict[str, list[float]] = defaultdict(list)
    rows = stored = 0
    for _ in range(repeats):
        database = f"benchmark_{uuid.uuid4().hex[:12]}"
        before, began = server_cpu_s(client), crawl_cpu_s()
        taken["ours"].append(replayed(paths, database))
        taken["our cpu"].append(crawl_cpu_s() - began + server_cpu_s(client) - before)
        stored = counted(client[database])
        taken["again"].append(replayed(paths, database))
        if counted(client[database]) != stored:
            raise RuntimeError("a second replay changed the number of documents")
        client.drop_database(database)
        before = server_cpu_s(client)
        seconds, cpu, rows = raw(client, paths)
        taken["raw"].append(seconds)
        taken["raw cpu"].append(cpu + server_cpu_s(client) - before)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    print(f"boards: {rows} documents read, {stored} stored, {repeats} rounds, medians")
    for name, label in (("ours", "scrapy replay"), ("again", "the same again"), ("raw", "raw bulk_write")):
        print(f"  {label:15} {rows / middle[name]:8.0f} rows/s   ({middle[name]:.1f} s)")
    print(f"  ratio           {middle['raw'] / middle['ours']:8.2f}   start included; twice is not one document more")
    print(
        f"  processor time of crawl and server {middle['our cpu']:.1f} s, of raw write {middle['raw cpu']:.1f} s: on a"
    )
    print("  busy machine it tells more than the clock, since the crawl uses two cores and the raw write one at a time")
    return {"boards / raw": middle["raw"] / middle["ours"]}


def counted(database: Any) -> int:
    return sum(database[name].count_documents({}) for name in ("boards", "board_entries"))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks boards", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files to replay; default: a week of our own making")
    parser.add_argument("--snapshots", type=int, default=336, help="made when no file is given: a week of half hours")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        run(options.paths or [made(Path(scratch), options.snapshots)], options.repeats)
    return 0
