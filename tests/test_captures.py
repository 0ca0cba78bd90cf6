"""Real pages that live sites sent to others: what a person reads in them is what we store.

The truths below were read in the pages and their manifest, not taken from the parser.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from analysis.commerce.orders import load_orders, monthly
from analysis.commerce.products import Rated, pools
from analysis.trends.evolution import board_evolution
from analysis.trends.growth import Growth, Shown, growth
from crawler import pages
from crawler.config import load
from crawler.items import Board, BoardEntry, Item, Offer, Post, Product, Profile
from crawler.lanes.sources import Options, Skipped, read
from crawler.outcomes import Outcome
from crawler.pages import Page
from crawler.pages.stores import ProductPage
from crawler.storage.reads import Reader
from crawler.storage.store import Store

CAPTURES = load().shared_dir / "captures"
pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason=f"the real captures are not at {CAPTURES}")
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def page(path: str, at: datetime | None = None) -> Page:
    """The page object that a replay would choose for this file."""
    for each in read([CAPTURES / path], Options(observed_at=at)):
        assert not isinstance(each, Skipped), each.reason
        cls = pages.choose(each.url, each.body)
        assert cls is not None, path
        return cls(
            each.url, each.body, each.fetched_at, each.headers, capture=each.id, at_precision=each.at_precision
        )  # fmt: skip
    raise AssertionError(f"{path}: no capture")


def items(path: str, at: datetime | None = None) -> list[Item]:
    return [item for item in page(path, at).items() if isinstance(item, Item)]


P = "tiktok/profile/"
# file, handle, followers (step), likes (step), videos, verified, posts on the page
PROFILES: list[tuple[str, str, tuple[int, int | None], tuple[int, int | None], int, bool, int]] = [
    (P + "aladynjr-profile.html", "dylanlemay", (11_200_000, 100_000), (587_500_000, 100_000), 1526, True, 30),
    (P + "drawrowfly-userMeta_202101.html", "tiktok", (50_100_000, 100_000), (246_000_000, 100_000), 118, True, 4),
    (P + "ducnguyen36-response.html", "novix.ht", (1053, None), (5204, None), 27, False, 0),
    (P + "metascraper-profile.html", "illojuan", (783_427, None), (3_922_256, None), 19, True, 18),
    (P + "pixelaquarius-debug_tiktok.html", "jelly.here10", (3666, None), (272_628, None), 543, False, 38),
    (P + "levdalba/20250403-234510.html", "jasonmoments", (14_700_000, 100_000), (497_100_000, 100_000), 5257, True, 0),
    (P + "levdalba/some/20250403-225530.html", "jasonmoments", (14_700_000, 100_000), (497_100_000, 100_000), 5256,
     True, 38),
    (P + "levdalba/tiktok_profile_raw.html", "jasonmoments", (14_000_000, 100_000), (473_500_000, 100_000), 5228,
     True, 38),
    ("tiktok/xhr/drawrowfly-user_detail_202010.json", "tiktok", (48_300_000, 100_000), (241_100_000, 100_000), 112,
     True, 0),
    ("tiktok/xhr/drawrowfly-node_share_user_202003.json", "tiktok", (40_421_477, None), (2_425_050_211, None), 1071,
     True, 0),
    ("tiktok/scrapfly/2024-02-profiles.json", "oddanimalspecimens", (2_600_000, 100_000), (44_600_000, 100_000), 124,
     False, 0),
    ("tiktok/scrapfly/2025-09-profiles.json", "oddanimalspecimens", (4_004_419, None), (76_930_705, None), 174,
     False, 0),
    ("tiktok/scrapfly/2026-01-profiles.json", "oddanimalspecimens", (4_001_943, None), (77_615_151, None), 178,
     False, 0),
]  # fmt: skip


@pytest.mark.parametrize(("path", "handle", "followers", "likes", "videos", "verified", "posts"), PROFILES)
def test_a_captured_profile_gives_its_true_numbers(
    path: str, handle: str, followers: tuple[int, int | None], likes: tuple[int, int | None], videos: int,
    verified: bool, posts: int,
) -> None:  # fmt: skip
    found = items(path, DAY)
    profile = found[0]
    assert isinstance(profile, Profile)
    assert profile.key == f"tiktok:profile:{handle}"
    assert (profile.followers, profile.followers_precision) == followers
    assert (profile.likes, profile.likes_precision) == likes
    assert (profile.videos, profile.verified) == (videos, verified)
    assert len({item.key for item in found if isinstance(item, Post)}) == posts


@pytest.mark.parametrize("path", sorted((CAPTURES / "tiktok" / "blocked").glob("*.html")), ids=lambda path: path.name)
def test_blocked_shells_and_captchas_give_blocked_and_no_number(path: Path) -> None:
    found = page(str(path.relative_to(CAPTURES)), DAY)
    assert found.outcome is Outcome.BLOCKED
    assert list(found.items()) == []


def test_a_profile_whose_grid_failed_gives_the_profile_and_its_posts_as_blocked() -> None:
    found = page(P + "levdalba/20250403-234510.html")
    assert found.outcome is Outcome.OK
    assert found.result.parts == {"posts": "blocked"}
    assert [type(item) for item in found.items()] == [Profile]


@pytest.mark.parametrize("order", [*permutations((0, 1)), (0, 1, 0, 1), (1, 0, 0)])
def test_jasonmoments_grew_from_14_0_to_14_7_million_in_whichever_order(
    store: Store, database: Database[Any], order: tuple[int, ...]
) -> None:
    files = (P + "levdalba/tiktok_profile_raw.html", P + "levdalba/some/20250403-225530.html")
    for which in order:
        store.save(items(files[which]))
    seen = Reader(database).observations("tiktok:profile:jasonmoments")
    assert list(seen["followers"]) == [14_000_000, 14_700_000]
    first, second = seen.to_dict("records")
    assert first["at_precision"] == "day"
    found = growth_of(first, second)
    assert (found.change_low, found.change, found.change_high) == (600_000, 700_000, 800_000)
    assert database["profiles"].find_one()["followers"] == 14_700_000


def growth_of(first: dict[str, Any], second: dict[str, Any]) -> Growth:
    def shown(row: dict[str, Any]) -> Shown:
        day = "day" if row["at_precision"] == "day" else None
        return Shown(row["followers"], row["at"].to_pydatetime(), row["followers_precision"], day)

    return growth(shown(first), shown(second))


B = "trends/twitter_brazil/"
FIRST = datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC)
BOARDS = [
    (B + "LeiteSS_trends_place_brazil_mongo_doc_2021-09-19T110428Z.json", FIRST, 11, None),
    (B + "GabrielHenriqueCA_trends_printed_2021-09-24.txt", datetime(2021, 9, 24, tzinfo=UTC), 24, "day"),
    (B + "allons-y-rod_trends_2021-09-25.csv", datetime(2021, 9, 25, 1, 15, tzinfo=UTC), 36, None),
    (B + "jairomonassa_trendtopcis_2021-09-26.csv", datetime(2021, 9, 26, tzinfo=UTC), 35, "day"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "at", "hidden", "precision"), BOARDS)
def test_the_brazil_boards_have_50_rows_and_their_hidden_volumes_are_never_zero(
    path: str, at: datetime, hidden: int, precision: str | None
) -> None:
    board, *rows = items(path)
    assert isinstance(board, Board)
    assert (board.board, board.at, board.size, board.at_precision) == ("x:trends:br", at, 50, precision)
    entries = [row for row in rows if isinstance(row, BoardEntry)]
    assert [row.position for row in entries] == list(range(1, 51))
    below = [row for row in entries if row.volume is None]
    assert len(below) == hidden
    assert {row.volume_floor for row in below} == {10_000}
    assert all(row.volume is None or row.volume >= 10_000 for row in entries)


def test_the_worldwide_board_of_getdaytrends_has_50_rows_and_under_10k_is_a_floor() -> None:
    board, *rows = items("trends/getdaytrends/getdaytrends_worldwide_2026-02-23T22.html")
    assert isinstance(board, Board)
    assert (board.board, board.at, board.size) == (
        "getdaytrends:trends:world",
        datetime(2026, 2, 23, 22, tzinfo=UTC),
        50,
    )
    entries = [row for row in rows if isinstance(row, BoardEntry)]
    assert [row.position for row in entries] == list(range(1, 51))
    assert {(row.volume, row.volume_floor) for row in entries} == {(None, 10_000)}


def test_the_archived_page_and_the_table_made_from_it_say_the_same() -> None:
    """Nine half hours of ten; its maker read the same page."""
    page_rows = [row for row in items("trends/archive_twitter_trending/trending.html") if isinstance(row, BoardEntry)]
    assert len(page_rows) == 90
    saved = []
    for each in read([CAPTURES / "trends/archive_twitter_trending/trending_table_data.csv"], Options(place="us")):
        assert not isinstance(each, Skipped)
        cls = pages.choose(each.url, each.body)
        assert cls is not None
        found = cls(each.url, each.body, each.fetched_at, each.headers, capture=each.id).items()
        saved += [row for row in found if isinstance(row, BoardEntry)]
    told = [{(row.at, row.position, row.topic, row.volume) for row in rows} for rows in (page_rows, saved)]
    assert told[0] == told[1]
    assert {row.volume for row in saved if row.topic == "Army"} == {518_784}


def test_teen_wolf_rises_over_the_brazil_boards(store: Store, database: Database[Any]) -> None:
    for path, *_ in reversed(BOARDS):
        store.save(items(path))
    reader = Reader(database)
    found = board_evolution(reader.boards("x:trends:br"), reader.entries("x:trends:br"))
    row = found[found["topic_key"] == "teenwolf"].iloc[0]
    assert row["volumes"] == "140,681 -> 339,480 -> 351,261"


def test_blumes_shop_page_agrees_with_what_was_printed_beside_it() -> None:
    printed = (CAPTURES / "store/blume/blume_shop_printed_truth.txt").read_text().split("\n")
    truth = {}
    for i in range(0, len(printed) - 4, 5):
        number, title, price, rating, count = (line.strip() for line in printed[i : i + 5])
        if re.fullmatch(r"\d{8,}", number):
            truth[number] = (title, Decimal(price.removeprefix("$")), float(rating), int(count))
    assert len(truth) == 27
    found = items("store/blume/blume_pages_shop_request_text.html", DAY)
    products = {item.product_id: item for item in found if isinstance(item, Product)}
    offers = [item for item in found if isinstance(item, Offer)]
    assert set(products) == set(truth)
    for number, (title, price, rating, count) in truth.items():
        product = products[number]
        assert (product.title, product.rating, product.rating_count) == (title, rating, count)
        assert price in {offer.price for offer in offers if offer.product == product.key}
    sold_out = {key for key in {o.product for o in offers} if not any(o.available for o in offers if o.product == key)}
    assert len(sold_out) == 9
    assert all(offer.list_price is None or offer.list_price > (offer.price or 0) for offer in offers)
    assert all(offer.currency == "USD" for offer in offers)
    cramp = next(item for item in products.values() if "Cramp Oil" in (item.title or ""))
    assert [o.list_price for o in offers if o.product == cramp.key] == [None]


def test_the_same_gift_card_costs_25_in_units_and_in_cents() -> None:
    offers = [
        item for item in items("store/shopify_yogi-bare/products/gift-card.oembed", DAY) if isinstance(item, Offer)
    ]
    assert [offer.price for offer in offers][:2] == [Decimal("25.0"), Decimal("50.0")]


def test_prices_of_product_json_agree_with_the_json_ld_of_the_same_page() -> None:
    """33 pages of one store state each price twice: in cents and in units."""
    checked = 0
    for path in sorted((CAPTURES / "store/shopify_yogi-bare/products").glob("*.html")):
        found = items(str(path.relative_to(CAPTURES)), DAY)
        prices = {item.price for item in found if isinstance(item, Offer)}
        for block in re.findall(r"<script[^>]*ld\+json[^>]*>(.*?)</script>", path.read_text(), re.S):
            data = json.loads(block, strict=False)
            if data.get("@type") == "Product":
                offers = data["offers"] if isinstance(data["offers"], list) else [data["offers"]]
                assert prices == {Decimal(str(offer["price"])) for offer in offers}, path.name
                checked += 1
    assert checked >= 20


def test_availability_is_by_variant_and_the_cheapest_may_be_sold_out() -> None:
    path = "store/shopify_fragrancebuy/products/24elixirambrosia-man.oembed"
    found = {offer.price: offer.available for offer in items(path, DAY) if isinstance(offer, Offer)}
    assert found == {Decimal("29.77"): False, Decimal("39.95"): True}


@pytest.mark.parametrize(
    "path", sorted((CAPTURES / "store/shopify_fragrancebuy/products").glob("*.html")), ids=lambda p: p.stem
)
def test_a_store_page_without_product_json_is_read_from_its_json_ld(path: Path) -> None:
    found = items(str(path.relative_to(CAPTURES)), DAY)
    offers = [item for item in found if isinstance(item, Offer)]
    shown = re.findall(r'"price":\s*"([\d.]+)",\s*"priceCurrency":\s*"CAD"', path.read_text())
    assert {offer.currency for offer in offers} == {"CAD"}
    assert {offer.price for offer in offers} <= {Decimal(each) for each in shown} or not shown
    assert all(offer.available is not None for offer in offers)


def test_blumes_pool_of_4843_ratings_counts_once_also_inside_the_larger_pools() -> None:
    found = [item for item in items("store/blume/blume_pages_shop_request_text.html", DAY) if isinstance(item, Product)]
    rated = [
        Rated(item.key, item.host, item.title or "", item.rating, item.rating_count)
        for item in found if item.rating is not None and item.rating_count
    ]  # fmt: skip
    pool = next(pool for pool in pools(rated) if pool.count == 4843)
    assert len(pool.products) == 4
    inside = {each.count: each.own_count for each in pools(rated) if each.inside and each.inside.count == 4843}
    assert inside == {4882: 39, 4976: 133, 5037: 194}


def test_orders_joined_with_a_doubled_product_table_keep_their_137_units() -> None:
    orders = load_orders(CAPTURES / "store/blume/orders_50rows_synthetic.csv")
    assert (len(orders.kept), orders.rejected) == (50, ())
    with (CAPTURES / "store/blume/products_74rows_doubled.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    products = {row["product_id"]: (row["product_id"], row["product_name"]) for row in rows}
    assert (len(rows), len(products)) == (74, 27)
    assert monthly(orders.kept, products)["units"].sum() == 137


def test_a_copy_whose_ids_lost_digits_keeps_its_prices_and_ratings() -> None:
    path = "store/shopify_leyadoll/products/personalized-mermaid-leyadoll-with-gift-bag-2-skin-tones.html"
    found = items(path, DAY)
    (product,) = [item for item in found if isinstance(item, Product)]
    assert (product.product_id, product.rating, product.rating_count) == (None, 5.0, 938)
    prices = {item.variant_id: (item.price, item.list_price) for item in found if isinstance(item, Offer)}
    assert prices["light-mermaid"] == (Decimal("36.99"), None)  # 36.99 struck through at 36.99 is no sale
    assert prices["dark-mermaid"] == (Decimal("34.99"), Decimal("36.99"))


SHOPPING = CAPTURES / "store/metascraper-shopping"


@pytest.mark.parametrize(
    ("name", "url", "price"),
    [
        ("amazon-gorilla", "https://www.amazon.com/Gorilla-6012110-Black-2-Pack-Piece/dp/B00N150YS4", "12.48"),
        ("amazon", "https://www.amazon.com/Lighting-Fixture-Plaster-Conservatory-Dimmable/dp/B07G2L3JMM", "29.99"),
        ("costco", "https://www.costco.com/afa-sink.product.100432602.html", "329.99"),
        ("jossandmain", "https://www.jossandmain.com/lighting/pdx/duprey-j001109161.html", "98.99"),
        ("overstock", "https://www.overstock.com/Home-Garden/Plates/29099468/product.html", "31.49"),
        ("potterybarn", "https://www.potterybarn.com/products/tully-brass-sconce/", None),
    ],
)
def test_store_pages_that_no_reader_was_made_for_give_the_price_that_others_read(
    name: str, url: str, price: str | None
) -> None:
    page = ProductPage(url, (SHOPPING / f"{name}.html").read_bytes(), DAY)
    offers = [item for item in page.items() if isinstance(item, Offer)]
    assert {offer.price for offer in offers} == {Decimal(price) if price else None}
    assert {offer.available for offer in offers} == {price is not None}


def test_amazons_best_sellers_are_six_boards_of_products_by_rank() -> None:
    found = items("store/amazon_bestsellers/amazon_bestsellers_2025-07.html", DAY)
    boards = [item for item in found if isinstance(item, Board)]
    assert len(boards) == 6
    fashion = [
        item for item in found if isinstance(item, BoardEntry) and item.board == "amazon.com:bestsellers:fashion"
    ]
    assert [item.position for item in fashion] == [1, 2, 3, 4, 5, 6]
    assert fashion[0].entity == "amazon.com:product:B0014BYHJE"
    clog = next(item for item in found if isinstance(item, Product) and item.product_id == "B0014BYHJE")
    assert (clog.rating, clog.rating_count) == (4.8, 619_778)
