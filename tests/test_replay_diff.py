"""`scrapy replay --diff` on a deliberately changed parser: exactly the numbers that differ, with their captures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from crawler import pages
from crawler.archive import Capture
from crawler.differing import Looked, as_json, differences, line
from crawler.fields import Fields, load_json
from crawler.items import Hashtag, Item, Product, Vantage
from crawler.pages.base import Page
from crawler.reading import page_of
from crawler.repairs import NONE
from crawler.storage.differences import Differences
from crawler.storage.store import Store
from tests.shell import facts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOWN = [("sea", 500, 7), ("sun", 900, 8), ("tea", 40, 9)]


def reader(version: int, views: str) -> type[Page]:
    """A page object of tags that takes the views from this field."""

    def read(self: Page) -> None:
        for row in load_json(self.body):
            fields = Fields(row, "body")
            self.add(Hashtag, name=fields.need("name", str), views=fields.need(views, int), posts=row["posts"])

    members: dict[str, Any] = {
        "name": "changed.tags", "version": version, "platform": "changed", "urls": (r"^https://tags\.example/",),
        "read": read,
    }  # fmt: skip
    return type("ChangedTags", (Page,), members)


@pytest.fixture(autouse=True)
def known_pages() -> Iterator[None]:
    pages.load_all()
    yield
    Page.registry.pop("changed.tags", None)


def capture(hours: int, wrong: str | None = None) -> Capture:
    """The tags at an hour; of *wrong* the two numbers that the readers take differ."""
    rows = [
        {"name": name, "plays": views + hours, "shown": views + hours + (1000 if name == wrong else 0), "posts": posts}
        for name, views, posts in SHOWN
    ]
    at = NOON + timedelta(hours=hours)
    return Capture("https://tags.example/", at, 200, {}, json.dumps(rows).encode(), "http", Vantage(), None, None)


CAPTURES = [capture(0), capture(1, "sun"), capture(2, "tea")]


@pytest.fixture
def stored(database: Database[Any]) -> Database[Any]:
    """What the first reader made of the captures."""
    reader(1, "shown")
    store = Store(database)
    store.prepare()
    store.save([item for each in CAPTURES for item in items_of(each)])
    store.close()
    return database


def items_of(each: Capture) -> list[Item]:
    page = page_of(each, mended=NONE)
    assert page is not None
    return [item for item in page.items() if isinstance(item, Item)]


def told(database: Database[Any]) -> tuple[list[tuple[Any, ...]], Looked]:
    looked = Looked()
    found = list(differences(CAPTURES, Differences(database), None, NONE, looked))
    assert all(line(each) and json.loads(as_json(each)) for each in found)
    return [(each.capture, each.collection, each.key, each.field, each.stored, each.would_be) for each in found], looked


def test_a_changed_parser_differs_by_exactly_its_numbers_and_nothing_is_written(stored: Database[Any]) -> None:
    reader(2, "plays")
    before = facts(stored)
    rows, looked = told(stored)
    assert rows == [
        (CAPTURES[1].id, "observations", "changed:hashtag:sun", "views", 1901, 901),
        (CAPTURES[2].id, "observations", "changed:hashtag:tea", "views", 1042, 42),
    ]
    assert looked.differing == [CAPTURES[1].id, CAPTURES[2].id]
    assert facts(stored) == before


def test_what_is_told_is_what_a_replay_then_does(stored: Database[Any]) -> None:
    reader(2, "plays")
    store = Store(stored)
    store.save([item for each in CAPTURES[1:] for item in items_of(each)])
    store.close()
    assert told(stored)[0] == []
    newest = {row["_id"]: row["views"] for row in stored["hashtags"].find()}
    assert newest == {"changed:hashtag:sea": 502, "changed:hashtag:sun": 902, "changed:hashtag:tea": 42}


def test_texts_and_lists_of_the_latest_state_are_told_as_well(stored: Database[Any]) -> None:
    def items(*tags: str) -> list[Item]:
        about = {"platform": "x", "url": "https://x.example", "observed_at": NOON, "capture": "a", "parser": "x.y@1"}
        return [Product(**about, host="h", handle="sock", tags=tags, rating_count=5)]  # type: ignore[arg-type]

    found = list(Differences(stored).of(items("a", "b")))
    assert [(each.field, each.would_be) for each in found if each.field in ("tags", "rating_count")] == [
        ("rating_count", 5), ("tags", ["a", "b"]),
    ]  # fmt: skip


def test_the_same_parser_differs_by_nothing(stored: Database[Any]) -> None:
    rows, looked = told(stored)
    assert (rows, looked.captures, looked.numbers) == ([], 3, 0)


def test_a_changed_parser_whose_version_was_not_raised_is_said(stored: Database[Any]) -> None:
    reader(1, "plays")
    _, looked = told(stored)
    assert looked.same_parser == looked.numbers > 0
    assert any("raise the page's version" in each for each in looked.summary())


def test_captures_that_were_never_stored_are_told_as_new_numbers(database: Database[Any]) -> None:
    reader(1, "shown")
    rows, _ = told(database)
    assert (CAPTURES[0].id, "observations", "changed:hashtag:sea", "views", None, 500) in rows
