"""Prices as text, cents and units: right, or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from price_parser import Price

from crawler.config import load
from crawler.counts import MoneyError, cents, units
from crawler.money import Money, parse_money


@pytest.mark.parametrize(
    ("shown", "amount", "currency"),
    [("€ 12,99", "12.99", "EUR"), ("12,99 €", "12.99", "EUR"), ("35€ 99", "35.99", "EUR"),
     ("£6.95", "6.95", "GBP"), ("R$ 1.299,90", "1299.90", "BRL"), ("R$\n 1.299,90", "1299.90", "BRL"),
     ("US$ 12.99", "12.99", "USD"), ("CA$5", "5", "CAD"), ("A$59.95", "59.95", "AUD"),
     ("₹12,34,567.00", "1234567.00", "INR"), ("₺149,90", "149.90", "TRY"), ("149,90 TRY", "149.90", "TRY"),
     ("1 299,90 zł", "1299.90", "PLN"), ("$5.99 USD", "5.99", "USD"), ("USD $5.99", "5.99", "USD"),
     ("50,- Kč", "50", "CZK"), (".75 €", ".75", "EUR"), ("24.990 CLP", "24990", "CLP")],
)  # fmt: skip
def test_a_sign_or_code_of_one_currency_names_it(shown, amount, currency):
    assert parse_money(shown) == Money(Decimal(amount), currency)


@pytest.mark.parametrize(("shown", "given"), [("$38.00", "MXN"), ("¥1200", "JPY"), ("38.00", "USD")])
def test_a_shared_sign_names_no_currency_unless_the_page_does(shown, given):
    assert parse_money(shown).currency is None
    assert parse_money(shown, currency=given).currency == given


def test_a_price_of_another_currency_than_the_page_states_is_refused():
    with pytest.raises(MoneyError, match="one currency, found BRL and EUR"):
        parse_money("€ 5", currency="BRL")


def test_a_currency_that_is_no_iso_code_is_refused():
    with pytest.raises(MoneyError, match="ISO 4217"):
        parse_money("5", currency="R$")


def test_words_in_capitals_are_not_taken_for_currencies():
    assert parse_money("TOP 10").currency is None


def test_the_number_beside_the_sign_is_the_price():
    assert parse_money("3 Ausgaben für nur 14,85 EUR") == Money(Decimal("14.85"), "EUR")
    assert parse_money("2 for $5").amount == 5
    assert parse_money("20% off $10").amount == 10


def test_of_a_range_the_lower_end_is_read():
    assert parse_money("$24.17 - 24.69").amount == Decimal("24.17")
    assert parse_money("From 26 to 50 €") == Money(Decimal(26), "EUR")


@pytest.mark.parametrize(
    ("shown", "decimal", "amount"),
    [("23.450", None, "23450"), ("23.450", ".", "23.450"), ("23.450", ",", "23450"),
     ("1,234.567 OMR", None, "1234.567"), ("423.923 KWD", ".", "423.923"), ("1250€600", "€", "1250.600")],
)  # fmt: skip
def test_the_decimal_separator_decides_what_three_digits_mean(shown, decimal, amount):
    assert parse_money(shown, decimal=decimal).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("shown", "decimal"),
    [("", None), ("-", None), ("N/A", None), ("NaN", None), ("Sold out", None), ("50% off", None),
     ("Free shipping", None), ("-$5", None), ("−5,00 €", None), ("$-5", None), ("19⁹⁹ €", None),
     ("1½ €", None), ("$1.2M", None), ("R$ 1,5 mil", None), ("$1e5", None), ("19.99 24.99", None),
     ("5 10", None), ("423.923 KWD", None), ("1.234,50", "."), ("1,234.50", ","), ("5", ";"),
     ("1" * 20, None), ("5" + " " * 300, None), (None, None), (5, None)],
)  # fmt: skip
def test_a_price_that_is_not_surely_one_is_refused(shown, decimal):
    with pytest.raises(MoneyError, match="expected"):
        parse_money(shown, decimal=decimal)


def test_free_is_a_price_of_zero():
    assert parse_money("Free!") == Money(Decimal(0), None)


def test_full_width_prices_are_read():
    assert parse_money("￥１,２００", currency="JPY") == Money(Decimal(1200), "JPY")


@settings(deadline=None)
@given(st.text(max_size=80) | st.text("0123456789.,-'$€R %\xa0", max_size=30))
@example("￥")
@example("€1€")
def test_any_text_is_a_price_or_a_money_error(shown):
    try:
        money = parse_money(shown)
    except MoneyError:
        return
    assert money.amount.is_finite()
    assert money.amount >= 0


def test_prices_agree_with_the_gold_at_least_as_often_as_price_parser():
    gold = load().shared_dir / "gold" / "price_parser" / "price_parser_examples.jsonl"
    if not gold.exists():
        pytest.skip(f"{gold.name}: not there; set TIDEMARK_SHARED to the folder of shared data")
    rows = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    ours = sum(_amount_by_us(row) == _gold(row) for row in rows)
    theirs = sum(_amount_by_price_parser(row) == _gold(row) for row in rows)
    assert ours >= theirs, f"ours {ours}, price-parser {theirs}, n={len(rows)}"


def _gold(row):
    return None if row["amount"] is None else Decimal(str(row["amount"]))


def _amount_by_us(row):
    decimal = row["decimal_separator"] or {".": ",", ",": "."}.get(row["digit_group_separator"])
    try:
        return parse_money(row["price_raw"], decimal=decimal).amount
    except MoneyError:
        return None


def _amount_by_price_parser(row):
    return Price.fromstring(
        row["price_raw"],
        decimal_separator=row["decimal_separator"],
        digit_group_separator=row["digit_group_separator"],
    ).amount


@pytest.mark.parametrize(("value", "price"), [(6995, "69.95"), (0, "0"), (2500, "25"), (5, "0.05")])
def test_whole_cents_become_units(value, price):
    assert cents(value) == Decimal(price)


@pytest.mark.parametrize("value", ["6995", 69.95, 6995.0, True, None, -1, 2**63])
def test_cents_are_whole_numbers_only(value):
    with pytest.raises(MoneyError, match="whole cents"):
        cents(value)


@pytest.mark.parametrize(
    ("value", "price"),
    [("69.95", "69.95"), (69.95, "69.95"), ("1759.99", "1759.99"), (25, "25"), (25.0, "25"),
     ("229.99 ", "229.99"), (0.1, "0.1"), (Decimal("1.50"), "1.50")],
)  # fmt: skip
def test_units_stay_as_they_are_written(value, price):
    assert units(value) == Decimal(price)


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "", "-1", "-0.01", -1, -0.5, "2429,99", "1,759.99", "$5", "1e3", "1_000", "５", True,
     None, float("nan"), float("inf"), Decimal("NaN"), [], {}],
)  # fmt: skip
def test_units_that_are_no_plain_number_are_refused(value):
    with pytest.raises(MoneyError, match=r"69\.95"):
        units(value)


def test_cents_and_units_of_one_variant_are_the_same_price():
    assert cents(6995) == units("69.95") == units(69.95)
