"""What changed in stores: prices, stock, products that came and went. Pure.

A change is an event once the next sight confirms it: one sight that the next takes back is a page's whim. Only accepted
captures are sights at all: a blocked page leaves none. A sweep in which nearly everything changed alike is suspect and
must be confirmed twice; and a product has gone only when two whole sweeps of its store lacked it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Literal, TypeVar

from analysis.commerce.price_history import Seen

T = TypeVar("T")
Kind = Literal["price_down", "price_up", "sold_out", "restock", "new_product", "gone"]
SWEEP = timedelta(hours=1)
WHOLE = 0.8  # of the usual number of products
ALIKE = 0.6  # of the offers of a sweep
FEWEST_ALIKE = 5


@dataclass(frozen=True, slots=True)
class StoreEvent:
    kind: Kind
    entity: str
    """Key of the offer, or of the product that came or went."""
    since: datetime | None
    """Last sight of how it was before."""
    at: datetime
    """First sight of how it is now."""
    confirmed_at: datetime
    before: str | None
    after: str | None


def offer_events(histories: Mapping[str, Sequence[Seen]]) -> list[StoreEvent]:
    """Confirmed changes of price and stock of offers of one store, oldest first; histories oldest first each."""
    suspect = _suspect(histories)
    made = [event for entity, seen in histories.items() for event in _of_offer(entity, seen, suspect)]
    return sorted(made, key=lambda event: (event.at, event.entity, event.kind))


def _of_offer(entity: str, seen: Sequence[Seen], suspect: set[datetime]) -> Iterable[StoreEvent]:
    prices = [(each.at, (each.price, each.currency)) for each in seen]
    for since, at, confirmed, before, after in _confirmed(prices, suspect):
        if before[1] == after[1]:  # another currency is another vantage, not another price
            kind: Kind = "price_down" if after[0] < before[0] else "price_up"
            yield StoreEvent(kind, entity, since, at, confirmed, str(before[0]), str(after[0]))
    stocks = [(each.at, each.available) for each in seen if each.available is not None]
    for since, at, confirmed, _, there in _confirmed(stocks, suspect):
        yield StoreEvent("restock" if there else "sold_out", entity, since, at, confirmed, None, None)


def _confirmed(
    sights: Sequence[tuple[datetime, T]], suspect: set[datetime]
) -> Iterable[tuple[datetime, datetime, datetime, T, T]]:
    """(last sight before, first sight after, when confirmed, value before, value after)."""
    if not sights:
        return
    since, now = sights[0]
    waiting: list[datetime] = []
    value: T | None = None
    for at, shown in sights[1:]:
        if shown == now:
            since, waiting = at, []
            continue
        if waiting and shown == value:
            waiting.append(at)
        else:
            waiting, value = [at], shown
        if len(waiting) >= (3 if waiting[0] in suspect else 2):
            yield since, waiting[0], at, now, shown
            since, now, waiting = at, shown, []


def _suspect(histories: Mapping[str, Sequence[Seen]]) -> set[datetime]:
    """Moments at which most offers changed their price by one factor, or lost their stock, at once."""
    offers: Counter[datetime] = Counter()
    factors: dict[datetime, Counter[Decimal]] = {}
    lost: Counter[datetime] = Counter()
    for seen in histories.values():
        for before, after in pairwise(seen):
            offers[after.at] += 1
            if before.price and after.price != before.price and before.currency == after.currency:
                factors.setdefault(after.at, Counter())[round(after.price / before.price, 2)] += 1
            lost[after.at] += bool(before.available and after.available is False)
    return {
        at
        for at, n in offers.items()
        if n >= FEWEST_ALIKE
        and (max(factors.get(at, Counter()).values(), default=0) >= ALIKE * n or lost[at] >= ALIKE * n)
    }


def product_events(sights: Mapping[str, Sequence[datetime]]) -> list[StoreEvent]:
    """Products of one store that came or went; sights: the moments at which each was seen, oldest first."""
    sweeps = _sweeps(sights)
    usual = median(len(products) for _, products in sweeps) if sweeps else 0
    whole = [(at, products) for at, products in sweeps if len(products) >= WHOLE * usual and len(products) > 1]
    made = []
    for product in sights:
        shown = [at for at, products in whole if product in products]
        if not shown:
            continue
        first, last = shown[0], shown[-1]
        earlier = [at for at, _ in whole if at < first]
        if earlier and len(shown) > 1:
            made.append(StoreEvent("new_product", product, earlier[-1], first, shown[1], None, None))
        later = [at for at, _ in whole if at > last]
        if len(later) > 1:
            made.append(StoreEvent("gone", product, last, later[0], later[1], None, None))
    return sorted(made, key=lambda event: (event.at, event.entity, event.kind))


def _sweeps(sights: Mapping[str, Sequence[datetime]]) -> list[tuple[datetime, set[str]]]:
    """Sights of many products within an hour are one look at the whole store."""
    flat = sorted((at, product) for product, moments in sights.items() for at in moments)
    made: list[tuple[datetime, set[str]]] = []
    for at, product in flat:
        if made and at - made[-1][0] <= SWEEP:
            made[-1][1].add(product)
        else:
            made.append((at, {product}))
    return made
