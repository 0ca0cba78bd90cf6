"""Orders come in whole or are rejected with a reason, and no join multiplies them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from analysis.commerce.orders import OrdersError, load_orders, monthly

CSV = """order_id,product_id,order_date,order_quantity,customer_id
1,77,2026-01-31,2,900
1,78,2026-01-31,1,900
2,77,2026-02-01,3,901
2,77,2026-02-01,3,901
3,77,2026-02-30,1,902
4,77,2026-02-02,1.5,903
5,,2026-02-02,1,903
6,7.7E+12,2026-02-02,1,903
"""
PRODUCTS = {"77": ("lamps.example:product:77", "Lamp")}


def test_rows_that_are_no_orders_are_listed_with_their_line_and_reason(tmp_path):
    (tmp_path / "o.csv").write_text(CSV)
    found = load_orders(tmp_path / "o.csv")
    assert [(row.row, row.reason.split(":")[0].split(" ")[0]) for row in found.rejected] == [
        (5, "order"), (6, "date"), (7, "quantity"), (8, "product_id"), (9, "product_id"),
    ]  # fmt: skip
    assert found.ignored == ("customer_id",)


def test_months_add_up_to_the_orders_and_unknown_products_stay(tmp_path):
    (tmp_path / "o.csv").write_text(CSV)
    found = monthly(load_orders(tmp_path / "o.csv").kept, PRODUCTS)
    rows = [tuple(row) for row in found[["month", "product_id", "title", "units"]].itertuples(index=False)]
    assert [(m, p, u) for m, p, _, u in rows] == [("2026-01", "77", 2), ("2026-01", "78", 1), ("2026-02", "77", 3)]
    assert next(t for _, _, t, _ in rows) == "Lamp"
    assert found["units"].sum() == 6


def test_json_and_amounts_are_read_exactly(tmp_path):
    rows = [{"id": 1, "product": "77", "date": "2026-01-01T10:00:00Z", "qty": 2, "total": 39.90}]
    (tmp_path / "o.json").write_text(json.dumps({"orders": rows}))
    found = monthly(load_orders(tmp_path / "o.json").kept, PRODUCTS)
    assert list(found["amount"]) == [Decimal("39.9")]


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path):
    (tmp_path / "o.csv").write_text("\ufefforder;product_id;date;units\n1;77;2026-01-01;4\n")
    assert load_orders(tmp_path / "o.csv").kept[0].units == 4


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("o.csv", "a,b\n1,2\n", "expected a column for order_id"),
        ("o.csv", "", "expected rows of orders, found none"),
        ("o.json", "{", "expected JSON"),
        ("o.json", "[1]", "expected a list of objects"),
        ("o.xlsx", "", "expected a .csv or .json file"),
    ],
)
def test_a_file_without_orders_is_refused_in_plain_words(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(OrdersError, match=said):
        load_orders(tmp_path / name)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OrdersError, match="cannot be read"):
        load_orders(tmp_path / "none.csv")
