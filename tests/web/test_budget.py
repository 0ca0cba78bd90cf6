"""Data health says where the looks of the watch list went, and who starves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.web.figures_budget import visited

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def target(name: str, **more: Any) -> dict[str, Any]:
    return {"key": name, "every_s": 3600.0, **more}


def taken(name: str, n: int, first_h: float, last_h: float) -> dict[str, Any]:
    return {"watch": name, "status": "taken", "n": n, "first": NOON - first_h * HOUR, "last": NOON - last_h * HOUR}


def test_who_waits_for_more_than_eight_even_intervals_starves_and_stands_first() -> None:
    learned = {"looks": 9, "useful": 6, "changes": 5.0, "hours": 10.0}
    rows = visited(
        [target("s:a", learned=learned), target("s:b"), target("s:paused", paused=True), {"key": "s:once"}],
        [taken("s:a", 11, 20, 0), taken("s:b", 3, 54, 50), {"watch": "s:a", "status": "rested", "n": 4}], NOON,
    )  # fmt: skip
    assert [(each.name, each.starves) for each in rows] == [("s:b", True), ("s:a", False)]
    quick = rows[1]
    assert (quick.taken, quick.rested, quick.useful, quick.changes_per_h) == (11, 4, 6, 0.5)
    assert (quick.interval_h, quick.lag_h) == (2, 1)


def test_a_target_that_was_never_looked_at_has_no_lag() -> None:
    [row] = visited([target("s:a")], [], NOON)
    assert (row.taken, row.lag_h, row.changes_per_h, row.starves) == (0, None, None, False)
