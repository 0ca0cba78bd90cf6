"""How long until the peak: by hand, and against the survival table on a made-up world."""

from analysis.trends import peak
from analysis.trends.streams import Stream
from analysis.trends.tracker import AT

from .lists import snapshot, world


def test_hours_left_by_hand():
    """a: first; b: third, second, then gone; back as first. The stay that is running has no known peak."""
    taken = [snapshot(0, "a", "c", "b"), snapshot(1, "a", "b"), snapshot(2, "a"), snapshot(3, "b", "a")]
    rows = peak.stays([Stream("x", taken, {})], 1)
    of_b = [(left, over) for left, over, row in zip(rows.left_h, rows.over_h, rows.features, strict=True)]
    third, second = of_b[2], of_b[4]
    assert (third[0], third[1] - taken[0].at_h) == (1, 2)
    assert second[0] == 0
    back = of_b[6]
    assert (rows.features[6, AT["position"]], back[0], back[1]) == (1, 0, float("inf"))


def test_the_learner_beats_the_survival_table_where_climbers_are_seen():
    result = peak.judged(peak.stays([world(days=12)], 5))
    assert result.pinball < result.pinball_survival
    assert 0.5 < result.inside_80 <= 1
    assert result.n > 1000
