"""Measures of a forecast against values worked out by hand or by another library."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from analysis.trends import measures

RNG = np.random.default_rng(5)


def test_average_precision_is_that_of_the_textbook():
    label, score = RNG.random(500) < 0.1, RNG.integers(0, 20, 500).astype(float)
    assert measures.average_precision(label, score) == pytest.approx(average_precision_score(label, score))
    assert np.isnan(measures.average_precision(np.zeros(3, dtype=bool), np.ones(3)))


def test_a_score_that_knows_nothing_gets_the_base_rate():
    label = RNG.random(20_000) < 0.05
    assert measures.average_precision(label, np.ones(len(label))) == pytest.approx(label.mean())


def test_days_are_resampled_together_so_that_two_scores_can_be_paired():
    label, day = RNG.random(2000) < 0.2, np.repeat(np.arange(20), 100)
    good = label + RNG.normal(0, 0.5, 2000)
    found = measures.by_day(label, {"good": good, "same": good.copy(), "flat": np.ones(2000)}, day, 1, 50)
    assert np.array_equal(found["good"], found["same"])
    assert (found["good"] > found["flat"]).all()


def test_calibration_by_hand():
    label = np.array([True, False, False, False])
    assert measures.calibration_error(label, np.full(4, 0.25)) == 0
    assert measures.calibration_error(label, np.full(4, 0.75)) == pytest.approx(0.5)
    assert [each.n for each in measures.reliability(label, np.array([0.0, 0.0, 1.0, 1.0]))] == [2, 2]


def test_the_best_k_of_each_origin():
    label, origin = np.array([True, False, True, False]), np.array([1, 1, 2, 2])
    assert measures.at_most(label, np.array([2.0, 1.0, 1.0, 2.0]), origin, 1) == (0.5, 0.5)


def test_false_discoveries_as_in_the_paper_of_1995():
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    assert measures.false_discoveries(p, 0.05).sum() == 4
    assert not measures.false_discoveries([], 0.05).any()
    assert measures.false_discoveries([float("nan"), 0.001], 0.05).tolist() == [False, True]
