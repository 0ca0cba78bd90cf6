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
from typing import Any, Literal, TypeAlias

from analysis.commerce.matching import Catalogue, Listing, Match, identities
from analysis.commerce.price_history import Discount, Seen, Step, judge, steps

FRESH = timedelta(days=14)  # a price last seen longer ago is not compared: nobody knows whether it still holds
Source: TypeAlias = Literal["offer", "deal"]
HOLDS = {"offer": FRESH, "deal": timedelta(days=2)}  # an announced price whose end is not told is soon over
_HOST = re.compile(r"^(?:www\.|shop\.|store\.)*([\w-]+)\.")


@dataclass(frozen=True)
class Point:
    """A price that a seller asked at a moment."""

    product: str
    """Key of the identity."""
    seller: str
    seen: Seen
    source: Source
    evidence: str
    """Capture of the offer, or key of the post."""


@dataclass(frozen=True)
class Line:
    """One product at one seller in one currency, as it stands at the last sight; in its store, or in its posts.

    A deal is an offer of its own beside the price on the shelf: joined, the two would only seem to alternate.
    """

    product: str
    seller: str
    currency: str | None
    steps: tuple[Step, ...]
    discount: Discount
    seen: tuple[Seen, ...]
    source: Source

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
    """Step series, by product and seller."""
    held: dict[tuple[str, str, str | None, Source], list[Point]] = defaultdict(list)
    for point in points:
        held[point.product, point.seller, point.seen.currency, point.source].append(point)
    made = []
    for (product, seller, currency, source), own in sorted(held.items(), key=lambda each: tuple(map(str, each[0]))):
        seen = tuple(each.seen for each in sorted(own, key=lambda each: each.seen.at))
        discount = judge(seen)
        if discount is not None:
            made.append(Line(product, seller, currency, tuple(steps(seen)), discount, seen, source))
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
    """For every product that we and a competitor sell in one currency, by prices that still hold at *at*."""
    held: dict[tuple[str, str | None], list[Line]] = defaultdict(list)
    for line in made:
        if at - line.last_seen < HOLDS[line.source] and line.steps[-1].available is not False:
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
    """In order of time. A price counts until the next one of the same seller there, or as long as HOLDS says."""
    held: dict[tuple[str, str | None], dict[tuple[str, Source], Seen]] = defaultdict(dict)
    below: set[tuple[str, str | None, str, Source]] = set()
    for point in sorted(points, key=lambda each: (each.seen.at, each.seller, each.source)):
        what, who = (point.product, point.seen.currency), (point.seller, point.source)
        held[what][who] = point.seen
        now = {
            each: seen.price
            for each, seen in held[what].items()
            if seen.payable and point.seen.at - seen.at < HOLDS[each[1]]
        }
        lowest = min((price for each, price in now.items() if each[0] in own), default=None)
        for each, price in now.items():
            if each[0] in own:
                continue
            if lowest is None or price >= lowest:
                below.discard((*what, *each))
            elif (*what, *each) not in below:
                below.add((*what, *each))
                if each == who:  # it moved, not we
                    yield Undercut(point.product, point.seen.at, point.seller, price, lowest, point.seen.currency)
