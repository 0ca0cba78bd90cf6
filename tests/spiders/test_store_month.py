"""A store followed for thirty simulated days, with walls and damage: exactly what was so, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymongo.database import Database

from analysis.commerce.price_history import Seen, judge, sights
from analysis.commerce.products import velocity
from analysis.commerce.store_events import StoreEvent, offer_events, product_events
from crawler.items import Item
from crawler.outcomes import GOOD, Outcome, of_status
from crawler.pages import choose
from crawler.storage.reads import Reader
from crawler.storage.store import Store
from demo.site import Site, running
from demo.site.app import Asked
from demo.world import START, World
from demo.world.shop import HOST, Product, Sale, Variant

DAYS = 30
HOURS = (9, 21)
FAULTS = {
    3: "captcha", 5: "shell", 8: "truncated", 11: "rate_limited", 14: "renamed", 17: "empty", 20: "server_error",
    23: "malformed", 26: "consent",
}  # fmt: skip
"""What goes wrong with the whole store on the mornings of these days."""
KEY = "SimulatedWidgetKeyOfTidewaterGoods000001"


class Month:
    """Thirty days in the database, and the moments at which the store answered."""

    def __init__(self, site: Site, store: Store) -> None:
        self.site, self.store, self.good, self.outcomes = site, store, list[datetime](), dict[datetime, Outcome]()
        self.product = site.world.shop.products[0]
        for day in range(DAYS):
            for hour in HOURS:
                self._sweep(START + timedelta(days=day, hours=hour), FAULTS.get(day) if hour == HOURS[0] else None)

    def _sweep(self, at: datetime, fault: str | None) -> None:
        self.site.clock.set(at)
        self.site.faults.clear()
        if fault:
            self.site.faults.add(fault, HOST)
        outcome = self.take(HOST, "/products.json", "limit=250&page=1")
        self.outcomes[at] = outcome
        if outcome is Outcome.OK:
            self.good.append(at)
        self.take(HOST, f"/products/{self.product.handle}")
        widget = f"/v1/widget/{KEY}/products/{self.product.product_id}/reviews.json"
        for page in (1, 2):
            self.take("api-cdn.yotpo.com", widget, f"per_page=100&page={page}&store={HOST}")

    def take(self, host: str, path: str, query: str = "") -> Outcome:
        """One answer through its page object into the database, as a crawl would take it."""
        asked = Asked("GET", host, path, query)
        answer, _, _ = self.site.answer(asked, proxied=True)
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        url = f"https://{asked.url}"
        name = choose(url, body)
        if name is None:
            return Outcome.BLOCKED
        page = name(url, body, self.site.clock.now())
        outcome = of_status(answer.status) or page.outcome
        if outcome in GOOD:
            self.store.save([item for item in page.items() if isinstance(item, Item)])
        return outcome


@pytest.fixture(scope="module")
def month(client: Any) -> Iterator[tuple[Month, Reader]]:
    database: Database[dict[str, Any]] = client["test_store_month"]
    store = Store(database)
    store.prepare()
    with running(World(7)) as site:
        yield Month(site, store), Reader(database)
    store.close()
    client.drop_database(database.name)


def asked_at(month: Month, product: Product, variant: Variant, at: datetime) -> Seen:
    shop, at_h = month.site.world.shop, month.site.world.hour(at)
    price = shop.asked(product, variant, at_h)
    was = None if price.was is None else Decimal(price.was).scaleb(-2)
    return Seen(at, Decimal(price.cents).scaleb(-2), was, "EUR", price.available)


def histories(reader: Reader) -> dict[str, list[Seen]]:
    offers = reader.about("offer", ("product",))["entity"]
    observed = reader.observations_of(list(offers))
    return {str(entity): sights(rows) for entity, rows in observed.groupby("entity")}


def variants(month: Month) -> dict[str, tuple[Product, Variant]]:
    return {
        f"{HOST}:product:{product.product_id}:{variant.variant_id}": (product, variant)
        for product in month.site.world.shop.products
        for variant in product.variants
    }


def test_a_wall_or_damage_leaves_a_gap_and_no_number(month: tuple[Month, Reader]) -> None:
    taken, _ = month
    bad = {(at - START).days for at, outcome in taken.outcomes.items() if outcome is not Outcome.OK}
    assert bad == set(FAULTS)


def test_every_price_and_stock_is_what_was_so_at_every_moment_that_answered(month: tuple[Month, Reader]) -> None:
    taken, reader = month
    found, world = histories(reader), taken.site.world
    compared = 0
    for entity, (product, variant) in variants(taken).items():
        shown = [at for at in taken.good if product.from_h <= world.hour(at) < product.until_h]
        seen = {each.at: each for each in found.get(entity, [])}
        assert sorted(seen) == shown, entity
        for at in shown:
            true = asked_at(taken, product, variant, at)
            assert (seen[at].price, seen[at].available) == (true.price, true.available)
            assert seen[at].list_price == (
                true.list_price if true.list_price and true.list_price > true.price else None
            )
            compared += 1
    assert compared > 1500


def true_changes(taken: Month) -> set[tuple[str, str, datetime]]:
    """Changes of price and stock that two good sights in a row show, by the world's own truth."""
    made = set()
    for entity, (product, variant) in variants(taken).items():
        moments = [at for at in taken.good if product.from_h <= taken.site.world.hour(at) < product.until_h]
        terms = [asked_at(taken, product, variant, at) for at in moments]
        for name in ("price", "available"):
            values = [getattr(each, name) for each in terms]
            now = values[0] if values else None
            for i in range(1, len(values) - 1):
                if values[i] != now and values[i] == values[i + 1]:
                    up = values[i] > now
                    kind = (
                        ("price_up" if up else "price_down") if name == "price" else ("restock" if up else "sold_out")
                    )
                    made.add((kind, entity, moments[i]))
                    now = values[i]
    return made


