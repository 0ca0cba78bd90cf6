"""The family of spiders whose lists only a browser shows. http first; it decides where to go and never parses.

A page object says that its data is not in the HTML, and only then is the page opened in a browser, which scrolls it
and hears the JSON that the page requests itself. Every answer is archived before it is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from crawler.archive import Capture
from crawler.context import answer_heard
from crawler.items import Item, Post, Refused
from crawler.lanes.browser import HANDLERS
from crawler.lanes.http import captured, keep
from crawler.lanes.scroll import Scroll
from crawler.lanes.tab import Answer, Order, Step
from crawler.outcomes import Outcome, of_status
from crawler.pages import Follow, Page
from crawler.targets import TargetError
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

POSTS = 200


@dataclass
class Visit:
    """One page in the browser, and what was heard there so far."""

    target: str | None
    scroll: Scroll
    needs_document: bool
    heard: list[tuple[Capture, Page | None]] = field(default_factory=list)
    rows: int = 0
    """Of the answers so far."""
    failures: list[dict[str, Any]] = field(default_factory=list)


class BrowserSpider(PageSpider):
    """Declare what PageSpider wants, and `answers`."""

    answers: ClassVar[str]
    """Regular expression: addresses of the JSON that a page of this kind requests itself."""
    page_hosts: ClassVar[tuple[str, ...]] = ()
    """Hosts besides `hosts` that a page may load its own program from; '.name' is every host below it."""
    newest_first: ClassVar[bool] = False
    """The list is in the order of time, so that what is known ends it."""
    custom_settings = {"DOWNLOAD_HANDLERS": HANDLERS}  # noqa: RUF012 - Scrapy's own attribute

    def __init__(self, posts: str = str(POSTS), targets: str = "", **kwargs: Any) -> None:
        super().__init__(targets=targets, **kwargs)
        if posts != "all" and not posts.isdecimal():
            raise TargetError(f"posts={posts[:20]!r}: expected a number or 'all'")
        self.posts = None if posts == "all" else int(posts)

    async def start(self) -> AsyncIterator[Request]:
        for target in self.targets:
            yield self._request(self.address(target), self.page_for(target), target)

    def page_for(self, target: str) -> str:
        """Page object that reads the first response of this target."""
        return self.page

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        visit: Visit | None = response.meta.get("visit")
        if visit is not None:
            yield from self._visited(response, visit)
            return
        if (again := self._bare(response)) is not None:
            yield again
            return
        yield from super().parse(response)

    def _bare(self, response: Response) -> Request | None:
        """A frame without any data gets one try in the browser before it counts as a wall."""
        capture: Capture = response.meta["capture"]
        page = self.read(capture, response.meta.get("page")) if of_status(capture.status) is None else None
        if page is None or page.outcome is Outcome.OK or not page.result.bare:
            return None
        self._tell({**self._row(capture, page.outcome, response.meta, page), "again": "browser", "problem": ""}, 0)
        return self.browse(response.url, page.name, response.meta.get("target"), needs_document=True)

    def _followed(self, follow: Follow, target: str | None) -> Request | None:
        if follow.lane == "browser" and self.answers:
            return self.browse(follow.url, follow.page, target)
        return super()._followed(follow, target)

    def browse(self, url: str, page: str, target: str | None, *, needs_document: bool = False) -> Request:
        visit = Visit(target, Scroll(self.posts, self.known_to(target)), needs_document)
        request = self._request(url, page, target)
        request.priority = 10  # a target is finished before the next is begun

        async def heard(answer: Answer) -> Step:
            return await self._heard(request, visit, answer)

        def reads(url: str, body: bytes) -> bool:
            return self._reads(page, url, body, needs_document)

        order = Order(re.compile(self.answers), heard, self._pace_s, needs_document, reads)
        request.meta.update(playwright=True, lane="browser", order=order, visit=visit, asked_at=time.monotonic())
        return request

    def known_to(self, target: str | None) -> str | None:
        return None

    def _pace_s(self) -> float:
        """What a scroll makes the page ask for waits as long as a request of our own would."""
        slots = self.crawler.engine.downloader.slots
        return max((slot.delay for slot in slots.values()), default=0.0)

    def _reads(self, name: str, url: str, body: bytes, needs_document: bool) -> bool:
        """Whether the page as served says what is wanted of it: its own data, or else what became of its list."""
        page = Page.registry[name](url, body, self.context.clock())
        return page.outcome is Outcome.OK and (needs_document or not page.result.follows)

    async def _heard(self, request: Request, visit: Visit, answer: Answer) -> Step:
        """Archive, read, decide."""
        if answer.error:
            visit.failures.append(self._unheard(request, answer))
            visit.scroll.stopped = "failed"
            return Step(False)
        self.crawler.signals.send_catch_log(answer_heard, headers=answer.headers)
        # Where only a moment says how far a list was read, its rows would have no position.
        headers = {**answer.headers, "tidemark-offset": str(visit.rows)}
        capture = captured(
            request, answer.url, answer.status, headers, answer.body, self.context.clock(), self.name
        )  # fmt: skip
        await keep(capture, self.context, self.crawler)
        page = self.read(capture, None)
        visit.heard.append((capture, page))
        posts = [item for item in page.items() if isinstance(item, Post)] if page else []
        outcome = of_status(answer.status) or (page.outcome if page else Outcome.SHAPE_CHANGED)
        visit.rows += page.result.got or 0 if page else 0
        goes_on = visit.scroll.heard(posts, page.result.more if page else None, outcome)
        return Step(goes_on, f"/{posts[-1].post_id}" if posts else None)

    def _unheard(self, request: Request, answer: Answer) -> dict[str, Any]:
        """A row for an answer that broke off: the network, never a number."""
        capture = captured(request, answer.url, answer.status, {}, b"", self.context.clock(), self.name)
        row = self._row(capture, Outcome.NETWORK, request.meta)
        return {name: value for name, value in row.items() if name != "capture"} | {"error": answer.error[:80]}

    def _visited(self, response: Response, visit: Visit) -> Iterator[Item | Refused | Request]:
        last = len(visit.heard) - 1
        for n, (capture, page) in enumerate(visit.heard):
            more: dict[str, str] = {"stopped": visit.scroll.stopped} if n == last and visit.scroll.stopped else {}
            yield from self._told(capture, page, response.meta, more)
        for row in visit.failures:
            self._tell(row, 0)
        if response.meta["seen"].body is not None:
            capture = response.meta["capture"]
            page = self.read(capture, response.meta["page"])
            yield from self._told(capture, page, response.meta, {}, listed=bool(visit.heard))

    def _told(
        self, capture: Capture, page: Page | None, meta: dict[str, Any], more: dict[str, str], listed: bool = True
    ) -> Iterator[Item | Refused]:
        """The row and the items of a page that was seen in the browser.

        listed: its list was heard. Else a page that still points to the browser has one that did not load.
        """
        if page is None:
            return
        outcome = of_status(capture.status)
        if outcome is not None:
            outcome, why = page.refused(capture.status, outcome)
            row = self._row(capture, outcome, meta, page)
            self._tell({**row, **more, "problem": why} if why else {**row, **more}, 0)
            return
        items = list(page.items())
        row = self._row(capture, page.outcome, meta, page)
        if page.outcome is Outcome.OK and page.result.follows and not listed:
            row["parts"] = {**page.result.parts, "posts": str(Outcome.BLOCKED)}
            row["outcome"] = str(Outcome.OK if items else Outcome.BLOCKED)
        self._tell({**row, **more}, len(items))
        yield from items
