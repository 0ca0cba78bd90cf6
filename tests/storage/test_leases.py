"""A slot belongs to one process at a time, whoever dies, hangs or comes late. A real server; time is an argument."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT
from crawler.due import Report, offered, take, take_asked, take_jobs
from crawler.jobs import Job
from crawler.schedule import MOST_ATTEMPTS, Verdict, Watch, back_off
from crawler.storage.jobs import Queue
from crawler.storage.slots import LEASE, Slots

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BR = Watch("getdaytrends", "br", HOUR, NOON)
CLAIMER = """
import sys
from datetime import datetime, timedelta
from crawler.schedule import Watch
from crawler.storage.connect import connect
from crawler.storage.slots import Slots
from crawler import config
noon = datetime.fromisoformat(sys.argv[2])
dues = [(Watch("s", str(n), timedelta(hours=1), noon), noon) for n in range(300)]
with connect(config.load()) as client:
    slots = Slots(client[sys.argv[1]])
    print("ready", flush=True)
    sys.stdin.readline()
    print(*(watch.value for watch, _ in slots.claim_all(dues, noon, sys.argv[3])))
"""


def test_of_processes_that_claim_the_same_slots_at_once_each_slot_has_one(
    slots: Slots, mongo_uri: str, shell: Any
) -> None:
    command = [sys.executable, "-c", CLAIMER, slots._database.name, NOON.isoformat()]
    racers = [
        subprocess.Popen([*command, f"p{n}"], cwd=ROOT, env=shell.environ, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(2)
    ]  # fmt: skip
    for each in racers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in racers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    claimed = Counter(value for each in racers for value in each.communicate(timeout=60)[0].split())
    assert claimed == dict.fromkeys(map(str, range(300)), 1)


def test_of_threads_that_take_over_what_a_dead_process_held_each_slot_has_one(slots: Slots) -> None:
    dues = [(Watch("s", str(n), HOUR, NOON), NOON) for n in range(100)]
    assert len(slots.claim_all(dues, NOON, "dead")) == 100
    later = NOON + LEASE + SECOND
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: slots.claim_all(dues, later, f"t{n}"), range(4)))
    assert Counter(watch.value for each in found for watch, _ in each) == {str(n): 1 for n in range(100)}


def test_a_process_whose_heartbeat_is_lost_loses_its_slot_and_its_late_acknowledgement_is_refused(
    slots: Slots,
) -> None:
    assert slots.claim(BR, NOON, NOON, "first")
    assert slots.renew([(BR, NOON)], NOON + LEASE * 0.9, "first") == 1
    assert not slots.claim(BR, NOON, NOON + LEASE * 1.5, "second")  # the heart beat once
    late = NOON + LEASE * 2
    assert slots.claim(BR, NOON, late, "second")
    assert slots.renew([(BR, NOON)], late, "first") == 0
    assert not slots.settle(BR, NOON, Verdict("taken"), late, "first")
    assert slots.settle(BR, NOON, Verdict("taken"), late, "second")


def test_what_failed_waits_twice_as_long_before_each_next_try(slots: Slots) -> None:
    at = NOON
    for attempt in range(1, MOST_ATTEMPTS):
        assert slots.claim(BR, NOON, at, "me")
        assert slots.settle(BR, NOON, Verdict("failed", "network"), at, "me")
        assert not slots.claim(BR, NOON, at + back_off(attempt) - SECOND, "me")
        at += back_off(attempt)
    assert back_off(2) == 2 * back_off(1)
    assert slots.claim(BR, NOON, at, "me")
    assert slots.settle(BR, NOON, Verdict("failed", "network"), at, "me")
    assert not slots.claim(BR, NOON, at + HOUR, "me")


def test_a_target_that_kills_its_process_goes_alone_at_last_is_given_up_and_can_be_revived(slots: Slots) -> None:
    for value in ("br", "deadly", "us"):
        slots.watch(Watch("getdaytrends", value, HOUR, NOON))
    moment = [NOON]
    died: list[list[str]] = []

    def crawl(spider: str, targets: Sequence[str]) -> None:
        died.append(list(targets))
        raise KeyboardInterrupt  # the process is gone

    offers = []
    for _ in range(MOST_ATTEMPTS + 2):
        offers.append(offered(slots, lambda: moment[0], Report()))
        for spider, values in offers[-1]:
            if "deadly" not in values:
                continue
            with pytest.raises(KeyboardInterrupt):
                take(slots, crawl, lambda: moment[0], "me", only=[f"{spider}:{value}" for value in values])
        moment[0] += LEASE + SECOND
    assert died == [["br", "deadly", "us"], ["br", "deadly", "us"], ["deadly"]]
    assert [len(each) for each in offers] == [1, 1, 3, 2, 2]  # the others wait for somebody who takes them
    assert [(each.id, each.reason) for each in slots.dead()] == [
        ("getdaytrends:deadly@20260301T120000Z", "interrupted")
    ]
    assert slots.revive(["getdaytrends:other"]) == 0
    assert slots.revive() == 1
    assert ("getdaytrends", ["deadly"]) in offered(slots, lambda: moment[0], Report())


def test_a_slot_for_which_there_was_no_time_was_not_tried(slots: Slots) -> None:
    for _ in range(MOST_ATTEMPTS + 1):
        assert slots.claim(BR, NOON, NOON, "me")
        assert slots.settle(BR, NOON, Verdict("failed", "no_time"), NOON, "me")
    assert slots.dead() == []


def test_a_message_whose_process_died_is_taken_over_and_after_three_tries_given_up(
    database: Database[dict[str, Any]],
) -> None:
    queue = Queue(database)
    queue.prepare()
    queue.ask("getdaytrends", "br", NOON)
    at = NOON
    for _ in range(MOST_ATTEMPTS):
        assert queue.ready(at) == 1
        found = queue.next(at, "gone")
        assert found is not None
        assert queue.next(at, "other") is None
        assert queue.ready(at) == 0
        assert queue.renew([found], at, "gone") == 1
        assert queue.renew([found], at, "other") == 0
        at += LEASE + SECOND
    assert take_asked(queue, lambda spider, targets: None, lambda: at, "other") == {"failed": 1}
    assert [(each.id, each.reason) for each in queue.dead()] == [("getdaytrends:br", "interrupted")]
    assert queue.revive(["getdaytrends:us"]) == 0
    assert queue.revive(["getdaytrends:br"]) == 1
    assert queue.ready(at) == 1


def test_what_is_asked_for_is_crawled_at_once_and_once(database: Database[dict[str, Any]]) -> None:
    queue = Queue(database)
    queue.prepare()
    assert queue.ask("s", "a", NOON)
    assert not queue.ask("s", "a", NOON)
    queue.ask("s", "b", NOON)
    ran: list[str] = []

    def run(spider: str, targets: Any) -> None:
        ran.extend(targets)
        for each in targets:
            row = {"_id": f"f{each}", "spider": spider, "target": each, "at": NOON, "outcome": "ok"}
            database["fetches"].insert_one(row)

    assert take_asked(queue, run, lambda: NOON, "me") == {"done": 2}
    assert take_asked(queue, run, lambda: NOON, "other") == {}
    assert ran == ["a", "b"]
    assert queue.waiting() == 0


def test_what_is_asked_for_and_never_answers_is_given_up_after_three_tries(database: Database[dict[str, Any]]) -> None:
    queue = Queue(database)
    queue.ask("s", "a", NOON)
    tries: list[Any] = []
    done: Counter[str] = Counter()
    for minute in (0, 1, 2, 5, 6, 60):
        moment = NOON + timedelta(minutes=minute)
        done += take_asked(queue, lambda spider, targets: tries.append(targets), lambda at=moment: at, "me")  # type: ignore[misc]
    assert done == {"waiting": 2, "failed": 1}
    assert len(tries) == 3


def test_a_job_that_follows_the_crawl_waits_for_batches_that_are_on_their_way(
    slots: Slots, database: Database[dict[str, Any]]
) -> None:
    jobs, job = Slots(database, "jobs"), Job("alerts", HOUR, "x", ("crawl",))
    for minute, sent, told in ((1, 2, {}), (45, 2, {"alerts taken": 1}), (61, 0, {"alerts taken": 1})):
        report, moment = Report(), NOON + timedelta(minutes=minute)
        plan = {"alerts": (job, NOON)}
        take_jobs(jobs, plan, slots, lambda job, slot: None, lambda at=moment: at, "me", report, sent=sent)  # type: ignore[misc]
        assert report.jobs == told
