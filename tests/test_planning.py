"""The watch list on the living site with a fifth of what it would take: the budget holds there, and nothing starves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pymongo.database import Database

from crawler.archive import Capture
from crawler.condition import age_slots, judge
from crawler.config import ConfigError, load
from crawler.due import Bounds, Report, offered, take
from crawler.items import Item, Vantage
from crawler.jobs import Limits, Spent
from crawler.outcomes import of_status
from crawler.planning import Budget, explained, planner
from crawler.reading import page_of
from crawler.revisit import POLICIES, STARVED
from crawler.schedule import Watch
from crawler.storage import condition
from crawler.storage.jobs import spent
from crawler.storage.looks import Looks
from crawler.storage.notices import Notices
from crawler.storage.reads import Reader
from crawler.storage.retention import Room
from crawler.storage.slots import Slots
from crawler.storage.store import Store
from demo.check import check
from demo.site import Site, running
from demo.site.app import Asked
from demo.world import START, World
from tests.shell import Shell

HOUR = timedelta(hours=1)
RECORDED = datetime.now(UTC)  # the ledger expires after 90 days of the server's clock
HOURS, A_DAY = 48, 120
"""Of 26 targets an hour, 624 looks a day."""


class Crawl:
    """Takes profiles and boards from the site through page and store, in this process, and counts what it asks."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store = site, store
        self.asked: dict[str, list[datetime]] = defaultdict(list)

    def __call__(self, spider: str, targets: Sequence[str]) -> None:
        for target in targets:
            at = self.site.clock.now()
            self.asked[f"{spider}:{target}"].append(at)
            host, path = (
                ("www.tiktok.com", f"/@{target}") if spider == "tiktok_profile" else ("getdaytrends.com", f"/{target}/")
            )
            answer, _, _ = self.site.answer(Asked("GET", host, path), proxied=True)
            body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
            capture = Capture(
                f"https://{host}{path}", at, answer.status, {}, body, "http", Vantage(), target, spider
            )  # fmt: skip
            page = page_of(capture)
            outcome = of_status(capture.status) or (page.outcome if page else "shape_changed")
            if page is not None and of_status(capture.status) is None:
                self.store.save([item for item in page.items() if isinstance(item, Item)])
            row = {"_id": capture.id, "capture": capture.id, "url": capture.url, "at": at, "outcome": str(outcome),
                   "spider": spider, "target": target, "parts": {}}  # fmt: skip
            self.store.fetches([row], RECORDED)


def test_two_days_at_a_fifth_of_the_loads_keep_the_budget_and_every_target_in_sight(
    slots: Slots, store: Store, database: Database[Any]
) -> None:
    limits = Limits(pages=A_DAY)
    with running(World(7), at=START) as site:
        crawl, report = Crawl(site, store), Report()
        handles = sorted(each.handle(0) for each in site.world.crowd.creators)
        watches = [Watch("tiktok_profile", each, HOUR, START) for each in handles]
        watches += [Watch("getdaytrends", each, HOUR, START) for each in ("brazil", "united-states", "portugal")]
        for each in watches:
            slots.watch(each)
        choose = planner(database, "value", limits, lambda at: spent(database, at))
        for firing in range(HOURS):
            site.clock.set(START + firing * HOUR + timedelta(minutes=3))
            bounds = Bounds(day=limits, spent=lambda at: spent(database, at), plan=choose)
            take(slots, crawl, site.clock.now, str(firing), bounds, report=report)
        verdict = check(Reader(database), site.world)
    by_day = Counter(at.date() for moments in crawl.asked.values() for at in moments)
    assert max(by_day.values()) <= A_DAY
    assert sum(by_day.values()) >= 0.95 * A_DAY * HOURS / 24, "what may be loaded is loaded"
    even_h = len(watches) / (A_DAY / 24)
    end = START + HOURS * HOUR
    assert set(crawl.asked) == {each.id for each in watches}
    waits = {name: max((b - a) / HOUR for a, b in pairwise([*at, end])) for name, at in crawl.asked.items()}
    assert max(waits.values()) <= STARVED * even_h + 1
    assert report.alarms == []
    assert verdict.total > 200
    assert verdict.false == ()
    assert not set(slots.counts(watches[0])) - {"taken", "rested", "missing"}
    often = {name: len(at) for name, at in crawl.asked.items()}
    boards, people = ([n for name, n in often.items() if name.startswith(each)] for each in ("getdaytrends", "tiktok"))
    assert min(boards) > sum(people) / len(people), "lists change every hour"
    watched = explained(watches, Looks(database), POLICIES["value"], Budget(limits, Spent()), end)
    assert {each.watch.id for each in watched} == {each.id for each in watches}
    kept = Looks(database).known(each.id for each in watches)
    assert Looks(database).rebuild(watches[::-1]) == kept, "the same from captures as it was kept"


def owed(slots: Slots, values: str, every: timedelta = HOUR) -> None:
    for each in values:
        slots.watch(Watch("s", each, every, START))


def test_without_a_limit_of_pages_nothing_is_planned(database: Database[Any]) -> None:
    assert planner(database, "value", Limits(megabytes=5), lambda at: Spent()) is None


