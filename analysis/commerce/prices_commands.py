"""`prices`: what every seller asked for one product, by offers of stores and deals in posts."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, file, positive
from analysis.commerce.campaigns import Effect, effects
from analysis.commerce.matching import Listing, Match
from analysis.commerce.price_history import daily, sights
from analysis.commerce.prices import Line, Point, lines, matched, seller_key, standings, undercuts
from analysis.output import ENDINGS, clean
from analysis.plot import COLORS, WIDTH_PX, save_chart

ROWS = 30
MOST_ON_CHART = 8
WHAT = ("now", "steps", "daily", "index", "undercuts", "questions", "campaigns")


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option(
        "what", nargs="?", choices=WHAT, default="now", help="what to show (default: now, one row a product and seller)"
    )
    option("--product", metavar="TEXT", help="only products whose title holds this")
    option("--role", type=Path, metavar="FILE", help="sellers, a line each: name or host, then own or competitor")
    option("--top", type=positive, metavar="N", help=f"so many rows (default {ROWS} on the screen, all in a file)")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=f"write a file: {', '.join(ENDINGS)}")
    option("--plot", type=file(".png", ".svg"), metavar="FILE", help="draw the sellers of one product")


def _prices(args: argparse.Namespace, session: Session) -> int:
    own = _own(args.role) if args.role else frozenset()
    if args.what in ("index", "undercuts") and not own:
        raise UsageError(f"{args.what}: needs --role FILE with at least one seller that is own")
    if args.what == "campaigns":
        return _shown(
            _campaigns(session),
            "What deals did: engagement of a deal post over usual posts of its author",
            args,
            session,
        )
    listings = _listings(session, args.product)
    if not listings:
        raise UsageError(f"no product stored{f' with {clean(args.product)!r} in its title' if args.product else ''}")
    seen = _offers(session, [each.key for each in listings])
    points, questions = matched(listings, seen, session.deals.all())
    made = lines(points)
    titles = {each.key: each.title for each in listings}
    if args.plot:
        return _plot(made, titles, args, session)
    frame, title = _frame(args.what, made, points, questions, titles, own)
    return _shown(frame, title, args, session)


def _shown(frame: pd.DataFrame, title: str, args: argparse.Namespace, session: Session) -> int:
    if args.output:
        session.save(frame.head(args.top or len(frame)), args.output)
    else:
        session.show(frame.head(args.top or ROWS), title)
    return GOOD


def _own(path: Path) -> frozenset[str]:
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'no UTF-8'})") from None
    own = set()
    for number, row in enumerate(rows, 1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        role = row[1].strip().lower() if len(row) > 1 else ""
        if role not in ("own", "competitor"):
            raise UsageError(f"{path}, line {number}: expected a seller, then own or competitor; found {role[:20]!r}")
        if role == "own":
            own.add(seller_key(row[0]))
    return frozenset(own)


def _listings(session: Session, wanted: str | None) -> list[Listing]:
    """A listing for each offer: a variant is a thing by itself."""
    products = session.reader.about("product", ("title", "brand", "gtin", "mpn", "host"))
    offers = session.reader.about("offer", ("product", "title", "seller"))
    by_key = {str(row["entity"]): row for row in _rows(products)}
    found = []
    for offer in _rows(offers):
        product = by_key.get(str(offer["product"]))
        if product is None or not product["title"]:
            continue
        variant = (
            offer["title"] if offer["title"] and offer["title"].lower() not in ("default title", "default") else ""
        )
        title = product["title"] if not variant or variant in product["title"] else f"{product['title']} {variant}"
        if wanted is None or wanted.casefold() in title.casefold():
            found.append(
                Listing(
                    str(offer["entity"]), title, product["brand"], product["gtin"], product["mpn"],
                    offer["seller"] or product["host"] or str(offer["product"]).partition(":")[0],
                )
            )  # fmt: skip
    return found


def _rows(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for row in frame.astype(object).to_dict("records"):
        yield {str(name): None if pd.isna(value) else str(value) for name, value in row.items()}


def _offers(session: Session, keys: Sequence[str]) -> dict[str, list[tuple[Any, str]]]:
    frame = session.reader.observations_of(keys)
    return {
        str(entity): [(each, str(entity)) for each in sights(group)]
        for entity, group in frame.groupby("entity", sort=False)
    }


def _frame(
    what: str, made: Sequence[Line], points: Sequence[Point], questions: Sequence[Match], titles: Mapping[str, str],
    own: frozenset[str],
) -> tuple[pd.DataFrame, str]:  # fmt: skip
    match what:
        case "now":
            return pd.DataFrame(
                [_now(each, titles) for each in made]
            ), f"{len(made):,} prices, each with its last sight"
        case "steps":
            rows = [
                {**_who(line, titles), "price": step.price, "list_price": step.list_price, "valid_from": step.first,
                 "last_seen": step.last, "available": step.available, "n": step.n}
                for line in made for step in line.steps
            ]  # fmt: skip
            return pd.DataFrame(rows), "Step series: the same terms from the first to the last sight in a row"
        case "daily":
            rows = [
                {**_who(line, titles), "day": day.day.isoformat(), "min": day.low, "median": day.median, "n": day.n}
                for line in made for day in daily(line.seen)
            ]  # fmt: skip
            return pd.DataFrame(rows), "Lowest and median price of each day on which one was seen"
        case "index":
            at = max((line.last_seen for line in made), default=datetime.now(UTC))
            found = [
                {"product": titles.get(each.product, each.product), "own": each.own, "competitors": each.competitors,
                 "currency": each.currency, "index_%": round(each.index * 100, 1), "n": each.n}
                for each in standings(made, own, at)
            ]  # fmt: skip
            return pd.DataFrame(found), "Own price over the median of competitors (100 = alike)"
        case "undercuts":
            told = [{"at": each.at, "product": titles.get(each.product, each.product), "competitor": each.competitor,
                     "price": each.price, "own": each.own, "currency": each.currency}
                    for each in undercuts(points, own)]  # fmt: skip
            return pd.DataFrame(told), "Moments at which a competitor went below the own price"
        case _:
            asked = [{"one": titles.get(each.left, each.left), "other": titles.get(each.right, each.right),
                      "score": each.score, "evidence": "; ".join(each.evidence)} for each in questions]  # fmt: skip
            return pd.DataFrame(asked), "Is this the same thing? Scores in the middle, for a person to say"


def _who(line: Line, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "product": titles.get(line.product, line.product),
        "seller": line.seller,
        "in": line.source,
        "currency": line.currency,
    }


def _now(line: Line, titles: Mapping[str, str]) -> dict[str, Any]:
    found = line.discount
    return {
        **_who(line, titles), "price": line.price, "valid_from": line.valid_from, "last_seen": line.last_seen,
        "low_30_days": found.low, "discount": found.verdict.replace("_", " "), "claimed_%": found.percent_claimed,
        "below_low_%": found.percent, "n": len(line.seen),
    }  # fmt: skip


def _campaigns(session: Session) -> pd.DataFrame:
    found: list[Effect] = effects(session.deals.all(), session.reader.posts())
    return pd.DataFrame(
        [
            {"by": each.by, "group": each.group, "deals": each.n, "controls": each.controls, "authors": each.authors,
             "ratio": each.ratio, "low": each.low, "high": each.high, "note": each.note}
            for each in found
        ]
    )  # fmt: skip


def _plot(made: Sequence[Line], titles: Mapping[str, str], args: argparse.Namespace, session: Session) -> int:
    products = {line.product for line in made}
    if len(products) != 1:
        some = ", ".join(sorted(clean(titles.get(each, each)) for each in products)[:5])
        raise UsageError(f"--plot draws one product, and {len(products)} fit; name one with --product: {some}")
    shown = sorted(made, key=lambda line: -len(line.seen))[:MOST_ON_CHART]
    currencies = {line.currency for line in shown}
    if len(currencies) != 1:
        raise UsageError(f"--plot: prices in {', '.join(sorted(map(str, currencies)))} do not go on one axis")
    title = clean(titles.get(products.pop(), ""))
    names = f"price in {next(iter(currencies)) or 'an unknown currency'}; a step holds until the next sight"
    save_chart(price_chart(shown), title, names, args.plot, simulated=session.simulated)
    session.say(f"{title}: {len(shown)} lines drawn in {args.plot}")
    return GOOD


def _name(line: Line) -> str:
    return f"{line.seller}, in posts" if line.source == "deal" else line.seller


def price_chart(shown: Sequence[Line]) -> alt.VConcatChart:
    """A step line for each store; points where a price was seen, in a store or in a post."""
    rows = [
        {"at": seen.at.isoformat(), "price": float(seen.price), "seller": _name(line), "kind": line.source}
        for line in shown for seen in line.seen if seen.payable
    ]  # fmt: skip
    sellers = [_name(line) for line in shown]
    color = alt.Color(
        "seller:N", scale=alt.Scale(domain=sellers, range=COLORS[: len(sellers)]), legend=alt.Legend(orient="top")
    )
    chart = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("price:Q", title="price", scale=alt.Scale(zero=False, padding=10))
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc"))
    shelf = chart.transform_filter("datum.kind == 'offer'")  # what a post announces does not hold until the next one
    line = shelf.mark_line(interpolate="step-after", strokeWidth=2).encode(x=x, y=y, color=color)
    points = chart.mark_point(filled=True, size=40, opacity=1).encode(
        x=x, y=y, color=color, shape=alt.Shape("kind:N", legend=alt.Legend(orient="top", title="seen in"))
    )
    return alt.vconcat(alt.layer(line, points, width=WIDTH_PX, height=280))


PRICES = Command("What every seller asks for a product, and has asked.", _arguments, _prices)
