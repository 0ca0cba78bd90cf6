"""A day of half-hour slots on the simulated web's clock: every slot is taken once or is a gap with its reason."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pymongo.database import Database

from crawler.archive import Archive, Capture
from crawler.due import take
from crawler.items import Item, Vantage
from crawler.outcomes import of_status
from crawler.reading import page_of
from crawler.schedule import Verdict, Watch, duration, judge, missed, shrunken, slot_at
from crawler.storage.evidence import Evidence
from crawler.storage.slots import LEASE, Slots
from crawler.storage.store import Store
from crawler.verify import captures_of, examine
from demo.site import Site, running
from demo.site.app import Asked
from demo.world import START, World

HALF_HOUR = timedelta(minutes=30)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BR = Watch("getdaytrends", "br", HALF_HOUR, NOON)


class Killed(BaseException):
    """The process is gone, at whatever point it was."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(World(7)) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path) as made:
        yield made


class Crawl:
    """Takes a board from the site through archive, page and store, in this process, and may die on the way."""

    def __init__(
        self, site: Site, store: Store, archive: Archive, database: Database[Any], die: Random | None = None
    ) -> None:
        self.site, self.store, self.archive, self.database, self.die = site, store, archive, database, die

    def __call__(self, spider: str, targets: Sequence[str]) -> None:
        for target in targets:
            self.perhaps()
            slug = {"br": "brazil", "world": ""}[target]
            asked = Asked("GET", "getdaytrends.com", f"/{slug}/" if slug else "/")
            answer, _, _ = self.site.answer(asked, proxied=True)
            body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
            capture = Capture(
                f"https://getdaytrends.com/{slug}/", self.site.clock.now(), answer.status, {}, body, "http", Vantage(),
                target, spider,
            )  # fmt: skip
            self.archive.write(capture)
            self.perhaps()
            self.store_what_it_says(capture, self.perhaps)
            self.perhaps()

    def perhaps(self) -> None:
        if self.die is not None and self.die.random() < 0.06:
            raise Killed

    def store_what_it_says(self, capture: Capture, between: Callable[[], None] = lambda: None) -> None:
        page = page_of(capture)
        assert page is not None
        outcome = of_status(capture.status) or page.outcome
        items = [] if of_status(capture.status) else [item for item in page.items() if isinstance(item, Item)]
        self.store.save(items)
        between()
        row = {
            "_id": capture.id, "capture": capture.id, "url": capture.url, "at": capture.fetched_at,
            "outcome": str(outcome), "parts": dict(page.result.parts), "spider": capture.spider,
            "target": capture.target,
        }  # fmt: skip
        self.store.fetches([row], capture.fetched_at)

    def catch_up(self) -> None:
        """As `scrapy verify` does, in this process."""
        for capture in captures_of(self.archive, examine(self.archive, Evidence(self.database)).repairable):
            self.store_what_it_says(capture)


def test_a_day_with_kills_skipped_firings_an_outage_and_walls_accounts_for_every_slot(
    slots: Slots, store: Store, archive: Archive, site: Site, database: Database[Any]
) -> None:
    begin = START + timedelta(days=2)
    chance = Random(11)
    for value in ("br", "world"):
        slots.watch(Watch("getdaytrends", value, HALF_HOUR, begin))
    kills = 0
    for firing in range(24 * 6 + 1):
        moment = begin + timedelta(minutes=10 * firing, seconds=chance.randrange(50))
        site.clock.set(moment)
        if 60 <= firing < 72 or chance.random() < 0.15:
            continue  # two hours of an outage, and a scheduler that may skip
        site.faults.clear()
        if 100 <= firing < 106:
            site.faults.add("rate_limited", "getdaytrends")
        try:
            crawl = Crawl(site, store, archive, database, chance)
            take(slots, crawl, site.clock.now, f"process-{firing}", catch_up=crawl.catch_up)
        except Killed:
            kills += 1
    site.faults.clear()
    site.clock.set(begin + timedelta(days=1, minutes=1))
    last = Crawl(site, store, archive, database)
    take(slots, last, site.clock.now, "the last", catch_up=last.catch_up)
    assert kills > 10
    owed = [begin + i * HALF_HOUR for i in range(48)]
    for value in ("br", "world"):
        rows = {
            row["slot"].replace(tzinfo=UTC): row for row in database["slots"].find({"watch": f"getdaytrends:{value}"})
        }
        assert set(owed) <= set(rows)
        said = Counter(rows[slot].get("reason", rows[slot]["status"]) for slot in owed)
        assert set(said) <= {"taken", "missed", "interrupted", "rate_limited"}
        assert said["taken"] >= 36
        assert said["missed"] >= 3
        for slot in owed:
            fetched = database["fetches"].count_documents(
                {"target": value, "outcome": "ok", "at": {"$gte": slot, "$lt": slot + HALF_HOUR}}
            )
            assert fetched == (1 if rows[slot]["status"] == "taken" else 0), (slot, rows[slot])
            in_slot = archive.captures(target=value, since=slot, until=slot + HALF_HOUR)
            assert sum(capture.status == 200 for capture in in_slot) == fetched  # nothing was asked for twice


