"""Lane http: every response goes to the archive before anything reads it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.archive import Capture
from crawler.context import Context
from crawler.items import Vantage
from crawler.lanes import redact

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


INLINE_BYTES = 32_768


class ArchiveMiddleware:
    """Stands where bodies are decoded and before retries, so a 429 is archived like any page.

    Leaves the Capture in request.meta["capture"]; a replayed request brings its own.
    """

    def __init__(self, context: Context, spider: str) -> None:
        self.context = context
        self.spider = spider

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiveMiddleware:
        return cls(Context.of(crawler), crawler.spidercls.name)

    async def process_response(self, request: Request, response: Response) -> Response:
        capture = request.meta.get("replayed") or self._captured(request, response)
        request.meta["capture"] = capture
        await self._write(capture)
        return response

    async def _write(self, capture: Capture) -> None:
        """Half a megabyte takes ten milliseconds to compress: not on the event loop. A small body does not."""
        if len(capture.body) > INLINE_BYTES:
            await asyncio.to_thread(self.context.archive.write, capture)
        else:
            self.context.archive.write(capture)

    def _captured(self, request: Request, response: Response) -> Capture:
        return redact.capture(
            Capture(
                url=response.url,
                fetched_at=self.context.clock(),
                status=response.status,
                headers={
                    name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
                    for name, values in response.headers.items()
                },
                body=response.body,
                lane=request.meta.get("lane", "http"),
                vantage=request.meta.get("vantage", Vantage()),
                target=request.meta.get("target"),
                spider=self.spider,
            )
        )


class ArchiveRedirects(ArchiveMiddleware):
    """Redirects never reach the inner place: they are archived before they are followed."""

    async def process_response(self, request: Request, response: Response) -> Response:
        if 300 <= response.status < 400:
            await self._write(self._captured(request, response))
        return response
