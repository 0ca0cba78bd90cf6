"""When what is due: wall-clock slots, what was missed, what a slot's fetches amount to. Pure; time is an argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from crawler.items import stamp
from crawler.outcomes import Outcome

Status = Literal["claimed", "taken", "failed", "gap", "rested"]
MOST_ATTEMPTS = 3  # in one slot, and only where the network failed: a wall is counted, not climbed
BACK_OFF = timedelta(minutes=2)  # before the second try; each further wait is twice as long
AGAIN = frozenset((str(Outcome.NETWORK),))
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Watch:
    """Something to be taken once in every slot."""

    spider: str
    value: str
    every: timedelta
    since: datetime
    """Slots that began before were nobody's business."""

    @property
    def id(self) -> str:
        return f"{self.spider}:{self.value}"

    def slot_id(self, slot: datetime) -> str:
        return f"{self.id}@{stamp(slot)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a slot."""

    status: Status
    reason: str | None = None
    """Why it is a gap: missed, interrupted, empty, no_answer, or the outcome; None where it was taken."""
    flag: str | None = None
    """What is odd about a slot that was taken."""


def slot_at(moment: datetime, every: timedelta) -> datetime:
    """Begin of the slot that *moment* lies in; slots are counted from 1970, so a day has the same ones everywhere."""
    return moment - (moment - _1970) % every


def back_off(attempts: int) -> timedelta:
    """How long after that many tries the next may follow."""
    return BACK_OFF * (1 << (attempts - 1))


def missed(last: datetime | None, watch: Watch, now: datetime) -> list[datetime]:
    """Slots that are over and of which nothing is recorded, after *last* and since the watch began."""
    first = slot_at(watch.since, watch.every)
    if first < watch.since:
        first += watch.every  # the slot that was running when the watch was set up is not owed
    if last is not None:
        first = max(first, last + watch.every)
    current = slot_at(now, watch.every)
    return [first + i * watch.every for i in range(max(0, (current - first) // watch.every))]


def judge(fetches: Iterable[Mapping[str, Any]], sizes: Sequence[int], usual: Sequence[int]) -> Verdict:
    """From the ledger's rows of a target in a slot, oldest first.

    sizes: rows of the boards taken.  usual: rows of the same boards before, to tell a shrunken one.
    """
    rows = list(fetches)
    if any(row["outcome"] == Outcome.OK for row in rows):
        return Verdict("taken", flag=shrunken(sizes, usual))
    if not rows:
        return Verdict("failed", "no_answer")
    last = rows[-1]
    outcome = str(last["outcome"])
    if last.get("error") == "DayOver":  # our own limit, not the host's
        return Verdict("gap", "budget")
    if outcome == Outcome.BLOCKED and str(Outcome.BLOCKED) in last.get("parts", {}).values():
        return Verdict("gap", "empty")  # the list was there and had no row: never "no trends"
    return Verdict("failed" if outcome in AGAIN else "gap", outcome)


def shrunken(sizes: Sequence[int], usual: Sequence[int]) -> str | None:
    """Said of a board with fewer rows than its own history makes likely."""
    from crawler.profile import FEWEST_RUNS, limits

    if not sizes or len(usual) < FEWEST_RUNS:
        return None
    low, middle, _ = limits([float(each) for each in usual], share=False)
    least = min(sizes)
    return f"shrunken: {least} rows, usually {middle:.0f}" if least < low else None


def duration(text: str) -> timedelta:
    """'30m', '2h', '1d'. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})([smhd])", text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text[:20]!r}: expected a time such as 30m, 2h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
