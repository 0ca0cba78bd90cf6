"""One product, many sellers: what each asked and when, by store offers and by deals in posts. Pure.

The series of one seller are those of price_history. Here products are matched across sellers, own prices compared
with those of competitors, and moments found at which a competitor went below.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, Literal

from analysis.commerce.matching import Catalogue, Listing, Match, identities
from analysis.commerce.price_history import Discount, Seen, Step, judge, steps

FRESH = timedelta(days=14)  # a price last seen longer ago is not compared: nobody knows whether it still holds
_HOST = re.compile(r"^(?:www\.|shop\.|store\.)*([\w-]+)\.")


@dataclass(frozen=True)
class Point:
    """A price that a seller asked at a moment."""

    product: str
    """Key of the identity."""
    seller: str
    seen: Seen
    source: Literal["offer", "deal"]
    evidence: str
    """Capture of the offer, or key of the post."""


@dataclass(frozen=True)
class Line:
    """One product at one seller in one currency, as it stands at the last sight."""

    product: str
    seller: str
    currency: str | None
    steps: tuple[Step, ...]
    discount: Discount
    seen: tuple[Seen, ...]
    sources: tuple[str, ...]

    @property
    def price(self) -> Decimal:
        return self.steps[-1].price

    @property
    def valid_from(self) -> datetime:
        return self.steps[-1].first

    @property
    def last_seen(self) -> datetime:
        return self.steps[-1].last


@dataclass(frozen=True)
class Undercut:
    """A competitor's price went from not below to below ours."""

    product: str
    at: datetime
    competitor: str
    price: Decimal
    own: Decimal
    currency: str | None


@dataclass(frozen=True)
class Standing:
    """Own price against the median of competitors, 1.0 = alike."""

    product: str
    currency: str | None
    own: Decimal
    competitors: Decimal
    index: float
    n: int
    """Competitors with a fresh price."""


def seller_key(name: str | None) -> str:
    """@HomeBarn, homebarn.com and Home Barn are one seller."""
    low = (name or "").casefold().strip().lstrip("@")
    host = _HOST.match(low) if "." in low else None
    return re.sub(r"[^\w]", "", host[1] if host else low) or "unknown"


def lines(points: Iterable[Point]) -> list[Line]:
    """Step series of every product and seller, by product and seller."""
    held: dict[tuple[str, str, str | None], list[Point]] = defaultdict(list)
    for point in points:
        held[point.product, point.seller, point.seen.currency].append(point)
    made = []
    for (product, seller, currency), own in sorted(held.items(), key=lambda each: tuple(map(str, each[0]))):
        seen = tuple(each.seen for each in sorted(own, key=lambda each: each.seen.at))
        discount = judge(seen)
        if discount is not None:
            kinds = tuple(sorted({each.source for each in own}))
            made.append(Line(product, seller, currency, tuple(steps(seen)), discount, seen, kinds))
    return made


def of_deal(deal: Mapping[str, Any]) -> Seen | None:
    """The price that a deal announces: the first one that is not an instalment; None where it names none or a range."""
    amounts = [each for each in deal.get("amounts") or () if each.get("value") is not None]
    asked = [each for each in amounts if each["role"] == "price" and each.get("value_max") is None]
    if not asked:
        return None
    price, currency = asked[0]["value"], asked[0].get("currency")
    before = [each["value"] for each in amounts if each["role"] == "was_price" and each.get("currency") == currency]
    higher = next((each for each in before if each > price), None)
    return Seen(deal["at"], price, higher, currency, True)


def points_of_deals(
    deals: Iterable[Mapping[str, Any]], catalogue: Catalogue, groups: Mapping[str, str]
) -> tuple[list[Point], list[Match]]:
    """Deals whose product is one of the catalogue; and those of which a person must say whether it is.

    groups: key of a listing: key of its identity.
    """
    points, questions = [], []
    for deal in deals:
        seen = of_deal(deal)
        if seen is None or not deal.get("product"):
            continue
        best = catalogue.best(Listing(str(deal["post"]), str(deal["product"]), deal.get("brand")), most=1)
        if not best or best[0].verdict == "apart":
            continue
        if best[0].verdict == "ask":
            questions.append(best[0])
            continue
        seller = seller_key(deal.get("retailer") or deal.get("author"))
        product = groups.get(best[0].right, best[0].right)
        points.append(Point(product, seller, seen, "deal", str(deal["post"])))
    return points, questions


def matched(
    listings: Sequence[Listing], offers: Mapping[str, Sequence[tuple[Seen, str]]], deals: Iterable[Mapping[str, Any]]
) -> tuple[list[Point], list[Match]]:
    """Points of all *offers* (by key of the listing: what was seen, and its evidence) and deals; and the questions."""
    groups, questions = identities(listings)
    points = [
        Point(groups[each.key], seller_key(each.seller), seen, "offer", evidence)
        for each in listings
        for seen, evidence in offers.get(each.key, ())
    ]
    announced, more = points_of_deals(deals, Catalogue(listings), groups)
    return points + announced, questions + more


def standings(made: Sequence[Line], own: frozenset[str], at: datetime) -> list[Standing]:
    """For every product that we and a competitor sell in one currency, by prices seen within FRESH before *at*."""
    held: dict[tuple[str, str | None], list[Line]] = defaultdict(list)
    for line in made:
        if at - line.last_seen <= FRESH and line.steps[-1].available is not False:
            held[line.product, line.currency].append(line)
    found = []
    for (product, currency), sellers in held.items():
        ours = [each.price for each in sellers if each.seller in own]
        theirs = [each.price for each in sellers if each.seller not in own]
        if ours and theirs and (middle := median(theirs)):
            found.append(
                Standing(product, currency, min(ours), middle, round(float(min(ours) / middle), 3), len(theirs))
            )
    return found


def undercuts(points: Iterable[Point], own: frozenset[str]) -> Iterator[Undercut]:
    """In order of time. A price counts from its sight until the next one of the same seller."""
    ours: dict[tuple[str, str | None], dict[str, Decimal]] = defaultdict(dict)
    below: set[tuple[str, str | None, str]] = set()
    theirs: dict[tuple[str, str | None], dict[str, Decimal]] = defaultdict(dict)
    for point in sorted(points, key=lambda each: (each.seen.at, each.seller)):
        what = (point.product, point.seen.currency)
        held = ours if point.seller in own else theirs
        if point.seen.available is False:
            held[what].pop(point.seller, None)
        else:
            held[what][point.seller] = point.seen.price
        lowest = min(ours[what].values(), default=None)
        for seller, price in theirs[what].items():
            mark = (*what, seller)
            if lowest is None or price >= lowest:
                below.discard(mark)
            elif mark not in below:
                below.add(mark)
                if seller == point.seller:  # it moved, not we
                    yield Undercut(point.product, point.seen.at, seller, price, lowest, point.seen.currency)
