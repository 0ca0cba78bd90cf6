"""API and dashboard over 1,000,000 board entries and 1,000,000 observations, 20 readers at once while a crawl writes.

Each endpoint beside the bare query: a MongoClient as it comes (20 connections if it wants them, naive moments), asked
for the same documents in as many threads of one process, by turns with the server, while the same crawl writes.
Times of p50 and p99 and of processor a request: of the server's processes, and of the bare readers' process; mongod's
is beside both and in neither. The readers of the server are threads that send a line and count the bytes of the answer.
Then the server's memory while it streams a million rows.
Run: python -m benchmarks api (builds its database once; --size N for a smaller one, --again to build it anew)
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from bson.int64 import Int64

from crawler.config import load
from crawler.items import Board, BoardEntry, stamp
from crawler.storage import schema
from crawler.storage.connect import address, connect
from crawler.storage.store import Store

DATABASE = "tidemark_bench_api"
START = datetime(2026, 1, 1, tzinfo=UTC)
BOARDS, ROWS, ENTITIES = 10, 50, 1_000
HALF_HOUR = timedelta(minutes=30)
READERS = 20
PORT = 8677
TURNS = 4
Call = tuple[str, Callable[[Any, Random], Any], Callable[[Random], str]]


def board_name(number: int) -> str:
    return f"x:trends:b{number:02d}"


def built(database: Any, size: int) -> None:
    """Documents as the store would write them, without its checks."""
    schema.ensure(database)
    random = Random(7)
    per_board = size // (BOARDS * ROWS)
    seen = {
        "platform": "x",
        "url": "https://api.example/trends",
        "parser": "x.trends_by_woeid@1",
        "vantage": {"session": "api"},
    }
    for number in range(BOARDS):
        name = board_name(number)
        boards, rows = [], []
        for turn in range(per_board):
            at = START + turn * HALF_HOUR
            common = {
                **seen,
                "board": name,
                "at": at,
                "observed_at": at,
                "capture": f"{number:08x}{turn:024x}",
                "etag": "0",
            }
            boards.append({"_id": f"{name}@{stamp(at)}", "kind": "board", "place": "br", "source": "x",
                           "size": Int64(ROWS), "got": Int64(ROWS), **common})  # fmt: skip
            first = turn // 4
            rows += [
                {"_id": f"{name}@{stamp(at)}#{place}", "kind": "boardentry", "position": Int64(place),
                 "topic": f"Topic {first + place}", "topic_key": f"topic{first + place}",
                 "volume": Int64(900_000 // place + random.randrange(900)), **common}
                for place in range(1, ROWS + 1)
            ]  # fmt: skip
            if len(rows) >= 10_000:
                database["board_entries"].insert_many(rows, ordered=False)
                rows = []
        if rows:
            database["board_entries"].insert_many(rows, ordered=False)
        database["boards"].insert_many(boards, ordered=False)
    rows = []
    for turn in range(size // ENTITIES):
        at = START + turn * HALF_HOUR
        rows += [
            {"_id": f"tiktok:profile:u{n}@{stamp(at)}~{turn:032x}", "entity": f"tiktok:profile:u{n}", "kind": "profile",
             "platform": "tiktok", "at": at, "url": "https://www.tiktok.com/@u", "capture": f"{turn:032x}",
             "parser": "tiktok.profile@2", "vantage": {"session": "anonymous"}, "followers": Int64(1000 * n + turn),
             "likes": Int64(9000 * n + turn), "videos": Int64(n), "etag": "0"}
            for n in range(ENTITIES)
        ]  # fmt: skip
        if len(rows) >= 10_000:
            database["observations"].insert_many(rows, ordered=False)
            rows = []
    if rows:
        database["observations"].insert_many(rows, ordered=False)


def _listed(
    collection: str, match: Callable[[Random], dict[str, Any]], sort: list[tuple[str, int]]
) -> Callable[..., Any]:
    return lambda database, random: list(database[collection].find(match(random), {"etag": 0}).sort(sort).limit(50))


def _some_board(random: Random) -> dict[str, Any]:
    return {"board": board_name(random.randrange(BOARDS))}


def _some_topic(random: Random) -> dict[str, Any]:
    return {**_some_board(random), "topic_key": f"topic{random.randrange(20, 400)}"}


def _some_entity(random: Random) -> dict[str, Any]:
    return {"entity": f"tiktok:profile:u{random.randrange(ENTITIES)}"}


def _window(database: Any, random: Random) -> Any:
    """What the top of a board is made from: its newest snapshot and the rows of two days."""
    board = _some_board(random)["board"]
    newest = database["boards"].find_one({"board": board}, sort=[("at", -1)])
    since = newest["at"] - timedelta(hours=48)
    fields = dict.fromkeys(("at", "at_precision", "position", "topic", "topic_key", "volume", "volume_precision",
                            "volume_floor", "promoted", "category", "entity", "observed_at", "capture"), 1)  # fmt: skip
    return list(database["board_entries"].find({"board": board, "at": {"$gte": since}}, {"_id": 0, **fields})
                .sort([("at", 1), ("position", 1)]))  # fmt: skip


CALLS: list[Call] = [
    ("entries of a board", _listed("board_entries", _some_board, [("at", -1)]),
     lambda r: "/api/entries?" + urlencode(_some_board(r))),
    ("entries of a topic", _listed("board_entries", _some_topic, [("at", -1)]),
     lambda r: "/api/entries?" + urlencode(_some_topic(r))),
    ("snapshots of a board", _listed("boards", _some_board, [("at", -1)]),
     lambda r: "/api/snapshots?" + urlencode(_some_board(r))),
    ("observations of an entity", _listed("observations", _some_entity, [("at", -1)]),
     lambda r: "/api/observations?" + urlencode(_some_entity(r))),
    ("observations of a kind", _listed("observations", lambda r: {"kind": "profile"}, [("at", -1)]),
     lambda r: "/api/observations?kind=profile"),
    ("top of a board", _window, lambda r: "/api/top?" + urlencode(_some_board(r))),
    ("top-10 page", _window, lambda r: "/?" + urlencode(_some_board(r))),
]  # fmt: skip


def timed(readers: int, seconds: float, one: Callable[[Random], Callable[[], None]]) -> list[float]:
    """Milliseconds of every call of *readers* threads in so many seconds."""
    taken: list[float] = []
    stop = time.perf_counter() + seconds

    def read(seed: int) -> None:
        call = one(Random(seed))
        while (begun := time.perf_counter()) < stop:
            call()
            taken.append(1000 * (time.perf_counter() - begun))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def bare(database: Any, query: Callable[..., Any]) -> Callable[[Random], Callable[[], None]]:
    return lambda random: lambda: query(database, random)


def asked(path: Callable[[Random], str]) -> Callable[[Random], Callable[[], None]]:
    def reader(random: Random) -> Callable[[], None]:
        line = socket.create_connection(("127.0.0.1", PORT), timeout=120)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def call() -> None:
            line.sendall(f"GET {path(random)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            answer = line.recv(1 << 20)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            while (end := answer.find(b"\r\n\r\n")) < 0:
                answer += line.recv(1 << 20)
            length = re.search(rb"content-length: (\d+)", answer[:end])
            assert length is not None
            left = end + 4 + int(length[1]) - len(answer)
            while left > 0:
                left -= len(line.recv(1 << 20))

        return call

    return reader


def at(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(share * len(taken)))]


def crawl(uri: str) -> None:
    """Two boards' new snapshots a second through the real store, 102 documents a second; a process of its own."""
    from pymongo import MongoClient

    client: Any = MongoClient(uri, w="majority", journal=True, tz_aware=True)
    store = Store(client[DATABASE])
    last = client[DATABASE]["boards"].find_one(sort=[("at", -1)])["at"]
    for turn in count(1):
        time.sleep(0.5)
        name, moment = board_name(turn % BOARDS), last + turn * timedelta(seconds=30)
        common: dict[str, Any] = {
            "platform": "x", "url": "https://api.example", "observed_at": moment, "board": name, "at": moment,
            "capture": f"{turn:032x}", "parser": "x.trends_by_woeid@1",
        }  # fmt: skip
        rows = [BoardEntry(position=n, topic=f"New {n}", topic_key=f"new{n}", volume=n, **common) for n in range(1, 51)]
        store.save([Board(place="br", source="x", size=50, got=50, **common), *rows])


