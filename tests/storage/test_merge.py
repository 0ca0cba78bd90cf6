"""Latest state is a join: any order, any repetition, partial items and equal moments give one document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from random import Random
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import KINDS, Offer, Post, Profile
from crawler.storage.merge import Document, document, join, join_observations, observation, units, value_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def profile(hours: float = 0, capture: str = "a", parser: str = "tiktok.profile@1", **fields: Any) -> Profile:
    at = START + timedelta(hours=hours)
    return Profile(
        platform="tiktok", url=f"https://t/{fields.pop('page', 'p')}", observed_at=at, capture=capture,
        parser=parser, username="tide", **fields,
    )  # fmt: skip


def offer(hours: float, price: str, before: str | None = None) -> Offer:
    return Offer(
        platform="shopify", url="https://s", observed_at=START + timedelta(hours=hours), capture="a",
        parser="shopify.catalogue@1", product="s:product:1", variant_id="1", price=Decimal(price),
        list_price=None if before is None else Decimal(before),
    )  # fmt: skip


def joined(*items: Any) -> Document:
    return reduce(lambda one, other: join(type(items[0]), one, other), [document(item) for item in items])


def test_newest_wins_field_by_field() -> None:
    doc = joined(profile(0, followers=10, bio="old"), profile(1, followers=12))
    assert (doc["followers"], doc["bio"], doc["observed_at"]) == (12, "old", START + timedelta(hours=1))


def test_a_value_that_a_newer_page_does_not_show_keeps_its_own_moment() -> None:
    doc = joined(profile(0, capture="a", followers=10, bio="old"), profile(1, capture="b", followers=12))
    assert doc["older"] == {"bio": {"observed_at": START, "capture": "a", "parser": "tiktok.profile@1"}}


def test_an_older_page_never_overwrites_but_fills_what_nobody_showed_since() -> None:
    doc = joined(profile(5, followers=12), profile(0, followers=10, bio="old"))
    assert (doc["followers"], doc["bio"], doc["first_seen"]) == (12, "old", START)


def test_a_value_and_its_precision_move_together() -> None:
    rounded, exact = profile(0, likes=3_900_000, likes_precision=100_000), profile(1, likes=3_922_256)
    assert "likes_precision" not in joined(rounded, exact)
    assert joined(exact, profile(2, likes=3_900_000, likes_precision=100_000))["likes_precision"] == 100_000


def test_a_sale_that_is_over_leaves_no_list_price_behind() -> None:
    assert "list_price" not in joined(offer(0, "50", "60"), offer(1, "60"))


def test_equal_moments_are_decided_by_the_greater_capture() -> None:
    assert joined(profile(0, "b", followers=1), profile(0, "a", followers=2))["followers"] == 1


def test_a_newer_parser_of_the_same_capture_mends_the_value() -> None:
    first, second = profile(0, followers=9_200_000), profile(0, parser="tiktok.profile@2", followers=9_200_001)
    assert joined(second, first)["followers"] == 9_200_001


def test_equal_prices_are_equal_bytes_however_they_were_written() -> None:
    assert value_of(Decimal("69.950")) == value_of(Decimal("69.95"))
    assert str(value_of(Decimal("70.00"))) == str(value_of(Decimal("7E+1"))) == "70"


def test_every_field_of_every_model_belongs_to_exactly_one_unit() -> None:
    for model in KINDS.values():
        names = [name for group in units(model) for name in group]
        assert sorted(names) == sorted(model.facts())


VALUES = st.one_of(st.none(), st.integers(0, 3))
ITEMS = st.builds(
    profile,
    hours=st.integers(0, 3),
    capture=st.sampled_from("ab"),
    parser=st.sampled_from(["tiktok.profile@1", "tiktok.profile@2", "tiktok.post@1"]),
    page=st.sampled_from("pq"),
    at_precision=st.sampled_from([None, "day"]),
    followers=VALUES,
    likes=VALUES,
    likes_precision=st.none(),
    bio=st.sampled_from([None, "x", "y"]),
    verified=st.sampled_from([None, True, False]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ITEMS, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_any_permutation_and_repetition_gives_byte_equal_documents(items: list[Profile], random: Random) -> None:
    once = bson.encode(joined(*items))
    shuffled = [*items, *random.choices(items, k=random.randrange(4))]
    random.shuffle(shuffled)
    assert bson.encode(joined(*shuffled)) == once


@settings(max_examples=200, deadline=None)
@given(st.lists(ITEMS, min_size=2, max_size=6), st.integers(1, 5))
def test_joining_in_groups_gives_the_same_document(items: list[Profile], cut: int) -> None:
    left, right = items[:cut] or items[:1], items[cut:] or items[-1:]
    assert bson.encode(join(Profile, joined(*left), joined(*right))) == bson.encode(joined(*left, *right))


@settings(max_examples=200, deadline=None)
@given(st.lists(ITEMS, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_observations_of_one_capture_join_in_any_order(items: list[Profile], random: Random) -> None:
    def seen(some: list[Profile]) -> dict[str, bytes]:
        docs: dict[str, Document] = {}
        for item in some:
            doc = observation(item)
            docs[doc["_id"]] = join_observations(Profile, docs[doc["_id"]], doc) if doc["_id"] in docs else doc
        return {key: bson.encode(doc) for key, doc in docs.items()}

    shuffled = items + items[:2]
    random.shuffle(shuffled)
    assert seen(shuffled) == seen(items)


def test_a_post_without_counters_is_still_an_observation() -> None:
    post = Post(
        platform="tiktok", url="u", observed_at=START, capture="c", parser="tiktok.profile@1", post_id="7", views=0
    )
    assert observation(post)["views"] == 0
    assert "likes" not in observation(post)


@pytest.mark.parametrize("hidden", [None, 0])
def test_none_is_not_stored_and_zero_is(hidden: int | None) -> None:
    assert document(profile(followers=hidden)).get("followers") == hidden
