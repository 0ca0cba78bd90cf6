"""What a round of `scrapy due` takes of the watch list when the day's pages do not suffice for all of it.

The limits are hard; within them the policy of crawler.revisit chooses. Time is an argument.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.jobs import Limits, Spent
from crawler.lanes.redact import printable
from crawler.revisit import POLICIES, Allowance, Candidate, Choice, Policy, intervals_h, paced, plan
from crawler.schedule import Watch
from crawler.storage.looks import Known, Looks

if TYPE_CHECKING:
    from crawler.due import Planner
    from crawler.storage.slots import Due

DAY = timedelta(days=1)
LATE = 1.25  # times the longest wait: the limits leave no room even for what must come first
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Explained:
    """A target as the next round would see it."""

    watch: Watch
    choice: Choice
    known: Known | None
    interval_h: float
    next_at: datetime


@dataclass(frozen=True)
class Budget:
    """Of a day, and what of it is spent."""

    limits: Limits
    spent: Spent

    def allowance(self, now: datetime, tick: timedelta) -> Allowance:
        """tick: the shortest slot of the list; what it holds may be loaded at its begin."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        over = min(1.0, (now - midnight + tick) / DAY)
        of_host = Counter[str]()
        for (_, host), n in self.spent.hosts.items():
            of_host[host] += n
        most, per_host = self.limits.pages, self.limits.host_pages
        made = Allowance()
        if most is not None:
            made = replace(made, now=paced(most, self.spent.pages, over), per_h=most / 24)
        if per_host is not None:
            hosts = {host: paced(per_host, n, over) for host, n in of_host.items()}
            made = replace(made, hosts=hosts, host=paced(per_host, 0, over), host_per_h=per_host / 24)
        return made


def planner(database: Any, policy: str, limits: Limits, spent: Callable[[datetime], Spent]) -> Planner | None:
    """None where no number of pages is set: then all that is due is taken."""
    if limits.pages is None and limits.host_pages is None:
        return None
    looks = Looks(database)

    def choose(dues: Sequence[Due], now: datetime) -> tuple[Sequence[Due], Sequence[str]]:
        if not dues:
            return [], []
        slots = {watch.id: (watch, slot) for watch, slot in dues}
        budget = Budget(limits, spent(now))
        known = looks.brought_up_to_date([watch for watch, _ in dues])
        targets, allowance = _asked([watch for watch, _ in dues], known, budget, now)
        chosen = plan(POLICIES[policy], targets, now, allowance)
        return [slots[each.id] for each in chosen if each.taken], alarms(chosen)

    return choose


def explained(watches: Sequence[Watch], looks: Looks, policy: Policy, budget: Budget, now: datetime) -> list[Explained]:
    """Most urgent first."""
    if not watches:
        return []
    known = looks.brought_up_to_date(watches)
    targets, allowance = _asked(watches, known, budget, now)
    by_id = {each.id: each for each in watches}
    intervals = intervals_h(policy, targets, allowance)
    return [
        Explained(by_id[each.id], each, known.get(each.id), intervals[each.id],
                  now if each.waited_h is None else now + timedelta(hours=max(0.0, intervals[each.id] - each.waited_h)))
        for each in plan(policy, targets, now, allowance)
    ]  # fmt: skip


def _asked(
    watches: Sequence[Watch], known: Mapping[str, Known], budget: Budget, now: datetime
) -> tuple[list[Candidate], Allowance]:
    tick = min(each.every for each in watches)
    return [_candidate(each, known.get(each.id), budget.limits) for each in watches], budget.allowance(now, tick)


def _candidate(watch: Watch, known: Known | None, limits: Limits) -> Candidate:
    slot_h = watch.every / timedelta(hours=1)
    if known is None:
        return Candidate(watch.id, watch.spider, slot_h, None)
    most = min((each for each in (limits.pages, limits.host_pages) if each is not None), default=math.inf)
    return Candidate(
        watch.id, watch.spider, slot_h, known.learned, min(max(1.0, known.pages), most), known.host,
        shown=known.seen is not None,
    )  # fmt: skip


def alarms(chosen: Sequence[Choice]) -> list[str]:
    """Of targets that wait longer than nothing should."""
    starving = [each for each in chosen if (each.waited_h or 0.0) >= LATE * each.longest_h and not each.taken]
    if not starving:
        return []
    names = ", ".join(each.id for each in starving[:MOST_TOLD])
    more = f" and {len(starving) - MOST_TOLD} more" if len(starving) > MOST_TOLD else ""
    return [f"targets starve at this budget: {names}{more}; raise TIDEMARK_DAY_PAGES, or watch fewer or less often"]


def lines(told: Sequence[Explained], policy: str, budget: Budget, now: datetime) -> list[str]:
    """For a person, the first about the budget."""
    limits = budget.limits
    if limits.pages is None and limits.host_pages is None:
        head = "no number of pages a day is set (TIDEMARK_DAY_PAGES): whatever is due is taken"
    else:
        head = f"policy {policy}; today {budget.spent.pages} pages of {limits.pages or 'any number'}"
        head += f", {limits.host_pages} a host" if limits.host_pages is not None else ""
    return [head, *(_line(each, now) for each in told)]


def _line(each: Explained, now: datetime) -> str:
    name = printable(each.watch.id)
    when = "now" if each.choice.taken else f"in {max(0.0, (each.next_at - now) / timedelta(hours=1)):.1f} h"
    found = f"{name:50} {when:>10}, every {each.interval_h:.1f} h: {each.choice.why()}"
    if each.known is not None and (learned := each.known.learned.found()):
        found += f"; {learned}"
    return found + (f"; {each.known.pages:.1f} pages a look" if each.known and each.known.pages > 1 else "")
