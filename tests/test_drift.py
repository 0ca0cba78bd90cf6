"""Drift: a change of shape is told on its first run, clean runs are quiet, and a break never becomes the usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from pymongo.database import Database

from benchmarks import drift as benchmark
from crawler.drift import Finding, accepted, examine
from crawler.drift_limits import FEWEST_RUNS
from crawler.drift_seen import Memory, PageSeen, Run, field_of, names
from crawler.items import BoardEntry, Post
from crawler.storage.drift import Drift, forget

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = names(("itemList", "id", "stats", "playCount", "diggCount", "author", "desc"))


def posts(hour: int, **odd: Any) -> list[Post]:
    """Twelve posts of the hour; *odd*: values or functions of a post's own that take the place of what is so."""
    chance = Random(4)
    made = []
    for n in range(12):
        views = int(1000 * 2**n * (1 + 0.02 * hour * chance.random()))
        fields: dict[str, Any] = {
            "post_id": f"7300000000000000{n:03}", "author": f"author{n}", "caption": f"a caption {n}", "views": views,
            "likes": views // 12, "comments": views // 300, "duration_s": 10 + n,
        }  # fmt: skip
        fields |= {name: value(fields) if callable(value) else value for name, value in odd.items()}
        made.append(Post(
            platform="tiktok", url=f"https://www.tiktok.com/@x/video/{n}", observed_at=NOON + timedelta(hours=hour),
            capture="c", parser="tiktok.list@1", **fields,
        ))  # fmt: skip
    return made


def run(hour: int, pages: tuple[PageSeen, ...] = (PageSeen("tiktok.list", "ok", WORDS),), **odd: Any) -> Run:
    made = Run(NOON + timedelta(hours=hour), pages=list(pages))
    for item in posts(hour, **odd):
        made.take(item)
    return made


@pytest.fixture(scope="module")
def memory() -> Memory:
    """After eight clean runs."""
    known = Memory()
    for hour in range(8):
        found = examine(run(hour), known)
        assert found.alarms == ()
        known = found.memory
    return known


def fields(found: Finding) -> set[str]:
    return {each.measure.field for each in found.alarms}


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"likes": None}, {"likes"}),
        ({"likes": 0}, {"likes"}),
        ({"duration_s": lambda post: post["duration_s"] * 1000}, {"duration_s"}),
        ({"views": lambda post: post["views"] * 100}, {"views"}),
        ({"likes": lambda post: post["comments"], "comments": lambda post: post["likes"]}, {"likes"}),
        ({"caption": lambda post: post["author"], "author": lambda post: post["caption"]}, {"author"}),
        ({"post_id": lambda post: post["post_id"][::-1]}, {""}),
        ({}, set()),
    ],
    ids=["renamed", "zero", "milliseconds", "hundredfold", "swapped", "texts swapped", "other ids", "nothing"],
)
def test_the_first_run_after_a_change_tells_which_field(memory: Memory, odd: dict[str, Any], told: set[str]) -> None:
    found = fields(examine(run(8, **odd), memory))
    assert told <= found and (told or not found)


def test_one_post_may_go_viral(memory: Memory) -> None:
    found = examine(run(8, views=lambda post: post["views"] * (40 if post["author"] == "author3" else 1)), memory)
    assert found.alarms == ()


def test_few_runs_say_so_and_judge_nothing() -> None:
    known = Memory()
    for hour in range(FEWEST_RUNS - 1):
        known = examine(run(hour), known).memory
    found = examine(run(9, likes=None), known)
    assert (found.alarms, found.little) == ((), ("tiktok.list post",))


def test_a_break_is_not_learned_however_long_it_lasts_and_its_end_is_seen(memory: Memory) -> None:
    known = memory
    for hour in range(8, 40):
        found = examine(run(hour, likes=None), known)
        assert "likes" in fields(found)
        known = found.memory
    assert examine(run(40), known).alarms == ()


def test_a_run_that_cannot_tell_neither_ends_a_break_nor_is_learned(memory: Memory, database: Database[Any]) -> None:
    kept = Drift(database)
    broken = examine(run(8, likes=None), memory)
    kept.keep("tiktok_search", "run8", NOON + timedelta(hours=8), broken.memory, broken.alarms)
    walled = Run(NOON + timedelta(hours=9), pages=[PageSeen("tiktok.list", "blocked", names(("captcha", "verify")))])
    silent = examine(walled, broken.memory)
    assert (silent.alarms, silent.untold) == ((), ("tiktok.list post|likes",))
    kept.keep("tiktok_search", "run9", NOON + timedelta(hours=9), silent.memory, silent.alarms)
    assert [each.state for each in kept.breaks()] == ["open"]
    assert "likes" in fields(examine(run(10, likes=None), silent.memory))
    over = examine(run(10), Memory.of(silent.memory.as_data()))
    assert (over.alarms, over.untold, over.memory.opened) == ((), (), {})


def test_what_lies_nearer_to_the_break_than_to_what_was_before_goes_on_although_little_is_seen(memory: Memory) -> None:
    def few(hour: int, **odd: Any) -> Run:
        made = run(hour, **odd)
        made.entities["tiktok.list post"] = dict(list(made.entities["tiktok.list post"].items())[:2])
        return made

    broken = examine(run(8, saves=7), memory)  # never shown before
    assert "saves" in fields(broken)
    assert "saves" in fields(examine(few(9, saves=7), broken.memory))
    assert "saves" not in fields(examine(few(9), broken.memory))


