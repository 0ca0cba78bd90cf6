"""The life of a list, on lists small enough to follow with a finger."""

from datetime import timedelta

import pandas as pd
import pytest

from analysis.trends.board_life import Inflow, comings_and_goings, inflow, inflows, survival, week
from analysis.trends.streams import Stream

from .lists import HOUR, START, snapshot

GAP = timedelta(hours=2)


def made(*snapshots):
    return Stream("x", list(snapshots), {})


def test_who_came_and_went_and_nothing_across_a_pause():
    found = comings_and_goings(made(snapshot(0, "a", "b"), snapshot(1, "b", "c"), snapshot(9, "d", "e")), GAP)
    assert found["came"].tolist()[1] == found["went"].tolist()[1] == 1
    assert found["turnover_per_hour"].tolist()[1] == 0.5
    assert found["came"].isna().tolist() == [True, False, True]


def test_survival_counts_running_stays_as_at_risk_only():
    """a stays 0 h, b stays 1 h, c and d are running when last seen, 1 h and 0 h in."""
    found = survival(made(snapshot(0, "a", "b"), snapshot(1, "b", "c"), snapshot(2, "c", "d")), GAP)
    assert found["hours"].tolist() == [0, 1]
    assert found["at_risk"].tolist() == [4, 2]
    assert found["still_on"].tolist() == [0.75, 0.375]


def test_a_pause_ends_no_stay():
    assert survival(made(snapshot(0, "a"), snapshot(9, "b")), GAP).empty


def test_the_week_is_that_of_the_place():
    """2026-01-01 00:00 UTC is Wednesday 21 h in São Paulo."""
    looks = [snapshot(24 * 7 * i, "a" if i < 15 else "b", "c") for i in range(30)]
    found = week(made(*looks), "a", "America/Sao_Paulo", 1, GAP).set_index(["weekday", "hour"])
    slot = found.loc[(2, 21)]
    assert (slot["looks"], slot["on"], slot["share"]) == (30, 15, 0.5)
    assert slot["low"] < 0.5 < slot["high"]
    assert not slot["too_few"]
    empty = found.loc[(0, 0)]
    assert empty["looks"] == 0
    assert empty["too_few"]
    assert len(found) == 168


@pytest.mark.parametrize(
    ("before", "after", "hours", "precision", "expected"),
    [
        (100, 150, 8, 0, Inflow(50, 150)),
        (100, 40, 8, 0, Inflow(0, 40)),
        (100, 150, 24, 0, Inflow(150, 150)),
        (100, 150, 30, 0, Inflow(150, None)),
        (1000, 1500, 8, 100, Inflow(400, 1550)),
    ],
)
def test_rolling_counts_become_inflow_with_bounds(before, after, hours, precision, expected):
    assert inflow(before, after, timedelta(hours=hours), precision) == expected


def test_inflow_needs_time():
    with pytest.raises(ValueError, match="later"):
        inflow(1, 2, timedelta(0))


def test_a_hidden_count_lies_below_its_floor_and_a_day_alone_says_nothing():
    frame = pd.DataFrame({
        "at": pd.Series([START + i * HOUR for i in (0, 8, 16, 40)], dtype="datetime64[ms, UTC]"), "position": 1,
        "at_precision": pd.Series([None, None, None, "day"], dtype="string"),
        "volume": pd.Series([None, 25_000, None, 9], dtype="Int64"), "volume_floor": [10_000, None, 10_000, None],
        "volume_precision": pd.Series([None] * 4, dtype="Int64"),
    })  # fmt: skip
    found = inflows(frame)
    assert found["came_low"].tolist() == [15_001, 0]
    assert found["came_high"].tolist() == [25_000, 9_999]
    assert found["hours"].tolist() == [8, 8]
