"""Matching of titles, measured where a catalogue itself says what is one thing, and looked at across stores.

python -m benchmarks matching [--folder DIR] [--show N] [--json]

Within a store: the captured shop lists each product with its offers, and an offer's title names the product in its own
words; every offer is asked for as if another store had written it. Right is the product it hangs on. An offer that is a
kit or in another condition (tester, refill, used) is no part of that: it must not be taken for the plain thing.
Across stores: listings of all captured stores; nobody labelled these, so pairs are counted and the best are shown.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.commerce.matching import Catalogue, Listing, Match, Read
from crawler import pages
from crawler.archive import Capture
from crawler.config import load
from crawler.items import Product
from crawler.lanes import sources
from crawler.lanes.sources import Options

SAVED_AT = datetime(2026, 1, 1, tzinfo=UTC)  # of pages that state no moment; no title hangs on it


def within(listed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Products with `title`, `brand` and `offers`, as a shop's oEmbed gives them."""
    listings = [Listing(str(at), each["title"], each.get("brand")) for at, each in enumerate(listed)]
    catalogue = Catalogue(listings)
    found = {"products": len(listings), "offers": 0, "right": 0, "wrong": 0, "asked": 0, "asked_and_there": 0}
    kits = {"kits_or_other_condition": 0, "of_them_taken_for_the_plain_thing": 0}
    for at, each in enumerate(listed):
        for offer in each["offers"]:
            asked = Listing("asked", offer["title"])
            best = catalogue.best(asked)
            first = best[0].verdict if best else "apart"
            if _odd(asked) and not _odd(listings[at]):
                kits["kits_or_other_condition"] += 1
                kits["of_them_taken_for_the_plain_thing"] += first == "same" and best[0].right == str(at)
                continue
            found["offers"] += 1
            found["right"] += first == "same" and best[0].right == str(at)
            found["wrong"] += first == "same" and best[0].right != str(at)
            found["asked"] += first == "ask"
            found["asked_and_there"] += first == "ask" and any(match.right == str(at) for match in best)
    same = found["right"] + found["wrong"]
    return {**found, **kits, "precision": round(found["right"] / same, 3) if same else None,
            "recall": round(found["right"] / found["offers"], 3) if found["offers"] else None}  # fmt: skip


def _odd(listing: Listing) -> bool:
    read = Read(listing)
    return read.kit or bool(read.conditions)


def across(listings: Sequence[Listing]) -> tuple[dict[str, int], list[tuple[Match, str, str]]]:
    """Pairs of different stores that share a block, by verdict; and the best of them."""
    catalogue = Catalogue(listings)
    store = {each.key: _store(each) for each in listings}
    title = {each.key: each.title for each in listings}
    pairs: dict[tuple[str, str], Match] = {}
    for each in listings:
        for match in catalogue.best(each, most=len(listings)):
            if store[match.left] != store[match.right]:
                pairs[min(match.left, match.right), max(match.left, match.right)] = match
    ranked = sorted(pairs.values(), key=lambda match: (-match.score, match.left, match.right))
    counts = {verdict: sum(match.verdict == verdict for match in ranked) for verdict in ("same", "ask", "apart")}
    return counts, [(match, title[match.left], title[match.right]) for match in ranked]


def _store(listing: Listing) -> str:
    """Shops of one company in many countries are one: amazon.com and amazon.co.uk."""
    return (listing.seller or "").split(".")[0]


def listings_of(folder: Path) -> list[Listing]:
    """All products on all pages under *folder*."""
    pages.load_all()
    found: dict[str, Listing] = {}
    for capture in sources.read([folder], Options(observed_at=SAVED_AT)):
        chosen = pages.choose(capture.url, capture.body) if isinstance(capture, Capture) else None
        if chosen is None or not isinstance(capture, Capture):
            continue
        for item in chosen(capture.url, capture.body, capture.fetched_at, capture.headers).items():
            if isinstance(item, Product) and item.title:
                brand = item.brand or item.vendor
                found[item.key] = Listing(item.key, item.title, brand, item.gtin, item.mpn, item.key.partition(":")[0])
    return list(found.values())


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks matching")
    parser.add_argument("--folder", type=Path, default=load().shared_dir / "captures" / "store")
    parser.add_argument("--show", type=int, default=10, metavar="N", help="best pairs of different stores")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    shops = sorted(args.folder.rglob("*.oembed"))
    if not shops:
        raise SystemExit(f"{args.folder}: no .oembed of a shop in it; name the folder of captured stores")
    listed = [each for path in shops for each in json.loads(path.read_text("utf-8")).get("products", ())]
    one = within(listed)
    listings = listings_of(args.folder)
    counts, best = across(listings)
    if args.json:
        print(json.dumps({"within": one, "across": {"listings": len(listings), **counts}}, indent=1))
        return
    print("\n".join(f"{name.replace('_', ' '):<36} {value}" for name, value in one.items()))
    print(f"across stores: {len(listings)} listings; pairs with something in common: {counts}")
    for match, left, right in best[: args.show]:
        shops = " and ".join(each.partition(":")[0] for each in (match.left, match.right))
        print(f"  {match.score:.2f} {match.verdict:<5} {left[:50]!r} and {right[:50]!r} ({shops})")


if __name__ == "__main__":
    main()
