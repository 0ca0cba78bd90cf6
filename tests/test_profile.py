"""What a run looks like as a whole: the two breaks of one public archive, made again, are seen on their first day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from crawler.items import Item
from crawler.pages.tables.weibo import HotPage
from crawler.profile import Measures, Tally, alarms, limits

START = datetime(2022, 1, 1, tzinfo=UTC)
EMPTY_DAYS = range(60, 94)
"""34 days of `[]`."""
MOVING_DAYS = range(150, 319)
"""169 days on which every address carried the moment, so that the archive's deduplication by address found nothing."""


def day_of(random: Random, day: int) -> list[dict[str, Any]]:
    """A day's file as the archive made it: the lists of 24 hours joined, each address once."""
    if day in EMPTY_DAYS:
        return []
    kept: dict[str, dict[str, Any]] = {}
    topics = [f"topic {day * 7 + i}" for i in range(random.randrange(110, 150))]
    for hour in range(24):
        first = hour * (len(topics) - 50) // 24
        for i, title in enumerate(topics[first : first + 50]):
            moving = f"&t={day}-{hour}" if day in MOVING_DAYS else ""
            url = f"https://weibo.example/?q={title}{moving}"
            kept[url] = {"title": title, "url": url, "hot": random.randrange(1, 10**6) // (i + 1), "ads": False}
    return list(kept.values())


def profiled(days: int) -> list[Measures]:
    random = Random(5)
    made = []
    for day in range(days):
        at = START + timedelta(days=day)
        page = HotPage(f"saved:{at:%Y-%m-%d}.json", json.dumps(day_of(random, day)).encode(), at)
        tally = Tally()
        for item in page.items():
            assert isinstance(item, Item)
            tally.take(item)
        made.append(tally.measures())
    return made


@pytest.fixture(scope="module")
def told() -> dict[int, list[str]]:
    """What was unusual, by day."""
    measures = profiled(200)
    return {day: [str(each) for each in alarms(measures[day], measures[:day])] for day in range(200)}


def test_the_first_day_of_empty_lists_is_told(told: dict[int, list[str]]) -> None:
    first = EMPTY_DAYS.start
    assert any(line.startswith("boardentry n: 0, usually 1") for line in told[first])
    assert any(line.startswith("size weibo:hot:cn: 0") for line in told[first])


def test_the_first_day_of_a_moving_address_is_told_by_size_and_by_repeats(told: dict[int, list[str]]) -> None:
    first = MOVING_DAYS.start
    assert any(line.startswith("boardentry distinct: 0.") for line in told[first])
    assert any(line.startswith("boardentry n: 1,") for line in told[first])


def test_ordinary_days_are_mostly_quiet(told: dict[int, list[str]]) -> None:
    ordinary = [
        day for day in told
        if day not in EMPTY_DAYS and day not in MOVING_DAYS
        # For ten runs after a break the usual is in dispute.
        and not any(0 <= day - broken.stop < 20 for broken in (EMPTY_DAYS, MOVING_DAYS))
    ]  # fmt: skip
    assert sum(bool(told[day]) for day in ordinary) <= len(ordinary) * 0.03


def test_with_few_runs_nothing_is_called_unusual() -> None:
    assert alarms({"post n": 0.0}, [{"post n": 50.0}] * 5) == []
    assert len(alarms({"post n": 0.0}, [{"post n": 50.0}] * 6)) == 1


def test_one_odd_run_in_the_past_moves_the_limits_little() -> None:
    usual, odd = [50.0, 51.0, 49.0] * 6, [*[50.0, 51.0, 49.0] * 6, 5000.0]
    assert limits(odd, share=False)[2] < limits(usual, share=False)[2] * 1.2


def test_a_source_that_never_varied_may_begin_to() -> None:
    assert alarms({"size x": 46.0}, [{"size x": 50.0}] * 20) == []
    assert len(alarms({"size x": 20.0}, [{"size x": 50.0}] * 20)) == 1
    assert alarms({"post filled views": 0.97}, [{"post filled views": 1.0}] * 20) == []
    assert len(alarms({"post filled views": 0.5}, [{"post filled views": 1.0}] * 20)) == 1


def test_a_measure_that_came_once_is_not_missed() -> None:
    history = [{"a n": 5.0}] * 19 + [{"a n": 5.0, "b n": 3.0}]
    assert alarms({"a n": 5.0}, history) == []
