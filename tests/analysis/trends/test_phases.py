"""Phases on paths that anyone would tell the same."""

import math
from typing import Any

import numpy as np
import pytest
import ruptures

from analysis.trends.phases import LEAST_STEP, MAD_OF_STEPS, PENALTY, SHORTEST, _change_points, phases
from analysis.trends.streams import Stream

from .lists import snapshot


def path(*volumes):
    """None: not on the list."""
    taken = [snapshot(i, ("a", each), "b") if each is not None else snapshot(i, "b") for i, each in enumerate(volumes)]
    return Stream("x", taken, {})


def told(*volumes):
    return [(each.phase, each.snapshots) for each in phases(path(*volumes), "a")]


def test_up_and_down():
    assert told(10, 10, 11, 100, 101, 99, 20, 20, 21) == [("rising", 3), ("peak", 3), ("falling", 3)]


def test_a_level_path_is_steady():
    assert told(50, 51, 50, 49, 50, 50) == [("steady", 6)]


def test_too_short_to_say():
    assert told(10, 1000, 10) == [("steady", 3)]
    assert phases(path(1, 2), "nobody") == []


def test_what_comes_back_returns():
    assert told(10, 10, 100, 100, None, 50, 50) == [("rising", 2), ("peak", 2), ("returning", 2)]


def test_without_volumes_positions_tell():
    places = [9, 9, 9, 2, 2, 2, 8, 8, 8]
    others = [f"o{i}" for i in range(9)]
    taken = [snapshot(i, *others[: place - 1], "a", *others[place - 1 :]) for i, place in enumerate(places)]
    assert [each.phase for each in phases(Stream("x", taken, {}), "a")] == ["rising", "peak", "falling"]


def test_change_points_cost_as_little_as_the_library_s_own() -> None:
    chance = np.random.default_rng(5)
    for length in (4, 9, 40, 90):
        values = np.round(np.cumsum(chance.normal(0, 0.4, length)), 1)
        noise = max(MAD_OF_STEPS * float(np.median(np.abs(np.diff(values)))), LEAST_STEP)
        penalty = PENALTY * noise**2 * math.log(length)
        theirs = ruptures.Pelt(model="l2", min_size=SHORTEST, jump=1).fit(values.reshape(-1, 1)).predict(pen=penalty)

        def cost(ends: list[int], values: Any = values, penalty: float = penalty) -> float:
            parts = zip([0, *ends[:-1]], ends, strict=True)
            return penalty * len(ends) + sum(float(values[a:b].var()) * (b - a) for a, b in parts)

        assert cost(_change_points(values)) == pytest.approx(cost(theirs), abs=1e-9)
