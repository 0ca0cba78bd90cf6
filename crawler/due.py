"""One round of `scrapy due`: settle what is over, claim what is due, have it taken, acknowledge what was stored.

Time, the runners and the owner's name are arguments. A process may die at any point: the next round finds what was
claimed and decides by the ledger whether it was taken.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.jobs import CRAWL, Job, Limits, Spent
from crawler.schedule import Verdict, Watch, judge, missed, slot_at
from crawler.storage.slots import LEASE, Due, Open, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.storage.jobs import Asked, Queue

Clock = Callable[[], datetime]
Runner = Callable[[str, Sequence[str]], None]
"""Takes the targets of a spider; returns when the pipelines have stored what came."""
JobRunner = Callable[[Job, datetime], str | None]
"""Runs a job for the slot that begins then; None when it went well, else the reason."""
CHUNK = 50  # targets between two looks at what the day has cost
WAIT_SHARE = 2 / 3  # of its slot a job waits for crawls that are still tried


@dataclass
class Report:
    """What a round did: slots by status or reason, and lines for a person."""

    counted: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)

    def add(self, watch: Watch, slot: datetime, verdict: Verdict) -> None:
        self.counted[verdict.reason or verdict.status] += 1
        if verdict.reason == "empty":
            self.alarms.append(f"{watch.id} at {slot:%Y-%m-%d %H:%M}: an empty list, recorded as a gap")
        if verdict.flag:
            self.alarms.append(f"{watch.id} at {slot:%Y-%m-%d %H:%M}: {verdict.flag}")

    def job(self, job: Job, slot: datetime, verdict: Verdict) -> None:
        self.jobs[f"{job.name} {verdict.reason or verdict.status}"] += 1
        if verdict.status != "taken":
            self.alarms.append(f"job {job.name} of {slot:%Y-%m-%d %H:%M}: {verdict.reason}")


@dataclass(frozen=True)
class Bounds:
    """What a round may cost."""

    time: timedelta | None = None
    """No crawl and no job is started later than this after the begin."""
    day: Limits = field(default_factory=Limits)
    spent: Callable[[datetime], Spent] = lambda now: Spent()
    closed: str | None = None
    """Why nothing may be taken at all, such as database_full; each slot is then a gap of that reason."""


def take(
    slots: Slots, run: Runner, clock: Clock, owner: str, bounds: Bounds | None = None,
    catch_up: Callable[[], object] = lambda: None, report: Report | None = None,
) -> Report:  # fmt: skip
    """Everything that is due now, once.

    catch_up brings in what was archived and not stored; called where a process died over a slot, so that what it
    had fetched is not fetched again.  report: to be added to.
    """
    bounds, report = bounds or Bounds(), report or Report()
    began = clock()
    watches = slots.watches()
    if slots.abandoned(began):
        catch_up()
    _settle_past(slots, watches, clock(), report)
    for spider, due in sorted(_claimed(slots, watches, clock, owner, report).items()):
        if bounds.closed is not None:
            _settled(slots, dict.fromkeys(due, Verdict("gap", bounds.closed)), clock(), owner, report)
            continue
        with _kept_alive(slots, due, clock, owner):
            for i in range(0, len(due), CHUNK if bounds.day else len(due)):
                chunk = due[i : i + (CHUNK if bounds.day else len(due))]
                if bounds.time is not None and clock() - began >= bounds.time:
                    # Free for the next round; the lease would only delay it.
                    _settled(slots, dict.fromkeys(chunk, Verdict("failed", "no_time")), clock(), owner, report)
                    continue
                allowed = bounds.day.left(bounds.spent(clock()), spider) if bounds.day else len(chunk)
                run_now, too_much = chunk[:allowed], chunk[allowed:]
                _settled(slots, dict.fromkeys(too_much, Verdict("gap", "budget")), clock(), owner, report)
                if run_now:
                    run(spider, [watch.value for watch, _ in run_now])
                    _settled(slots, _judged(slots, run_now), clock(), owner, report)
    return report


def take_asked(queue: Queue, run: Runner, clock: Clock, owner: str) -> Counter[str]:
    """What somebody asked for out of turn: crawled at once, oldest first, each message once."""
    done: Counter[str] = Counter()
    while asked := queue.next(clock(), owner):
        together: list[Asked] = [asked, *queue.more(asked.spider, CHUNK - 1, clock(), owner)]
        run(asked.spider, [each.value for each in together])
        for each in together:
            done[queue.settle(each, clock(), owner)] += 1
    return done


def take_jobs(
    jobs: Slots, plan: Mapping[str, tuple[Job, datetime]], slots: Slots, run: JobRunner, clock: Clock, owner: str,
    report: Report, bounds: Bounds | None = None,
) -> None:  # fmt: skip
    """Jobs that are due, in the order of their dependencies; plan: job and moment since when it is owed, by name."""
    bounds = bounds or Bounds()
    began = clock()
    watches = {name: job.watch(since) for name, (job, since) in plan.items()}
    _jobs_past(jobs, plan, watches, began, report)
    present = [(watch, slot_at(began, watch.every)) for watch in watches.values()]
    told = jobs.told(present)
    done = {watch.value for watch, slot in present if told.get(watch.slot_id(slot)) == "taken"}
    for watch, slot in present:
        job, now = plan[watch.value][0], clock()
        if bounds.time is not None and now - began >= bounds.time:
            return
        waits = any(name in plan and name not in done for name in job.after)
        if waits or told.get(watch.slot_id(slot)) in ("taken", "gap") or _waits_for_crawl(job, slot, now, slots):
            continue
        if not jobs.claim(watch, slot, now, owner):
            continue
        with _kept_alive(jobs, [(watch, slot)], clock, owner):
            reason = run(job, slot)
        verdict = Verdict("failed", reason) if reason else Verdict("taken")
        if jobs.settle(watch, slot, verdict, clock(), owner):
            report.job(job, slot, verdict)
            done |= {job.name} if not reason else set()


def _waits_for_crawl(job: Job, slot: datetime, now: datetime, slots: Slots) -> bool:
    """A crawl that failed is tried again in the next round; towards the end of the slot nobody waits for it."""
    return CRAWL in job.after and now - slot < WAIT_SHARE * job.every and _crawling(slots, now)


def _crawling(slots: Slots, now: datetime) -> bool:
    """Whether a target's present slot is still being taken, or will be tried again."""
    if slots.busy(now):
        return True
    cadence = {watch.id: watch.every for watch in slots.watches()}
    return any(
        each.slot == slot_at(now, cadence[name])
        for name, opened in slots.left_open(now).items()
        if name in cadence
        for each in opened
    )


