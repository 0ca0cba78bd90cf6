"""What a watch list costs the database: finding what is due, sending it in batches, claiming and acknowledging it, and
a turn at a host. Processor seconds of this process and of the server. Run: python -m benchmarks due [--targets N]
"""

from __future__ import annotations

import argparse
import resource
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from crawler.config import load
from crawler.due import CHUNK, Report, offered, take
from crawler.storage import server
from crawler.storage.connect import connect
from crawler.storage.hosts import Hosts
from crawler.storage.slots import Slots

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Made = TypeVar("Made")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks due", description=__doc__)
    parser.add_argument("--targets", type=int, default=20_000, help="on the watch list (default 20000)")
    n = parser.parse_args(arguments).targets
    name = f"bench_due_{uuid.uuid4().hex[:8]}"
    settings = load({})
    with connect(settings) as client:
        database = client[name]
        try:
            slots, hosts = Slots(database), Hosts(database)
            slots.prepare()
            database["targets"].insert_many(
                [{"_id": f"s:{i}", "spider": "s", "value": str(i), "every_s": DAY.total_seconds(), "since": NOON}
                 for i in range(n)]
            )  # fmt: skip
            batches = _timed("find what is due, in batches", n, lambda: offered(slots, lambda: NOON, Report()))
            some = batches[:40]
            _timed("claim, judge, acknowledge", len(some) * CHUNK, lambda: _taken(slots, some))
            _timed("find what is due, nothing new", n, lambda: offered(slots, lambda: NOON, Report()))
            turns = min(n, 2000)
            _timed("a turn at a host", turns, lambda: [hosts.turn("x", timedelta(), now=NOON) for _ in range(turns)])
            sizes = database.command("collStats", "slots")
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            print(f"a slot: {sizes['size'] / sizes['count']:.0f} bytes; memory of this process {peak_mb:.0f} MB")
        finally:
            client.drop_database(name)


def _taken(slots: Slots, batches: list[tuple[str, list[str]]]) -> None:
    for spider, values in batches:
        only = [f"{spider}:{value}" for value in values]
        take(slots, lambda spider, targets: None, lambda: NOON, "bench", only=only)


def _server_s() -> float:
    """Processor seconds of the local database server so far; 0 where it is not ours."""
    pid = server.status(load({}).data_dir / "db").pid
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / 100


def _timed(what: str, n: int, run: Callable[[], Made]) -> Made:
    before, server_before = time.process_time(), _server_s()
    made = run()
    own_s, server_s = time.process_time() - before, _server_s() - server_before
    print(f"{what:32} {n:>9,}   own {own_s:6.2f} s, {1000 * own_s / n:.3f} ms each; "
          f"server {server_s:6.2f} s, {1000 * server_s / n:.3f} ms each")  # fmt: skip
    return made
