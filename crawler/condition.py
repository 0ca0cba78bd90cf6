"""How the watching goes, judged: one finding a line with what to do, a digest in Markdown. Pure; reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from crawler.health import Check
from crawler.lanes.redact import printable
from crawler.notices import WHAT_TO_DO
from crawler.outcomes import GOOD
from crawler.revisit import STARVED
from crawler.storage.condition import Condition, Spider, Watched
from crawler.storage.retention import FULL, TIGHT, Room

STALE, DEAD = 2.5, 6.0  # slots since the newest one that was taken: a warning, a failure
BAD_SHARE = 0.25  # of a spider's fetches without an answer: a warning; half of them: a failure
EMPTY_SHARE = 0.5  # of a kind's observations without any counter
OK, WARN, FAIL = 0, 1, 2
QUIET = frozenset({"taken", "claimed", "rested"})  # no gaps
GOOD_NAMES = frozenset(map(str, GOOD))


def status(checks: Sequence[Check]) -> int:
    """As monitors have it: 0 good, 1 a warning, 2 something does not work."""
    return max(({"ok": OK, "warn": WARN, "fail": FAIL}[each.state] for each in checks), default=OK)


def judge(now: Condition, room: Room, spooled_files: int) -> list[Check]:
    return [
        *_room(room),
        *_watched(now),
        *_spiders(now),
        *_broken(now),
        *_numbers(now),
        *_jobs(now),
        *_rest(now, spooled_files),
    ]


def _room(room: Room) -> Iterator[Check]:
    found = f"{room.bytes / 1e6:.1f} MB, {room.per_day / 1e6:+.2f} MB a day"
    if room.share is None:
        yield Check("size", "ok", f"{found}; no plan set (TIDEMARK_PLAN_MB)")
        return
    days = room.days_until(TIGHT)
    found += f", {room.share:.0%} of the plan" + (f"; 80 % in {days:,.0f} days" if days else "")
    if room.share >= FULL:
        yield Check("size", "fail", found, "a larger plan, or fewer targets: scrapy retention --check")
    elif room.share >= TIGHT:
        yield Check("size", "warn", found, "scrapy retention")
    else:
        yield Check("size", "ok", found)


def _watched(now: Condition) -> Iterator[Check]:
    if not now.watched:
        yield Check("targets", "ok", "the watch list is empty")
        return
    late = [(age_slots(each, now.at), each) for each in now.watched]
    for age, each in sorted(late, key=lambda pair: (-pair[0], pair[1].id)):
        if age < STALE:
            continue
        gaps = Counter({what: n for what, n in each.slots.items() if what not in QUIET})
        reason = gaps.most_common(1)[0][0] if gaps else "missed"
        last = f"{each.taken:%Y-%m-%d %H:%M}" if each.taken else "never"
        found = f"{printable(each.id)}: last taken {last}; since then {', '.join(f'{n} {r}' for r, n in gaps.items())}"
        yield Check("target", "fail" if age >= DEAD else "warn", found, WHAT_TO_DO.get(reason, "scrapy watch"))
    yield from _starving(now)
    fresh = sum(age < STALE for age, _ in late)
    taken = sum(each.slots.get("taken", 0) for each in now.watched)
    slots = sum(sum(each.slots.values()) - each.slots.get("rested", 0) for each in now.watched)
    yield Check("targets", "ok", f"{fresh} of {len(late)} fresh; {taken} of {slots} slots taken")


def _starving(now: Condition) -> Iterator[Check]:
    """Slots that rest are the plan's choice, and no choice may leave a target alone for ever."""
    looks = sum(each.slots.get("taken", 0) for each in now.watched)
    even = len(now.watched) * (now.at - now.since) / max(1, looks)
    for each in now.watched:
        waits = now.at - (each.taken or each.since)
        if each.rested and waits > STARVED * max(each.every, even):
            last = f"{each.taken:%Y-%m-%d %H:%M}" if each.taken else "never"
            found = f"{printable(each.id)} starves: last taken {last}; {each.rested} slots rested since then"
            yield Check("target", "warn", found, "scrapy due --explain; raise TIDEMARK_DAY_PAGES, or watch fewer")


def age_slots(each: Watched, at: datetime) -> float:
    """Slots since the newest one that was taken, or since the watch began; those that were to rest do not count."""
    return (at - (each.taken or each.since)) / each.every - each.rested


