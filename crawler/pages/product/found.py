"""What a block of a page states of a product, and what speaks for each candidate value. Pure data and small readers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from crawler.counts import MoneyError, units
from crawler.money import parse_money

T = TypeVar("T")

_WITHOUT_DECIMALS = frozenset(("CLP", "JPY", "KRW", "VND", "PYG", "ISK", "IDR", "UGX", "RWF", "XAF", "XOF"))
_OF_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
_CODE = re.compile(r"[A-Z]{3}")
_IN_STOCK = re.compile(
    r"(in_?stock|limited_?availability|pre_?sale|pre_?order|back_?order|in_?store_?only|online_?only|made_?to_?order"
    r"|available|available_?for_?order|instock)$"
)
_OUT = re.compile(r"(out_?of_?stock|sold_?out|discontinued|unavailable|notavailable|oos|no_?stock)$")


@dataclass(frozen=True, slots=True)
class StatedOffer:
    """An offer as one block states it."""

    price: Decimal | None = None
    list_price: Decimal | None = None
    currency: str | None = None
    available: bool | None = None
    sku: str | None = None
    title: str | None = None
    url: str | None = None
    seller: str | None = None
    lowest_of: bool = False
    """The price is the lowest of a range."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A product as one block of the page states it."""

    source: str
    """json-ld, microdata, rdfa, meta, state or visible."""
    where: str
    name: str | None = None
    brand: str | None = None
    sku: str | None = None
    product_id: str | None = None
    mpn: str | None = None
    gtin: str | None = None
    url: str | None = None
    image: str | None = None
    description: str | None = None
    category: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    offers: tuple[StatedOffer, ...] = ()
    own: bool = True
    """Typed as a product; else something with offers, such as an event."""

    @property
    def price(self) -> Decimal | None:
        """What the page would head it with: the lowest price that can be paid, else the lowest."""
        can = [offer.price for offer in self.offers if offer.price is not None and offer.available is not False]
        return min(can or [offer.price for offer in self.offers if offer.price is not None], default=None)

    @property
    def available(self) -> bool | None:
        said = [offer.available for offer in self.offers if offer.available is not None]
        return any(said) if said else None

    @property
    def currency(self) -> str | None:
        return next((offer.currency for offer in self.offers if offer.currency), None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that the page may mean, and what speaks for it."""

    field: str
    """price, list_price, availability or sku."""
    value: Decimal | bool | str
    source: str
    where: str
    weight: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that was taken, None when none was good enough, and all there were, heaviest first."""

    taken: Candidate | None
    candidates: tuple[Candidate, ...]


def choose(candidates: Iterable[Candidate], least: float) -> Choice:
    """The value with the heaviest evidence: candidates of the same value help each other a little."""
    listed = sorted(candidates, key=lambda each: -each.weight)  # stable: the first on the page wins a tie
    if not listed:
        return Choice(None, ())
    support: dict[Decimal | bool | str, list[Candidate]] = {}
    for each in listed:
        support.setdefault(each.value, []).append(each)
    total = {value: _support(group) for value, group in support.items()}
    best = max(support, key=lambda value: total[value])
    return Choice(support[best][0] if total[best] >= least else None, tuple(listed))


def _support(group: list[Candidate]) -> float:
    """The heaviest candidate, and half of the heaviest of each further kind of source that agrees."""
    by_source: dict[str, float] = {}
    for each in group:
        by_source[each.source] = max(each.weight, by_source.get(each.source, 0.0))
    first, *others = sorted(by_source.values(), reverse=True) or [0.0]
    return max(first, group[0].weight) + 0.5 * sum(others) if first else group[0].weight


def amount(value: object, currency: str | None) -> Decimal | None:
    """A price in data: '.' is the decimal sign, unless the currency has no decimals; text as people write it, too."""
    if isinstance(value, str):
        shown = html.unescape(value).strip()
        grouped = currency in _WITHOUT_DECIMALS and re.fullmatch(r"\d{1,3}(\.\d{3})+", shown)
        if not grouped and re.fullmatch(r"\d+(\.\d*)?", shown):
            return Decimal(shown.rstrip(".")) if len(shown) <= 24 else None
        return money(shown, currency)
    try:
        return units(value)
    except MoneyError:
        return None


def money(text: str, currency: str | None, decimal: str | None = None) -> Decimal | None:
    """A price as people write it; None where it is none."""
    try:
        return parse_money(text, decimal=decimal).amount
    except MoneyError:
        if currency in _OF_THREE_DECIMALS and decimal is None:
            return money(text, currency, ".")
        return None


def currency_in(shown: str) -> str | None:
    """ISO code by the sign in a shown price; None where "$" leaves it open."""
    try:
        return parse_money(shown).currency
    except MoneyError:
        return None


def code_of(value: object) -> str | None:
    """ISO 4217 code as data states it."""
    shown = value.strip().upper() if isinstance(value, str) else ""
    return shown if _CODE.fullmatch(shown) else None


def stock_of(value: object) -> bool | None:
    """Whether a word of schema.org, Open Graph or a shop's state says that it can be ordered."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    word = re.sub(r"[\s-]+", "_", value.strip().lower().rstrip("/").rpartition("/")[2].rpartition("#")[2])
    if _OUT.search(word) or word in ("false", "0"):
        return False
    if _IN_STOCK.search(word) or word in ("true", "yes"):
        return True
    return None


def plain(value: object, longest: int = 300) -> str | None:
    """Text of one line, entities resolved; numbers as text; None for what is neither, or empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    shown = " ".join(html.unescape(str(value)).split())
    return shown if 0 < len(shown) <= longest else None


def number(value: object) -> float | None:
    """A rating: 4.5, "4.5", "4,5"."""
    try:
        found = float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
    return found if 0 <= found <= 100 else None


def whole(value: object) -> int | None:
    """A count: 12, "12", "1,234", 12.0."""
    shown = re.sub(r"[,.\s](?=\d{3}(?!\d))", "", str(value).strip())
    match = re.fullmatch(r"(\d{1,15})(?:\.0+)?", shown)
    return int(match[1]) if match else None


def first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def listed(value: Any) -> Iterator[Any]:
    """The members of a list, or the thing itself; nothing for None."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
