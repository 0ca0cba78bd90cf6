"""Workers that share a database ask a host no faster, and no more in a day, than one of them would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from crawler.jobs import Limits
from crawler.schedule import Verdict, judge
from crawler.storage import jobs as kept
from crawler.storage.hosts import Hosts, Turn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GAP = timedelta(seconds=2)


@pytest.fixture
def hosts(database: Database[dict[str, Any]]) -> Hosts:
    made = Hosts(database)
    made.prepare()
    return made


def test_many_who_ask_at_once_get_turns_one_gap_apart(hosts: Hosts) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda n: hosts.turn("x.example", GAP, now=NOON), range(40)))
    assert sorted(turn.wait_s for turn in turns) == [2.0 * n for n in range(40)]
    assert hosts.turn("y.example", GAP, now=NOON).wait_s == 0  # another host is another queue


def test_after_a_pause_the_next_goes_at_once_and_nothing_is_saved_up(hosts: Hosts) -> None:
    later = NOON + timedelta(minutes=10)
    assert [hosts.turn("x.example", GAP, now=at).wait_s for at in (NOON, later, later)] == [0, 0, 2]


def test_a_worker_whose_clock_is_its_own_is_told_a_distance_by_the_servers(hosts: Hosts) -> None:
    hosts.turn("x.example", timedelta(hours=1))
    assert 3590 < hosts.turn("x.example", GAP).wait_s <= 3600


def test_patience_that_one_was_asked_for_holds_for_all(hosts: Hosts) -> None:
    hosts.rest("x.example", timedelta(minutes=1))
    assert 50 < hosts.turn("x.example", GAP).wait_s <= 60


def test_the_pages_of_a_day_are_exact_however_many_ask_and_a_new_day_begins_anew(
    hosts: Hosts, database: Database[dict[str, Any]]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda n: hosts.turn("x.example", GAP, 25, NOON), range(40)))
    assert sum(turn.granted for turn in turns) == 25
    assert hosts.of_day(NOON) == {"x.example": 25}
    row = {"_id": "1", "spider": "s", "url": "https://x.example/", "lane": "http", "at": NOON, "bytes": 1}
    database["fetches"].insert_one(row)
    spent = kept.spent(database, NOON)
    assert spent.pages == 1  # of the ledger; the others are on their way
    assert Limits(host_pages=25).left(spent, "s") == 0
    assert Limits(host_pages=26).left(spent, "s") == 1
    assert hosts.turn("x.example", GAP, 25, NOON + timedelta(days=1)) == Turn(0.0, True)


def test_a_page_that_fell_to_the_limit_of_its_host_is_a_gap_of_the_budget() -> None:
    row = {"outcome": "rate_limited", "error": "DayOver"}
    assert judge([row], [], []) == Verdict("gap", "budget")
