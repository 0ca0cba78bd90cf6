"""One round of `scrapy due`: settle what is over, claim what is due, have it taken, acknowledge what was stored.

Time, the runners and the owner's name are arguments. A process may die at any point: the next round finds what was
claimed and decides by the ledger whether it was taken.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from crawler.jobs import CRAWL, Job, Limits, Spent
from crawler.schedule import MOST_ATTEMPTS, Verdict, Watch, judge, missed, slot_at
from crawler.storage.connect import plain_errors
from crawler.storage.errors import StorageError
from crawler.storage.slots import Due, Open, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.storage.jobs import Asked, Queue

Clock = Callable[[], datetime]
Runner = Callable[[str, Sequence[str]], None]
"""Takes the targets of a spider; returns when the pipelines have stored what came."""
JobRunner = Callable[[Job, datetime], str | None]
"""Runs a job for the slot that begins then; None when it went well, else the reason."""
CHUNK = 50  # targets between two looks at what the day has cost
Planner = Callable[[Sequence[Due], datetime], tuple[Sequence[Due], Sequence[str]]]
"""Of what is due, what is to be taken, most urgent first; and lines for a person about what is not."""
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
    plan: Planner | None = None
    """Which of what is due the budget is best spent on; the rest rests in this slot. None: all of it."""


def take(
    slots: Slots, run: Runner, clock: Clock, owner: str, bounds: Bounds | None = None,
    catch_up: Callable[[], object] = lambda: None, report: Report | None = None, only: Sequence[str] | None = None,
) -> Report:  # fmt: skip
    """Everything that is due now, once.

    catch_up brings in what was archived and not stored; called where a process died over a slot, so that what it
    had fetched is not fetched again.  report: to be added to.  only: these watches, and nothing that is over.
    """
    bounds, report = bounds or Bounds(), report or Report()
    began = clock()
    watches = slots.watches(only)
    if slots.abandoned(began, None if only is None else _present(watches, began)):
        catch_up()
    if only is None:
        _settle_past(slots, watches, clock(), report)
    for spider, due in sorted(_claimed(slots, watches, clock, owner, report, bounds, began).items()):
        if bounds.closed is not None:
            _settled(slots, dict.fromkeys(due, Verdict("gap", bounds.closed)), clock(), owner, report)
            continue
        with _kept_alive(partial(slots.renew, due), slots.lease, clock, owner):
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
                    _settled(slots, _of_the_day(_judged(slots, run_now), bounds, spider, clock), clock(), owner, report)
    return report


def _of_the_day(found: dict[Due, Verdict], bounds: Bounds, spider: str, clock: Clock) -> dict[Due, Verdict]:
    """What a crawl did not ask for because its host has had enough for the day fell to the budget."""
    if not bounds.day or bounds.day.left(bounds.spent(clock()), spider):
        return found
    return {due: Verdict("gap", "budget") if each.reason == "no_answer" else each for due, each in found.items()}


def offered(
    slots: Slots, clock: Clock, report: Report, most: int = CHUNK, bounds: Bounds | None = None
) -> list[tuple[str, list[str]]]:
    """What is due now and nobody holds, as batches for workers: a spider and at most so many targets.

    Claims nothing: whoever takes a batch claims its slots, so a batch that is lost, or taken twice, does no harm.
    What has one try left goes alone, so that a target that kills its process takes no other with it.
    """
    now = clock()
    watches = slots.watches()
    _settle_past(slots, watches, now, report)
    first, last = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    free = dict(slots.free(_present(watches, now), now))
    for watch, slot in _planned(slots, list(free), now, report, bounds or Bounds()):
        tries = free[watch, slot]
        (last if tries >= MOST_ATTEMPTS - 1 else first)[watch.spider].append(watch.value)
    batches = []
    for spider in sorted({*first, *last}):
        cut = [first[spider][i : i + most] for i in range(0, len(first[spider]), most)]
        batches.append([(spider, values) for values in [*([each] for each in last[spider]), *cut]])
    # In turn, so that workers that take one batch each meet at as few hosts as may be.
    turns = zip_longest(*batches)
    return [each for turn in turns for each in turn if each is not None]


def take_asked(queue: Queue, run: Runner, clock: Clock, owner: str) -> Counter[str]:
    """What somebody asked for out of turn: crawled at once, oldest first, each message once."""
    done: Counter[str] = Counter()
    if buried := queue.bury(clock()):
        done["failed"] += buried
    while asked := queue.next(clock(), owner):
        together: list[Asked] = [asked, *queue.more(asked.spider, CHUNK - 1, clock(), owner)]
        with _kept_alive(partial(queue.renew, together), queue.lease, clock, owner):
            run(asked.spider, [each.value for each in together])
        for each in together:
            done[queue.settle(each, clock(), owner)] += 1
    return done


def take_jobs(
    jobs: Slots, plan: Mapping[str, tuple[Job, datetime]], slots: Slots, run: JobRunner, clock: Clock, owner: str,
    report: Report, bounds: Bounds | None = None, sent: int = 0,
) -> None:  # fmt: skip
    """Jobs that are due, in the order of their dependencies; plan: job and moment since when it is owed, by name.

    sent: batches that are on their way to workers, who have not claimed them yet.
    """
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
        if waits or told.get(watch.slot_id(slot)) in ("taken", "gap") or _waits_for_crawl(job, slot, now, slots, sent):
            continue
        if not jobs.claim(watch, slot, now, owner):
            continue
        with _kept_alive(partial(jobs.renew, [(watch, slot)]), jobs.lease, clock, owner):
            reason = run(job, slot)
        verdict = Verdict("failed", reason) if reason else Verdict("taken")
        if jobs.settle(watch, slot, verdict, clock(), owner):
            report.job(job, slot, verdict)
            done |= {job.name} if not reason else set()


def _waits_for_crawl(job: Job, slot: datetime, now: datetime, slots: Slots, sent: int) -> bool:
    """A crawl that failed is tried again in the next round; towards the end of the slot nobody waits for it."""
    return CRAWL in job.after and now - slot < WAIT_SHARE * job.every and (sent > 0 or _crawling(slots, now))


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
    _give_up(slots, {watch.id: watch for watch in watches}, now, report)
    opened, lasts = slots.left_open(now), slots.lasts()
    for watch in watches:
        current = slot_at(now, watch.every)
        for slot, verdict in _closed(slots, watch, [each for each in opened.get(watch.id, ()) if each.slot < current]):
            slots.close(watch, slot, verdict, now)
            report.add(watch, slot, verdict)
        if made := slots.gaps(watch, missed(lasts.get(watch.id), watch, now), "missed", now):
            report.counted["missed"] += made


def _give_up(slots: Slots, watches: Mapping[str, Watch], now: datetime, report: Report) -> None:
    """A slot whose process died at every try is tried no more; the ledger may yet say that it was taken."""
    lost = [(watches[name], slot) for name, begun in slots.exhausted(now).items() if name in watches for slot in begun
            if slot == slot_at(now, watches[name].every)]  # fmt: skip
    for (watch, slot), verdict in _judged(slots, lost).items():
        if verdict.reason == "no_answer":
            verdict = Verdict("failed", "interrupted")
        slots.close(watch, slot, verdict, now)
        report.add(watch, slot, verdict)


def _present(watches: Iterable[Watch], now: datetime) -> list[Due]:
    return [(watch, slot_at(now, watch.every)) for watch in watches]


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


def _claimed(
    slots: Slots, watches: Sequence[Watch], clock: Clock, owner: str, report: Report, bounds: Bounds,
    looked_at: datetime,
) -> dict[str, list[Due]]:  # fmt: skip
    """What is ours to take, by spider; what a process took that died before it could say so is settled at once."""
    now = clock()
    free = _planned(slots, [due for due, _ in slots.free(_present(watches, now), now)], now, report, bounds)
    found: dict[str, list[Due]] = defaultdict(list)
    for due, verdict in _judged(slots, slots.claim_all(free, now, owner, looked_at)).items():
        if verdict.status == "failed":  # nothing came yet; what came, a wall or a page that is gone, came once
            found[due[0].spider].append(due)
        else:
            _settled(slots, {due: verdict}, clock(), owner, report)
    return found


def _planned(slots: Slots, free: list[Due], now: datetime, report: Report, bounds: Bounds) -> list[Due]:
    if bounds.plan is None or bounds.closed is not None:
        return free
    chosen, alarms = bounds.plan(free, now)
    taken = {watch.id for watch, _ in chosen}
    if rested := slots.rest([due for due in free if due[0].id not in taken], now):
        report.counted["rested"] += rested
    report.alarms.extend(alarms)
    return list(chosen)


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
def _kept_alive(renew: Callable[[datetime, str], int], lease: timedelta, clock: Clock, owner: str) -> Iterator[None]:
    """Renews leases while the block runs. A database that is away for a moment is asked again."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(lease.total_seconds() / 5):
            with suppress(StorageError), plain_errors(""):
                renew(clock(), owner)

    heart = threading.Thread(target=beat, name="tidemark-lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
