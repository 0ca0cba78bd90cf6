"""An event is a change that the next sight confirms; whims, walls and half pages make none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from analysis.commerce.price_history import Seen
from analysis.commerce.store_events import offer_events, product_events

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def prices(*values: str, currency: str = "EUR") -> list[Seen]:
    return [Seen(day(i), Decimal(value), None, currency, True) for i, value in enumerate(values)]


def stocks(*values: bool | None) -> list[Seen]:
    return [Seen(day(i), Decimal(9), None, "EUR", value) for i, value in enumerate(values)]


def kinds(seen: list[Seen]) -> list[str]:
    return [event.kind for event in offer_events({"o": seen})]


def test_a_change_is_an_event_when_the_next_sight_confirms_it():
    (event,) = offer_events({"o": prices("9", "9", "7", "7")})
    assert (event.kind, event.since, event.at, event.confirmed_at) == ("price_down", day(1), day(2), day(3))
    assert (event.before, event.after) == ("9", "7")


def test_one_sight_that_is_taken_back_is_none():
    assert kinds(prices("9", "7", "9", "9")) == []
    assert kinds(prices("9", "7")) == []
    assert kinds(prices("9", "7", "8", "8")) == ["price_down"]


def test_stock_runs_out_and_comes_back():
    assert kinds(stocks(True, False, False, None, True, True)) == ["sold_out", "restock"]


def test_another_currency_is_no_price_change():
    assert kinds([*prices("9", "9"), *[Seen(day(i), Decimal(7), None, "USD", True) for i in (2, 3)]]) == []


def test_a_sweep_in_which_all_changed_alike_needs_another_confirmation():
    alike = {f"o{i}": prices("10", "0.1", "0.1", "10") for i in range(6)}
    assert offer_events(alike) == []
    lasting = {f"o{i}": prices("10", "8", "8", "8") for i in range(6)}
    assert len(offer_events(lasting)) == 6


def sweeps(*shown: str) -> dict[str, list[datetime]]:
    made: dict[str, list[datetime]] = {}
    for i, products in enumerate(shown):
        for product in products:
            made.setdefault(product, []).append(day(i))
    return made


def test_a_product_is_new_when_whole_sweeps_before_lacked_it():
    events = product_events(sweeps("abcdef", "abcdef", "abcdefg", "abcdefg"))
    assert [(event.kind, event.entity, event.at) for event in events] == [("new_product", "g", day(2))]


def test_a_product_has_gone_when_two_whole_sweeps_lack_it():
    assert [event.kind for event in product_events(sweeps("abcdef", "abcdef", "abcde", "abcde"))] == ["gone"]
    assert product_events(sweeps("abcdef", "abcdef", "abcde")) == []


def test_half_a_catalogue_is_no_sweep():
    assert product_events(sweeps("abcdef", "abc", "abc", "abcdef")) == []


def test_the_first_sweep_brings_no_news():
    assert product_events(sweeps("abcdef", "abcdef")) == []
