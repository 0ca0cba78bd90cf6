"""Growth between two readings: every expected number below was worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analysis.trends.growth import Rate, Shown, growth

NOON = datetime(2025, 3, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_rounded_followers_nine_days_apart_grow_between_both_bounds():
    before = Shown(14_000_000, datetime(2025, 3, 26, tzinfo=UTC), 100_000, "day")
    after = Shown(14_700_000, datetime(2025, 4, 3, 22, 55, tzinfo=UTC), 100_000)
    found = growth(before, after)
    assert found.sign == "up"
    assert (found.change_low, found.change, found.change_high) == (600_000, 700_000, 800_000)
    assert found.elapsed_h_low / 24 == pytest.approx(7.955, abs=0.001)
    assert found.elapsed_h_high / 24 == pytest.approx(8.955, abs=0.001)
    assert found.per_day.low == pytest.approx(600_000 / 8.9549, rel=1e-4)
    assert found.per_day.mid == pytest.approx(700_000 / 8.4549, rel=1e-4)
    assert found.per_day.high == pytest.approx(800_000 / 7.9549, rel=1e-4)
    assert found.per_hour.mid == pytest.approx(found.per_day.mid / 24)


def test_exact_numbers_have_one_bound():
    found = growth(Shown(100, NOON), Shown(130, NOON + 2 * HOUR))
    assert (found.change_low, found.change, found.change_high) == (30, 30, 30)
    assert found.per_hour == Rate(15.0, 15.0, 15.0)
    assert found.per_day == Rate(360.0, 360.0, 360.0)


def test_a_change_inside_the_rounding_is_uncertain():
    found = growth(Shown(14_000_000, NOON, 100_000), Shown(14_100_000, NOON + HOUR, 100_000))
    assert found.sign == "uncertain"
    assert (found.change_low, found.change_high) == (0, 200_000)


def test_the_same_rounded_number_twice_is_not_flat():
    found = growth(Shown(14_000_000, NOON, 100_000), Shown(14_000_000, NOON + HOUR, 100_000))
    assert found.sign == "uncertain"
    assert (found.per_hour.low, found.per_hour.high) == (-100_000, 100_000)


def test_the_same_exact_number_twice_is_flat():
    assert growth(Shown(7, NOON), Shown(7, NOON + HOUR)).sign == "flat"


def test_a_fall_is_bounded_from_the_slow_side():
    day = NOON.replace(hour=0)
    found = growth(Shown(1_000, day, at_precision="day"), Shown(520, day + 48 * HOUR))
    assert found.sign == "down"
    assert found.per_hour == Rate(-20.0, -480 / 36, -10.0)


def test_two_readings_of_one_day_known_by_day_give_no_rate():
    day = NOON.replace(hour=0)
    found = growth(Shown(10, day, at_precision="day"), Shown(90, day, at_precision="day"))
    assert found.per_hour == Rate() == found.per_day
    assert (found.elapsed_h_low, found.elapsed_h_high) == (0.0, 24.0)
    assert found.sign == "uncertain", "which of the two came first is not known"


def test_two_readings_of_one_moment_give_no_rate():
    assert growth(Shown(10, NOON), Shown(11, NOON)).per_day == Rate()


def test_a_new_entity_is_new_and_not_growth():
    found = growth(None, Shown(5_000, NOON))
    assert found.sign == "new"
    assert found.change is None
    assert found.per_day == Rate()


def test_from_zero_is_a_change_and_never_a_percentage_of_nothing():
    assert growth(Shown(0, NOON), Shown(50, NOON + HOUR)).per_hour.mid == 50.0


def test_a_rounded_count_is_never_below_zero():
    assert Shown(20, NOON, 100).low == 0


def test_an_odd_step_is_halved_outwards():
    reading = Shown(10, NOON, 5)
    assert (reading.low, reading.high) == (7, 13)


def test_prices_stay_exact():
    found = growth(Shown(Decimal("19.90"), NOON), Shown(Decimal("17.80"), NOON + HOUR))
    assert found.change == Decimal("-2.10")
    assert found.sign == "down"


def test_readings_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="must not be later than after"):
        growth(Shown(1, NOON), Shown(2, NOON - HOUR))
