"""X's filtered stream: new posts of the accounts on the watch list, as they are written, with the user's own token."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import scrapy
from scrapy import signals
from scrapy.exceptions import StopDownload

from crawler.items import Item, Post, Refused
from crawler.storage import progress
from crawler.targets import TargetForm
from spiders.base import PageSpider
from spiders.search import FIELDS

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response, TextResponse
    from twisted.python.failure import Failure

RULE_LENGTH = 512  # characters, of the smallest plan that has the stream
TAG = "tidemark"
BATCH_S = 60.0  # what came so far is stored at least so often; the platform sends a blank line every 20 s
BATCH_BYTES = 1 << 20
LONGEST_WAIT_S = 320.0  # as the platform asks: twice as long after each failure, up to this


class XStream(PageSpider):
    """Ends after `for_s` seconds (default: never), on a wrong token, or when told to. Recent search fills a gap."""

    name = "x_stream"
    page = "x.filtered"
    api = "https://api.x.com"
    url = "{target}"
    hosts = ("api.x.com",)
    target = TargetForm(r"@?(\w{1,15})", "@nasa", yields=True)
    least_items = 0  # nobody may have written anything
    least_good_share = 0.5  # an interrupted connection is no failed run
    custom_settings = {  # noqa: RUF012 - Scrapy's own attribute
        "RETRY_ENABLED": False,  # it waits by itself, as the platform asks
        "AUTOTHROTTLE_ENABLED": False,
        "DOWNLOAD_TIMEOUT": 86_400,
        "DOWNLOAD_MAXSIZE": 64 << 20,
    }

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> XStream:
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, XStream)
        crawler.signals.connect(spider.received, signal=signals.bytes_received)
        crawler.signals.connect(spider.keep, signal=signals.spider_closed)
        return spider

    def __init__(self, for_s: str = "", backoff_s: str = "5", targets: str = "", **kwargs: Any) -> None:
        super().__init__(targets=targets, **kwargs)
        self.ends_at = time.monotonic() + float(for_s) if for_s else None
        self.first_wait_s = self.wait_s = float(backoff_s)
        self.newest = ""
        self.began_s = 0.0
        self.got_bytes = 0

    def credentials(self) -> dict[str, str]:
        token = self.context.config.x_bearer_token
        return {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"} if token else {}

    async def start(self) -> AsyncIterator[Request]:
        if not self.credentials():
            self.logger.error("x_stream: needs your own token; set X_BEARER_TOKEN (see .env.example)")
            return
        self.targets = self.targets or await self.watched()
        if not self.targets:
            return
        known = await asyncio.to_thread(
            progress.load, self.context.config, self.context.database, self.name, "watch list"
        )  # fmt: skip
        self.newest = str(known.get("newest") or "")
        if self.newest:  # what was written while nobody listened
            for rule in rules(self.targets):
                query = f"query={quote(rule, safe='')}&since_id={self.newest}"
                address = f"{self.api}/2/tweets/search/recent?{query}&{FIELDS}"
                yield self._request(address, "x.search", None)
        yield self._ask("GET", self._ruled)

    def _ask(self, method: str, callback: Any, body: dict[str, Any] | None = None) -> Request:
        request = self._request(f"{self.api}/2/tweets/search/stream/rules", self.page, None)
        return request.replace(
            method=method, callback=callback, errback=self._lost, body=json.dumps(body).encode() if body else b"",
            headers={**request.headers, "Content-Type": "application/json"} if body else request.headers,
        )  # fmt: skip

    async def _ruled(self, response: TextResponse) -> AsyncIterator[Request]:
        """Make the rules of our tag those of the targets, others stay; then listen."""
        if response.status != 200:
            async for each in self._again(response, self._ask("GET", self._ruled)):
                yield each
            return
        wanted = set(rules(self.targets))
        ours = {each["value"]: each["id"] for each in response.json().get("data") or () if each.get("tag") == TAG}
        if old := [number for value, number in ours.items() if value not in wanted]:
            yield self._ask("POST", self._ruled, {"delete": {"ids": old}})
        elif new := sorted(wanted - ours.keys()):
            yield self._ask("POST", self._added, {"add": [{"value": each, "tag": TAG} for each in new]})
        else:
            yield self._listen()

    async def _added(self, response: TextResponse) -> AsyncIterator[Request]:
        refused = response.json().get("errors") if response.status in (200, 201) else None
        if refused:
            self.logger.error("x_stream: %d rules were refused: %s", len(refused), str(refused[0].get("title"))[:80])
        if response.status in (200, 201):
            yield self._listen()
            return
        async for each in self._again(response, self._ask("GET", self._ruled)):
            yield each

    def _listen(self) -> Request:
        self.began_s, self.got_bytes = time.monotonic(), 0
        request = self._request(f"{self.api}/2/tweets/search/stream?{FIELDS.partition('&')[2]}", self.page, None)
        return request.replace(callback=self.heard, errback=self._lost)

    def received(self, data: bytes, request: Request, spider: scrapy.Spider) -> None:
        """Cut the endless answer where a line ends, so that what came is stored; then listen again."""
        if "/search/stream?" not in request.url:
            return
        self.got_bytes += len(data)
        now = time.monotonic()
        full = self.got_bytes >= BATCH_BYTES or now - self.began_s >= BATCH_S
        if data.endswith(b"\n") and (full or (self.ends_at is not None and now >= self.ends_at)):
            raise StopDownload(fail=False)

    async def heard(self, response: Response) -> AsyncIterator[Item | Refused | Request]:
        if response.status != 200:
            async for again in self._again(response, self._listen()):
                yield again
            return
        self.wait_s = self.first_wait_s
        for each in self._items(response):
            if isinstance(each, Post):
                self.newest = max(self.newest, each.post_id, key=lambda number: (len(number), number))
            yield each
        if self.ends_at is None or time.monotonic() < self.ends_at:
            if self.got_bytes == 0:
                await self._wait()  # closed at once: not in a hurry
            yield self._listen()

    def _items(self, response: Response) -> Iterator[Item | Refused]:
        yield from (each for each in super().parse(response) if isinstance(each, (Item, Refused)))

    async def _again(self, response: Response, request: Request) -> AsyncIterator[Request]:
        """After an answer that is none: the ledger is told, and what may pass is tried again."""
        for _ in self._items(response):
            pass
        if response.status in (401, 403):
            self.logger.error("x_stream: %d, the token may not do this; see X_BEARER_TOKEN", response.status)
            return
        if self.ends_at is None or time.monotonic() + self.wait_s < self.ends_at:
            await self._wait()
            yield request

    async def _lost(self, failure: Failure) -> AsyncIterator[Request]:
        self.failed(failure)
        if self.ends_at is None or time.monotonic() + self.wait_s < self.ends_at:
            await self._wait()
            yield self._ask("GET", self._ruled)

    async def _wait(self) -> None:
        await asyncio.sleep(self.wait_s)
        self.wait_s = min(2 * self.wait_s, LONGEST_WAIT_S)

    async def keep(self) -> None:
        if self.newest:
            state = {"newest": self.newest}
            await asyncio.to_thread(
                progress.keep, self.context.config, self.context.database, self.name, "watch list", state
            )  # fmt: skip


def rules(handles: Sequence[str]) -> list[str]:
    """As few rules as hold all accounts, none longer than the platform takes."""
    made: list[str] = []
    for handle in dict.fromkeys(each.lstrip("@") for each in handles):
        part = f"from:{handle}"
        if made and len(made[-1]) + len(part) + 4 <= RULE_LENGTH:
            made[-1] += f" OR {part}"
        else:
            made.append(part)
    return made
