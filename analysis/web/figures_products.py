"""Figures of stores: prices over time, whether discounts are real, the same thing elsewhere, ratings, sales, deals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pandas as pd

from analysis.commerce.price_history import Seen, daily, events, judge, sights
from analysis.output import clean, fit
from analysis.web import draw
from analysis.web.figure import Figure
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words

Row = dict[str, Any]
MOST_OFFERS, MOST_READINGS = 20_000, 60_000
LINES = 8  # series that one chart can hold apart
PRIOR_RATINGS = 10  # a product with fewer ratings stands nearer to the mean of all than to its own
VERDICTS = ("real", "unproven", "not_real", "not_claimed")


class Shop(NamedTuple):
    products: dict[str, Row]
    offers: list[Row]
    seen: dict[str, list[Seen]]
    """Readings by offer, oldest first."""


def shop(site: Site, filters: Filters) -> Shop:
    mark = tuple(site.views.counts(["products", "offers", "observations"]).values())

    def make() -> Shop:
        products = site.views.rows("products", None, sort="-_id", most=MOST_OFFERS)
        offers = site.views.rows("offers", None, sort="-_id", most=MOST_OFFERS)
        frame = site.views.observed("offer", filters.since_at, MOST_READINGS)
        if filters.until_at is not None:
            frame = frame[frame["at"] < filters.until_at]
        seen = {str(entity): sights(group) for entity, group in frame.groupby("entity", sort=False)}
        return Shop({row["key"]: row for row in products}, offers, seen)

    found = site.kept.get(("shop", filters.since, filters.until), mark, make)
    if filters.category:
        wanted = filters.category.casefold()
        kept = {key: row for key, row in found.products.items() if str(row.get("category", "")).casefold() == wanted}
        found = Shop(kept, [offer for offer in found.offers if offer["product"] in kept], found.seen)
    return found


def categories(site: Site) -> list[str]:
    counted = Counter(str(row["category"]) for row in shop(site, Filters()).products.values() if row.get("category"))
    return [name for name, _ in counted.most_common(40)]


def _name(found: Shop, offer: Row) -> str:
    product = found.products.get(offer["product"], {})
    variant = offer.get("title")
    title = product.get("title") or offer["product"]
    return f"{title}, {variant}" if variant and variant not in ("Default Title", title) else str(title)


def _evidence(name: str, key: str, field: str, say: Words) -> str:
    return "/evidence?" + urlencode({"list": name, "key": key, "field": field, "lang": say.language})


def prices(site: Site, say: Words, filters: Filters) -> Figure:
    """The offers whose price moved most often, day by day; days without a sight are gaps."""
    found = shop(site, filters)
    title = say("prices_title")
    moved = {offer["key"]: _moves(found.seen.get(offer["key"], ())) for offer in found.offers}
    shown = [offer for offer in found.offers if found.seen.get(offer["key"])]
    if not shown:
        return Figure("prices", title, "", missing=say("no_offers"))
    best = sorted(shown, key=lambda each: (-moved[each["key"]], each["key"]))[: min(filters.top, LINES)]
    names = draw.labels([_name(found, offer) for offer in best])
    rows: list[Row] = [
        {"at": f"{day.day:%Y-%m-%d}T12:00:00Z", "price": float(day.low), "offer": name, "currency": day.currency or "·"}
        for name, offer in zip(names, best, strict=True)
        for day in daily(found.seen[offer["key"]])
    ]
    changed = sum(n > 0 for n in moved.values())
    days = len({row["at"] for row in rows})
    says = say("prices_says", changed=changed, n=len(shown), days=days)
    table = pd.DataFrame(
        {
            say("offer"): [row["offer"] for row in rows],
            say("day"): [row["at"][:10] for row in rows],
            say("price"): [row["price"] for row in rows],
            say("currency"): [row["currency"] for row in rows],
        }
    )
    chart = draw.lines(rows, say, "price", say("price"), "offer", ",.2f", step=True) if rows else None
    note = say("mixed_currencies") if len({row["currency"] for row in rows}) > 1 else None
    return Figure("prices", title, says, table, chart, note=note)


def _moves(seen: Sequence[Seen]) -> int:
    return sum(event.kind in ("price_down", "price_up") for event in events(seen))


def discounts(site: Site, say: Words, filters: Filters) -> Figure:
    """Offers with a struck-through price, judged by what was asked in the thirty days before the sale."""
    found = shop(site, filters)
    title = say("discounts_title")
    told = [(offer, judge(found.seen.get(offer["key"], ()))) for offer in found.offers]
    claimed = [(offer, verdict) for offer, verdict in told if verdict and verdict.verdict != "not_claimed"]
    if not claimed:
        return Figure("discounts", title, "", missing=say("no_discounts" if found.offers else "no_offers"))
    order = sorted(claimed, key=lambda pair: (VERDICTS.index(pair[1].verdict), -(pair[1].percent_claimed or 0)))
    table = pd.DataFrame(
        {
            say("offer"): [fit(clean(_name(found, offer)), 60) for offer, _ in order],
            say("price"): [each.price for _, each in order],
            say("struck"): [each.list_price for _, each in order],
            say("claimed"): [
                say.percent(each.percent_claimed / 100) if each.percent_claimed is not None else "·"
                for _, each in order
            ],
            say("low_30"): [each.low for _, each in order],
            say("verdict"): [say(f"verdict_{each.verdict}") for _, each in order],
            say("watched"): [round(each.known_days, 1) for _, each in order],
        }
    )
    counted = Counter(str(each.verdict) for _, each in order)
    numbers = {name: counted[name] for name in VERDICTS[:3]}
    links = [_evidence("offers", offer["key"], "price", say) for offer, _ in order]
    return Figure("discounts", title, say("discounts_says", n=len(order), **numbers), table, links=links)


def competitors(site: Site, say: Words, filters: Filters) -> Figure:
    """The same bar code in several stores: lowest available price of each."""
    found = shop(site, filters)
    title = say("competitors_title")
    asked: dict[str, dict[str, tuple[Decimal, str | None]]] = defaultdict(dict)
    for offer in found.offers:
        product = found.products.get(offer["product"], {})
        price = offer.get("price")
        if product.get("gtin") and isinstance(price, Decimal) and offer.get("available") is not False:
            at_host = asked[product["gtin"]]
            if product["host"] not in at_host or price < at_host[product["host"]][0]:
                at_host[product["host"]] = (price, offer.get("currency"))
    rows: list[Row] = []
    names = {str(row.get("gtin")): str(row.get("title")) for row in found.products.values()}
    for gtin, hosts in asked.items():
        if len(hosts) > 1 and len({currency for _, currency in hosts.values()}) == 1:
            cheapest = min(price for price, _ in hosts.values())
            rows += [
                {
                    "product": names[gtin],
                    "host": host,
                    "price": price,
                    "currency": currency or "·",
                    "above": float((price - cheapest) / cheapest) if cheapest else 0.0,
                }
                for host, (price, currency) in sorted(hosts.items(), key=lambda pair: pair[1][0])
            ]
    if not rows:
        return Figure("competitors", title, "", missing=say("competitors_missing"))
    heads = {"product": say("product"), "host": say("host"), "price": say("price"), "currency": say("currency")}
    table = draw.table(pd.DataFrame(rows), heads)
    table[say("above_cheapest")] = [say.percent(row["above"]) for row in rows]
    return Figure("competitors", title, say("competitors_says", n=len({row["product"] for row in rows})), table)


def rating(site: Site, say: Words, filters: Filters) -> Figure:
    """Products by their ratings, drawn towards the mean of all where few rated; shared ratings count once."""
    products = shop(site, filters).products
    title = say("rating_title")
    rated = [row for row in products.values() if row.get("rating") is not None and row.get("rating_count")]
    own = {
        (row["host"], row["rating"], row["rating_count"]) if row.get("rating_shared_with") else row["key"]: row
        for row in rated
    }
    if not own:
        return Figure("rating", title, "", missing=say("rating_missing"))
    total = sum(row["rating_count"] for row in own.values())
    mean = sum(row["rating"] * row["rating_count"] for row in own.values()) / total
    made = [
        {
            **row,
            "score": (PRIOR_RATINGS * mean + row["rating"] * row["rating_count"])
            / (PRIOR_RATINGS + row["rating_count"]),
        }
        for row in own.values()
    ]
    best = sorted(made, key=lambda row: (-row["score"], row["key"]))[: max(filters.top, 10)]
    names = draw.labels([row.get("title") or row["key"] for row in best])
    rows = [{"product": name, "ratings": row["rating_count"]} for name, row in zip(names, best, strict=True)]
    table = pd.DataFrame(
        {
            say("product"): names,
            say("rating"): [row["rating"] for row in best],
            say("ratings"): [row["rating_count"] for row in best],
            say("score"): [round(row["score"], 2) for row in best],
            say("host"): [row["host"] for row in best],
        }
    )
    chart = draw.bars(rows, "product", "ratings", say("ratings"))
    links = [_evidence("products", row["key"], "rating", say) for row in best]
    says = say("rating_says", n=len(own), total=total, mean=say.number(mean, 2))
    return Figure("rating", title, says, table, chart, note=say("rating_note", n=PRIOR_RATINGS), links=links)


def sales(site: Site, say: Words, filters: Filters) -> Figure:
    """Units sold by month, from counters that stores show: the change between two sights, in the month of the later."""
    frame = site.views.observed("product", filters.since_at, MOST_READINGS)
    known = frame[frame["sold_count"].notna()]
    title = say("sales_title")
    months: dict[str, int] = defaultdict(int)
    products = 0
    for _, group in known.groupby("entity", sort=False):
        counted = list(zip(group["at"], group["sold_count"], strict=True))
        products += len(counted) > 1
        for (_, before), (at, after) in pairwise(counted):
            months[f"{at:%Y-%m}"] += max(0, int(after) - int(before))
    if not months:
        return Figure("sales", title, "", missing=say("sales_missing"))
    rows = [{"month": month, "sold": months[month]} for month in sorted(months)]
    table = pd.DataFrame({say("month"): [row["month"] for row in rows], say("sold"): [row["sold"] for row in rows]})
    says = say("sales_says", n=products, total=sum(months.values()))
    return Figure("sales", title, says, table, draw.bars(rows, "month", "sold", say("sold")), note=say("sales_note"))


def deals(site: Site, say: Words, filters: Filters) -> Figure:
    rows = site.views.rows("deals", None, sort="-observed_at", most=500)
    title = say("deals_title")
    if not rows:
        return Figure("deals", title, "", missing=say("deals_missing"))
    table = pd.DataFrame(
        {
            say("product"): [row.get("product") for row in rows],
            say("retailer"): [row.get("retailer") for row in rows],
            say("amounts"): [", ".join(each["text"] for each in row.get("amounts", ())) for row in rows],
            say("coupon"): [row.get("coupon") for row in rows],
            say("valid"): [_until(say, row) for row in rows],
        }
    )
    field = next((each for each in ("product", "amounts", "retailer") if each in rows[0]), "post")
    links = [_evidence("deals", row["key"], field, say) for row in rows]
    stores = len({row["retailer"] for row in rows if row.get("retailer")})
    return Figure("deals", title, say("deals_says", n=len(rows), stores=stores), table, links=links)


def _until(say: Words, row: Row) -> str:
    until = row.get("valid_until")
    return say.day(until) if isinstance(until, datetime) else "·"


FIGURES = {
    "prices": prices,
    "discounts": discounts,
    "competitors": competitors,
    "rating": rating,
    "sales": sales,
    "deals": deals,
}