def test_two_processes_that_start_at_once_never_take_the_same_slot(
    slots: Slots, store: Store, archive: Archive, site: Site, database: Database[Any]
) -> None:
    site.clock.set(START + timedelta(days=5, minutes=3))
    slots.watch(Watch("getdaytrends", "br", HALF_HOUR, START + timedelta(days=5)))
    rounds = [
        threading.Thread(
            target=take, args=(slots, Crawl(site, store, archive, database), site.clock.now, f"process-{n}")
        )
        for n in range(4)
    ]
    for each in rounds:
        each.start()
    for each in rounds:
        each.join()
    assert database["fetches"].count_documents({"outcome": "ok"}) == 1
    assert database["slots"].count_documents({"status": "taken"}) == 1


def test_a_lease_that_ends_while_a_round_begins_is_left_to_the_next_which_looks_for_what_was_archived(
    slots: Slots,
) -> None:
    slots.watch(BR)
    assert slots.claim(BR, NOON, NOON, "one that dies")
    ends, looked, asked = NOON + slots.lease, list[str](), list[str]()
    moments = [ends - timedelta(milliseconds=1), *[ends + timedelta(milliseconds=i) for i in range(1, 50)]]
    clock = iter(moments)
    take(slots, lambda spider, targets: asked.extend(targets), lambda: next(clock), "another",
         catch_up=lambda: looked.append("early"))  # fmt: skip
    assert (asked, looked) == ([], [])
    later = ends + timedelta(minutes=1)
    take(slots, lambda spider, targets: asked.extend(targets), lambda: later, "the next",
         catch_up=lambda: looked.append("in time"))  # fmt: skip
    assert (asked, looked) == (["br"], ["in time"])


@pytest.mark.parametrize(
    ("outcome", "again"), [("ok", False), ("missing", False), ("blocked", False), ("network", True)]
)
def test_what_a_process_had_fetched_before_it_died_is_not_asked_for_again_whatever_it_was(
    slots: Slots, store: Store, outcome: str, again: bool
) -> None:
    slots.watch(BR)
    assert slots.claim(BR, NOON, NOON, "one that dies")
    later, asked = NOON + slots.lease + timedelta(minutes=1), list[str]()
    row = {"_id": "a", "spider": BR.spider, "target": BR.value, "at": NOON, "outcome": outcome, "parser": "board@1"}
    take(slots, lambda spider, targets: asked.extend(targets), lambda: later, "the next",
         catch_up=lambda: store.fetches([row], later))  # fmt: skip
    assert asked == (["br"] if again else [])
    reason = slots.counts(BR)
    assert reason == {"ok": {"taken": 1}}.get(outcome, {outcome: 1})


def test_a_claim_is_a_lease_that_a_heartbeat_renews_and_another_process_takes_over(slots: Slots) -> None:
    assert slots.claim(BR, NOON, NOON, "first")
    assert not slots.claim(BR, NOON, NOON + LEASE / 2, "second")
    assert slots.renew([(BR, NOON)], NOON + LEASE / 2, "first")
    assert not slots.claim(BR, NOON, NOON + LEASE * 1.2, "second")
    assert slots.claim(BR, NOON, NOON + LEASE * 2, "second")
    assert not slots.renew([(BR, NOON)], NOON + LEASE * 2, "first")
    assert not slots.settle(BR, NOON, Verdict("taken"), NOON + LEASE * 2, "first")
    assert slots.settle(BR, NOON, Verdict("taken"), NOON + LEASE * 2, "second")
    assert not slots.claim(BR, NOON, NOON + LEASE * 9, "third")


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([{"outcome": "ok"}], Verdict("taken")),
        ([{"outcome": "network"}, {"outcome": "ok"}], Verdict("taken")),
        ([{"outcome": "network"}], Verdict("failed", "network")),
        ([{"outcome": "rate_limited"}], Verdict("gap", "rate_limited")),
        ([{"outcome": "blocked", "parts": {"x:trends:br": "blocked"}}], Verdict("gap", "empty")),
        ([{"outcome": "blocked"}], Verdict("gap", "blocked")),
        ([], Verdict("failed", "no_answer")),
    ],
)
def test_a_slot_is_judged_by_the_ledger(rows: list[dict[str, Any]], verdict: Verdict) -> None:
    assert judge(rows, [], []) == verdict


def test_a_shrunken_board_is_told_by_its_own_history() -> None:
    assert shrunken([12], [50] * 20) == "shrunken: 12 rows, usually 50"
    assert shrunken([48], [50] * 20) is None
    assert shrunken([2], [1, 3, 2, 4, 2, 1, 3, 2]) is None
    assert shrunken([1], [50] * 3) is None


def test_slots_are_wall_clock_and_what_came_before_the_watch_is_not_owed() -> None:
    assert slot_at(NOON + timedelta(minutes=29, seconds=59), HALF_HOUR) == NOON
    watch = Watch("x", "br", HALF_HOUR, NOON + timedelta(minutes=7))
    assert missed(None, watch, NOON + timedelta(minutes=95)) == [NOON + HALF_HOUR, NOON + 2 * HALF_HOUR]
    assert missed(NOON + HALF_HOUR, watch, NOON + timedelta(minutes=95)) == [NOON + 2 * HALF_HOUR]
    assert missed(NOON + 3 * HALF_HOUR, watch, NOON + timedelta(minutes=95)) == []


@pytest.mark.parametrize("text", ["", "30", "m", "0m", "-5m", "1w", "ten minutes"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        duration(text)
