"""How a crawl meets the simulated web: without waiting, and with its clock. The proxy comes from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.context import Context, answer_heard
from demo.site.server import MOMENT

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

ADDON = {"demo.lane.Simulated": 1}
"""For the setting ADDONS; the product's own settings do not name it."""


class Simulated:
    """Scrapy add-on: nobody's patience is tried, the site is ours; and its moments are the crawl's."""

    def update_settings(self, settings: BaseSettings) -> None:
        fast = {
            "DOWNLOAD_DELAY": 0, "AUTOTHROTTLE_ENABLED": False,
            "CONCURRENT_REQUESTS_PER_DOMAIN": settings.getint("SIMULATED_AT_ONCE", 8),
            "MANNERS_ENABLED": False, "BROWSER_IGNORE_TLS": True, "BROWSER_PATIENCE_S": 1.0,
        }  # fmt: skip
        for name, value in fast.items():
            settings.set(name, value, priority="cmdline")
        # Outside ArchiveRedirects (605): whoever archives a response finds the clock set.
        settings.set_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", SimulatedMoment, 700)


class SimulatedMoment:
    """Sets the crawl's clock to what the simulated site says."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SimulatedMoment:
        made = cls(Context.of(crawler))
        crawler.signals.connect(made.heard, signal=answer_heard)
        return made

    def process_response(self, request: Request, response: Response) -> Response:
        if said := response.headers.get(MOMENT):
            self._set(said.decode("ascii"))
        return response

    def heard(self, headers: Mapping[str, str]) -> None:
        if said := headers.get(MOMENT):
            self._set(said)

    def _set(self, said: str) -> None:
        at = datetime.fromisoformat(said)
        self.context.clock = lambda: at
