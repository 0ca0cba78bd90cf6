"""The family of spiders whose lists only a browser shows. http first; it decides where to go and never parses.

A page object says that its data is not in the HTML, and only then is the page opened in a browser, which scrolls it
and hears the JSON that the page requests itself. Every answer is archived before it is read.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import scrapy
from scrapy import signals

from crawler.archive import Capture
from crawler.budget import Budget, Spent
from crawler.context import answer_heard
from crawler.items import Item, Post, Refused, Vantage
from crawler.journal import Journal, Past
from crawler.lanes.browser import HANDLERS, BrowserMissing
from crawler.lanes.http import captured, keep
from crawler.lanes.scroll import Scroll
from crawler.lanes.tab import Answer, Order, Step
from crawler.outcomes import GOOD, Outcome, of_status
from crawler.pages import Follow, Page
from crawler.reading import is_redirect, page_of
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.targets import Targets
from crawler.targets import TargetError
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

POSTS = 200


@dataclass
class Visit:
    """One page in the browser, and what was heard there so far."""

    target: str | None
    scroll: Scroll
    place: str | None
    pages: int = 0
    rows: int = 0
    heard: list[tuple[dict[str, Any], list[Item | Refused]]] = field(default_factory=list)
    """The ledger's row of each answer, and its items."""


