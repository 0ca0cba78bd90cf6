"""What a history of prices may say, and what not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from analysis.commerce.price_history import Seen, daily, events, judge, low, steps

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def seen(day: float, price: str, was: str | None = None, *, there: bool | None = True, currency: str = "EUR") -> Seen:
    return Seen(START + timedelta(days=day), Decimal(price), Decimal(was) if was else None, currency, there)


def usual(days: int, price: str = "20.00", start: int = 0) -> list[Seen]:
    return [seen(start + day, price) for day in range(days)]


def test_same_terms_in_a_row_are_one_step():
    found = steps([*usual(3), seen(3, "15.00", "20.00"), *usual(2, start=4)])
    assert [(step.price, step.n) for step in found] == [(20, 3), (15, 1), (20, 2)]
    assert found[0].last == START + timedelta(days=2)


def test_a_day_without_a_sight_is_a_gap():
    found = daily([seen(0, "10"), seen(0.2, "8"), seen(0.3, "9"), seen(2, "7")])
    assert [(day.day.day, day.low, day.median, day.n) for day in found] == [(1, 8, 9, 3), (3, 7, 7, 1)]


def test_the_low_counts_the_price_in_force_when_the_span_begins():
    history = [seen(0, "9.00"), seen(40, "12.00")]
    assert low(history, START + timedelta(days=50), "EUR") == 9


def test_what_a_sold_out_offer_says_makes_no_low():
    assert low([seen(0, "5.00", there=False), seen(1, "8.00")], START + timedelta(days=2), "EUR") == 8


def test_a_price_below_thirty_watched_days_is_a_real_discount():
    found = judge([*usual(31), seen(31, "15.00", "20.00")])
    assert found and (found.verdict, found.low, found.percent) == ("real", 20, 25.0)


def test_a_list_price_raised_first_is_no_discount():
    found = judge([*usual(31), seen(31, "20.00", "33.00")])
    assert found and (found.verdict, found.percent_claimed, found.percent) == ("not_real", 39.4, 0.0)


def test_a_price_raised_before_it_is_cut_is_no_discount():
    found = judge([*usual(25), *usual(6, "30.00", start=25), seen(31, "20.00", "30.00")])
    assert found and found.verdict == "not_real"


def test_a_second_cut_of_the_same_sale_is_judged_by_what_was_before_the_first():
    found = judge([*usual(31), seen(31, "18.00", "20.00"), seen(33, "15.00", "20.00")])
    assert found and (found.verdict, found.low) == ("real", 20)


def test_a_sale_that_never_ends_is_no_discount():
    found = judge([seen(day, "15.00", "20.00") for day in range(32)])
    assert found and found.verdict == "not_real"


def test_a_short_history_proves_no_discount_but_can_refute_one():
    short = judge([*usual(5), seen(5, "15.00", "20.00")])
    assert short and (short.verdict, short.known_days) == ("unproven", 5.0)
    refuted = judge([*usual(5), seen(5, "20.00", "40.00")])
    assert refuted and refuted.verdict == "not_real"
    nothing = judge([seen(0, "15.00", "20.00")])
    assert nothing and (nothing.verdict, nothing.low) == ("unproven", None)


def test_prices_of_two_currencies_are_never_compared():
    found = judge([*usual(31), seen(31, "15.00", "20.00", currency="USD")])
    assert found and (found.verdict, found.low) == ("unproven", None)
    assert [event.kind for event in events([seen(0, "9"), seen(1, "8", currency="USD")])] == ["currency"]


def test_changes_say_between_which_sights_they_happened():
    found = events([seen(0, "20"), seen(1, "15", "20"), seen(2, "15", "20", there=False), seen(4, "20")])
    assert [event.kind for event in found] == [
        "price_down", "sale_begins", "sold_out", "price_up", "sale_ends", "restock",
    ]  # fmt: skip
    assert (found[2].since, found[2].at) == (START + timedelta(days=1), START + timedelta(days=2))


def test_silence_on_stock_is_no_restock():
    assert events([seen(0, "20", there=False), seen(1, "20", there=None), seen(2, "20")]) == []
