"""Stores on the simulated web: product pages by address, reviews within a budget, TikTok Shop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT
from crawler.targets import TargetError
from demo.site import Fault, Site, running
from demo.world import START, World
from demo.world.shop import HOST
from spiders.stores import StoreReviews, TikTokShop

Run = Callable[..., "subprocess.CompletedProcess[str]"]
AT = START + timedelta(days=2)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(World(7)) as opened:
        opened.clock.set(AT)
        yield opened


@pytest.fixture
def crawl(site: Site, mongo_uri: str, database: Database[dict[str, Any]], tmp_path: Path) -> Run:
    def run(spider: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", spider, *more, "-s", 'ADDONS={"demo.lane.Simulated": 1}'],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
            env={
                **os.environ, "MONGODB_URI": mongo_uri, "MONGODB_DATABASE": database.name,
                "TIDEMARK_DATA": str(tmp_path), **site.proxies(),
            },
        )  # fmt: skip

    return run


def test_a_product_page_and_its_reviews_are_taken_within_the_budget(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    shop, at_h = site.world.shop, site.world.hour(AT)
    product = max(shop.listed(at_h), key=lambda each: shop.rating(each, at_h)[1])
    done = crawl("store_reviews", "-a", f"targets=https://{HOST}/products/{product.handle}", "-a", "pages=2")
    assert done.returncode == 0, done.stderr
    stored = database["products"].find_one({"_id": f"{HOST}:product:{product.product_id}"})
    assert (stored["rating"], stored["rating_count"]) == shop.rating(product, at_h)
    prices = {row["variant_id"]: row["price"].to_decimal() for row in database["offers"].find()}
    assert prices == {
        each.variant_id: Decimal(shop.asked(product, each, at_h).cents).scaleb(-2) for each in product.variants
    }
    told = {str(each.review_id): each for each in site.world.talkers.opinions(product, at_h)}
    reviews = list(database["reviews"].find())
    assert len(reviews) == min(200, len(told))
    for row in reviews:
        true = told[row["review_id"]]
        assert (row["rating"], row.get("text"), row["verified"]) == (true.stars, true.text, true.verified)
        assert "author_hash" not in row  # without a key nobody is told from anybody


@pytest.mark.parametrize("target", [HOST, f"{HOST}/collections/all"])
def test_a_catalogue_has_the_currency_that_the_front_page_states(
    crawl: Run, database: Database[Any], site: Site, target: str
) -> None:
    done = crawl("shopify_store" if target == HOST else "store_collection", "-a", f"targets={target}")
    assert done.returncode == 0, done.stderr
    front, *catalogue = database["fetches"].find().sort("parser", -1)
    assert (front["parser"], front["url"]) == ("shopify.front@1", f"https://{HOST}/")
    assert catalogue and all(f"#store={HOST}&currency=EUR&country=IE" in row["url"] for row in catalogue)
    assert all(row["url"].endswith(f"capture={front['capture']}") for row in catalogue)
    assert database["offers"].count_documents({}) > 30
    assert database["offers"].distinct("currency") == ["EUR"]
    assert database["offers"].count_documents({"currency": None}) == 0


@pytest.mark.parametrize("kind", ["captcha", "server_error", "dropped"])
def test_a_front_page_that_does_not_come_costs_the_currency_and_nothing_else(
    crawl: Run, database: Database[Any], site: Site, kind: str
) -> None:
    site.faults.put(Fault(kind, rf"{HOST}/$"))
    try:
        crawl("shopify_store", "-a", f"targets={HOST}")
    finally:
        site.faults.clear()
    assert database["offers"].count_documents({}) > 30
    assert database["offers"].count_documents({"currency": {"$ne": None}}) == 0


def test_a_plain_shop_has_no_product(crawl: Run, database: Database[Any]) -> None:
    done = crawl("product", "-a", "targets=https://plain-shop.example/lamp")
    assert done.returncode == 1
    assert database["products"].count_documents({}) == 0
    assert "blocked" in done.stderr


@pytest.mark.parametrize(
    "written",
    ["1729384756473829102", "https://www.tiktok.com/shop/pdp/1729384756473829102",
     "https://www.tiktok.com/shop/pdp/coral-lamp/1729384756473829102?x=1",
     "https://shop.tiktok.com/view/product/1729384756473829102"],
)  # fmt: skip
def test_a_shop_product_is_named_by_number_or_address(written: str) -> None:
    assert TikTokShop.target.canonical(written) == "1729384756473829102"


@pytest.mark.parametrize("pages", ["0", "many", "-3", "99999"])
def test_a_budget_that_is_none_is_refused_in_plain_words(pages: str) -> None:
    with pytest.raises(TargetError, match="expected how many pages"):
        StoreReviews(pages=pages)
