"""Every captured Shopify file against an independent reading of it: price, older price and stock of each variant.

The other reading is plain JSON and regular expressions, and shares nothing with the page objects.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crawler import pages
from crawler.config import load
from crawler.items import Offer
from crawler.lanes.sources import Options, Skipped, read
from crawler.pages.shopify_front import FrontPage

STORES = load().shared_dir / "captures" / "store"
KINDS = ("shopify_*/**/*.html", "shopify_*/**/*.oembed", "blume/*.html")
FILES = sorted(path for kind in KINDS for path in STORES.glob(kind))
pytestmark = pytest.mark.skipif(not FILES, reason=f"the captured stores are not at {STORES}")

Truth = dict[str, tuple[Decimal, Decimal | None, bool | None]]
"""By number of the variant: price, list price only above it, available."""


def offers(path: Path) -> list[Offer]:
    pages.load_all()
    found = []
    for each in read([path], Options(observed_at=datetime(2026, 3, 1, tzinfo=UTC))):
        assert not isinstance(each, Skipped), each.reason
        cls = pages.choose(each.url, each.body)
        assert cls is not None, path.name
        found += cls(each.url, each.body, each.fetched_at, each.headers).items()
    return [item for item in found if isinstance(item, Offer)]


def truth(path: Path) -> Truth:
    raw = path.read_text("utf-8")
    if path.suffix == ".oembed":
        data = json.loads(raw)
        listed = [offer for product in data.get("products", [data]) for offer in product["offers"]]
        return {str(each["offer_id"]): (Decimal(str(each["price"])), None, each["in_stock"]) for each in listed}
    embedded = re.findall(r"<script[^>]*(?:js-product-json|id=.?ProductJson)[^>]*>(.*?)</script>", raw, re.S)
    return in_cents(embedded) if embedded else in_markup(raw)


def in_cents(embedded: list[str]) -> Truth:
    made: Truth = {}
    for script in embedded:
        # Numbers that lost digits may begin with 0.
        data: Any = json.loads(re.sub(r"([:,\[]\s*)0+(?=\d+\s*[,}\]])", r"\1", _plain(script)), strict=False)
        for each in data.get("product", data)["variants"]:
            price, before = each["price"], each["compare_at_price"] or 0
            older = Decimal(before).scaleb(-2) if before > price else None
            made[str(each["id"])] = Decimal(price).scaleb(-2), older, each["available"]
    return made


def _plain(script: str) -> str:
    return html.unescape(script) if "&quot;" in script else script


def in_markup(raw: str) -> Truth:
    """Prices of `var meta` in cents; older price and stock of the chooser that people use."""
    meta = re.search(r"var meta = (\{.*?\});\n", raw)
    assert meta is not None
    made: Truth = {}
    for each in json.loads(meta[1])["product"]["variants"]:
        number, price = str(each["id"]), Decimal(each["price"]).scaleb(-2)
        option = next(tag for tag in re.findall(r"<option(.*?)</option>", raw, re.S) if f'value="{number}"' in tag)
        shown = re.search(r'compare-price="<span class=money>\$([\d,.]+)', option)
        before = Decimal(shown[1].replace(",", "")) if shown else Decimal(0)
        stock = re.search(r'data-variant-available="(true|false)"', option)
        assert stock is not None
        made[number] = price, before if before > price else None, stock[1] == "true"
    return made


def test_every_variant_of_every_capture_has_its_price_list_price_and_availability() -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for path in FILES:
        true, ours = truth(path), offers(path)
        found = {each.variant_id: (each.price, each.list_price, each.available) for each in ours}
        kind = "oembed" if path.suffix == ".oembed" else "html"
        counts[f"{kind} files"] += 1
        counts[f"{kind} variants"] += len(true)
        if "leyadoll" in path.parts[-3] and kind == "html":  # ids lost digits, so variants are told by their place
            counts["told by place"] += len(true)
            found = dict(zip(true, found.values(), strict=True))
        wrong += [f"{path.name} {n}: {found.get(n)} is {each}" for n, each in true.items() if found.get(n) != each]
        wrong += [f"{path.name} {n}: not in the file" for n in found.keys() - true.keys()]
        counts["on sale"] += sum(each[1] is not None for each in true.values())
        counts["sold out"] += sum(each[2] is False for each in true.values())
    counts["list price not comparable: .oembed states none"] = counts["oembed variants"]
    print(dict(counts))
    assert wrong == []
    assert counts["html variants"] and counts["oembed variants"]


def test_every_captured_page_gives_the_currency_and_country_that_it_states() -> None:
    stated = 0
    for path in (each for each in FILES if each.suffix == ".html"):
        raw = path.read_bytes()
        active = re.search(rb'Shopify.currency = \{"active":"(\w+)","rate":"1.0"', raw)
        country = re.search(rb'Shopify.country = "(\w+)"', raw)
        assert active is not None and country is not None, path.name
        assert {each.currency for each in offers(path)} == {active[1].decode()}, path.name
        front = FrontPage("https://shop.example/", raw, datetime(2026, 3, 1, tzinfo=UTC))
        said = f"store=shop.example&currency={active[1].decode()}&country={country[1].decode()}&locale=en&capture="
        assert front.market.startswith(said), path.name
        assert not list(front.items()) and not list(front.next())
        stated += 1
    assert stated
