"""Prices of one product by many sellers, from offers and from posts, equal to what was planted."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analysis.commerce.deals import Told, read
from analysis.commerce.deals_spans import Catalogue as Names
from analysis.commerce.matching import Catalogue, Listing, identities
from analysis.commerce.price_history import Seen
from analysis.commerce.prices import Point, lines, matched, seller_key, standings, undercuts
from crawler.config import load

START = datetime(2026, 8, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ARRIVALS = load().shared_dir / "captures" / "store" / "shopify_fragrancebuy" / "collections_newarrivals.oembed"


def best(title: str, *others: str, brand: str | None = None):
    found = Catalogue([Listing(str(at), each) for at, each in enumerate(others)]).best(Listing("q", title, brand))
    return (found[0].verdict, others[int(found[0].right)]) if found else ("apart", None)


OTHERS = ("Acme Kettle 1.7 L steel", "Acme Toaster 4 slices", "Bolt Drill 18V", "Nova Lamp LED desk", "Luna Serum 30ml",
          "Luna Serum Gift Set", "Sono WH-1000 headphones", "Sono WH-900 headphones", "Pure Soap 3 pack",
          "Trail Shoe men")  # fmt: skip


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("ACME steel kettle, 1700 ml", ("same", "Acme Kettle 1.7 L steel")),
        ("acme kettle 1 L steel", ("apart", "Acme Kettle 1.7 L steel")),
        ("Luna Serum 30 ml", ("same", "Luna Serum 30ml")),
        ("Sono WH-1000 wireless headphones", ("same", "Sono WH-1000 headphones")),
        ("Trail Shoe women", ("apart", "Trail Shoe men")),
        ("Nova desk LED lamp (refurbished)", ("apart", "Nova Lamp LED desk")),
    ],
)
def test_titles_of_one_thing_are_matched_and_what_differs_is_not(title, expected):
    assert best(title, *OTHERS) == expected


def test_a_kit_is_not_its_part():
    (match,) = (
        each
        for each in Catalogue([Listing(str(at), title) for at, title in enumerate(OTHERS)]).best(
            Listing("q", "Luna Serum 30ml")
        )
        if OTHERS[int(each.right)] == "Luna Serum Gift Set"
    )
    assert match.verdict == "apart" and "a kit and a single thing" in match.evidence


def test_a_shared_gtin_decides_and_one_seller_never_lists_a_thing_twice():
    listings = [
        Listing("a", "Kettle steel 1.7", gtin="0400638133393", seller="one"),
        Listing("b", "Bouilloire inox", gtin="400638133393", seller="two"),
        Listing("c", "Kettle steel 1.7", seller="one"), Listing("d", "Lamp", seller="two"),
    ]  # fmt: skip
    groups, _ = identities(listings)

    assert groups["a"] == groups["b"] and groups["c"] != groups["a"]


def test_sellers_are_one_under_all_their_names():
    assert {seller_key(name) for name in ("@HomeBarn", "homebarn.com", "Home Barn", "www.homebarn.co.uk")} == {
        "homebarn"
    }


def test_index_and_undercuts_against_competitors():
    def point(seller: str, day: int, price: str) -> Point:
        return Point("p", seller, Seen(START + day * DAY, Decimal(price), None, "USD", True), "offer", "c")

    points = [point("own", 0, "20"), point("a", 0, "22"), point("b", 1, "24"), point("a", 2, "19"), point("a", 3, "18"),
              point("own", 4, "17"), point("a", 5, "16.5")]  # fmt: skip
    found = list(undercuts(points, frozenset({"own"})))

    assert [((each.at - START).days, str(each.price)) for each in found] == [(2, "19"), (5, "16.5")]
    (standing,) = standings(lines(points), frozenset({"own"}), START + 6 * DAY)
    assert (standing.index, standing.n) == (round(17 / 20.25, 3), 2)


def planted(titles: list[tuple[str, str, str]], seed: int = 3):
    """For (key, title, brand): offers of a store by day, posts of another shop, and the truth of both."""
    chance = random.Random(seed)
    listings, offers, posts, truth = [], {}, [], {}
    for number, (key, title, brand) in enumerate(titles):
        listings.append(Listing(key, title, brand, seller="fragrant.example"))
        price = Decimal(chance.randint(2000, 9000)) / 100
        steps = []
        for day in range(40):
            if chance.random() < 0.1:
                price = max(Decimal(5), price - Decimal(chance.randint(-900, 1500)) / 100)
            steps.append(Seen(START + day * DAY, price, None, "USD", True))
        offers[key] = [(each, "c") for each in steps]
        truth[key, "fragrant"] = [(each.at, each.price) for each in steps]
        for day in sorted(chance.sample(range(40), 3)):
            deal = Decimal(chance.randint(1500, 8000)) / 100
            shape = chance.choice(
                ["{t} now ${p}, was ${w}, order today", "Deal: {t} only ${p} today!", "{t} - ${p} (reg. ${w})"]
            )
            posts.append((f"x:post:{number}-{day}", shape.format(t=title, p=deal, w=deal + 20), START + day * DAY))
            truth.setdefault((key, "scentcorner"), []).append((START + day * DAY, deal))
    return listings, offers, posts, truth


def told(posts, names: Names):
    for key, text, at in posts:
        found = read(Told(text, "en", "ScentCorner", at=at, author_sells=True), names)
        if found.is_deal:
            amounts = [{"role": each.role, "value": each.value, "value_max": each.value_max, "currency": each.currency}
                       for each in found.amounts]  # fmt: skip
            yield {"post": key, "at": at, "product": found.product, "brand": found.brand, "retailer": found.retailer,
                   "amounts": amounts}  # fmt: skip


def check(titles: list[tuple[str, str, str]]) -> None:
    listings, offers, posts, truth = planted(titles)
    names = Names([brand for _, _, brand in titles], [title for _, title, _ in titles])
    points, questions = matched(listings, offers, told(posts, names))
    found = {(each.product, each.seller): [(seen.at, seen.price) for seen in each.seen] for each in lines(points)}

    assert not questions
    assert found == truth


def test_series_of_planted_offers_and_posts_equal_the_truth():
    brands = ("Acme", "Nova", "Luna", "Bolt", "Sono")
    things = ("Kettle Steel", "Desk Lamp", "Night Serum", "Cordless Drill", "Studio Headphones")
    check([(f"k{at}", f"{brand} {thing} {100 + at}", brand) for at, (brand, thing) in
           enumerate((brand, thing) for brand in brands for thing in things)])  # fmt: skip


def test_series_of_captured_products_with_planted_posts_equal_the_truth():
    if not ARRIVALS.is_file():
        pytest.skip(f"no captured catalogue at {ARRIVALS}; set TIDEMARK_SHARED")
    products = json.loads(ARRIVALS.read_text())["products"]
    titles: dict[str, tuple[str, str, str]] = {}
    for each in products:
        if each.get("brand") and each["brand"].lower() in each["title"].lower():
            titles.setdefault(each["brand"], (str(each["product_id"]), each["title"], each["brand"]))
    check(list(titles.values())[:24])


def test_captured_variants_find_their_own_product_among_five_hundred():
    if not ARRIVALS.is_file():
        pytest.skip(f"no captured catalogue at {ARRIVALS}; set TIDEMARK_SHARED")
    products = json.loads(ARRIVALS.read_text())["products"]
    catalogue = Catalogue(Listing(str(at), each["title"], each.get("brand")) for at, each in enumerate(products))
    right = wrong = plain = 0
    for at, product in enumerate(products):
        for offer in product["offers"]:
            asked = Listing("asked", offer["title"])
            found = catalogue.best(asked)
            plain += not any(word in offer["title"].lower() for word in ("tester", "set", "refill", "mini"))
            if found and found[0].verdict == "same":
                right, wrong = right + (found[0].right == str(at)), wrong + (found[0].right != str(at))
    assert right / (right + wrong) > 0.96
    assert right / plain > 0.75
