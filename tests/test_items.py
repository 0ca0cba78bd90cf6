"""One definition yields everything: keys, header, validators, reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from itemadapter import ItemAdapter
from pydantic import ValidationError

from crawler import reference
from crawler.exports import cell, columns
from crawler.items import KINDS, BoardEntry, Deal, Item, Offer, Post, Product, Profile, reason_of
from crawler.storage import schema

AT = datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC)
COMMON: dict[str, Any] = {"platform": "x", "url": "u", "observed_at": AT, "capture": "c", "parser": "x.trends_place@1"}


def test_the_reference_in_docs_is_that_of_the_models() -> None:
    assert reference.DOC.read_text(encoding="utf-8") == reference.reference(), "run: python -m crawler.reference"


def test_every_field_says_what_it_means() -> None:
    silent = [
        f"{kind}.{name}" for kind, model in KINDS.items() for name, field in model.model_fields.items()
        if not field.description and name != "kind"
    ]  # fmt: skip
    assert silent == []


def test_every_model_has_collection_validator_and_header() -> None:
    plan = schema.plan()
    for model in KINDS.values():
        rule, _ = plan[model.collection]
        assert rule is not None
        assert set(model.model_fields) - {"key"} <= set(rule["$jsonSchema"]["properties"])
        assert set(model.columns()) <= set(columns())


def test_every_counter_that_may_be_rounded_has_its_step_beside_it() -> None:
    exact_by_nature = {"rating", "price", "list_price", "currency", "available"}
    for model in KINDS.values():
        for name in set(model.counters) - exact_by_nature:
            assert f"{name}_precision" in model.model_fields


@pytest.mark.parametrize(
    ("item", "key"),
    [
        (Profile(username="NASA", **COMMON), "x:profile:nasa"),
        (Post(post_id="7203022122757803307", **COMMON), "x:post:7203022122757803307"),
        (BoardEntry(board="x:trends:br", at=AT, position=3, topic="T", topic_key="t", **COMMON),
         "x:trends:br@20210919T110428Z#3"),
        (Product(host="blume.com", handle="h", **COMMON), "blume.com:product:h"),
        (Offer(product="blume.com:product:7", **COMMON), "blume.com:product:7:default"),
        (Deal(post="x:post:1", number=2, **COMMON), "x:post:1:deal:2"),
    ],
)  # fmt: skip
def test_keys_are_natural(item: Item, key: str) -> None:
    assert item.key == key


def test_items_work_with_item_adapter() -> None:
    adapter = ItemAdapter(Profile(username="NASA", followers=0, **COMMON))
    assert (adapter["followers"], adapter["bio"], adapter["kind"]) == (0, None, "profile")


def test_items_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Profile(username="NASA", **COMMON).followers = 3  # type: ignore[misc]


def test_moments_are_utc_milliseconds() -> None:
    there = datetime(2021, 9, 19, 8, 4, 28, 123456, tzinfo=timezone(timedelta(hours=-3)))
    assert Profile(username="a", **{**COMMON, "observed_at": there}).observed_at == AT.replace(microsecond=123000)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"followers": -1}, "followers_greater_than_equal"),
        ({"followers": 2**63}, "followers_less_than_equal"),
        ({"followers": "12"}, "followers_int_type"),
        ({"followers": True}, "followers_int_type"),
        ({"followers_precision": 1}, "followers_precision_greater_than_equal"),
        ({"observed_at": datetime(2021, 1, 1)}, "observed_at_value_error"),  # noqa: DTZ001
        ({"parser": "nobody"}, "parser_string_pattern_mismatch"),
        ({"nickname": 5}, "nickname_string_type"),
        ({"shoe_size": 5}, "shoe_size_extra_forbidden"),
    ],
)
def test_what_no_model_accepts_is_refused_with_a_reason_that_holds_no_value(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Profile(**{"username": "a", **COMMON, **fields})
    assert reason_of(caught.value) == reason


def test_a_product_without_id_and_handle_has_no_key() -> None:
    with pytest.raises(ValidationError, match="neither id nor handle"):
        Product(host="a.example", **COMMON)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd()", "'=cmd()"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("  =x", "'  =x"),
        (-5, "-5"), (None, ""), (True, "true"), ("plain", "plain"), (["a"], '["a"]'), (Decimal("1.50"), "1.50"),
    ],
)  # fmt: skip
def test_no_cell_of_a_csv_is_a_formula(value: Any, shown: str) -> None:
    assert cell(value) == shown
