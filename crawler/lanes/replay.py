"""Lane replay: a capture comes back as the response it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import HtmlResponse, Response, TextResponse

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class CaptureHandler:
    """Download handler of `capture://` requests; the capture travels in request.meta["replayed"]."""

    lazy = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CaptureHandler:
        return cls()

    async def download_request(self, request: Request) -> Response:
        capture = request.meta["replayed"]
        kind = HtmlResponse if "html" in capture.headers.get("content-type", "") else TextResponse
        return kind(
            capture.url, status=capture.status, body=capture.body, request=request, headers=dict(capture.headers)
        )

    async def close(self) -> None:
        return None
