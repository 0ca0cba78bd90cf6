"""`products`: ratings that count once, prices and whether discounts are real, orders, changes. Asks the reader."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, file
from analysis.commerce.orders import Orders, OrdersError, load_orders, monthly
from analysis.commerce.price_history import Seen, judge, sights
from analysis.commerce.products import Rated, pools, ranking, velocity
from analysis.commerce.store_events import offer_events, product_events
from analysis.output import ENDINGS

TABLE_ROWS = 25
MOST_ENTITIES = 200_000
Histories = Mapping[str, Sequence[Seen]]


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="HOST", help="only this store")
    parser.add_argument("--orders", type=Path, metavar="FILE",
                        help="your orders (CSV or JSON): units by month and product")  # fmt: skip
    parser.add_argument("--events", action="store_true", help="changes of price and stock, products that came or went")
    parser.add_argument("--explain", metavar="PRODUCT", help="all candidate values of a product's page, by its key")
    parser.add_argument("-o", "--output", type=file(*ENDINGS), metavar="FILE", help="write all rows there")


def _products(args: argparse.Namespace, session: Session) -> int:
    if args.explain:
        return _explain(args, session)
    about = session.reader.about("product", ("title", "host", "product_id", "handle"))
    if args.host:
        about = about[about["host"] == args.host.lower().removeprefix("www.")]
    if about.empty:
        raise UsageError(_nothing(args, session))
    if args.orders:
        return _orders(args, session, about)
    offers = session.reader.about("offer", ("product", "title"))
    offers = offers[offers["product"].isin(set(about["entity"]))]
    if args.events:
        return _events(args, session, about, offers)
    return _table(args, session, about, offers)


def _nothing(args: argparse.Namespace, session: Session) -> str:
    if not args.host:
        return "no products yet; try: scrapy crawl shopify_store -a targets=HOST"
    hosts = sorted(session.reader.about("product", ("host",))["host"].dropna().unique())
    return f"no product of {args.host[:100]}; there are {', '.join(hosts[:10]) or 'none'}"


def _table(args: argparse.Namespace, session: Session, about: pd.DataFrame, offers: pd.DataFrame) -> int:
    histories = _histories(session, offers)
    by_product: dict[str, list[Sequence[Seen]]] = defaultdict(list)
    for entity, product in zip(offers["entity"], offers["product"], strict=True):
        if histories.get(entity):
            by_product[product].append(histories[entity])
    cheapest = {product: min(seen[-1].price for seen in each) for product, each in by_product.items()}
    rated, speeds = _rated(session, about, cheapest)
    found = ranking(rated)
    unrated = about[~about["entity"].isin(set(found["product"]))]
    rest = pd.DataFrame({"product": unrated["entity"], "title": unrated["title"], "n": 0})
    found = pd.concat([found, rest], ignore_index=True) if len(rest) else found
    priced = [_priced(by_product.get(product, [])) for product in found["product"]]
    speed = [{"per_day": speeds.get(product)} for product in found["product"]]
    found = pd.concat([found, pd.DataFrame(speed), pd.DataFrame(priced, dtype="object")], axis=1)
    if args.output:
        session.save(found, args.output)
        return GOOD
    counted, shown = sum(pool.own_count for pool in pools(rated)), sum(each.count for each in rated)
    columns = {
        "rank": "rank", "title": "product", "score": "score", "low": "from", "high": "to", "n": "n",
        "rating": "shown", "rating_count": "of", "price": "price", "currency": "", "available": "in stock",
        "discount": "discount", "why": "counts",
    }  # fmt: skip
    top = found.head(TABLE_ROWS)[list(columns)].rename(columns=columns)
    top = top.assign(**{name: top[name].map(_two, na_action="ignore") for name in ("score", "from", "to", "shown")})
    title = f"Products: {min(len(found), TABLE_ROWS)} of {len(found)}; {counted:,} ratings, shown as {shown:,}"
    session.show(top, title)
    return GOOD


def _two(value: float) -> str:
    return f"{value:.2f}"


def _rated(
    session: Session, about: pd.DataFrame, cheapest: Mapping[str, Decimal]
) -> tuple[list[Rated], dict[str, float | None]]:
    """The last shown ratings of each product, and how many are new a day."""
    titles = {
        entity: (host, title if isinstance(title, str) else entity)
        for entity, host, title in zip(about["entity"], about["host"], about["title"], strict=True)
    }
    observed = session.reader.observations_of(list(titles))
    rated, speeds = [], {}
    for entity, rows in observed[observed["rating_count"].notna()].groupby("entity", sort=False):
        speeds[str(entity)] = velocity(rows)
        last = rows.iloc[-1]
        if not pd.isna(last["rating"]) and last["rating_count"] > 0:
            host, title = titles[str(entity)]
            price = cheapest.get(str(entity))
            rated.append(Rated(str(entity), host, title, float(last["rating"]), int(last["rating_count"]), price))
    return rated, speeds


def _histories(session: Session, offers: pd.DataFrame) -> dict[str, list[Seen]]:
    observed = _with_currency(session.reader.observations_of(list(offers["entity"])))
    return {str(entity): sights(rows) for entity, rows in observed.groupby("entity", sort=False)}


def _with_currency(observed: pd.DataFrame) -> pd.DataFrame:
    """Pages that do not state their currency (a Shopify catalogue) take the only one that their store states."""
    if observed.empty:
        return observed
    hosts = observed["entity"].str.partition(":product:")[0]
    stated = observed["currency"].groupby(hosts).agg(lambda each: list(each.dropna().unique()))
    only = {host: found[0] for host, found in stated.items() if len(found) == 1}
    return observed.assign(currency=observed["currency"].fillna(hosts.map(only)))


def _priced(histories: Sequence[Sequence[Seen]]) -> dict[str, object]:
    """The cheapest variant that can be had (else the cheapest), and what its discount is worth."""
    last = [(seen[-1], seen) for seen in histories if seen]
    if not last:
        return dict.fromkeys(("price", "currency", "available", "discount", "low_30"))
    there = [each for each in last if each[0].payable]
    now, seen = min(there or last, key=lambda each: each[0].price)
    judged = judge(seen)
    verdict = None if judged is None or judged.verdict == "not_claimed" else judged.verdict.replace("_", " ")
    return {
        "price": now.price, "currency": now.currency, "available": f"{len(there)} of {len(last)}",
        "discount": verdict, "low_30": judged.low if judged else None,
    }  # fmt: skip


def _orders(args: argparse.Namespace, session: Session, about: pd.DataFrame) -> int:
    try:
        orders = load_orders(args.orders)
        found = monthly(orders.kept, _by_number(about))
    except OrdersError as error:
        raise UsageError(str(error)) from None
    _say_rejected(session, orders)
    if args.output:
        session.save(found, args.output)
        return GOOD
    units = sum(each.units for each in orders.kept)
    shown = found[["month", "title", "product_id", "orders", "units", "amount"]]
    session.show(shown.head(4 * TABLE_ROWS), f"Orders: {units:,} units in {len(orders.kept):,} lines, by month")
    totals = found.groupby("month", as_index=False)[["orders", "units"]].sum()
    session.show(totals, f"Months; together {int(totals['units'].sum()):,} units, as in the orders")
    return GOOD


def _by_number(about: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The shop's number, or the readable name, of each product; what two stores share is ambiguous and left out."""
    made: dict[str, tuple[str, str]] = {}
    twice: set[str] = set()
    for entity, title, number, handle in about[["entity", "title", "product_id", "handle"]].itertuples(index=False):
        for name in {number, handle} - {None, pd.NA}:
            if isinstance(name, str) and made.setdefault(name, (entity, title)) != (entity, title):
                twice.add(name)
    return {name: product for name, product in made.items() if name not in twice}


