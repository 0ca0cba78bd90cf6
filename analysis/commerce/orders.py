"""Orders of the user's own shop, from a file: checked row by row, summed by product and month before any join. Pure.

A join of orders with a table that names a product twice counts its units twice. So orders are summed first, to one row
a product and month, and met with products that stand once each; what comes out is checked against what went in.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd

NAMES: Mapping[str, tuple[str, ...]] = {
    "order_id": ("order_id", "order", "id", "order number", "name"),
    "product_id": ("product_id", "product", "lineitem product id", "item_id", "asin"),
    "day": ("order_date", "date", "created_at", "created at", "day", "paid at"),
    "units": ("order_quantity", "quantity", "units", "qty", "lineitem quantity"),
    "line": ("line_id", "line", "line_item_id", "variant_id", "variant", "sku", "lineitem sku"),
    "amount": ("amount", "revenue", "total", "line_total"),
}
NEEDED = ("order_id", "product_id", "day", "units")
MOST_UNITS = 100_000
MOST_BYTES = 200_000_000
MONTHLY = ("month", "product_id", "product", "title", "orders", "units", "amount")


class OrdersError(ValueError):
    """A file that holds no orders; says what was expected and found."""


@dataclass(frozen=True, slots=True)
class Order:
    order_id: str
    product_id: str
    day: date
    units: int
    line: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    row: int
    """Line of a CSV file (its header is 1), or number of a JSON entry from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Orders:
    kept: tuple[Order, ...]
    rejected: tuple[Rejected, ...]
    ignored: tuple[str, ...]
    """Columns that nobody reads, customers among them."""


def load_orders(path: Path) -> Orders:
    """Orders of a .csv or .json file (a list of objects, or an object with one such list). Raises OrdersError."""
    if path.suffix.lower() not in (".csv", ".json"):
        raise OrdersError(f"{path}: expected a .csv or .json file")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise OrdersError(f"{path}: expected at most {MOST_BYTES // 1_000_000} MB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OrdersError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise OrdersError(f"{path}: expected UTF-8 text; save it as CSV UTF-8") from None
    rows, start = (_json_rows(path, text), 1) if path.suffix.lower() == ".json" else (_csv_rows(text), 2)
    columns = list(dict.fromkeys(name for row in rows[:1000] for name in row))
    if not rows:
        raise OrdersError(f"{path}: expected rows of orders, found none")
    names = _named(path, columns)
    ignored = tuple(name for name in columns if name not in names.values())
    return _checked(rows, start, names, ignored)


def _csv_rows(text: str) -> list[dict[str, Any]]:
    head = text.partition("\n")[0]
    divider = max(",;\t", key=head.count)
    return [dict(row) for row in csv.DictReader(io.StringIO(text), delimiter=divider)]


def _json_rows(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise OrdersError(f"{path}: expected JSON, found something else") from None
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise OrdersError(f"{path}: expected a list of objects, one an order line")
    return data


def _named(path: Path, columns: Sequence[str]) -> dict[str, str]:
    """Our name -> the file's."""
    plain = {str(column).strip().lower(): column for column in columns if column}
    made = {}
    for ours, theirs in NAMES.items():
        if found := next((plain[name] for name in theirs if name in plain), None):
            made[ours] = found
    lacking = [f"{name} ({', '.join(NAMES[name][:3])})" for name in NEEDED if name not in made]
    if lacking:
        shown = ", ".join(map(str, columns[:12]))
        raise OrdersError(f"{path}: expected a column for {'; '.join(lacking)}; found {shown}")
    return made


def _checked(rows: Iterable[dict[str, Any]], start: int, names: dict[str, str], ignored: tuple[str, ...]) -> Orders:
    kept: list[Order] = []
    rejected: list[Rejected] = []
    seen: set[Order] = set()
    for number, row in enumerate(rows, start=start):
        try:
            order = _order({ours: row.get(theirs) for ours, theirs in names.items()})
        except ValueError as error:
            rejected.append(Rejected(number, str(error)))
            continue
        if order in seen:
            rejected.append(Rejected(number, f"order {order.order_id}: the same line a second time"))
            continue
        seen.add(order)
        kept.append(order)
    return Orders(tuple(kept), tuple(rejected), ignored)


def _order(row: Mapping[str, Any]) -> Order:
    order_id, product_id = (_text(row[name], name) for name in ("order_id", "product_id"))
    return Order(
        order_id, product_id, _day(row["day"]), _units(row["units"]),
        str(row["line"]).strip() or None if row.get("line") is not None else None, _amount(row.get("amount")),
    )  # fmt: skip


def _text(value: Any, name: str) -> str:
    shown = "" if value is None else str(value).strip().removeprefix("'")
    if not shown:
        raise ValueError(f"{name}: expected a value, found none")
    if "e+" in shown.lower():
        raise ValueError(f"{name} {shown[:30]!r}: a spreadsheet has rounded this number; save the column as text")
    return shown[:200].removesuffix(".0")


def _day(value: Any) -> date:
    shown = str(value or "").strip()
    try:
        return datetime.fromisoformat(shown.replace("/", "-").removesuffix(" UTC")).date()
    except ValueError:
        raise ValueError(f"date {shown[:30]!r}: expected one such as 2026-03-14") from None


def _units(value: Any) -> int:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"quantity {str(value)[:30]!r}: expected a whole number") from None
    if not number.is_finite() or number != number.to_integral_value() or not 1 <= number <= MOST_UNITS:
        raise ValueError(f"quantity {str(value)[:30]!r}: expected a whole number from 1 to {MOST_UNITS:,}")
    return int(number)


def _amount(value: Any) -> Decimal | None:
    if value is None or not str(value).strip():
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"amount {str(value)[:30]!r}: expected a number such as 19.90") from None
    if not found.is_finite():
        raise ValueError(f"amount {str(value)[:30]!r}: expected a number such as 19.90")
    return found


def monthly(orders: Sequence[Order], products: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Units by month and product; columns as MONTHLY. products: the shop's number -> (key, title).

    A product that nobody has crawled keeps its number, without a title. The units add up to those of *orders*.
    """
    frame = pd.DataFrame(
        {
            "month": [f"{each.day:%Y-%m}" for each in orders], "product_id": [each.product_id for each in orders],
            "order_id": [each.order_id for each in orders], "units": [each.units for each in orders],
            "amount": [each.amount for each in orders],
        }
    )  # fmt: skip
    rows = []
    for (month, product_id), group in frame.groupby(["month", "product_id"], sort=True):
        key, title = products.get(str(product_id), (None, None))
        amounts = [amount for amount in group["amount"] if isinstance(amount, Decimal)]
        rows.append(
            (month, product_id, key, title, group["order_id"].nunique(), int(group["units"].sum()),
             sum(amounts, Decimal(0)) if amounts else None)
        )  # fmt: skip
    made = pd.DataFrame(rows, columns=list(MONTHLY))
    units = sum(each.units for each in orders)
    if int(made["units"].sum()) != units:  # a join that multiplies must never go unnoticed
        raise OrdersError(f"{units} units went in, {int(made['units'].sum())} came out")
    return made
