"""Celery workers with a real Redis on the simulated web, one of them killed in the middle of a job: every target is
taken once, every number is true, and no host is asked faster than one worker would ask it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from crawler.archive import Archive
from crawler.config import ROOT
from crawler.schedule import Watch
from crawler.storage import server
from crawler.storage.jobs import Queue
from crawler.storage.reads import Reader
from crawler.storage.slots import Slots
from demo.check import check
from demo.site import Site, running
from demo.world import World
from tests.campaign.watchlist import WholeMs
from tests.shell import Shell

log = logging.getLogger(__name__)
DATABASE = "tidemark_workers"
SLOT = timedelta(days=9999)  # one slot, whatever midnight comes
IN_A_ROW, PACE_SHARE = 5, 0.8  # two workers of which each keeps its own pace take half the time


@dataclass
class Report:
    workers: int
    delay_s: float
    targets: int = 0
    killed: int = 0
    in_flight: int = 0
    """Requests of the killed worker that the site saw and nobody archived."""
    rounds: int = 0
    took_s: float = 0.0
    jobs: int = 0
    pace: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Requests to a host, and seconds from the first to the last."""
    true: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        pace = ", ".join(f"{n} at {host} in {took_s:.1f} s" for host, (n, took_s) in sorted(self.pace.items()))
        return "\n".join([
            f"{self.workers} workers, {self.killed} killed: {self.targets} targets in {self.took_s:.1f} s, "
            f"{self.targets / self.took_s:.2f} a second; {self.rounds} rounds, {self.jobs} jobs that stored something",
            f"  requests: {pace}; delay {self.delay_s} s; {self.true} numbers compared with the truth",
            *(f"  WRONG {each}" for each in self.wrong[:20]),
            *(() if self.wrong else ["  0 lost, 0 doubled, 0 false, no host asked faster than by one"]),
        ])  # fmt: skip


def campaign(seed: int) -> tuple[bool, str]:
    if shutil.which("redis-server") is None:
        return False, "no redis-server here. Try: apt-get install redis-server"
    told = []
    for workers, kill in ((1, False), (2, False), (4, False), (2, True), (4, True)):
        log.info("%d workers%s", workers, ", one killed" if kill else "")
        with tempfile.TemporaryDirectory(prefix="tidemark-workers-", ignore_cleanup_errors=True) as folder:
            shell = Shell("", DATABASE, Path(folder))
            try:
                told.append(run(shell, workers, kill=kill, posts=60, batch=10, seed=seed, delay_s=1.0 if kill else 0.1))
            finally:
                server.stop(Path(folder) / "db")
    return not any(each.wrong for each in told), "\n".join(map(str, told))


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """Address of a Redis of our own, which keeps nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            next(line for line in process.stdout if "Ready to accept" in line)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def run(shell: Shell, workers: int, *, kill: bool, posts: int, batch: int, seed: int, delay_s: float = 0.2) -> Report:
    report = Report(workers, delay_s)
    now = datetime.now(UTC)
    world = World(seed, now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2))
    with running(world) as site, broker() as address, contextlib.ExitStack() as stack:
        site.clock = WholeMs(now, rate=1.0)
        shell.environ |= {
            **site.proxies(), "no_proxy": "127.0.0.1", "TIDEMARK_BROKER": address, "TIDEMARK_LEASE_S": "8",
            "SCRAPY_SETTINGS_MODULE": "tests.campaign._settings", "CAMPAIGN_DELAY_S": str(delay_s),
        }  # fmt: skip
        with _client(shell) as client:
            database = client[shell.environ["MONGODB_DATABASE"]]
            report.targets = _watch(database, world, now, posts)
            Queue(database).ask("trends24", "us", now)  # out of turn, and not on the list
            started = [stack.enter_context(_worker(shell, n)) for n in range(workers)]
            began_s = time.monotonic()
            _rounds(shell, site, database, started, batch, kill, report)
            report.took_s = time.monotonic() - began_s
            _judge(shell, site, database, world, report)
    return report


def _watch(database: Database[Any], world: World, now: datetime, posts: int) -> int:
    ids = sorted({each.rpartition(":")[2] for each in world.truth(now).posts})[:posts]
    wanted = [("tiktok_post", each) for each in ids]
    wanted += [("getdaytrends", place) for place in ("br", "us", "pt", "world")] + [("trends24", "br")]
    slots = Slots(database)
    slots.prepare()
    for spider, value in wanted:
        slots.watch(Watch(spider, value, SLOT, now - SLOT))
    return len(wanted)


@contextlib.contextmanager
def _worker(shell: Shell, n: int) -> Iterator[subprocess.Popen[bytes]]:
    """In a session of its own, so that a kill takes all that it started: the machine is gone."""
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR")
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "crawler.workers", "worker", "-c", "1", "-n", f"w{n}@%h", *quiet],
        cwd=ROOT, env=shell.environ, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _rounds(
    shell: Shell, site: Site, database: Database[Any], workers: list[subprocess.Popen[bytes]], batch: int, kill: bool,
    report: Report,
) -> None:  # fmt: skip
    """Sends what is due until everything is taken; the rounds themselves are the pause between two looks."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        done = shell("due", "--engine", "celery", "--no-jobs", "--batch", str(batch))
        report.rounds += 1
        if done.returncode or database["slots"].count_documents({"status": "gap"}):
            report.wrong.append(f"scrapy due: {done.stderr.strip()}")
            return
        if kill and not report.killed and (victim := _in_the_middle(site, database, workers, deadline)) is not None:
            _kill(victim)
            report.killed += 1
        asked = database["asked"].count_documents({"status": "done"})
        if asked and database["slots"].count_documents({"status": "taken"}) == report.targets:
            return
    report.wrong.append(f"not done in time: {Counter(row['status'] for row in database['slots'].find())}")


