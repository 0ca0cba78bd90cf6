"""What is known of a topic at a snapshot: by hand on small lists, and never from the future."""

import math

import numpy as np
import pytest

from analysis.trends.tracker import AT, FEATURES, Tracker
from analysis.trends.trials import garbage_after

from .lists import snapshot, world


def fed(*snapshots, top=1):
    tracker = Tracker(top)
    return [tracker.add(each) for each in snapshots][-1]


def value(rows, place, name):
    return rows[place - 1, AT[name]]


def test_a_climb_by_hand():
    rows = fed(snapshot(0, ("a", 100), ("b", 50), ("c", 20)), snapshot(2, ("a", 100), ("c", 80), ("b", 50)))
    assert value(rows, 2, "position") == 2
    assert value(rows, 2, "step") == 1
    assert value(rows, 2, "rate") == pytest.approx(math.log(81 / 21) / 2)
    assert value(rows, 2, "to_volume_k") == pytest.approx(math.log(101 / 81))
    assert value(rows, 2, "gap_h") == 2
    assert value(rows, 2, "seen") == 1


def test_new_staying_and_returning_are_three_states():
    rows = fed(snapshot(0, "a", "b"), snapshot(1, "a"), snapshot(2, "a", "b", "c"))
    assert [value(rows, place, "state") for place in (1, 2, 3)] == [0, 1, 2]
    assert value(rows, 2, "away_h") == 2


def test_a_hidden_volume_is_unknown_not_zero():
    rows = fed(snapshot(0, ("a", 100), "b"), snapshot(1, ("a", 100), "b"))
    assert math.isnan(value(rows, 2, "volume"))
    assert math.isnan(value(rows, 2, "rate"))
    assert value(rows, 2, "position") == 2


def test_how_long_ago_it_was_in_the_top():
    rows = fed(snapshot(0, "a", "b"), snapshot(5, "b", "a"))
    assert value(rows, 2, "top_ago_h") == 5
    assert value(rows, 2, "best") == 1


def test_turning_everything_later_into_garbage_changes_nothing():
    whole, tracker, spoilt = world(days=3), Tracker(5), Tracker(5)
    cut = whole.snapshots[40].at_h
    for true, false in zip(whole.snapshots[:41], garbage_after(whole, cut).snapshots[:41], strict=True):
        assert np.array_equal(tracker.add(true), spoilt.add(false), equal_nan=True)
    assert garbage_after(whole, cut).snapshots[41].keys[0].startswith("garbage")


def test_snapshots_go_forward():
    tracker = Tracker(1)
    tracker.add(snapshot(1, "a"))
    with pytest.raises(ValueError, match="forward"):
        tracker.add(snapshot(1, "a"))


def test_every_column_has_its_own_name():
    assert len(set(FEATURES)) == len(FEATURES)