@contextmanager
def crawling(uri: str) -> Iterator[None]:
    writer = multiprocessing.get_context("spawn").Process(target=crawl, args=(uri,))
    writer.start()
    try:
        yield
    finally:
        writer.terminate()
        writer.join()


@contextmanager
def serving(workers: int | None) -> Iterator[int]:
    """Process id of the server."""
    command = [sys.executable, "-m", "analysis.web", "--database", DATABASE, "--port", str(PORT), "--per-second", "0"]
    command += [] if workers is None else ["--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as server:
        for _ in range(600):
            try:
                asked(lambda _: "/healthz")(Random(0))()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield server.pid
        finally:
            server.terminate()


def family(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def processor_s(pid: int) -> float:
    """What the process and its children have used."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of the process and its children, what they share counted once."""
    rollups = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in family(pid)]
    return sum(int(re.search(r"Pss: +(\d+)", each)[1]) for each in rollups) / 1024  # type: ignore[index]


def streamed(pid: int, path: str) -> tuple[int, float, float, float]:
    """Rows, seconds, memory before and at most while it ran, in MB."""
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
    before = most = resident_mb(pid)
    begun, rows = time.perf_counter(), 0
    line.request("GET", path)
    answer = line.getresponse()
    while piece := answer.read(1 << 20):
        rows += piece.count(b"\n")
        most = max(most, resident_mb(pid))
    return rows, time.perf_counter() - begun, before, most


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks api", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each measure")
    parser.add_argument("--again", action="store_true", help="build the database anew")
    parser.add_argument("--no-stream", action="store_true", help="leave out the million rows as files")
    parser.add_argument("--build", action="store_true", help="only build it")
    parser.add_argument("--workers", type=int, help="processes of the server (default: the server's own)")
    parser.add_argument("--only", default="", help="endpoints whose name holds this")
    options = parser.parse_args(arguments)
    config = load()
    with connect(config) as client:
        if options.again or client[DATABASE]["observations"].estimated_document_count() < options.size:
            client.drop_database(DATABASE)
            begun = time.perf_counter()
            built(client[DATABASE], options.size)
            print(f"built {options.size:,} entries and observations in {time.perf_counter() - begun:.0f} s")
    if options.build:
        return
    from pymongo import MongoClient

    uri = address(config)
    own: Any = MongoClient(uri)
    with own, serving(options.workers) as pid, crawling(uri):
        print(f"{'':26}{'n':>7}{'p50 ms':>8}{'p99 ms':>9}{'bare p50':>10}{'bare p99':>10}{'p50 x':>7}{'p99 x':>7}"
              f"{'cpu ms':>9}{'bare':>7}{'cpu x':>7}")  # fmt: skip
        for name, query, path in CALLS:
            if options.only in name:
                print(f"{name:26}{compared(own[DATABASE], pid, query, path, options.seconds)}", flush=True)
        for form in () if options.no_stream else ("jsonl", "csv"):
            rows, took, before, most = streamed(pid, f"/api/observations?kind=profile&format={form}")
            print(
                f"streamed {rows:,} rows as {form} in {took:.0f} s; "
                f"server {before:.0f} MB before, {most:.0f} MB at most"
            )