def _in_the_middle(
    site: Site, database: Database[Any], workers: list[subprocess.Popen[bytes]], deadline: float
) -> subprocess.Popen[bytes] | None:
    """A worker whose crawl has brought some of its targets and not all."""
    while time.monotonic() < deadline:
        held: dict[int, list[str]] = defaultdict(list)
        for row in database["slots"].find({"status": "claimed", "watch": {"$regex": "^tiktok_post:"}}):
            held[int(row["owner"].rpartition("-")[2])].append(row["watch"].partition(":")[2])
        seen = {visit.path.rpartition("/")[2] for visit in list(site.log)}
        for pid, values in held.items():
            if 2 <= len(seen & set(values)) < len(values):
                with contextlib.suppress(OSError):
                    return next((each for each in workers if os.getsid(pid) == each.pid), None)
    return None


def _judge(shell: Shell, site: Site, database: Database[Any], world: World, report: Report) -> None:
    good = {"outcome": "ok", "lane": "http"}
    fetched = Counter(f"{row['spider']}:{row['target']}" for row in database["fetches"].find(good))
    taken = {row["watch"]: row for row in database["slots"].find({"status": "taken"})}
    with Archive(shell.archive, read_only=True) as archive:
        kept = Counter(f"{each.spider}:{each.target}" for each in archive.captures()
                       if each.status == 200 and each.target)  # fmt: skip
    report.jobs = len({row["owner"] for row in taken.values()})
    for watch in Slots(database).watches():
        if watch.id not in taken or fetched[watch.id] != 1 or kept[watch.id] != 1:
            report.wrong.append(f"{watch.id}: taken {watch.id in taken}, fetched {fetched[watch.id]} times, "
                                f"archived {kept[watch.id]} times")  # fmt: skip
    posts = sum(watch.startswith("tiktok_post:") for watch in taken)
    if (stored := database["posts"].count_documents({})) < posts:
        report.wrong.append(f"{stored} posts stored of {posts}")
    verdict = check(Reader(database), world)
    report.true = verdict.total
    report.wrong += [f"false: {each}" for each in verdict.false[:5]]
    _judge_manners(site, kept, report)


def _judge_manners(site: Site, kept: Counter[str], report: Report) -> None:
    """By the site's own log: no host faster than one worker would, and nothing asked again but what was in flight."""
    visits = [visit for visit in site.log if visit.host not in ("127.0.0.1", "localhost")]
    moments: dict[str, list[datetime]] = defaultdict(list)
    for visit in visits:
        moments[visit.host].append(visit.at)
    for host, at in moments.items():
        at.sort()
        report.pace[host] = (len(at), (at[-1] - at[0]).total_seconds())
        # Single requests reach the site late on a busy machine; of many runs of requests the middle one tells.
        spans_s = [(at[i + IN_A_ROW] - at[i]).total_seconds() for i in range(len(at) - IN_A_ROW)]
        if len(at) >= 2 * IN_A_ROW and median(spans_s) < IN_A_ROW * report.delay_s * PACE_SHARE:
            report.wrong.append(f"{host}: {IN_A_ROW} requests usually take {median(spans_s):.2f} s")
    pages = sum(visit.path != "/robots.txt" and visit.status == 200 for visit in visits)
    report.in_flight = pages - kept.total()
    if not 0 <= report.in_flight <= report.killed:
        report.wrong.append(f"{pages} pages served, {kept.total()} archived, {report.killed} killed")


def _client(shell: Shell) -> MongoClient[dict[str, Any]]:
    uri = shell.environ["MONGODB_URI"] or server.ensure(Path(shell.environ["TIDEMARK_DATA"]) / "db")
    return MongoClient(uri, tz_aware=True)
