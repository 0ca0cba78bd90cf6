"""What a page's chooser of variants says of each: themes keep price, older price and stock beside its number. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from crawler.pages.product.document import Attributes, Document
from crawler.pages.product.found import money

_TAGS = re.compile(r"<[^>]{0,500}>")
_WORDS = {"true": True, "false": False}
MOST_CHOICES = 5000


@dataclass(frozen=True, slots=True)
class Chosen:
    available: bool | None = None
    before: Decimal | None = None
    """Price that is struck through; None where the same element does not show the price that the data state."""


def chooser(document: Document, prices: Mapping[str, Decimal]) -> dict[str, Chosen]:
    """By number of the variant. prices: what the page's data ask for each, in units."""
    made: dict[str, Chosen] = {}
    for node in document.tree.css("option[value],[data-variant-id],[data-variant-available]")[:MOST_CHOICES]:
        attributes = node.attributes
        number = attributes.get("data-variant-id") or attributes.get("value") or ""
        if number not in prices:
            continue
        said = Chosen(_available(attributes), _before(attributes, prices[number]))
        if said != Chosen():
            made.setdefault(number, said)
    return made


def _available(attributes: Attributes) -> bool | None:
    for name, value in attributes.items():
        if name in ("data-available", "data-variant-available"):
            return _WORDS.get((value or "").strip().lower())
    return None


def _before(attributes: Attributes, price: Decimal) -> Decimal | None:
    """In units; cents are told by the element's own price, which must be the one that the data state."""
    named = {name.removeprefix("data-").removeprefix("variant-"): _TAGS.sub("", value or "").strip()
             for name, value in attributes.items()}  # fmt: skip
    shown, before = named.get("price", ""), named.get("compare-at-price") or named.get("compare-price") or ""
    if not shown or not before:
        return None
    if shown.isdecimal() and before.isdecimal() and len(before) < 12 and Decimal(shown[:12]) == price * 100:
        return Decimal(before) / 100
    return money(before, None) if money(shown, None) == price else None