def _settle_past(slots: Slots, watches: Iterable[Watch], now: datetime, report: Report) -> None:
    opened, lasts = slots.left_open(now), slots.lasts()
    for watch in watches:
        current = slot_at(now, watch.every)
        for slot, verdict in _closed(slots, watch, [each for each in opened.get(watch.id, ()) if each.slot < current]):
            slots.close(watch, slot, verdict, now)
            report.add(watch, slot, verdict)
        if made := slots.gaps(watch, missed(lasts.get(watch.id), watch, now), "missed", now):
            report.counted["missed"] += made


def _closed(slots: Slots, watch: Watch, opened: Sequence[Open]) -> Iterator[tuple[datetime, Verdict]]:
    """Stored before its process died; else what the ledger says, if anything."""
    for (_, slot), verdict in _judged(slots, [(watch, each.slot) for each in opened]).items():
        if verdict.status != "taken":
            reason = "interrupted" if verdict.reason == "no_answer" else verdict.reason
            verdict = Verdict("gap", reason)
        yield slot, verdict


def _jobs_past(
    jobs: Slots, plan: Mapping[str, tuple[Job, datetime]], watches: Mapping[str, Watch], now: datetime, report: Report
) -> None:
    opened, lasts = jobs.left_open(now), jobs.lasts()
    for name, watch in watches.items():
        current = slot_at(now, watch.every)
        for each in opened.get(watch.id, ()):
            if each.slot < current:
                verdict = Verdict("gap", each.reason if each.status == "failed" else "interrupted")
                jobs.close(watch, each.slot, verdict, now)
                report.job(plan[name][0], each.slot, verdict)
        if made := jobs.gaps(watch, missed(lasts.get(watch.id), watch, now), "missed", now):
            report.jobs[f"{name} missed"] += made


def _claimed(slots: Slots, watches: Sequence[Watch], clock: Clock, owner: str, report: Report) -> dict[str, list[Due]]:
    """What is ours to take, by spider; what a process took that died before it could say so is settled at once."""
    now = clock()
    wanted = [(watch, slot_at(now, watch.every)) for watch in watches]
    told = slots.told(wanted)
    free = [due for due in wanted if told.get(due[0].slot_id(due[1])) not in ("taken", "gap")]
    found: dict[str, list[Due]] = defaultdict(list)
    for due, verdict in _judged(slots, slots.claim_all(free, now, owner)).items():
        if verdict.status == "taken":
            _settled(slots, {due: verdict}, clock(), owner, report)
        else:
            found[due[0].spider].append(due)
    return found


def _settled(slots: Slots, verdicts: Mapping[Due, Verdict], now: datetime, owner: str, report: Report) -> None:
    for (watch, slot), verdict in verdicts.items():
        if slots.settle(watch, slot, verdict, now, owner):
            report.add(watch, slot, verdict)


def _judged(slots: Slots, dues: Sequence[Due]) -> dict[Due, Verdict]:
    rows = slots.fetches(dues)
    found = {}
    for watch, slot in dues:
        of_slot = rows[watch.slot_id(slot)]
        found[watch, slot] = judge(of_slot, *slots.sizes(of_slot))
    return found


@contextmanager
def _kept_alive(slots: Slots, due: Sequence[Due], clock: Clock, owner: str) -> Iterator[None]:
    """Renews the leases while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(LEASE.total_seconds() / 5):
            slots.renew(due, clock(), owner)

    heart = threading.Thread(target=beat, name="tidemark-lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
