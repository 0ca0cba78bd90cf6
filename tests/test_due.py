"""A day of half-hour slots on the simulated web's clock: every slot is taken once or is a gap with its reason."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from pymongo.database import Database

from crawler import pages
from crawler.due import Runner, take
from crawler.items import Item
from crawler.outcomes import of_status
from crawler.schedule import Verdict, Watch, duration, judge, missed, shrunken, slot_at
from crawler.storage.slots import LEASE, Slots
from crawler.storage.store import Store
from demo.site import Site, running
from demo.site.app import Answer, Asked
from demo.world import START, World

HALF_HOUR = timedelta(minutes=30)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BR = Watch("getdaytrends", "br", HALF_HOUR, NOON)


class Killed(BaseException):
    """The process is gone, at whatever point it was."""


@pytest.fixture
def slots(database: Database[dict[str, Any]]) -> Slots:
    made = Slots(database)
    made.prepare()
    return made


@pytest.fixture
def store(database: Database[dict[str, Any]]) -> Iterator[Store]:
    made = Store(database)
    made.prepare()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(World(7)) as opened:
        yield opened


def crawler_of(site: Site, store: Store, die: Random | None = None) -> Runner:
    """Takes a board from the site through page and store, in this process, and may die on the way."""

    def perhaps() -> None:
        if die is not None and die.random() < 0.06:
            raise Killed

    def run(spider: str, targets: Sequence[str]) -> None:
        for target in targets:
            perhaps()
            at = site.clock.now()
            slug = {"br": "brazil", "world": ""}[target]
            answer, _, _ = site.answer(Asked("GET", "getdaytrends.com", f"/{slug}/" if slug else "/"), proxied=True)
            row, items = read(answer, slug, at)
            perhaps()
            store.save(items)
            store.fetches([{**row, "spider": spider, "target": target}], at)
            perhaps()

    return run


def read(answer: Answer, slug: str, at: datetime) -> tuple[dict[str, Any], list[Item]]:
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    url = f"https://getdaytrends.com/{slug}/"
    page = pages.load_all()["getdaytrends.trends"](url, body, at)
    outcome = of_status(answer.status) or page.outcome
    items = [] if of_status(answer.status) else [item for item in page.items() if isinstance(item, Item)]
    row = {"_id": page.capture, "capture": page.capture, "url": url, "at": at, "outcome": str(outcome)}
    return {**row, "parts": dict(page.result.parts)}, items


def test_a_day_with_kills_skipped_firings_an_outage_and_walls_accounts_for_every_slot(
    slots: Slots, store: Store, site: Site, database: Database[Any]
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
            take(slots, crawler_of(site, store, chance), site.clock.now, f"process-{firing}")
        except Killed:
            kills += 1
    site.faults.clear()
    site.clock.set(begin + timedelta(days=1, minutes=1))
    take(slots, crawler_of(site, store), site.clock.now, "the last")
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


def test_two_processes_that_start_at_once_never_take_the_same_slot(
    slots: Slots, store: Store, site: Site, database: Database[Any]
) -> None:
    site.clock.set(START + timedelta(days=5, minutes=3))
    slots.watch(Watch("getdaytrends", "br", HALF_HOUR, START + timedelta(days=5)))
    rounds = [
        threading.Thread(target=take, args=(slots, crawler_of(site, store), site.clock.now, f"process-{n}"))
        for n in range(4)
    ]
    for each in rounds:
        each.start()
    for each in rounds:
        each.join()
    assert database["fetches"].count_documents({"outcome": "ok"}) == 1
    assert database["slots"].count_documents({"status": "taken"}) == 1


def test_a_claim_is_a_lease_that_a_heartbeat_renews_and_another_process_takes_over(slots: Slots) -> None:
    assert slots.claim(BR, NOON, NOON, "first")
    assert not slots.claim(BR, NOON, NOON + LEASE / 2, "second")
    assert slots.renew(BR, NOON, NOON + LEASE / 2, "first")
    assert not slots.claim(BR, NOON, NOON + LEASE * 1.2, "second")
    assert slots.claim(BR, NOON, NOON + LEASE * 2, "second")
    assert not slots.renew(BR, NOON, NOON + LEASE * 2, "first")
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
