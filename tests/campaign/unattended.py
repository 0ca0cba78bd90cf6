"""Thirty simulated days on their own: a scheduler that fires late, twice and not at all; kills; a full watch list."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from crawler.due import Report as Round
from crawler.due import take_jobs
from crawler.jobs import Job, read
from crawler.notices import Notice
from crawler.schedule import slot_at
from crawler.storage import server
from crawler.storage.notices import Notices
from crawler.storage.slots import Slots

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
TEN = timedelta(minutes=10)


class Killed(BaseException):
    """The process is gone, at whatever point it was."""


@dataclass
class Scheduled:
    """What a scheduler's days came to."""

    days: int
    firings: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    digests: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        fired = ", ".join(f"{n} {how}" for how, n in sorted(self.firings.items()))
        told = ", ".join(f"{n} {what}" for what, n in sorted(self.statuses.items()))
        return "\n".join([
            f"scheduler: {self.days} days; firings: {fired}; {self.kills} kills",
            f"scheduler: job slots: {told}; {self.digests} digests",
            *(self.wrong[:20] or ["scheduler: each job once per slot or a recorded gap, each digest once"]),
        ])  # fmt: skip


def campaign(seed: int) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="tidemark-unattended-", ignore_cleanup_errors=True) as folder:
        uri = server.ensure(Path(folder) / "db")
        try:
            with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
                report = scheduler(client[f"unattended_{secrets.token_hex(4)}"], days=30, seed=seed)
        finally:
            server.stop(Path(folder) / "db")
    return not report.wrong, str(report)


def scheduler(database: Database[dict[str, Any]], days: int, seed: int) -> Scheduled:
    """Fires the jobs we ship on a simulated clock: a slot is done at most once, or is a gap with a reason."""
    chance, report = Random(seed), Scheduled(days)
    plan = {job.name: (job, BEGIN) for job in read(None, {"NOTICE_URLS": True})}
    jobs, slots, told = Slots(database, "jobs"), Slots(database), Notices(database)
    for each in (jobs, slots, told):
        each.prepare()
    done: Counter[tuple[str, datetime]] = Counter()
    digests: Counter[str] = Counter()
    clock = [BEGIN]
    outage = (days * 50, days * 50 + 40)  # nobody fires for most of seven hours

    def run(job: Job, slot: datetime) -> str | None:
        if chance.random() < 0.02:
            raise Killed  # before the work
        if chance.random() < 0.03:
            return "exit_1"
        clock[0] += timedelta(seconds=chance.randrange(90))
        done[job.name, slot] += 1
        if job.tell:
            told.add([Notice(f"job:{job.name}@{slot}", "digest", job.name, "text", clock[0])])
        return None

    def take(url: str, notice: Notice) -> bool:
        if chance.random() < 0.1:
            return False
        digests[notice.id] += 1
        return True

    for firing in range(days * 144 + 1):
        moment = BEGIN + firing * TEN + timedelta(seconds=chance.randrange(240))
        if outage[0] <= firing < outage[1] or chance.random() < 0.15:
            report.firings["not at all"] += 1
            continue
        times = 2 if chance.random() < 0.1 else 1
        report.firings["twice" if times == 2 else "late" if moment.minute % 10 else "in time"] += 1
        for which in range(times):
            clock[0] = max(clock[0], moment)
            try:
                _round(jobs, plan, slots, told, run, take, clock, f"process-{firing}-{which}")
            except Killed:
                report.kills += 1
    report.digests = sum(digests.values())
    _judge(report, jobs, database, plan, done, digests, clock[0])
    return report


def _round(
    jobs: Slots, plan: dict[str, tuple[Job, datetime]], slots: Slots, told: Notices,
    run: Callable[[Job, datetime], str | None], send: Callable[[str, Notice], bool], clock: list[datetime], owner: str,
) -> None:  # fmt: skip
    take_jobs(jobs, plan, slots, run, lambda: clock[0], owner, Round())
    told.deliver(["json://one"], send, clock[0], owner)


def _judge(
    report: Scheduled, jobs: Slots, database: Database[dict[str, Any]], plan: dict[str, tuple[Job, datetime]],
    done: Counter[tuple[str, datetime]], digests: Counter[str], end: datetime,
) -> None:  # fmt: skip
    for name, (job, since) in plan.items():
        rows = {row["slot"].replace(tzinfo=UTC): row for row in database["jobs"].find({"watch": f"job:{name}"})}
        slot = slot_at(since, job.every)
        slot += job.every if slot < since else timedelta(0)
        while slot < slot_at(end, job.every):
            row = rows.get(slot)
            report.statuses["taken" if row and row["status"] == "taken" else "gap"] += 1
            if row is None:
                report.wrong.append(f"{name} at {slot}: nothing is recorded")
            elif (row["status"] == "taken") != (done[name, slot] == 1) or done[name, slot] > 1:
                report.wrong.append(f"{name} at {slot}: {row['status']}, done {done[name, slot]} times")
            elif row["status"] == "gap" and not row.get("reason"):
                report.wrong.append(f"{name} at {slot}: a gap without a reason")
            slot += job.every
    report.wrong += [f"{each}: {n} times" for each, n in digests.items() if n != 1]
