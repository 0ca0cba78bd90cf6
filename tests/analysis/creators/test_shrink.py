"""Shrunk rates on simulated creators whose truth is known."""

import numpy as np
import pytest

from analysis.creators.shrink import Sample, shrink
from benchmarks.creators import WORLDS, World, score


@pytest.mark.parametrize("name", WORLDS)
def test_shrunk_rates_are_nearer_the_truth_than_raw_ones_and_intervals_hold_what_they_promise(name):
    found = score(7, 1000, WORLDS[name])
    assert found.shrunk_error < 0.85 * found.raw_error
    assert 0.92 <= found.covered.mean() <= 0.98


def test_intervals_hold_with_a_dozen_creators_too():
    inside = np.concatenate([score(seed, 12, World()).covered for seed in range(16)])
    assert 0.90 <= inside.mean() <= 0.99


def sample(engagement, views, creator=None):
    n = len(engagement)
    place = np.arange(n) if creator is None else np.array(creator)
    nothing = np.full(place.max() + 1, np.nan)
    return Sample(place, np.array(engagement, float), np.array(views, float), np.zeros(n), nothing)


def test_little_is_known_of_a_post_without_a_like_and_few_views():
    found = shrink(sample([0, 500, 600, 550], [20, 10_000, 10_000, 10_000]))
    assert found.rate[0] > 0.02
    assert found.high[0] / found.low[0] > 2 * found.high[1] / found.low[1]


def test_the_more_posts_a_creator_has_the_less_it_is_drawn_to_the_others():
    few = [(1500, 10_000)] + [(500, 10_000)] * 20
    posts = [(1500 + n, 10_000) for n in range(12)] + [(500 + n, 10_000) for n in range(20)]
    one = shrink(sample(*zip(*few, strict=True), creator=range(21)))
    dozen = shrink(sample(*zip(*posts, strict=True), creator=[0] * 12 + list(range(1, 21))))
    assert one.rate[0] < dozen.rate[0] <= 0.152
    assert dozen.above[0] > 0.99


def test_no_post_at_all_is_an_error_not_a_rate():
    with pytest.raises(ValueError, match="at least one post"):
        shrink(Sample(np.array([], np.int64), *[np.array([])] * 3, np.array([])))
