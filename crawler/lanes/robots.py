"""robots.txt as RFC 9309 has it: where it cannot be had, nothing is allowed; where there is none, everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from scrapy.http import Response


class RobotsForbid(IgnoreRequest):
    """robots.txt says no, or could not be read and so says no to everything."""

    def __init__(self, why: str, network: str = "") -> None:
        super().__init__(why)
        self.network = network
        """The error of a connection on which no robots.txt came; '' where a server answered."""


class Unreachable:
    """A parser that allows nothing, and knows why."""

    def __init__(self, why: str, network: str = "") -> None:
        self.why = why
        self.network = network


class Robots(RobotsTxtMiddleware):
    """Scrapy's own, which takes an unreachable robots.txt for leave to fetch everything and prints a traceback."""

    async def robot_parser(self, request: Request) -> Any:
        """As Scrapy's own, without the traceback of a connection that fails."""
        parts = urlsplit(request.url)
        netloc = parts.netloc
        if netloc not in self._parsers:
            self._parsers[netloc] = Deferred()
            asked = Request(
                f"{parts.scheme}://{netloc}/robots.txt", priority=self.DOWNLOAD_PRIORITY, callback=NO_CALLBACK,
                meta={"dont_obey_robotstxt": True},
            )  # fmt: skip
            assert self.crawler.engine is not None
            try:
                await self._parse_robots(await self.crawler.engine.download_async(asked), netloc, request)
            except Exception as error:  # whatever it is, nobody has said that we may
                self._robots_error(error, netloc)
            self._stats.inc_value("robotstxt/request_count")
        parser = self._parsers[netloc]
        return await maybe_deferred_to_future(parser) if isinstance(parser, Deferred) else parser

    async def process_request(self, request: Request, spider: Any = None) -> None:
        if request.url.startswith("capture:"):  # a replay asks nobody
            return
        await super().process_request(request)

    def process_request_2(self, rp: Any, request: Request) -> None:
        if isinstance(rp, Unreachable):
            self._stats.inc_value("robotstxt/forbidden")
            raise RobotsForbid(rp.why, rp.network)
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RobotsForbid(str(error)) from None

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            self._settle(netloc, Unreachable(f"robots.txt is unreachable (HTTP {response.status})"))
        elif response.status >= 400:
            self._settle(netloc, None)
        else:
            await super()._parse_robots(response, netloc, request)

    def _robots_error(self, error: Exception, netloc: str) -> None:
        name = type(error).__name__
        if isinstance(error, IgnoreRequest):
            self._settle(netloc, Unreachable(f"robots.txt was not asked for ({error})"))
        else:
            self._stats.inc_value(f"robotstxt/exception_count/{name}")
            self._settle(netloc, Unreachable(f"robots.txt is unreachable ({name})", name))

    def _settle(self, netloc: str, parser: Any) -> None:
        waiting = self._parsers[netloc]
        assert isinstance(waiting, Deferred)
        self._parsers[netloc] = parser
        waiting.callback(parser)
