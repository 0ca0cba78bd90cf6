"""The one generic fetch-read-follow spider. It may ask the time; it never parses."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import scrapy

from crawler import pages
from crawler.archive import ArchiveError
from crawler.context import Context, page_read
from crawler.items import Item, Refused, Vantage
from crawler.lanes import redact
from crawler.lanes.manners import NotAsked
from crawler.lanes.robots import RobotsForbid
from crawler.outcomes import Outcome, of_status
from crawler.pages import Follow, Page
from crawler.pipeline import bundled
from crawler.reading import page_of
from crawler.storage.errors import StorageError
from crawler.targets import TargetError, TargetForm, parse

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.archive import Capture


class PageSpider(scrapy.Spider):
    """Declare name, page, url, hosts, target and what a good run brings; write no method."""

    page: ClassVar[str]
    """Page object that reads the first response, e.g. `tiktok.profile`."""
    url: ClassVar[str]
    """Address of a target, with {target}."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Hosts a link found in a page may lead to; '{target}' stands for the target itself."""
    target: ClassVar[TargetForm]
    """How a target is written."""
    least_items: ClassVar[int] = 1
    """A run that stores fewer is not good."""
    most_items: ClassVar[int] = 1_000_000
    """A run that stores more is suspicious: a warning."""
    least_good_share: ClassVar[float] = 0.9
    """Share of fetches that must end in ok, empty, missing or private."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "url" not in cls.__dict__:  # a family or the replay spider: not a source
            return
        lacking = [each for each in ("page", "url", "hosts", "target") if not getattr(cls, each, None)]
        if lacking:
            raise TypeError(f"spider {cls.name}: declare {', '.join(lacking)}")
        if cls.page not in pages.load_all():
            raise TypeError(f"spider {cls.name}: no page object {cls.page!r}; there are {', '.join(Page.registry)}")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PageSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.context = Context.of(crawler)
        return spider

    def __init__(self, targets: str = "", **kwargs: Any) -> None:
        if kwargs:  # Scrapy would make attributes of them, over those declared here
            raise TargetError(f"{self.name}: no argument {min(kwargs)[:40]!r}; there are {', '.join(self.arguments())}")
        super().__init__()
        self.context: Context
        self.targets = tuple(parse(targets, self.target)) if targets else ()

    @classmethod
    def arguments(cls) -> list[str]:
        """What may follow `-a`."""
        families = [each for each in cls.__mro__ if issubclass(each, PageSpider)]
        names = {name for each in families for name in inspect.signature(each.__init__).parameters}
        return sorted(names - {"self", "args", "kwargs"})

    async def start(self) -> AsyncIterator[Request]:
        self.targets = self.targets or await self.watched()
        for target in self.targets:
            yield self._request(self.address(target), self.page, target)

    async def watched(self) -> tuple[str, ...]:
        """Targets of the watch list, for a run that names none."""
        listed = []
        with suppress(StorageError):  # the run says so itself
            listed = await asyncio.to_thread(lambda: self.context.targets.listed(self.name))
        found = tuple(each.value for each in listed if not each.paused)
        if not found:
            self.logger.error("%s: no target, and none on the watch list. Try: scrapy crawl %s -a targets=%s",
                              self.name, self.name, self.target.example)  # fmt: skip
        return found

    def address(self, target: str) -> str:
        return self.url.format(target=target)

    def credentials(self) -> dict[str, str]:
        """Headers with the user's own key; in no address, so in no log, referer or archive. Sent to `hosts` only."""
        return {}

    def _request(self, url: str, page: str, target: str | None) -> Request:
        meta: dict[str, Any] = {"page": page, "target": target, "asked_at": time.monotonic()}
        headers = self.credentials()
        if headers:
            meta |= {"lane": "api", "vantage": Vantage(session="api")}
        return scrapy.Request(
            url, callback=self.taken, errback=self.failed, headers=headers or None, meta=meta, dont_filter=True
        )

    def read(self, capture: Capture, name: str | None) -> Page | None:
        return page_of(capture, name, self.context.config.hash_key)

    def taken(self, response: Response) -> Iterator[Any]:
        """What parse() gives; the items of a page as one, unless somebody listens to single items or counts them."""
        settings = self.crawler.settings
        if settings.getdict("FEEDS") or settings.getint("CLOSESPIDER_ITEMCOUNT"):
            return self.parse(response)
        return bundled(self.parse(response))

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        """Read the response with its page object; tell the ledger; yield items and what to fetch next."""
        capture: Capture = response.meta["capture"]
        page = self.read(capture, response.meta.get("page"))
        if page is None or (items := self._told(capture, page, response.meta)) is None:
            return
        yield from items
        for follow in page.next():
            if request := self._followed(follow, response.meta.get("target"), page):
                yield request

    def _told(self, capture: Capture, page: Page, meta: dict[str, Any], **more: Any) -> list[Item | Refused] | None:
        """Tell the ledger what the page was; its items. None where the status says that it is none.

        more: of the row.
        """
        outcome = of_status(capture.status)
        if outcome is not None:
            outcome, why = page.refused(capture.status, outcome)
            row = self._row(capture, outcome, meta, page)
            self._tell({**row, **more, "problem": why} if why else {**row, **more}, 0)
            return None
        items = list(page.items())
        self._tell({**self._row(capture, page.outcome, meta, page), **more}, len(items))
        return items

    def _followed(self, follow: Follow, target: str | None, page: Page) -> Request | None:
        """A link from a page is followed only to a declared host, by a lane that is there."""
        host = urlsplit(follow.url).hostname or ""
        allowed = {each.format(target=target) for each in self.hosts}
        if host not in allowed:
            self.crawler.stats.inc_value("follow/refused_host")
            return None
        if follow.lane != "http":
            self.crawler.stats.inc_value(f"follow/needs_{follow.lane}")
            return None
        return self._request(follow.url, follow.page, target)

    def failed(self, failure: Failure) -> None:
        """No response: robots.txt said no, or the network did not carry one. A row, never a number."""
        if isinstance(failure.value, ArchiveError):
            return  # the site answered; the crawl is ending because nothing can be kept
        request = failure.request  # type: ignore[attr-defined]
        outcome, error, why = self.unanswered_by(failure.value)
        at = self.context.clock()
        url = redact.url(request.url)
        if why:
            self.logger.warning("%s: %s", urlsplit(url).hostname, why)
        row = {
            "_id": pages.capture_id(url, at, b""), "url": url, "at": at, "outcome": str(outcome), "error": error,
            "lane": request.meta.get("lane", "http"), "target": request.meta.get("target"), "bytes": 0,
        }  # fmt: skip
        self._tell(row, 0)

    def unanswered_by(self, error: BaseException | None) -> tuple[Outcome, str, str]:
        """The outcome of a request that has no response, the name of what went wrong, and a line for a person or ''."""
        match error:
            case RobotsForbid(network=""):
                return Outcome.ROBOTS, "RobotsForbid", str(error)
            case RobotsForbid(network=name):
                return Outcome.NETWORK, name, str(error)
            case NotAsked(outcome=outcome):
                return Outcome(outcome), type(error).__name__, ""
            case _:
                return Outcome.NETWORK, type(error).__name__, ""

    def _tell(self, row: dict[str, Any], items: int) -> None:
        row = {"spider": self.name, **row, "run": self.context.run}
        self.crawler.signals.send_catch_log(page_read, row=row, items=items)

    def _row(
        self, capture: Capture, outcome: Outcome, meta: dict[str, Any], page: Page | None = None
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "_id": capture.id, "capture": capture.id, "url": capture.url, "at": capture.fetched_at,
            "outcome": str(outcome), "lane": capture.lane, "status": capture.status, "bytes": len(capture.body),
            "ms": round((time.monotonic() - meta["asked_at"]) * 1000) if "asked_at" in meta else None,
            "spider": capture.spider, "target": capture.target,
            "vantage": capture.vantage.model_dump(exclude_none=True),
        }  # fmt: skip
        if page is not None:
            result = page.result
            row.update(
                parser=page.parser, parts=dict(result.parts), asked=result.asked, got=result.got,
                ceiling=result.ceiling, repaired=result.repaired, odd=result.odd[:20], problem=result.problem[:500],
            )  # fmt: skip
        return {name: value for name, value in row.items() if value not in (None, "", [], {})}