def test_events_are_the_changes_that_lasted_and_no_others(month: tuple[Month, Reader]) -> None:
    taken, reader = month
    events: list[StoreEvent] = offer_events(histories(reader))
    assert {(event.kind, event.entity, event.at) for event in events} == true_changes(taken)
    assert len(events) > 20
    assert {event.at for event in events} <= set(taken.good)


def test_the_product_that_came_and_the_one_that_went_are_told(month: tuple[Month, Reader]) -> None:
    taken, reader = month
    shown: dict[str, set[datetime]] = defaultdict(set)
    for entity, seen in histories(reader).items():
        shown[entity.rpartition(":")[0]] |= {each.at for each in seen}
    events = product_events({product: sorted(moments) for product, moments in shown.items()})
    titles = {f"{HOST}:product:{each.product_id}": each.title for each in taken.site.world.shop.products}
    assert [(event.kind, titles[event.entity]) for event in events] == [
        ("new_product", "Ferry Poster"), ("gone", "Net Bag"),
    ]  # fmt: skip


def test_ratings_and_reviews_are_followed(month: tuple[Month, Reader]) -> None:
    taken, reader = month
    shop, world, product = taken.site.world.shop, taken.site.world, taken.product
    observed = reader.observations(f"{HOST}:product:{product.product_id}")
    rated = observed[observed["rating_count"].notna()]
    assert rated["at"].nunique() >= len(taken.good)
    for at, rating, count in zip(rated["at"], rated["rating"], rated["rating_count"], strict=True):
        assert (rating, count) == shop.rating(product, world.hour(at.to_pydatetime()))
    speed = velocity(rated)
    assert speed is not None and abs(speed - product.reviews_day) < 0.2
    stored = reader.reviews(f"{HOST}:product:{product.product_id}")
    told = {f"{HOST}:product:{product.product_id}:review:{each.review_id}": each
            for each in world.talkers.opinions(product, world.hour(taken.good[-1]))}  # fmt: skip
    assert len(stored) > 50
    assert {(key, rating) for key, rating in zip(stored["key"], stored["rating"], strict=True)} <= {
        (key, float(each.stars)) for key, each in told.items()
    }


def sale(taken: Month, *, honest: bool) -> Sale:
    return next(each for each in taken.site.world.shop.planted if each.honest is honest)


def test_a_list_price_raised_first_is_flagged_and_an_honest_sale_is_not(month: tuple[Month, Reader]) -> None:
    taken, reader = month
    found, world = histories(reader), taken.site.world
    verdicts: dict[bool, set[str]] = {True: set(), False: set()}
    for honest in (True, False):
        planted = sale(taken, honest=honest)
        for entity, (product, _) in variants(taken).items():
            others = [each for each in world.shop.planted if each is not planted]
            if product.index not in planted.products or any(product.index in each.products for each in others):
                continue
            for i, each in enumerate(found.get(entity, [])):
                if planted.from_h + 1 <= world.hour(each.at) < planted.until_h and (
                    judged := judge(found[entity][: i + 1])
                ):
                    verdicts[honest].add(judged.verdict)
    assert verdicts == {True: {"unproven"}, False: {"not_real"}}  # 30 days before it were not watched
