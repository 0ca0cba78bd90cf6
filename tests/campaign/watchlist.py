"""A watch list of 200 targets on the simulated web, day after day, while everything is killed: crawls, the worker, the
database, the network. Every slot is taken once or is a gap with its reason; nothing is lost, doubled or asked too fast.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from crawler.archive import Archive
from crawler.config import ROOT
from crawler.schedule import Watch
from crawler.storage import retention, server
from crawler.storage.reads import Reader
from crawler.storage.slots import Slots
from demo.check import check
from demo.site import Site, running
from demo.site.clock import Clock
from demo.world import START, World
from tests.shell import Shell, facts

log = logging.getLogger(__name__)
DATABASE = "tidemark_watchlist"
DAY, TEN = timedelta(days=1), timedelta(minutes=10)
BEGIN = START + timedelta(days=2)
RATE = 20.0  # simulated seconds a second: tests/campaign/_worker.py
PLAN_BYTES = 512_000_000
MOST_A_MINUTE = 75  # one a second on average; Scrapy waits for half to one and a half of it: 75 are six sigma away
FIRINGS = 5  # in a slot, ten minutes apart: the scheduler of a dyno
HUNTED = 2  # of them; the others are left in peace, or a day would be nothing but gaps
PEACE_S = (3.0, 12.0)  # between two strikes; at RATE one to four simulated minutes
VICTIMS = ("crawl", "worker", "database", "network")


class WholeMs(Clock):
    """A capture's moment has milliseconds, and the truth is asked for at that one."""

    def now(self) -> datetime:
        at = super().now()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass
class Report:
    days: int
    targets: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    slots: Counter[str] = field(default_factory=Counter)
    fetches: int = 0
    documents: int = 0
    lost: int = 0
    """Documents that an undisturbed replay of the archive has and the database has not."""
    more: int = 0
    """Documents that the database has and the replay has not: doubled, or of no capture."""
    twice: int = 0
    """Slots whose page was captured more than once."""
    most: dict[str, int] = field(default_factory=dict)
    """Most requests to a host within any simulated minute."""
    most_of_ten_s: int = 0
    """Most requests to any host within ten simulated seconds."""
    bytes: int = 0
    true: int = 0
    false: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{n} of {victim}" for victim, n in sorted(self.kills.items()))
        slots = ", ".join(f"{n} {what}" for what, n in self.slots.most_common())
        most = ", ".join(f"{n} at {host}" for host, n in sorted(self.most.items()))
        return "\n".join([
            f"{self.days} days, {self.targets} targets; {self.kills.total()} strikes: {kills}",
            f"{self.slots.total()} slots: {slots}; {self.fetches} requests, {self.twice} slots captured twice",
            f"most requests within any simulated minute, {MOST_A_MINUTE} allowed: {most}; within 10 s: "
            f"{self.most_of_ten_s}",
            f"{self.documents} documents, {self.lost} lost, {self.more} doubled; {self.true} numbers compared with "
            f"the truth, {self.false} false; {self.bytes / 1e6:.1f} MB, {self.bytes / PLAN_BYTES:.1%} of the plan",
            *(self.wrong[:20] or ["every slot taken once or a gap with its reason"]),
        ])  # fmt: skip


def campaign(seed: int) -> tuple[bool, str]:
    """CAMPAIGN_DAYS: fewer days, on a machine that has other work."""
    report = run(days=int(os.environ.get("CAMPAIGN_DAYS", "30")), seed=seed)
    return not report.wrong, str(report)


def run(days: int, seed: int) -> Report:
    report, chance = Report(days), Random(seed)
    with tempfile.TemporaryDirectory(prefix="tidemark-watchlist-", ignore_cleanup_errors=True) as folder:
        shell = Shell("", DATABASE, Path(folder) / "wild")
        calm = Shell("", DATABASE, Path(folder) / "calm")
        try:
            with running(World(seed)) as site:
                site.clock = WholeMs(BEGIN)
                shell.environ |= site.proxies()
                _watch(shell, site, report)
                _days(shell, site, chance, report)
                report.most = _most_within(site, timedelta(minutes=1))
                report.most_of_ten_s = max(_most_within(site, timedelta(seconds=10)).values())
                report.fetches = len(site.log)
            log.info("verify")
            _finish(shell)
            log.info("replay, undisturbed")
            _judge(shell, calm, World(seed), report)
        finally:
            for each in (shell, calm):
                server.stop(_data(each) / "db")
    return report


def _watch(shell: Shell, site: Site, report: Report) -> None:
    creators = site.world.crowd.creators
    wanted = [("getdaytrends", place) for place in ("br", "us", "pt", "world")]
    wanted += [("tiktok_profile", each.handles[-1][1]) for each in creators]
    posts = sorted({post for each in site.world.truth(BEGIN).posts for post in [each.rpartition(":")[2]]})
    wanted += [("tiktok_post", post) for post in posts]
    wanted = wanted[:200]
    with _client(shell) as client:
        slots = Slots(client[DATABASE])
        slots.prepare()
        for spider, value in wanted:
            slots.watch(Watch(spider, value, DAY, BEGIN))
    report.targets = len(wanted)


def _days(shell: Shell, site: Site, chance: Random, report: Report) -> None:
    for day in range(report.days):
        for firing in range(FIRINGS):
            _run_clock(site, RATE, max(site.clock.now(), BEGIN + day * DAY + timedelta(hours=7) + firing * TEN))
            _fire(shell, site, chance if firing < HUNTED else None, report)
            _run_clock(site, 0.0, site.clock.now())
            if firing >= HUNTED and _done(shell, BEGIN + day * DAY):
                break
        log.info("day %d: %s", day + 1, dict(report.kills))
    _run_clock(site, RATE, BEGIN + report.days * DAY + TEN)  # one more, so that what was left open is settled
    _fire(shell, site, None, report)


