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

from analysis.commerce.matching import Listing, identities
from analysis.commerce.price_history import Seen, daily, events, judge, sights
from analysis.commerce.products import Rated, ranking
from analysis.output import clean, fit
from analysis.web import draw
from analysis.web.figure import Figure
from analysis.web.filters import Filters
from analysis.web.site import SLOW_FRESH_S, Site
from analysis.web.words import Words

Row = dict[str, Any]
MOST_OFFERS, MOST_READINGS = 20_000, 60_000
MOST_MATCHED = 5_000  # offers compared with each other, which takes a minute
WAIT_S = 3.0  # for that; who asks later finds it done
LINES = 8  # series that one chart can hold apart
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
        return Figure("prices", title, "", missing=_unpriced(found, say))
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


def _unpriced(found: Shop, say: Words) -> str:
    """Why there is no history: nothing captured, or captured at no known hour."""
    priced = sum(offer.get("price") is not None for offer in found.offers)
    return say("prices_by_day", n=priced) if priced else say("no_offers")


def _moves(seen: Sequence[Seen]) -> int:
    return sum(event.kind in ("price_down", "price_up") for event in events(seen))


def discounts(site: Site, say: Words, filters: Filters) -> Figure:
    """Offers with a struck-through price, judged by what was asked in the thirty days before the sale."""
    found = shop(site, filters)
    title = say("discounts_title")
    told = [(offer, judge(found.seen.get(offer["key"], ()))) for offer in found.offers]
    claimed = [(offer, verdict) for offer, verdict in told if verdict and verdict.verdict != "not_claimed"]
    if not claimed:
        told_any = any(verdict for _, verdict in told)
        return Figure("discounts", title, "", missing=say("no_discounts") if told_any else _unpriced(found, say))
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
    """The same thing in several stores, by bar code, number, or what its title says; lowest available price of each."""
    found = shop(site, filters)
    title = say("competitors_title")
    mark = (len(found.offers), len(found.products))
    matched = site.kept.soon(
        ("same", filters.category), mark, lambda: identities(_listings(found)), WAIT_S, SLOW_FRESH_S
    )
    if matched is None:
        return Figure("competitors", title, "", missing=say("competitors_soon", n=min(len(found.offers), MOST_MATCHED)))
    groups, questions = matched
    asked: dict[str, dict[str, tuple[Decimal, str | None]]] = defaultdict(dict)
    names: dict[str, str] = {}
    for offer in found.offers:
        price, same = offer.get("price"), groups.get(offer["key"])
        if same and isinstance(price, Decimal) and offer.get("available") is not False:
            seller = _seller(found, offer)
            names.setdefault(same, _name(found, offer))
            if seller not in asked[same] or price < asked[same][seller][0]:
                asked[same][seller] = (price, offer.get("currency"))
    rows: list[Row] = []
    for same, sellers in asked.items():
        if len(sellers) > 1 and len({currency for _, currency in sellers.values()}) == 1:
            cheapest = min(price for price, _ in sellers.values())
            rows += [
                {"product": clean(names[same]), "host": seller, "price": price, "currency": currency or "·",
                 "above": float((price - cheapest) / cheapest) if cheapest else 0.0}
                for seller, (price, currency) in sorted(sellers.items(), key=lambda pair: pair[1][0])
            ]  # fmt: skip
    if not rows:
        return Figure("competitors", title, "", missing=say("competitors_missing"))
    heads = {"product": say("product"), "host": say("host"), "price": say("price"), "currency": say("currency")}
    table = draw.table(pd.DataFrame(rows), heads)
    table[say("above_cheapest")] = [say.percent(row["above"]) for row in rows]
    note = say("competitors_note", n=len(questions)) if questions else None
    says = say("competitors_says", n=len({row["product"] for row in rows}))
    return Figure("competitors", title, says, table, note=note)


def _seller(found: Shop, offer: Row) -> str:
    product = found.products.get(offer["product"], {})
    return str(offer.get("seller") or product.get("host") or offer["product"].partition(":")[0])


def _listings(found: Shop) -> list[Listing]:
    """One for each offer of a product with a title: a variant is a thing by itself."""
    made = []
    for offer in found.offers[:MOST_MATCHED]:
        product = found.products.get(offer["product"], {})
        if product.get("title"):
            brand, gtin, mpn = (product.get(name) for name in ("brand", "gtin", "mpn"))
            made.append(Listing(offer["key"], _name(found, offer), brand, gtin, mpn, _seller(found, offer)))
    return made


def rating(site: Site, say: Words, filters: Filters) -> Figure:
    """Products by the mean that their own ratings and those of all suggest; ratings that several share count once."""
    products = shop(site, filters).products
    title = say("rating_title")
    rated = [
        Rated(key, row["host"], str(row.get("title") or key), row["rating"], row["rating_count"])
        for key, row in products.items()
        if row.get("rating") is not None and row.get("rating_count")
    ]
    if not rated:
        return Figure("rating", title, "", missing=say("rating_missing"))
    ranked = ranking(rated)
    best = ranked.head(max(filters.top, 10))
    names = draw.labels(best["title"].tolist())
    rows: list[Row] = [
        {"product": f"{name} · n {int(n)}", "value": float(score / top), "low": float(low / top),
         "high": float(high / top)}
        for name, n, top, score, low, high in zip(
            names, best["n"], best["out_of"], best["score"], best["low"], best["high"], strict=True
        )
    ]  # fmt: skip
    table = pd.DataFrame({
        say("product"): names, say("score"): best["score"], say("out_of"): best["out_of"], say("low"): best["low"],
        say("high"): best["high"], say("n"): best["n"], say("rating"): best["rating"],
        say("ratings"): best["rating_count"], say("why"): best["why"],
    }).reset_index(drop=True)  # fmt: skip
    chart = draw.intervals(rows, "product", say("score_share"))
    links = [_evidence("products", str(key), "rating", say) for key in best["product"]]
    says = say("rating_says", n=len(rated), total=int(ranked["n"].sum()))
    return Figure("rating", title, says, table, chart, note=say("rating_note"), links=links)


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
