"""The small readers beneath any store's page: one example for each promise."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crawler.pages.product.choosing import headline, read
from crawler.pages.product.document import Document, decoded
from crawler.pages.product.found import Candidate, amount, choose, stock_of, whole


def page(
    body: str, head: str = "", url: str = "https://lamps.example/p/pier-lamp", title: str = "Pier Lamp"
) -> Document:
    return Document(f"<html><head><title>{title}</title>{head}</head><body><h1>{title}</h1>{body}</body></html>", url)


def price(body: str, head: str = "") -> Decimal | None:
    return headline(read(page(body, head), []).price)


def number(body: str, **more: str) -> str | None:
    taken = read(page(body, **more), []).sku.taken
    return str(taken.value) if taken else None


def available(body: str, head: str = "") -> bool:
    taken = read(page(body, head), []).availability.taken
    assert taken is not None
    return bool(taken.value)


def offer(price: str, stock: str = "InStock", currency: str = "EUR") -> str:
    return (
        '<script type="application/ld+json">{"@type":"Product","name":"Pier Lamp","offers":{"price":' + price
        + f',"priceCurrency":"{currency}","availability":"https://schema.org/{stock}"' + "}}</script>"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("24.990", "CLP", "24990"), ("24.990", "EUR", "24.990"), ("1.250", "KWD", "1.250"),
        ("1.299,90", "BRL", "1299.90"), (69.95, "EUR", "69.95"), ("35 €", "EUR", "35"), ("&#36;12.50", "USD", "12.50"),
    ],
)  # fmt: skip
def test_a_price_in_data_is_read_by_its_currency(value, currency, expected):
    assert amount(value, currency) == Decimal(expected)


@pytest.mark.parametrize("value", ["", "ask us", None, True, -3])
def test_what_is_no_price_is_none(value):
    assert amount(value, "EUR") is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("https://schema.org/InStock", True), ("http://schema.org/OutOfStock", False), ("in stock", True),
        ("SoldOut", False), ("PreOrder", True), ("oos", False), ("None", None), ("", None), (1, None), (False, False),
    ],
)  # fmt: skip
def test_words_for_stock(word, expected):
    assert stock_of(word) is expected


def test_counts_of_ratings_have_separators():
    assert [whole(each) for each in ("1,204", "5.182", 12.0, "12.5", "many")] == [1204, 5182, 12, None, None]


def test_sources_that_agree_outweigh_one_that_is_heavier():
    def made(value, source, weight):
        return Candidate("price", Decimal(value), source, "", weight)

    choice = choose([made(150, "json-ld", 6.0), made(200, "meta", 5.0), made(200, "visible", 4.4)], 2.0)
    assert choice.taken is not None and choice.taken.value == 200
    assert len(choice.candidates) == 3
    assert choose([made(5, "visible", 1.0)], 2.0).taken is None


def test_data_that_the_page_strikes_through_are_not_the_price():
    shown = '<del class="price-old">99,00 €</del><b class="price-now">79,00 €</b>'
    assert price(shown, offer("99.00")) == 79


@pytest.mark.parametrize(
    ("stated", "shown", "expected"),
    [
        ("4995", "49,95 €", "49.95"), ("2.449", "2.449 €", "2449"), ("49.95", "49,95 €", "49.95"),
        ("4995", "4.995 €", "4995"),
    ],
)  # fmt: skip
def test_the_page_tells_the_unit_of_its_data(stated, shown, expected):
    assert price(f'<b class="price">{shown}</b>', offer(f'"{stated}"')) == Decimal(expected)


def test_a_price_of_zero_is_none_and_instalments_are_no_price():
    assert price('<span class="price-monthly">12 x 9,99 €</span>', offer("0")) is None


def test_of_two_prices_in_a_row_the_lower_is_asked():
    assert price("<p>129,00 €</p><p>99,00 €</p>") == 99


def test_prices_of_other_products_are_not_this_ones():
    assert price('<div class="related"><span class="price">9,99 €</span></div>') is None


@pytest.mark.parametrize(
    "label",
    ["SKU: 4471-B", "Product Code - 4471-B", "Item #4471-B", "Artikelnummer 4471-B", "Réf. : 4471-B",
     "Код товара: 4471-B", "商品番号:4471-B"],
)  # fmt: skip
def test_a_number_stands_beside_its_label_in_many_languages(label):
    assert number(f"<p>{label}</p>") == "4471-B"


def test_the_labelled_number_is_taken_before_that_of_the_data_and_the_address():
    head = '<script type="application/ld+json">{"@type":"Product","name":"Pier Lamp","sku":"99001"}</script>'
    assert number("<p>Product code: 77123</p>", head=head, url="https://lamps.example/p/99001") == "77123"


def test_what_the_title_names_is_the_makers_number():
    url = "https://lamps.example/pier-lamp-556677"
    assert number("<p>SKU: MQ2Y2</p>", title="Pier Lamp MQ2Y2", url=url) == "556677"


def test_data_that_say_in_stock_for_ever_yield_to_a_page_on_which_nothing_can_be_bought():
    assert not available('<p class="availability">Currently unavailable</p>', offer("9.00"))
    assert available('<p class="availability">Currently unavailable</p><button>Add to cart</button>', offer("9.00"))


@pytest.mark.parametrize(
    "button",
    ["<button disabled>Add to cart</button>", '<button class="btn btn--disabled">Add to cart</button>',
     '<div class="modal"><button>Add to cart</button></div>', '<button aria-disabled="true">Add to cart</button>',
     '<div class="related"><button>Add to cart</button></div>'],
)  # fmt: skip
def test_a_button_that_cannot_be_pressed_sells_nothing(button):
    assert not available(button, offer("9.00", "OutOfStock"))
    assert available("<button>Add to cart</button>", offer("9.00", "OutOfStock"))


def test_a_size_that_is_sold_out_is_not_the_product():
    assert available('<ul><li class="stock">Sold out</li></ul><button>Add to cart</button>')


def test_a_page_says_its_encoding_and_a_strange_one_is_not_believed():
    body = '<meta charset="windows-1251"><h1>Лампа</h1>'
    assert "Лампа" in decoded(body.encode("cp1251"), {})
    assert decoded(b'<meta charset="punycode">lamp', {}).endswith("lamp")
    assert "Лампа" in decoded("Лампа".encode(), {"Content-Type": "text/html; charset=utf-8"})
