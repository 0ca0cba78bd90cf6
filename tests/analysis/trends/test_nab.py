"""The benchmark's score: what it pays, and that it pays what its authors published."""

import numpy as np
import pytest

from analysis.trends import nab
from benchmarks import nab as benchmark
from crawler.config import load

STANDARD = nab.PROFILES["standard"]
BED = load().shared_dir / "beds" / "nab"
PUBLISHED = {
    "knncad": 64.3, "null": 0.0, "numenta": 68.0,
    "random": 21.3, "relativeEntropy": 59.8, "windowedGaussian": 51.4,
}  # fmt: skip


def hourly(rows):
    return np.datetime64("2026-01-01T00", "ms") + np.arange(rows) * np.timedelta64(1, "h")


@pytest.fixture
def judged():
    times = hourly(1000)
    return nab.judge(times, [(times[400], times[499])])


def score(judged, *rows, profile=STANDARD):
    return nab.normalised(nab.earned(judged, np.array(rows, dtype=np.int64), profile), judged.windows, profile)


def test_silence_is_0_and_the_first_row_of_each_window_is_100(judged):
    assert score(judged) == 0
    assert score(judged, 400) == pytest.approx(100)


def test_only_the_earliest_detection_of_a_window_is_paid(judged):
    assert score(judged, 420, 421, 490) == score(judged, 420)
    assert score(judged, 420) > score(judged, 490) > 50


def test_a_false_alarm_costs_its_weight_and_less_just_behind_a_window(judged):
    assert score(judged, 400, 900) == pytest.approx(100 - 100 * 0.11 / 2)
    assert score(judged, 400, 900) < score(judged, 400, 505) < 100
    assert score(judged, 400, 900, profile=nab.PROFILES["reward_low_FP_rate"]) == pytest.approx(100 - 100 * 0.22 / 2)


def test_rows_in_the_time_for_learning_are_not_scored(judged):
    assert judged.start == 150
    assert score(judged, 10, 149) == 0
    assert nab.judge(hourly(10_000), []).start == 750


def test_the_threshold_left_out_is_chosen_without_its_own_series():
    grid = np.array([1.0, 2.0, 4.0])
    table = np.array([[0.0, 9.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 5.0]])
    assert nab.one_left_out(grid, table).tolist() == [2, 1, 1]
    with pytest.raises(ValueError, match="two or more"):
        nab.one_left_out(grid, table[:1])


@pytest.mark.skipif(not BED.exists(), reason="needs ../shared/beds/nab (TIDEMARK_SHARED)")
def test_published_results_score_as_published():
    found = benchmark.published(BED, benchmark.read_series(BED))
    assert {name: round(points, 1) for name, points in found.items()} == PUBLISHED


@pytest.mark.skipif(not BED.exists(), reason="needs ../shared/beds/nab (TIDEMARK_SHARED)")
def test_ours_is_above_what_was_asked_for_on_the_public_series():
    series = benchmark.read_series(BED)
    found = benchmark.score(series, benchmark.told_by_ours(series), benchmark.GRID, None)
    assert found["standard"].left_out > 74
    assert found["reward_low_FP_rate"].left_out > 70