def _run_clock(site: Site, rate: float, at: datetime) -> None:
    """From *at* on; a rate alone would count for the time before, too."""
    site.clock.rate = rate
    site.clock.set(at)


def _fire(shell: Shell, site: Site, hunter: Random | None, report: Report) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.campaign._worker", site.address], cwd=ROOT, env=shell.environ,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while hunter is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(hunter.uniform(*PEACE_S))
                return  # it was quicker than the hunter
            site.faults.clear()  # a network that was cut off comes back with the next strike
            _strike(hunter.choice(VICTIMS), worker, shell, site, report)
        worker.wait(600)
    finally:
        worker.kill()
        worker.wait()
        site.faults.clear()


def _strike(victim: str, worker: subprocess.Popen[bytes], shell: Shell, site: Site, report: Report) -> None:
    children = _children(worker.pid)
    if victim == "crawl" and not children:
        return
    report.kills[victim] += 1
    if victim == "crawl":
        for each in children:
            _kill(each)
    elif victim == "worker":
        worker.kill()
        _wait_for(children)
    elif victim == "network":
        site.faults.add("refused")
    elif (pid := server.status(_data(shell) / "db").pid) is not None:
        _kill(pid)


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    ours = [int(each) for each in told.split()]
    return [each for each in ours if b"scrapy" in _command(each)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _wait_for(pids: list[int]) -> None:
    """Until the crawls of a worker that was killed have ended in good order, as the next firing is minutes away."""
    deadline = time.monotonic() + 60
    while any(b"scrapy" in _command(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _done(shell: Shell, slot: datetime) -> bool:
    with _client(shell) as client:
        rows = client[DATABASE]["slots"]
        return rows.count_documents({"slot": slot, "status": {"$in": ["claimed", "failed"]}}) == 0


def _finish(shell: Shell) -> None:
    done = shell("verify")
    if done.returncode:
        raise RuntimeError(f"scrapy verify: {done.stdout}\n{done.stderr}")


def _judge(shell: Shell, calm: Shell, world: World, report: Report) -> None:
    replayed = calm("replay", str(shell.archive))
    if replayed.returncode:
        raise RuntimeError(f"scrapy replay: {replayed.stdout}\n{replayed.stderr}")
    with _client(shell) as client, _client(calm) as other:
        database = client[DATABASE]
        _slots(database, report, shell)
        mine, its = facts(database), facts(other[DATABASE])
        # A fetch that the network did not carry left no capture, and no replay can know of it.
        held = {"capture": {"$exists": True}}
        mine["fetches"], its["fetches"] = (
            [row["_id"].encode() for row in each["fetches"].find(held, {"_id": 1})]
            for each in (database, other[DATABASE])
        )
        for name in mine:
            own, theirs = (set(each) for each in (mine[name], its[name]))
            if name in ("run_profiles", "slots", "alerts") or own == theirs:
                continue
            report.lost, report.more = report.lost + len(theirs - own), report.more + len(own - theirs)
            report.wrong.append(f"{name}: {len(own)} documents, {len(theirs)} by a replay that nobody disturbed, "
                                f"{len(own ^ theirs)} differ")  # fmt: skip
        report.documents = sum(map(len, mine.values()))
        verdict = check(Reader(database), world)
        report.true, report.false = verdict.total, len(verdict.false)
        report.wrong += [f"false: {each}" for each in verdict.false[:5]]
        report.bytes = retention.used_bytes(database)
    if report.bytes > PLAN_BYTES:
        report.wrong.append(f"{report.bytes} bytes are more than the plan")
    report.wrong += [f"{host}: {n} requests within a minute" for host, n in report.most.items() if n > MOST_A_MINUTE]


def _slots(database: Database[dict[str, Any]], report: Report, shell: Shell) -> None:
    known = {row["_id"]: row for row in database["slots"].find()}
    with Archive(shell.archive, read_only=True) as archive:
        for watch in Slots(database).watches():
            for day in range(report.days):
                slot = BEGIN + day * DAY
                row = known.get(watch.slot_id(slot))
                if row is None or row["status"] not in ("taken", "gap") or (
                    row["status"] == "gap" and not row.get("reason")
                ):  # fmt: skip
                    report.wrong.append(f"{watch.id} at {slot}: {row and row['status']}")
                    continue
                report.slots[row.get("reason", row["status"])] += 1
                taken = list(archive.captures(target=watch.value, since=slot, until=slot + DAY))
                good = [
                    f"{each.fetched_at:%H:%M:%S}" for each in taken if (each.spider, each.status) == (watch.spider, 200)
                ]
                if len(good) > 1:
                    report.twice += 1
                    report.wrong.append(f"{watch.id} of {slot:%Y-%m-%d}: captured at {', '.join(good)}")
                if row["status"] == "taken" and not good:
                    report.wrong.append(f"{watch.id} at {slot}: taken, and nothing was captured")


def _most_within(site: Site, window: timedelta) -> dict[str, int]:
    """By host, as the site saw it. Judged by the minute: on a busy machine single requests reach the site bunched."""
    by_host: dict[str, list[datetime]] = defaultdict(list)
    for visit in site.log:
        if visit.host not in ("127.0.0.1", "localhost"):
            by_host[visit.host].append(visit.at)
    return {
        host: max(bisect_right(at, each + window) - i for i, each in enumerate(at))
        for host, at in ((host, sorted(moments)) for host, moments in by_host.items())
    }


def _client(shell: Shell) -> MongoClient[dict[str, Any]]:
    return MongoClient(server.ensure(_data(shell) / "db"), tz_aware=True)


def _data(shell: Shell) -> Path:
    return Path(shell.environ["TIDEMARK_DATA"])
