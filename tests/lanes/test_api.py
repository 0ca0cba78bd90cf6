"""The user's own keys: the same orders as the browser's, and no key in what is kept or said."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from crawler.config import ConfigError, load
from crawler.lanes.api import ScrapingBee, Tikapi, Told, service_of
from crawler.lanes.tab import Order, Step

KEY = "canary-key"


def run(service, url, answers, goes_on=True, **order):
    """What was asked, what was heard, what was seen."""
    asked, heard = [], []

    async def ask(address, headers):
        asked.append((address, headers))
        return Told(200, {"content-type": "application/json"}, json.dumps(answers[len(asked) - 1]).encode())

    async def listen(answer):
        heard.append(answer)
        return Step(goes_on)

    seen = asyncio.run(service.visit(url, Order(re.compile("/item_list/|/search/"), listen, **order), ask))
    return asked, heard, seen


def test_tikapi_gives_the_posts_of_an_account_page_by_page():
    account = {"userInfo": {"user": {"secUid": "MS4"}}}
    pages = [account, {"itemList": [1], "hasMore": True, "cursor": "17"}, {"itemList": [2], "hasMore": False}]
    asked, heard, seen = run(Tikapi(KEY), "https://www.tiktok.com/@nasa", pages)
    assert [address for address, _ in asked] == [
        "https://api.tikapi.io/public/check?username=nasa",
        "https://api.tikapi.io/public/posts?secUid=MS4&count=30",
        "https://api.tikapi.io/public/posts?secUid=MS4&count=30&cursor=17",
    ]
    assert all(headers["X-API-KEY"] == KEY and KEY not in address for address, headers in asked)
    assert [json.loads(answer.body)["itemList"] for answer in heard] == [[1], [2]]
    assert (seen.body, seen.answers) == (None, 2)


def test_tikapi_knows_hashtags_sounds_and_searches():
    for url, pages, address in (
        ("https://www.tiktok.com/tag/tide", [{"challengeInfo": {"challenge": {"id": "5"}}}, {}], "hashtag?id=5"),
        ("https://www.tiktok.com/music/-77777", [{}], "music?id=77777"),
        ("https://www.tiktok.com/search?q=a%20b", [{}], "search/general?query=a+b"),
    ):
        asked, heard, _ = run(Tikapi(KEY), url, pages)
        assert address in asked[-1][0]
        assert len(heard) == 1


def test_a_rendered_page_brings_what_it_requested_itself():
    page = {
        "body": "<html>", "initial-status-code": 200, "resolved-url": "https://www.tiktok.com/@nasa",
        "xhr": [{"url": "https://www.tiktok.com/api/post/item_list/?x", "status_code": 200, "body": '{"itemList":[]}'},
                {"url": "https://other.example/", "body": "no"}],
    }  # fmt: skip
    asked, heard, seen = run(ScrapingBee(KEY), "https://www.tiktok.com/@nasa", [page])
    assert [answer.url for answer in heard] == ["https://www.tiktok.com/api/post/item_list/?x"]
    assert KEY in asked[0][0] and KEY not in str(heard) + str(seen)
    assert run(ScrapingBee(KEY), "https://www.tiktok.com/@nasa", [page], needs_document=True)[2].body == b"<html>"


def test_a_service_that_refuses_is_no_page():
    _, heard, seen = run(ScrapingBee(KEY), "https://www.tiktok.com/@nasa", [{"error": f"bad key {KEY}"}])
    assert (heard, seen.status, seen.body) == ([], 502, b"")


def test_a_service_is_chosen_by_name_and_says_which_key_it_lacks():
    assert service_of("", load({})) is None
    assert isinstance(service_of("tikapi", load({"TIKAPI_KEY": KEY})), Tikapi)
    assert KEY not in repr(service_of("scrapingbee", load({"SCRAPINGBEE_API_KEY": KEY})))
    for name in ("tikapi", "scrapingbee", "other"):
        with pytest.raises(ConfigError):
            service_of(name, load({}))
