"""Which topics come and go together: above chance only, and on enough snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import nan

from analysis.trends.streams import Snapshot
from analysis.web.topic_alike import LEAST_TOGETHER, alike

START = datetime(2026, 3, 1, tzinfo=UTC)


def taken(*lists: str) -> list[Snapshot]:
    return [Snapshot(START + timedelta(hours=n), tuple(keys), (nan,) * len(keys)) for n, keys in enumerate(lists)]


def test_twins_are_alike_and_what_is_always_there_is_like_nobody() -> None:
    found = alike(taken(*["abz"] * 6, *["cz"] * 6), "a")
    assert [(row.topic_key, row.together, row.share) for row in found] == [("b", 6, 1.0)]
    assert round(found[0].by_chance, 3) == 0.333


def test_a_few_meetings_are_not_told() -> None:
    assert alike(taken(*["ab"] * (LEAST_TOGETHER - 1), *["c"] * 20), "a") == []


def test_a_topic_that_was_never_there_is_like_nobody() -> None:
    assert alike(taken("ab", "ab"), "x") == []
    assert alike([], "x") == []
