"""The state that a page's own program reads: products within JSON scripts and data layers, found by their name. Pure.

The last resort: asked only where no markup states a price. The unit of a bare whole number is not known (cents or
units), so a price counts only with its fraction, or as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from crawler.fields import load_json
from crawler.pages.product.document import Document, words_of
from crawler.pages.product.found import Stated, StatedOffer, amount, code_of, first, plain, stock_of

_ASSIGNED = re.compile(r"(?:=\s{0,3}|dataLayer\.push\(\s{0,3}|ecommerce['\"]?\s{0,3}:\s{0,3})(?=\{\s{0,20}['\"])")
_NAMES = ("name", "title", "productName", "product_name", "displayName", "item_name")
_PRICES = (
    "salePrice", "sale_price", "finalPrice", "final_price", "currentPrice", "current_price", "sellingPrice",
    "price", "product_price", "productPrice", "priceValue", "amount", "value",
)  # fmt: skip
_NUMBERS = ("sku", "productSku", "product_sku", "item_id", "id", "productId", "product_id", "code")
_STOCK = ("availability", "inStock", "in_stock", "isInStock", "available", "isAvailable", "stockStatus")
_CURRENCIES = ("currency", "priceCurrency", "currencyCode", "product_currency")
MOST_SCRIPTS, LONGEST_SCRIPT, MOST_ASSIGNED, DEEPEST, MOST_OBJECTS = 40, 1_500_000, 100, 12, 20_000
ALIKE = 0.6
_decoder = json.JSONDecoder(strict=False)


def state(document: Document, name: str | None) -> Iterator[Stated]:
    """The product of the page's name in its scripts; the one that says most, at most one."""
    wanted = words_of(name or document.title or "")
    if not wanted:
        return
    best: tuple[float, Stated] | None = None
    for where, data in _data(document):
        for node in _objects(data):
            said = first(plain(node.get(key)) for key in _NAMES)
            if not said:
                continue
            words = words_of(said)
            fit = len(words & wanted) / max(1, len(words | wanted))
            if fit < ALIKE or (best is not None and fit <= best[0]):
                continue
            if found := _product(node, where, said):
                best = (fit, found)
    if best is not None:
        yield best[1]


def _data(document: Document) -> Iterator[tuple[str, Any]]:
    for script in document.scripts[:MOST_SCRIPTS]:
        if "ld+json" in script.kind or len(script.text) > LONGEST_SCRIPT:
            continue
        if "json" in script.kind:
            try:
                yield f"script#{script.id}"[:60], load_json(script.text)
            except ValueError:
                continue
        elif not script.kind or "javascript" in script.kind:
            for match in islice(_ASSIGNED.finditer(script.text), MOST_ASSIGNED):
                try:
                    data, _ = _decoder.raw_decode(script.text, match.end())
                except (ValueError, RecursionError):
                    continue
                yield "script", data


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    """Objects from the outside in, a bounded number of them."""
    stack, seen = [(data, 0)], 0
    while stack and seen < MOST_OBJECTS:
        value, depth = stack.pop()
        seen += 1
        if isinstance(value, dict):
            yield value
        if depth < DEEPEST and isinstance(value, dict | list):
            inner = list(value.values()) if isinstance(value, dict) else value
            stack += [(each, depth + 1) for each in reversed(inner) if isinstance(each, dict | list)]


def _product(node: dict[str, Any], where: str, name: str) -> Stated | None:
    currency = first(code_of(node.get(key)) for key in _CURRENCIES)
    price = first(_price(node.get(key), currency) for key in _PRICES)
    if price is None:
        return None
    stock = first(stock_of(node.get(key)) for key in _STOCK)
    return Stated(
        source="state", where=where, name=name, sku=first(plain(node.get(key), 60) for key in _NUMBERS),
        brand=plain(node.get("brand")), offers=(StatedOffer(price=price, currency=currency, available=stock),),
    )  # fmt: skip


def _price(value: Any, currency: str | None) -> Decimal | None:
    if isinstance(value, dict):
        return first(_price(value.get(key), currency) for key in _PRICES)
    if isinstance(value, list):
        return _price(value[0], currency) if value else None
    if isinstance(value, int):
        return None
    return amount(value, currency) if isinstance(value, float | str) and value != "" else None
