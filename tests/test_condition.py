"""`scrapy health`: what is wrong is said first, with what to do; its exit status is for any monitor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler import condition
from crawler.health import Check
from crawler.schedule import Watch, slot_at
from crawler.storage import condition as kept
from crawler.storage.retention import Room, Size
from crawler.storage.slots import Slots
from tests.shell import Shell

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOM = Room([Size("posts", 10, 40_000_000, 1_000_000)], 100_000_000)


@pytest.fixture
def watched(database: Database[Any]) -> Database[Any]:
    """One target that is taken in every hour, one behind a wall; a spider with two runs."""
    slots = Slots(database)
    for value, gaps in (("br", 0), ("us", 8)):
        watch = Watch("getdaytrends", value, HOUR, NOON - 20 * HOUR)
        slots.watch(watch)
        for i in range(20):
            slot = NOON - (i + 1) * HOUR
            if i < gaps:
                slots.gaps(watch, [slot], "blocked", NOON)
            else:
                database["slots"].insert_one(
                    {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "status": "taken"}
                )
            outcome = "blocked" if i < gaps else "ok"
            row = {"spider": "getdaytrends", "target": value, "at": slot, "outcome": outcome}
            database["fetches"].insert_one({"_id": f"{value}{i}", **row})
    for i, verdict in enumerate(("good", "poor")):
        items = {"yielded": 20, "saved": 15, "repeated": 4, "refused": 1}
        row = {"spider": "getdaytrends", "started_at": NOON - i * HOUR, "verdict": verdict, "items": items}
        database["runs"].insert_one({"_id": f"run{i}", **row})
    database["observations"].insert_many([
        {"_id": "a", "kind": "post", "at": NOON, "views": 5}, {"_id": "b", "kind": "post", "at": NOON}
    ])  # fmt: skip
    database["alerts"].insert_many([{"_id": "x", "at": NOON, "came_true": True}, {"_id": "y", "at": NOON}])
    return database


def test_what_was_taken_by_whom_and_with_which_yield_is_read_in_one_look(watched: Database[Any]) -> None:
    found = kept.read(watched, NOON - 24 * HOUR, NOON)
    assert found.spiders == (
        kept.Spider(
            "getdaytrends", 2, 1, {"ok": 32, "blocked": 8},
            {"yielded": 40, "saved": 30, "repeated": 8, "refused": 2},
        ),
    )  # fmt: skip
    assert found.spiders[0].new_share == pytest.approx(30 / 38)
    assert [each.slots for each in found.watched] == [{"taken": 20}, {"blocked": 8, "taken": 12}]
    assert found.no_counter == {"post": (1, 2)}
    assert found.alerts == (2, 1, 1)


def test_a_target_behind_a_wall_is_a_failure_with_what_to_do_and_the_others_stay_good(watched: Database[Any]) -> None:
    checks = condition.judge(kept.read(watched, NOON - 24 * HOUR, NOON), ROOM, 0)
    bad = [each for each in checks if each.state != "ok"]
    assert [each.name for each in bad] == ["target"]
    assert bad[0].found == "getdaytrends:us: last taken 2026-03-08 03:00; since then 8 blocked"
    assert "an API key" in bad[0].mend
    assert condition.status(checks) == 2
    assert "40.0 MB, +1.00 MB a day, 40% of the plan; 80 % in 40 days" in [each.found for each in checks]


def test_the_digest_says_counts_with_what_they_are_of(watched: Database[Any]) -> None:
    found = kept.read(watched, NOON - 7 * 24 * HOUR, NOON)
    text = condition.digest(found, ROOM, condition.judge(found, ROOM, 3))
    assert "2 targets watched; 32 of 40 slots taken in 7 days; gaps: 8 blocked" in text
    assert "2 alerts told; of the 1 whose time is over, 1 came true" in text
    assert "- 3 files wait for the database -> scrapy verify" in text


@pytest.mark.parametrize(("used", "state"), [(79, "ok"), (80, "warn"), (95, "fail")])
def test_room_is_a_warning_at_eighty_and_a_failure_at_ninety_five_percent(
    used: int, state: str, database: Database[Any]
) -> None:
    room = Room([Size("posts", 10, used, 0)], 100)
    checks = condition.judge(kept.read(database, NOON - HOUR, NOON), room, 0)
    assert next(each for each in checks if each.name == "size").state == state


def test_nothing_watched_is_good_and_no_check_at_all_too(database: Database[Any]) -> None:
    checks = condition.judge(kept.read(database, NOON - HOUR, NOON), Room([], None), 0)
    assert condition.status(checks) == condition.status([]) == 0
    assert Check("targets", "ok", "the watch list is empty") in checks


def test_health_says_so_to_a_monitor(shell: Shell, database: Database[Any], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    Slots(database).watch(Watch("getdaytrends", "br", HOUR, slot_at(now, HOUR) - 10 * HOUR))
    done = shell("health", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["status"] == 2
    assert "Does the scheduler run?" in told["checks"][1]["mend"]
    away = Shell("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100", "tidemark_away", tmp_path)("health")
    assert (away.returncode, away.stdout[:14]) == (2, "fail  database")
