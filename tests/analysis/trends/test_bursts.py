"""Burst onset: what is told, what is not, and that nothing is known beforehand."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.trends import burst_baselines, bursts

BIN = timedelta(minutes=5)
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY_ROWS = 288


def series(days, planted=(), seed=1):
    """Tweets in five minutes: busy by day, quiet by night and on weekends; a planted burst lasts an hour."""
    rng, found = random.Random(seed), []
    for row in range(days * DAY_ROWS):
        at = START + row * BIN
        usual = (40 if 8 <= at.hour < 22 else 10) * (0.5 if at.weekday() >= 5 else 1)
        count = rng.gauss(usual, usual**0.5)
        if any(onset <= row < onset + 12 for onset in planted):
            count *= 8
        found.append((at, max(0.0, round(count))))
    return found


def told(found):
    return bursts.alerts(bursts.strengths(found, BIN), bursts.THRESHOLD, BIN)


def test_a_planted_burst_is_told_once_and_within_the_hour():
    onset = 10 * DAY_ROWS + 150
    rows = told(series(14, [onset]))
    assert len([row for row in rows if onset <= row < onset + 12]) == 1
    assert len(rows) <= 2


def test_a_quiet_month_with_day_and_night_and_weekends_tells_next_to_nothing():
    assert len(told(series(28))) <= 2


def test_what_comes_later_changes_nothing():
    past, future = series(6, [5 * DAY_ROWS]), series(3, [50], seed=2)
    garbage = [(at + timedelta(days=6), count * 1000) for at, count in future]
    assert bursts.strengths(past + garbage, BIN)[: len(past)] == bursts.strengths(past, BIN)


def test_bursts_that_are_a_habit_are_told_more_rarely():
    alarm = bursts.Alarm(3.0, BIN)
    days = [row for row in range(3 * DAY_ROWS, 30 * DAY_ROWS, DAY_ROWS) if alarm.add(row, 6.0)]
    assert 1 < len(days) < 12
    assert alarm.needed(days[-1]) > 5.5


def test_nothing_is_told_while_it_is_still_learning():
    assert not any(row < 750 for row in told(series(4, [300])))


def test_a_bin_without_length_is_refused():
    with pytest.raises(ValueError, match="bin"):
        bursts.Strength(timedelta(0))


@pytest.mark.parametrize("name", burst_baselines.RULES)
def test_every_usual_rule_is_causal_and_stands_out_at_a_planted_burst(name):
    onset = 10 * DAY_ROWS + 150
    counts = np.array([count for _, count in series(14, [onset])])
    rule = burst_baselines.RULES[name]
    whole, part = rule(counts, BIN), rule(counts[: onset + 6], BIN)
    assert np.allclose(whole[: onset + 6], part)
    assert part[onset : onset + 6].max() > np.quantile(part[750:onset], 0.99)
