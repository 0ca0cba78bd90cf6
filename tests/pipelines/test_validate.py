"""What must hold inside one item; neighbouring values are nobody's business here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from scrapy.exceptions import DropItem
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from crawler.context import Accounts
from crawler.items import Board, BoardEntry, Item, Offer, Post, Profile, Refused
from pipelines.dedupe import DedupePipeline
from pipelines.validate import ValidatePipeline, broken_rule

START = datetime(2026, 3, 1, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "platform": "tiktok", "url": "u", "observed_at": START, "capture": "c", "parser": "tiktok.profile@1",
}  # fmt: skip
ROW: dict[str, Any] = {**COMMON, "board": "b", "at": START}


@pytest.fixture
def validate() -> ValidatePipeline:
    return ValidatePipeline(Accounts(), MemoryStatsCollector(get_crawler()))


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        (Profile(username="x", followers_precision=100, **COMMON), "followers_precision_without_value"),
        (Offer(product="p", price=Decimal(9), list_price=Decimal(9), **COMMON), "list_price_not_above_price"),
        (Post(post_id="1", created_at=START + timedelta(hours=1), **COMMON), "created_after_observed"),
        (
            BoardEntry(position=1, topic="t", topic_key="t", volume=1, volume_floor=10, **ROW),
            "volume_both_shown_and_hidden",
        ),
        (Board(size=3, got=2, **ROW), "size_above_got"),
    ],
)
def test_an_item_that_contradicts_itself_is_refused_with_its_reason(
    validate: ValidatePipeline, item: Item, rule: str
) -> None:
    with pytest.raises(DropItem, match=rule):
        validate.process_item(item)
    assert [each.reason for each in validate.accounts.refused] == [rule]
    assert validate.stats.get_value(f"item/refused/{item.kind}/{rule}") == 1


@pytest.mark.parametrize(
    "item",
    [
        Profile(username="x", followers=0, **COMMON),
        Offer(product="p", price=Decimal(9), list_price=Decimal(10), **COMMON),
        Post(post_id="1", created_at=START + timedelta(hours=9), **COMMON, at_precision="day"),
        Post(post_id="1", views=1, likes=500, **COMMON),
    ],
)
def test_a_strange_but_possible_item_passes(item: Item) -> None:
    assert broken_rule(item) is None


def test_what_no_model_accepts_is_kept_with_its_reason(validate: ValidatePipeline) -> None:
    refused = Refused.of("post", "views_greater_than_equal", {"views": -1}, Profile(username="x", **COMMON))
    with pytest.raises(DropItem):
        validate.process_item(refused)
    assert validate.accounts.refused == [refused]


def test_a_plain_dict_of_somebody_elses_spider_becomes_its_model(validate: ValidatePipeline) -> None:
    assert validate.process_item({"kind": "profile", "username": "NASA", **COMMON}).key == "tiktok:profile:nasa"


@pytest.mark.parametrize("item", [{"kind": "profile", **COMMON}, {"kind": "unheard", **COMMON}, {}])
def test_a_dict_that_is_no_item_is_refused_and_kept(validate: ValidatePipeline, item: dict[str, Any]) -> None:
    with pytest.raises(DropItem):
        validate.process_item(item)
    assert len(validate.accounts.refused) == 1


def test_the_very_same_item_goes_on_once_and_a_changed_one_again() -> None:
    dedupe = DedupePipeline(Accounts())
    item = Profile(username="x", followers=1, **COMMON)
    assert dedupe.process_item(item) is item
    with pytest.raises(DropItem):
        dedupe.process_item(Profile(username="x", followers=1, **COMMON))
    assert dedupe.process_item(Profile(username="x", followers=2, **COMMON)).followers == 2
    assert dedupe.accounts.fates == {"repeated": 1}
