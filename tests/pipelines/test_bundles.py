"""All items of a page go through the pipelines as one, and none is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from crawler.pipeline import Bundle, bundled
from spiders.tiktok import TikTokProfile

ASKED = Request("https://www.tiktok.com/@nasa")


def page(*found: Any, fails: bool = False) -> Iterator[Any]:
    yield from found
    if fails:
        raise ValueError("the page is torn")


def test_items_of_a_page_are_one_and_requests_go_out_at_once() -> None:
    assert list(bundled(page("a", ASKED, "b"))) == [ASKED, Bundle(("a", "b"))]


def test_a_page_without_items_sends_none_through() -> None:
    assert list(bundled(page(ASKED))) == [ASKED]


def test_what_came_before_a_page_failed_is_not_lost() -> None:
    found: list[Any] = []
    with pytest.raises(ValueError, match="torn"):
        found.extend(bundled(page("a", "b", fails=True)))
    assert found == [Bundle(("a", "b"))]


@pytest.mark.parametrize(("settings", "single"), [
    ({}, False), ({"FEEDS": {"posts.jsonl": {"format": "jsonl"}}}, True), ({"CLOSESPIDER_ITEMCOUNT": 5}, True),
])  # fmt: skip
def test_items_come_singly_where_somebody_listens_to_them(
    settings: dict[str, Any], single: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawler = get_crawler(TikTokProfile, settings)
    spider = TikTokProfile.from_crawler(crawler, targets="@nasa")
    monkeypatch.setattr(spider, "parse", lambda response: page("a", "b"))
    assert list(spider.taken(None)) == (["a", "b"] if single else [Bundle(("a", "b"))])  # type: ignore[arg-type]