def test_ranks_that_count_otherwise_are_told() -> None:
    def listed(hour: int, step: int = 1) -> Run:
        made = Run(NOON + timedelta(hours=hour), pages=[PageSeen("x.trends", "ok", WORDS)])
        for n in range(1, 21):
            topic = f"topic{(n + hour) % 25}"
            made.take(BoardEntry(
                platform="x", url="https://x.example/", observed_at=made.at, capture="c", parser="x.trends@1",
                board="x:br", at=made.at, position=n * step, topic=topic, topic_key=topic,
            ))  # fmt: skip
        return made

    known = Memory()
    for hour in range(8):
        found = examine(listed(hour), known)
        assert found.alarms == ()
        known = found.memory
    assert fields(examine(listed(8, 100), known)) == {"position"}


def test_what_is_younger_than_a_day_may_multiply() -> None:
    known = Memory()
    for hour in range(8):
        known = examine(run(hour, created_at=NOON), known).memory
    assert examine(run(8, created_at=NOON, views=lambda post: post["views"] * 9), known).alarms == ()
    known = Memory()
    for hour in range(8):
        known = examine(run(hour, created_at=NOON - timedelta(days=2)), known).memory
    old = examine(run(8, created_at=NOON - timedelta(days=2), views=lambda post: post["views"] * 9), known)
    assert "views" in fields(old)


def test_pages_that_never_were_empty_and_all_are_now_are_told(memory: Memory) -> None:
    known = memory
    for hour in (8, 9):
        known = examine(run(hour), known).memory
    nothing = Run(NOON + timedelta(hours=10), pages=[PageSeen("tiktok.list", "empty", names(("cursor",)))] * 2)
    assert [each.measure.what for each in examine(nothing, known).alarms] == ["empty"]
    nothing.pages = nothing.pages[:1]
    assert examine(nothing, known).alarms == ()


def test_what_a_person_accepts_is_learned_anew_and_the_rest_stays_known(memory: Memory) -> None:
    first = examine(run(8, likes=None), memory)
    known = accepted(first.memory, [("tiktok.list post", "likes")])
    for hour in range(9, 14):
        found = examine(run(hour, likes=None), known)
        assert found.alarms == ()
        known = found.memory
    assert "views" in fields(examine(run(14, likes=None, views=None), known))


def test_counters_that_stand_still_where_they_used_to_move_are_told(memory: Memory) -> None:
    known = memory
    stale = examine(run(7), known)  # the same numbers once more, an hour later
    assert {each.measure.what for each in stale.alarms} == {"still"}
    assert {"views", "likes"} <= fields(stale)


def test_a_page_that_seems_empty_and_is_made_as_ever_is_told_and_a_wall_is_not(memory: Memory) -> None:
    nothing = Run(NOON + timedelta(hours=9))
    nothing.pages = [PageSeen("tiktok.list", "blocked", WORDS)]
    assert [each.measure.what for each in examine(nothing, memory).alarms] == ["broken"]
    nothing.pages = [PageSeen("tiktok.list", "blocked", names(("captcha", "verify")))]
    assert examine(nothing, memory).alarms == ()
    nothing.pages = [PageSeen("tiktok.list", "shape_changed", damaged=True)]
    assert examine(nothing, memory).alarms == ()


def test_the_memory_holds_no_name_and_no_text(memory: Memory) -> None:
    kept = str(memory.as_data())
    assert "author3" not in kept and "a caption" not in kept and "7300000000000000" not in kept


def test_only_fields_that_were_unreadable_count_as_odd() -> None:
    assert field_of("body.itemList[3].stats.diggCount") == "diggCount"
    assert field_of("body.data[3]: type 4 is no post") is None


def test_breaks_are_kept_go_on_and_end(database: Database[Any], memory: Memory) -> None:
    kept = Drift(database)
    known = memory
    for hour in (8, 9):
        found = examine(run(hour, likes=None), known)
        known = found.memory
        kept.keep("tiktok_search", f"run{hour}", NOON + timedelta(hours=hour), known, found.alarms)
    [one] = kept.breaks("open")
    assert (one.field, one.since_run, one.last_run, one.runs) == ("likes", "run8", "run9", 2)
    assert kept.memory("tiktok_search") == known
    forget(database)
    assert kept.memory("tiktok_search").entities == {}
    found = examine(run(10), known)
    kept.keep("tiktok_search", "run10", NOON + timedelta(hours=10), found.memory, found.alarms)
    assert [each.state for each in kept.breaks()] == ["over"]
    assert kept.accept("run9") == []


def test_changed_sites_are_told_and_repaired_and_clean_ones_are_quiet() -> None:
    """The short form of `python -m benchmarks drift`."""
    told = benchmark.run(range(500, 506))
    hits = [hit for each in told.seen.values() for hit in each]
    right = sum(each["right"] for each in told.repairs.values())
    assert len(told.false) <= 1
    assert sum(hits) >= len(hits) - 1 > 0
    assert right >= len(hits) - 2
    assert told.relearned == 0