def test_a_slot_that_rests_is_no_gap_and_can_be_taken_later_in_it(slots: Slots, database: Database[Any]) -> None:
    owed(slots, "abcd", timedelta(days=1))
    ran: list[str] = []
    report = Report()
    for minutes, values in ((0, "ab"), (12 * 60, "cd")):
        bounds = Bounds(plan=lambda dues, now, values=values: ([due for due in dues if due[0].value in values], []))
        take(slots, lambda _, targets: ran.extend(targets), lambda m=minutes: START + timedelta(minutes=m), "me",
             bounds, report=report)  # type: ignore[misc]  # fmt: skip
    assert ran == ["a", "b", "c", "d"]
    assert report.counted["rested"] == 2
    assert Notices(database).gaps_in_a_row(START + HOUR) == {}
    later = Report()
    take(slots, lambda *_: None, lambda: START + timedelta(days=1), "me", Bounds(plan=lambda dues, now: ([], [])),
         report=later)  # fmt: skip
    assert later.counted["missed"] == 0


def test_workers_are_sent_what_the_plan_chose(slots: Slots) -> None:
    owed(slots, "abc")
    report = Report()
    bounds = Bounds(plan=lambda dues, now: ([due for due in dues if due[0].value != "b"], []))
    assert offered(slots, lambda: START, report, 50, bounds) == [("s", ["a", "c"])]
    assert report.counted == {"rested": 1}


def test_a_target_behind_a_wall_is_not_asked_again_at_once(slots: Slots, store: Store, database: Database[Any]) -> None:
    owed(slots, "ab")
    rows = [{"_id": "1", "url": "https://h/a", "at": START, "outcome": "blocked", "spider": "s", "target": "a"}]
    store.fetches(rows, RECORDED)
    told = explained(slots.watches(), Looks(database), POLICIES["value"], Budget(Limits(pages=12), Spent()),
                     START + HOUR)  # fmt: skip
    assert [each.watch.value for each in told if each.choice.taken] == ["b"]


def test_a_host_that_has_had_its_day_gets_nothing_and_the_targets_that_starve_for_it_are_told(
    slots: Slots, store: Store, database: Database[Any]
) -> None:
    owed(slots, "a")
    rows = [{"_id": "1", "url": "https://h/a", "at": START, "outcome": "ok", "spider": "s", "target": "a"}]
    store.fetches(rows, RECORDED)
    now = START + timedelta(days=30)
    choose = planner(database, "value", Limits(host_pages=24), lambda at: Spent(24, hosts={("s", "h"): 24}))
    assert choose is not None
    [watch] = slots.watches()
    chosen, alarms = choose([(watch, now)], now)
    assert list(chosen) == []
    assert alarms == ["targets starve at this budget: s:a; raise TIDEMARK_DAY_PAGES, or watch fewer or less often"]


def test_health_does_not_call_a_target_stale_that_was_to_rest(slots: Slots, database: Database[Any]) -> None:
    owed(slots, "a")
    for hour in range(20):
        take(slots, lambda *_: None, lambda h=hour: START + h * HOUR, "me",
             Bounds(plan=lambda dues, now: ([], [])))  # type: ignore[misc]  # fmt: skip
    now = condition.read(database, START - HOUR, START + 20 * HOUR)
    [watched] = now.watched
    assert watched.rested == 20
    assert age_slots(watched, START + 20 * HOUR) == 0
    assert not [each for each in judge(now, Room([], None), 0) if each.state != "ok"]


def test_health_names_the_target_that_the_plan_never_takes(slots: Slots, database: Database[Any]) -> None:
    owed(slots, "ab")
    rows = [{"watch": f"s:{name}", "slot": START + hour * HOUR, "status": status}
            for hour in range(40) for name, status in (("a", "taken"), ("b", "rested"))]  # fmt: skip
    database["slots"].insert_many(rows)
    checks = judge(condition.read(database, START, START + 40 * HOUR), Room([], None), 0)
    assert [(each.state, each.found) for each in checks if each.state != "ok"] == [
        ("warn", "s:b starves: last taken never; 40 slots rested since then")
    ]


def test_due_explains_what_is_next_and_why(slots: Slots, store: Store, shell: Shell) -> None:
    owed(slots, "ab")
    rows = [
        {
            "_id": "1",
            "url": "https://h/a",
            "at": datetime.now(UTC) - timedelta(days=30),
            "outcome": "ok",
            "spider": "s",
            "target": "a",
        }
    ]
    store.fetches(rows, RECORDED)
    done = shell("due", "--explain", TIDEMARK_DAY_PAGES="24")
    assert done.returncode == 0, done.stderr
    head, first, second = done.stdout.splitlines()
    assert head == "policy value; today 0 pages of 24"
    assert "never looked at" in first
    assert "nothing waits longer than" in second


def test_a_policy_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="TIDEMARK_REVISIT: expected uniform or change or value"):
        load({"TIDEMARK_REVISIT": "fastest"})
    assert load({}).revisit in POLICIES