def compared(
    database: Any, pid: int, query: Callable[..., Any], path: Callable[[Random], str], seconds: float
) -> str:  # fmt: skip
    """A row of the table; the two by turns, so that what else goes on meets both."""
    ours: list[float] = []
    theirs: list[float] = []
    ours_s = theirs_s = 0.0
    timed(READERS, 1.0, asked(path))
    for _ in range(TURNS):
        before_s = processor_s(pid)
        ours += timed(READERS, seconds / TURNS, asked(path))
        ours_s += processor_s(pid) - before_s
        before_s = time.process_time()
        theirs += timed(READERS, seconds / TURNS, bare(database, query))
        theirs_s += time.process_time() - before_s
    p50, p99, bare50, bare99 = (at(sorted(taken), share) for taken in (ours, theirs) for share in (0.5, 0.99))
    cpu, cpu_bare = 1000 * ours_s / len(ours), 1000 * theirs_s / len(theirs)
    return (
        f"{len(ours):>7,}{p50:>8.1f}{p99:>9.1f}{bare50:>10.1f}{bare99:>10.1f}{p50 / bare50:>7.2f}{p99 / bare99:>7.2f}"
        f"{cpu:>9.2f}{cpu_bare:>7.2f}{cpu / cpu_bare:>7.2f}"
    )
