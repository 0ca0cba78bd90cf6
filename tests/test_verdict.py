"""A run is good only when it did what its spider declares; the reasons name what was not."""

from __future__ import annotations

from collections import Counter

import pytest

from crawler.context import Accounts
from crawler.verdict import Expectations, judge

EXPECTED = Expectations(least_items=1, most_items=100, least_good_share=0.9)
REPLAY = Expectations(least_items=0, most_items=100, least_good_share=0.9, replay=True)


def test_a_run_that_stored_its_items_is_good() -> None:
    assert judge(Counter(saved=9, repeated=1), 10, Counter(ok=3), "finished", 0, EXPECTED) == []


@pytest.mark.parametrize(
    ("fates", "yielded", "outcomes", "finish", "errors", "reason"),
    [
        (Counter(), 0, Counter(blocked=3), "finished", 0, "3 of 3 fetches without an answer: 3 blocked"),
        (Counter(), 0, Counter(), "finished", 0, "nothing was fetched"),
        (Counter(saved=1), 1, Counter(ok=1), "shutdown", 0, "stopped early: shutdown"),
        (Counter(saved=1), 1, Counter(ok=1), "finished", 2, "2 errors logged"),
        (Counter(saved=9, unsaved=1), 10, Counter(ok=1), "finished", 0, "1 items not stored"),
        (Counter(saved=9), 10, Counter(ok=1), "finished", 0, "10 items yielded, 9 accounted for"),
        (Counter(saved=9, refused=1), 10, Counter(ok=1), "finished", 0, "1 of 10 items refused"),
        (Counter(), 0, Counter(ok=1), "finished", 0, "0 items stored, at least 1 expected"),
    ],
)
def test_a_run_that_is_not_good_says_why(
    fates: Counter[str], yielded: int, outcomes: Counter[str], finish: str, errors: int, reason: str
) -> None:
    assert reason in judge(fates, yielded, outcomes, finish, errors, EXPECTED)


def test_a_wall_of_the_day_of_the_capture_is_no_fault_of_its_replay() -> None:
    assert judge(Counter(), 0, Counter(blocked=3, ok=1), "finished", 0, REPLAY) == []
    assert judge(Counter(), 0, Counter(shape_changed=3, ok=1), "finished", 0, REPLAY)


def test_a_fetch_is_ready_for_the_ledger_when_all_its_items_have_a_fate() -> None:
    accounts = Accounts()
    accounts.opened({"_id": "c"}, 2)
    accounts.opened({"_id": "empty"}, 0)
    accounts.settled("c", "saved")
    assert [row["_id"] for row in accounts.take_ready()] == ["empty"]
    accounts.settled("c", "refused")
    assert [row["_id"] for row in accounts.take_ready()] == ["c"]
    assert sum(accounts.fates.values()) == accounts.yielded == 2