def _spiders(now: Condition) -> Iterator[Check]:
    for each in now.spiders:
        bad = {outcome: n for outcome, n in each.outcomes.items() if outcome not in GOOD_NAMES}
        share = sum(bad.values()) / each.fetches if each.fetches else 0.0
        found = f"{each.name}: {line(each)}"
        if share >= BAD_SHARE:
            worst = max(bad, key=lambda outcome: bad[outcome])
            yield Check("spider", "fail" if share >= 2 * BAD_SHARE else "warn", found, WHAT_TO_DO.get(worst, ""))
        elif each.unusual:
            yield Check("spider", "warn", f"{found}; {printable('; '.join(each.unusual))[:300]}", "scrapy profile")
        elif each.runs and each.good < each.runs / 2:
            yield Check("spider", "warn", found, "read the last lines of a run: scrapy crawl SPIDER -a targets=…")
        else:
            yield Check("spider", "ok", found)


def line(each: Spider) -> str:
    told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(each.outcomes.items(), key=lambda pair: -pair[1]))
    parts = [f"{each.good} of {each.runs} runs good", told or "no fetch"]
    if each.new_share is not None:
        parts.append(f"{each.items.get('yielded', 0):,} items, {each.new_share:.0%} of them new")
    if refused := each.items.get("refused"):
        parts.append(f"{refused} refused")
    return "; ".join(parts)


def _broken(now: Condition) -> Iterator[Check]:
    for each in now.breaks:
        yield Check("shape", "warn", printable(each)[:300], "scrapy drift --propose")


def _numbers(now: Condition) -> Iterator[Check]:
    for kind, (without, n) in now.no_counter.items():
        found = f"{kind}: {n - without:,} of {n:,} observations show a counter"
        if without / n > EMPTY_SHARE:
            yield Check("numbers", "warn", found, "scrapy profile; do the pages still show it?")
        else:
            yield Check("numbers", "ok", found)
    if now.tagged[1]:
        yield Check("numbers", "ok", f"{now.tagged[0]:,} of {now.tagged[1]:,} new posts carry a hashtag")


def _jobs(now: Condition) -> Iterator[Check]:
    for name, slots in now.jobs.items():
        found = f"{name}: " + ", ".join(f"{n} {what}" for what, n in slots.items())
        bad = sum(n for what, n in slots.items() if what not in ("taken", "claimed"))
        if bad and bad >= slots.get("taken", 0):
            yield Check("job", "warn", found, "scrapy due --list")
        else:
            yield Check("job", "ok", found)


def _rest(now: Condition, spooled_files: int) -> Iterator[Check]:
    if spooled_files:
        yield Check("spool", "warn", f"{spooled_files} files wait for the database", "scrapy verify")
    if now.undelivered:
        yield Check("notices", "warn", f"{now.undelivered} are not delivered", "is NOTICE_URLS right?  scrapy health")
    if now.asked:
        yield Check("asked", "ok", f"{now.asked} crawls asked for are waiting")
    if now.quarantined:
        yield Check("refused", "ok", f"{now.quarantined:,} items in quarantine since {now.since:%Y-%m-%d %H:%M}")


def digest(now: Condition, room: Room, checks: Sequence[Check]) -> str:
    """Markdown, for mail and chat. Says counts with what they are of, and what there is to do."""
    days = (now.at - now.since) / timedelta(days=1)
    taken = sum(each.slots.get("taken", 0) for each in now.watched)
    slots = sum(sum(each.slots.values()) - each.slots.get("rested", 0) for each in now.watched)
    gaps = Counter[str]()
    for each in now.watched:
        gaps.update({what: n for what, n in each.slots.items() if what not in QUIET})
    lines = [
        f"# Tidemark, {now.since:%Y-%m-%d} to {now.at:%Y-%m-%d}", "",
        f"- {len(now.watched)} targets watched; {taken} of {slots} slots taken in {days:.0f} days"
        + (f"; gaps: {', '.join(f'{n} {what}' for what, n in gaps.most_common())}" if gaps else ""),
    ]  # fmt: skip
    told, true, settled = now.alerts
    if told:
        lines.append(f"- {told} alerts told; of the {settled} whose time is over, {true} came true")
    lines += [f"- {each.name}: {line(each)}" for each in now.spiders]
    size = next(each for each in checks if each.name == "size")
    lines += [f"- database: {size.found}", ""]
    todo = [f"- {each.found} -> {each.mend}" for each in checks if each.state != "ok"]
    lines += ["## To do", *todo] if todo else ["Nothing needs you."]
    return "\n".join(lines)
