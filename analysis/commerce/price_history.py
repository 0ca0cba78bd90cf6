"""What one offer has cost: steps, days, the 30-day low, changes, and whether a discount is one. Pure.

A price is known at the moments it was seen, and nowhere else: a gap is a gap. Prices of two
currencies are never compared; a new currency begins a new history. What a sold-out offer says
is no price that anybody could pay, so it makes no low.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from statistics import median
from typing import Literal

import pandas as pd

REFERENCE = timedelta(days=30)  # the span by which EU directive 2019/2161, article 2, judges an announced reduction
Change = Literal["price_down", "price_up", "sale_begins", "sale_ends", "sold_out", "restock", "currency"]
Verdict = Literal["real", "not_real", "unproven", "not_claimed"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page said of an offer at a moment."""

    at: datetime
    price: Decimal
    list_price: Decimal | None = None
    currency: str | None = None
    available: bool | None = None

    @property
    def payable(self) -> bool:
        return self.available is not False

    @property
    def terms(self) -> tuple[Decimal, Decimal | None, str | None, bool | None]:
        return self.price, self.list_price, self.currency, self.available


@dataclass(frozen=True, slots=True)
class Step:
    """The same terms, from the first to the last time they were seen in a row."""

    first: datetime
    last: datetime
    price: Decimal
    list_price: Decimal | None
    currency: str | None
    available: bool | None
    n: int


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day on which a payable price was seen."""

    day: date
    low: Decimal
    median: Decimal
    currency: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Event:
    """A change between two sights: it happened after *since* and by *at*."""

    kind: Change
    since: datetime
    at: datetime
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class Discount:
    """Whether the present price is below what was asked in the 30 days before the sale began."""

    verdict: Verdict
    price: Decimal
    list_price: Decimal | None
    low: Decimal | None
    """Lowest payable price in the 30 days before the sale; None when none was seen."""
    sale_from: datetime | None
    """First sight of the sale that still lasts."""
    known_days: float
    """How much of the 30 days before the sale was watched."""
    percent_claimed: float | None
    """Below the struck-through price."""
    percent: float | None
    """Below the 30-day low; 0 or negative where the discount is none."""


def sights(frame: pd.DataFrame) -> list[Seen]:
    """Rows of `Reader.observations` of one offer, oldest first; without a price, or known by their day only: none.

    A page that does not state its currency is taken to mean the one that all others of this offer state.
    """
    stated = frame["currency"].dropna().unique()
    if len(stated) == 1:
        frame = frame.assign(currency=frame["currency"].fillna(stated[0]))
    kept = frame[frame["price"].notna() & frame["at_precision"].isna()].sort_values(["at", "capture"], kind="stable")
    columns = zip(
        kept["at"], kept["price"], kept["list_price"], kept["currency"], kept["available"], strict=True
    )  # fmt: skip
    return [
        Seen(
            at.to_pydatetime(), price, before if isinstance(before, Decimal) else None,
            None if pd.isna(currency) else str(currency), None if pd.isna(there) else bool(there),
        )
        for at, price, before, currency, there in columns
    ]  # fmt: skip


def steps(seen: Iterable[Seen]) -> list[Step]:
    """The step series; *seen* oldest first."""
    made = []
    for (price, list_price, currency, available), group in groupby(seen, key=lambda each: each.terms):
        run = list(group)
        made.append(Step(run[0].at, run[-1].at, price, list_price, currency, available, len(run)))
    return made


def daily(seen: Iterable[Seen]) -> list[Day]:
    """Lowest and median payable price of each UTC day on which one was seen; other days are gaps."""
    made = []
    payable = (each for each in seen if each.payable)
    for (day, currency), group in groupby(payable, key=lambda each: (each.at.date(), each.currency)):
        prices = [each.price for each in group]
        made.append(Day(day, min(prices), median(prices), currency, len(prices)))
    return made


def low(seen: Iterable[Seen], until: datetime, currency: str | None, span: timedelta = REFERENCE) -> Decimal | None:
    """Lowest payable price seen in [until - span, until), or in force when that began; None when none was seen."""
    prices = []
    at_start: Decimal | None = None
    for each in seen:
        if each.currency != currency or each.at >= until:
            continue
        if each.at < until - span:
            at_start = each.price if each.payable else None
        elif each.payable:
            prices.append(each.price)
    if at_start is not None:
        prices.append(at_start)
    return min(prices, default=None)


def events(seen: Sequence[Seen]) -> list[Event]:
    """Every change between neighbours, oldest first; several kinds may share a moment."""
    return [event for before, after in pairwise(seen) for event in _between(before, after)]


def _between(before: Seen, after: Seen) -> Iterable[Event]:
    def event(kind: Change) -> Event:
        return Event(kind, before.at, after.at, before.price, after.price)

    if before.currency != after.currency:
        yield event("currency")
    elif after.price != before.price:
        yield event("price_down" if after.price < before.price else "price_up")
    if (before.list_price is None) != (after.list_price is None):
        yield event("sale_ends" if after.list_price is None else "sale_begins")
    if before.available is not None and after.available is not None and before.available != after.available:
        yield event("restock" if after.available else "sold_out")


def judge(seen: Sequence[Seen], span: timedelta = REFERENCE) -> Discount | None:
    """Whether the discount of the last sight is one; None without any sight.

    not_claimed  no struck-through price
    not_real     the price is no lower than the lowest of the 30 days before the sale, or has itself been asked so long
    real         it is lower, and all of those days were watched
    unproven     it is lower than what was seen, and less than 30 days were
    """
    if not seen:
        return None
    now = seen[-1]
    own = _same_currency(seen)
    if now.list_price is None:
        return Discount("not_claimed", now.price, None, low(own, now.at, now.currency, span), None, 0.0, None, None)
    start = _sale_from(own)
    lowest = low(own, start, now.currency, span)
    known = min(span, start - own[0].at)
    if now.at - start >= span or (lowest is not None and now.price >= lowest):
        verdict: Verdict = "not_real"
    else:
        verdict = "real" if lowest is not None and known >= span else "unproven"
    return Discount(
        verdict, now.price, now.list_price, lowest, start, known / timedelta(days=1),
        _percent(now.price, now.list_price), None if lowest is None else _percent(now.price, lowest),
    )  # fmt: skip


def _same_currency(seen: Sequence[Seen]) -> Sequence[Seen]:
    """The last stretch in one currency."""
    for i in range(len(seen) - 1, 0, -1):
        if seen[i - 1].currency != seen[i].currency:
            return seen[i:]
    return seen


def _sale_from(seen: Sequence[Seen]) -> datetime:
    """First sight of the unbroken run of struck-through prices that ends now."""
    start = seen[-1].at
    for each in reversed(seen):
        if each.list_price is None:
            break
        start = each.at
    return start


def _percent(price: Decimal, reference: Decimal) -> float | None:
    return None if not reference else round(float((reference - price) / reference * 100), 1)
