"""One round of `scrapy due`: settle what is over, claim what is due, have it taken, acknowledge what was stored.

Time, the runner and the owner's name are arguments. A process may die at any point: the next round finds what was
claimed and decides by the ledger whether it was taken.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.schedule import Verdict, Watch, judge, missed, slot_at
from crawler.storage.slots import LEASE, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

Clock = Callable[[], datetime]
Runner = Callable[[str, Sequence[str]], None]
"""Takes the targets of a spider; returns when the pipelines have stored what came."""


@dataclass
class Report:
    """What a round did: slots by status or reason, and lines for a person."""

    counted: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)

    def add(self, watch: Watch, slot: datetime, verdict: Verdict) -> None:
        self.counted[verdict.reason or verdict.status] += 1
        if verdict.reason == "empty":
            self.alarms.append(f"{watch.id} at {slot:%Y-%m-%d %H:%M}: an empty list, recorded as a gap")
        if verdict.flag:
            self.alarms.append(f"{watch.id} at {slot:%Y-%m-%d %H:%M}: {verdict.flag}")


def take(
    slots: Slots, run: Runner, clock: Clock, owner: str, budget: timedelta | None = None,
    catch_up: Callable[[], object] = lambda: None,
) -> Report:  # fmt: skip
    """Everything that is due now, once. budget: no spider is started later than this after the begin.

    catch_up brings in what was archived and not stored; called where a process died over a slot, so that what it
    had fetched is not fetched again.
    """
    report = Report()
    began = clock()
    watches = slots.watches()
    if slots.abandoned(began):
        catch_up()
    for watch in watches:
        _settle_past(slots, watch, clock(), report)
    claimed: dict[str, list[tuple[Watch, datetime]]] = defaultdict(list)
    for watch in watches:
        slot = slot_at(clock(), watch.every)
        if not slots.claim(watch, slot, clock(), owner):
            continue
        before = _judged(slots, watch, slot)
        if before.status == "taken":  # by a process that died before it could say so
            slots.settle(watch, slot, before, clock(), owner)
            report.add(watch, slot, before)
        else:
            claimed[watch.spider].append((watch, slot))
    for spider, due in sorted(claimed.items()):
        if budget is not None and clock() - began >= budget:
            for watch, slot in due:  # free for the next round; the lease would only delay it
                slots.settle(watch, slot, Verdict("failed", "no_time"), clock(), owner)
                report.counted["no_time"] += 1
            continue
        with _kept_alive(slots, due, clock, owner):
            run(spider, [watch.value for watch, _ in due])
        for watch, slot in due:
            verdict = _judged(slots, watch, slot)
            if slots.settle(watch, slot, verdict, clock(), owner):
                report.add(watch, slot, verdict)
    return report


def _settle_past(slots: Slots, watch: Watch, now: datetime, report: Report) -> None:
    current = slot_at(now, watch.every)
    for slot in slots.left_open(watch, current, now):
        verdict = _judged(slots, watch, slot)
        if verdict.status != "taken":  # stored before its process died; else what the ledger says, if anything
            reason = "interrupted" if verdict.reason == "no_answer" else verdict.reason
            verdict = Verdict("gap", reason)
        slots.close(watch, slot, verdict, now)
        report.add(watch, slot, verdict)
    lacking = missed(slots.last(watch), watch, now)
    if made := slots.gaps(watch, lacking, "missed", now):
        report.counted["missed"] += made


def _judged(slots: Slots, watch: Watch, slot: datetime) -> Verdict:
    rows = slots.fetches(watch, slot)
    return judge(rows, *slots.sizes(rows))


@contextmanager
def _kept_alive(slots: Slots, due: Sequence[tuple[Watch, datetime]], clock: Clock, owner: str) -> Iterator[None]:
    """Renews the leases while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(LEASE.total_seconds() / 5):
            for watch, slot in due:
                slots.renew(watch, slot, clock(), owner)

    heart = threading.Thread(target=beat, name="tidemark-lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