def _say_rejected(session: Session, orders: Orders) -> None:
    if orders.ignored:
        session.say(f"columns not read: {', '.join(orders.ignored[:12])}")
    for row in orders.rejected[:10]:
        session.say(f"row {row.row} rejected: {row.reason}")
    if len(orders.rejected) > 10:
        session.say(f"and {len(orders.rejected) - 10:,} more rows rejected")


def _events(args: argparse.Namespace, session: Session, about: pd.DataFrame, offers: pd.DataFrame) -> int:
    names = dict(zip(about["entity"], about["title"], strict=True))
    owners = dict(zip(offers["entity"], offers["product"], strict=True))
    variants = dict(zip(offers["entity"], offers["title"], strict=True))
    histories = _histories(session, offers)
    rows = []
    for host, group in about.groupby("host"):
        products = set(group["entity"])
        mine = {entity: seen for entity, seen in histories.items() if owners[entity] in products}
        moments: dict[str, set[datetime]] = defaultdict(set)
        for entity, seen in mine.items():
            moments[owners[entity]] |= {each.at for each in seen}
        of_products = product_events({product: sorted(moments[product]) for product in moments})
        for event in [*offer_events(mine), *of_products]:
            product = owners.get(event.entity, event.entity)
            rows.append(
                (event.at, event.since, event.kind, host, names.get(product), variants.get(event.entity),
                 event.before, event.after, event.confirmed_at, event.entity)
            )  # fmt: skip
    columns = ["at", "since", "event", "store", "product", "variant", "before", "after", "confirmed_at", "entity"]
    found = pd.DataFrame(rows, columns=columns).sort_values("at", ascending=False, kind="stable", ignore_index=True)
    if args.output:
        session.save(found, args.output)
        return GOOD
    session.show(found.head(2 * TABLE_ROWS).drop(columns=["confirmed_at", "entity"]), f"{len(found):,} changes; UTC")
    return GOOD


def _explain(args: argparse.Namespace, session: Session) -> int:
    rows = session.reader.evidence_of(args.explain)
    if not rows:
        raise UsageError(f"{args.explain[:100]}: no evidence; only pages without a fixed form are read by choice")
    columns = ("field", "value", "taken", "source", "where", "weight", "why")
    session.show(pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=list(columns)), "Evidence")
    return GOOD


PRODUCTS = Command("Store products: ratings counted once, prices, discounts, orders, changes.", _arguments, _products)