class BrowserSpider(PageSpider):
    """Declare what PageSpider wants, and `answers`.

    Arguments: posts=N, all, or 0 for the page alone; pages, megabytes, minutes of the run, and each_pages,
    each_megabytes, each_minutes of a target. What was cut off, or left by the budget, goes on when the same is
    started again.
    """

    answers: ClassVar[str]
    """Regular expression: addresses of the JSON that a page of this kind requests itself."""
    answer_page: ClassVar[str] = "tiktok.list"
    """Page object that reads them."""
    page_hosts: ClassVar[tuple[str, ...]] = ()
    """Hosts besides `hosts` that a page may load its own program from; '.name' is every host below it."""
    newest_first: ClassVar[bool] = False
    """The list is in the order of time, so that what is known ends it."""
    custom_settings = {  # noqa: RUF012 - Scrapy's own attribute
        "DOWNLOAD_HANDLERS": HANDLERS,
        "DOWNLOAD_SLOTS": {"replay": {"delay": 0, "concurrency": 4, "jitter": 0}},
    }

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> BrowserSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, BrowserSpider)
        crawler.signals.connect(spider.over, signal=signals.spider_closed)
        return spider

    def __init__(
        self, posts: str = str(POSTS), targets: str = "", pages: str = "", megabytes: str = "", minutes: str = "",
        each_pages: str = "", each_megabytes: str = "", each_minutes: str = "", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(targets=targets, **kwargs)
        if posts != "all" and not posts.isdecimal():
            raise TargetError(f"posts={posts[:20]!r}: expected a number, or 'all'")
        self.posts = None if posts == "all" else int(posts)
        given = {"pages": pages, "megabytes": megabytes, "minutes": minutes, "each_pages": each_pages,
                 "each_megabytes": each_megabytes, "each_minutes": each_minutes}  # fmt: skip
        try:
            self.budget, self.each = Budget.parse(given), Budget.parse(given, "each_")
        except ValueError as error:
            raise TargetError(str(error)) from None
        self.spent = Spent(time.monotonic())
        self.spent_on: dict[str | None, Spent] = {}
        self.followed: dict[str, dict[str, Any]] = {}
        """How far each target's list was known before, and is known now."""
        self.fresh: dict[str, dict[str, Any]] = {}
        self.in_flight: Counter[str | None] = Counter()
        self.unanswered: set[str | None] = set()
        self.settled = asyncio.Event()
        self.waiting = 0
        """Targets that the budget left for another run."""
        self.journal: Journal | None = None
        self.last: tuple[Capture, str | None, Page | None] | None = None
        """What was read last."""

    async def start(self) -> AsyncIterator[Request]:
        self.targets = self.targets or await self.watched()
        past = await asyncio.to_thread(self._begin)
        async for request in self._stored(past):
            yield request
        left = [each for each in self.targets if each not in past.done]
        if past.done:
            self.logger.info("%s: goes on; %d of %d targets are done", self.name, len(past.done), len(self.targets))
        at_once = self.crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        for n, target in enumerate(left):
            while len(self.in_flight) >= at_once:  # each is finished before the next is begun
                self.settled.clear()
                await self.settled.wait()
            if spent := self._is_spent():
                self.waiting = len(left) - n
                self.logger.info("%s: the budget of %s is spent; %d targets wait. Start it again to go on.",
                                 self.name, spent, self.waiting)  # fmt: skip
                return
            yield self._request(self.address(target), self.page_for(target), target)

    def _begin(self) -> Past:
        """What is known of the targets, and of an earlier run of the same that did not come to its end."""
        arguments = {"targets": ",".join(self.targets), "posts": str(self.posts), "database": self.context.database}
        self.journal = Journal(self.context.config.data_dir / "runs", self.name, arguments)
        past = self.journal.open(self.context.started_at)
        self.context.archived = self.journal.archived
        with suppress(StorageError):  # the database is away: what comes is spooled, and lists are read anew
            self.followed = self.context.targets.progress(self.name, self.targets)
        self.fresh = {target: dict(followed) for target, followed in past.done.items() if followed}
        self.followed |= self.fresh
        return past

    async def _stored(self, past: Past) -> AsyncIterator[Request]:
        """What a run that was cut off had archived and not stored, through the same pages and pipelines."""
        archive = self.context.archive
        known = await asyncio.to_thread(lambda: self.context.targets.fetched(past.captures)) if past.captures else set()
        for each in dict.fromkeys(past.captures):
            if each in known or each not in archive:
                continue
            capture = archive.read(each)
            if is_redirect(capture) or page_of(capture) is None:
                continue
            meta = {"replayed": capture, "page": None, "download_slot": "replay"}
            yield scrapy.Request(f"capture://{each}", callback=self._again, meta=meta, dont_filter=True)

    def _again(self, response: Response) -> Iterator[Item | Refused]:
        """Where it led to has been fetched, or its target is done anew."""
        capture: Capture = response.meta["capture"]
        page = self.read(capture, None)
        if page is not None:
            yield from self._told(capture, page, response.meta) or ()

    def _is_spent(self, target: str | None = None) -> str:
        now_s = time.monotonic()
        # What the browser loads besides lists is paid for, too.
        stats = self.crawler.stats
        self.spent.bytes = int(stats.get_value("browser/bytes", 0)) + int(
            stats.get_value("downloader/response_bytes", 0)
        )
        of_run = self.spent.over(self.budget, now_s)
        return of_run or (self.spent_on[target].over(self.each, now_s) if target in self.spent_on else "")

    def _request(self, url: str, page: str, target: str | None) -> Request:
        self.in_flight[target] += 1
        self.spent_on.setdefault(target, Spent(time.monotonic()))
        return super()._request(url, page, target)

    def _settle(self, target: str | None) -> None:
        """A request of this target has come to its end; the last one finishes it."""
        self.in_flight[target] -= 1
        if self.in_flight[target] > 0:
            return
        del self.in_flight[target]
        self.settled.set()
        if self.journal is not None and target is not None and target not in self.unanswered:
            self.journal.finished(target, self.fresh.get(target, {}))

    def failed(self, failure: Failure) -> None:
        super().failed(failure)
        meta = failure.request.meta  # type: ignore[attr-defined]
        _let_go(meta)
        self._settle(meta.get("target"))

    def unanswered_by(self, error: BaseException | None) -> tuple[Outcome, str, str]:
        if isinstance(error, BrowserMissing):
            return Outcome.NETWORK, "BrowserMissing", str(error)
        return super().unanswered_by(error)

    def _tell(self, row: dict[str, Any], items: int) -> None:
        target = row.get("target")
        for spent in (self.spent, self.spent_on.setdefault(target, Spent(time.monotonic()))):
            spent.pages += 1
        self.spent_on[target].bytes += int(row["bytes"])
        blocked_part = str(Outcome.BLOCKED) in row.get("parts", {}).values()
        if (row["outcome"] not in GOOD or blocked_part) and "again" not in row:
            self.unanswered.add(target)
        super()._tell(row, items)

    async def over(self, reason: str) -> None:
        """How far the lists were followed; and whether anything is left to go on with."""
        if self.journal is not None:
            self.journal.close(reason == "finished" and not self.waiting)
        if not self.context.accounts.fates["unsaved"]:
            with suppress(StorageError):
                await asyncio.to_thread(self._keep)

    def _keep(self) -> None:
        with connect(self.context.config) as client:
            Targets(client[self.context.database]).keep(self.name, self.fresh)

    def page_for(self, target: str) -> str:
        """Page object that reads the first response of this target."""
        return self.page

    def read(self, capture: Capture, name: str | None) -> Page | None:
        """Asked for twice in a row, once for what it is and once for what it holds; read once."""
        if self.last is None or self.last[0] is not capture or self.last[1] != name:
            self.last = capture, name, super().read(capture, name)
        return self.last[2]

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        visit: Visit | None = response.meta.get("visit")
        try:
            if visit is not None:
                yield from self._visited(response, visit)
            elif (again := self._bare(response)) is not None:
                yield again
            else:
                yield from super().parse(response)
        finally:
            _let_go(response.meta)
            self._settle(response.meta.get("target"))

    def _bare(self, response: Response) -> Request | None:
        """A frame without any data gets one try in the browser before it counts as a wall."""
        capture: Capture = response.meta["capture"]
        page = self.read(capture, response.meta.get("page")) if of_status(capture.status) is None else None
        if page is None or page.outcome is Outcome.OK or not page.result.bare:
            return None
        self._tell({**self._row(capture, page.outcome, response.meta, page), "again": "browser", "problem": ""}, 0)
        return self.browse(response.url, page.name, response.meta.get("target"), needs_document=True)

    def _followed(self, follow: Follow, target: str | None, page: Page) -> Request | None:
        if follow.lane != "browser":
            return super()._followed(follow, target, page)
        if self.posts == 0:
            return None
        if (urlsplit(follow.url).hostname or "") not in self.hosts:
            self.crawler.stats.inc_value("follow/refused_host")
            return None
        return self.browse(follow.url, follow.page, target, place=self.place_of(page))

    def place_of(self, page: Page) -> str | None:
        """Where the page says it is shown, for lists that do not say it themselves."""
        return None

    def browse(
        self, url: str, page: str, target: str | None, *, place: str | None = None, needs_document: bool = False
    ) -> Request:
        """A visit of this page in the browser."""
        known_to = self.followed.get(target or "", {}).get("newest") if self.newest_first else None
        visit = Visit(target, Scroll(self.posts, known_to), place)
        request = self._request(url, page, target)
        request.priority = 10  # a target is finished before the next is begun

        async def heard(answer: Answer) -> Step:
            return await self._heard(request, visit, answer)

        def reads(url: str, body: bytes) -> bool:
            return self._reads(page, url, body, needs_document)

        order = Order(re.compile(self.answers), heard, self._pace_s, needs_document, reads)
        if service := self.crawler.settings.get("API_SERVICE"):
            lane, vantage = "api", Vantage(session="api" if service == "tikapi" else "anonymous", via=service)
        else:
            lane, vantage = "browser", Vantage()
        request.meta.update(
            playwright=True, lane=lane, vantage=vantage, order=order, visit=visit, asked_at=time.monotonic()
        )
        return request

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
        visit.pages += 1
        if answer.error:
            visit.heard.append((self._unheard(request, answer), []))
            visit.scroll.stopped = "failed"
            return Step(False)
        self.crawler.signals.send_catch_log(
            answer_heard, url=answer.url, status=answer.status, headers=answer.headers
        )  # fmt: skip
        # What the list itself does not say: after how many rows it goes on, and where its page is shown.
        headers = {**answer.headers, "tidemark-offset": str(visit.rows)}
        if visit.place:
            headers["tidemark-place"] = visit.place
        capture = captured(
            request, answer.url, answer.status, headers, answer.body, self.context.clock(), self.name
        )  # fmt: skip
        await keep(capture, self.context, self.crawler)
        page = self.read(capture, self.answer_page)
        assert page is not None
        outcome = of_status(answer.status) or page.outcome
        items = list(page.items()) if of_status(answer.status) is None else []
        visit.heard.append((self._row(capture, outcome, request.meta, page), items))
        visit.rows += page.result.got or 0
        posts = [item for item in items if isinstance(item, Post)]
        goes_on = visit.scroll.heard(posts, page.result.more, outcome)
        if goes_on and self._is_spent_by(visit):
            visit.scroll.stopped, goes_on = "budget", False
        return Step(goes_on, f"/{posts[-1].post_id}" if posts else None)

    def _unheard(self, request: Request, answer: Answer) -> dict[str, Any]:
        """A row for an answer that broke off: the network, never a number."""
        capture = captured(request, answer.url, answer.status, {}, b"", self.context.clock(), self.name)
        row = self._row(capture, Outcome.NETWORK, request.meta)
        return {name: value for name, value in row.items() if name != "capture"} | {"error": answer.error[:80]}

    def _is_spent_by(self, visit: Visit) -> bool:
        """With the answers that are heard and not yet told."""
        spent = (self.spent, self.spent_on[visit.target])
        for each in spent:
            each.pages += visit.pages
        over = self._is_spent(visit.target)
        for each in spent:
            each.pages -= visit.pages
        return bool(over)

    def _visited(self, response: Response, visit: Visit) -> Iterator[Item | Refused | Request]:
        for row, items in visit.heard:
            if row is visit.heard[-1][0] and visit.scroll.stopped:
                row["stopped"] = visit.scroll.stopped
            self._tell(row, len(items))
            yield from items
        if visit.target is not None and visit.scroll.complete and visit.scroll.newest:
            self.fresh[visit.target] = {"newest": visit.scroll.newest, "at": self.context.clock().isoformat()}
        if response.meta["seen"].body is None:
            return
        capture: Capture = response.meta["capture"]
        page = self.read(capture, response.meta["page"])
        if page is not None:
            yield from self._told(capture, page, response.meta, **self._list_lacks(capture, page, visit)) or ()

    def _list_lacks(self, capture: Capture, page: Page, visit: Visit) -> dict[str, Any]:
        """Of a page that still points to the browser, in the browser, and whose list was not heard: it did not load."""
        if page.outcome is not Outcome.OK or not page.result.follows or visit.pages or of_status(capture.status):
            return {}
        holds = Outcome.OK if any(page.items()) else Outcome.BLOCKED
        return {"parts": {**page.result.parts, "posts": str(Outcome.BLOCKED)}, "outcome": str(holds)}


def _let_go(meta: dict[str, Any]) -> None:
    """A visit's request and what listens for it know each other; parted, both are gone at once with all they hold."""
    meta.pop("order", None)
    if (visit := meta.get("visit")) is not None:
        visit.heard.clear()
