"""New stored posts into stored deals, by watermark: what was read before is not read again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pandas as pd

from analysis.command import AWAY, GOOD, Session, UsageError
from analysis.commerce.deals import Reading, Told, read
from analysis.commerce.deals_archive import Selection, local
from analysis.commerce.deals_catalogue import crawled
from analysis.commerce.deals_spans import Catalogue
from analysis.commerce.deals_watch import Watched, watch_list
from analysis.commerce.prices import HOLDS
from crawler.items import Amount, Deal, Vantage
from crawler.lanes import twitterstream
from crawler.lanes.twitterstream import Damaged

PARSER = "deals.text@1"
ROWS = 30


def live(args: argparse.Namespace, session: Session) -> int:
    if args.withdraw:
        return _withdraw(args, session)
    for name in ("resume", "brands"):
        if getattr(args, name):
            raise UsageError(f"--{name} is for files and dumps; name one")
    watched = watch_list(args.watch) if args.watch else Watched({})
    catalogue = None if args.no_catalogue else crawled(session.reader.about)
    posts = kept = 0
    for documents, until in session.deals.fresh():
        deals = deals_in(documents, watched, catalogue)
        session.deals.replace([str(each["_id"]) for each in documents], deals)
        if until:
            session.deals.move(until)
        posts, kept = posts + len(documents), kept + len(deals)
    session.say(f"{posts:,} posts read that were new or seen again, {kept:,} deals in them")
    return _show(args, session)


def dumps_of(args: argparse.Namespace, what: str) -> list[str]:
    """The sources that were named. Raises UsageError."""
    try:
        found = [each for given in args.given for each in twitterstream.sources(given)]
    except FileNotFoundError as error:
        raise UsageError(str(error)) from None
    if not found:
        raise UsageError(f"{what}: name the dumps; .tar, .zip, .json, .gz, .bz2 or folders of them")
    return found


def deals_in(documents: Iterable[Mapping[str, Any]], watched: Watched, catalogue: Catalogue | None) -> list[Deal]:
    """Of stored posts."""
    told = [(each, _told(each, watched)) for each in documents if each.get("caption")]
    readings = [(each, read(post, catalogue)) for each, post in told]
    return [_deal(each, found) for each, found in readings if found.is_deal]


def _withdraw(args: argparse.Namespace, session: Session) -> int:
    sources = dumps_of(args, "--withdraw")
    notices = gone = 0
    damaged: list[Damaged] = []
    notices_only = Selection(only_watched=True, withdrawn=True)  # of nobody: no tweet is read
    for found in local(sources, notices_only, args.processes):
        if isinstance(found, Damaged):
            damaged.append(found)
            continue
        notices += len(found.withdrawn)
        gone += session.deals.take_back(found.withdrawn)
    for each in damaged:
        session.say(f"{each.name}: {each.reason}")
    session.say(
        f"{notices:,} delete notices; {gone:,} posts of theirs were stored and are gone, with numbers and deals"
    )
    return AWAY if damaged else GOOD


def _told(post: Mapping[str, Any], watched: Watched) -> Told:
    names = {str(post.get(name) or "").lower() for name in ("author", "author_id")} - {""}
    return Told(
        post["caption"], post.get("language"), post.get("author"), tuple(post.get("urls") or ()),
        post.get("created_at") or post["observed_at"], bool(names & watched.names),
    )  # fmt: skip


def _deal(post: Mapping[str, Any], found: Reading) -> Deal:
    amounts = tuple(
        Amount(
            text=each.text, value=each.value, value_max=each.value_max, role=each.role,
            currency="%" if each.role == "discount_percent" else each.currency,
        )
        for each in found.amounts
    )  # fmt: skip
    return Deal(
        platform=post["platform"], url=post["url"], observed_at=post["observed_at"], capture=post["capture"],
        at_precision=post.get("at_precision"), vantage=Vantage(**(post.get("vantage") or {})), parser=PARSER,
        post=str(post["_id"]), product=found.product, brand=found.brand, retailer=found.retailer, amounts=amounts,
        free_shipping=found.free_shipping, coupon=found.coupon, valid_until=found.valid_until,
    )  # fmt: skip


def _show(args: argparse.Namespace, session: Session) -> int:
    """Those in force now, newest first."""
    deals = session.deals.all(datetime.now(UTC), HOLDS["deal"])[::-1]
    if args.output:
        args.output.write_bytes(
            b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE, default=str) for each in deals)
        )
        session.say(f"{len(deals):,} deals in force written to {args.output}")
        return GOOD
    names = {"at": "at", "retailer": "retailer", "brand": "brand", "product": "product", "valid_until": "ends"}
    shown = [{head: each.get(name) for name, head in names.items()} | {"offer": _offer(each)} for each in deals[:ROWS]]
    if not shown:
        sys.stderr.write("no deal in force is stored: one that names no end is over after two days\n")
        return GOOD
    session.show(pd.DataFrame(shown), f"{len(deals):,} deals in force")
    return GOOD


def _offer(deal: Mapping[str, Any]) -> str:
    return ", ".join(f"{each['role'].replace('_', ' ')} {each['text']}" for each in deal.get("amounts") or ())[:80]
