"""How a crawl meets the simulated web: through its proxy, without waiting, and with its clock."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler.context import Context
from demo.site.server import MOMENT

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

SETTINGS: dict[str, Any] = {
    # Nobody's patience is tried: the site is ours.
    "DOWNLOAD_DELAY": 0,
    "AUTOTHROTTLE_ENABLED": False,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    # Outside ArchiveRedirects (605): whoever archives a response finds the clock set.
    "DOWNLOADER_MIDDLEWARES": {"demo.lane.SimulatedMoment": 700},
}


class SimulatedMoment:
    """Sets the crawl's clock to what the simulated site says; never part of the product's own settings."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SimulatedMoment:
        return cls(Context.of(crawler))

    def process_response(self, request: Request, response: Response) -> Response:
        if said := response.headers.get(MOMENT):
            at = datetime.fromisoformat(said.decode("ascii"))
            self.context.clock = lambda: at
        return response
