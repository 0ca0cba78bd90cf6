"""Patience with a site: Retry-After is obeyed, and a wall met several times in a row ends the asking.

A site that is behind a wall for one lane (http, browser, api) may still answer another. What a site asked for is kept
beyond the run, so that the next one does not begin where this one was turned away.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.exceptions import IgnoreRequest, NotConfigured

from crawler.context import Context, answer_heard, now, page_read
from crawler.outcomes import GOOD, Outcome

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

log = logging.getLogger(__name__)
COOL_DOWN = timedelta(hours=1)
ASKS_FOR_PATIENCE = (429, 503)
TURN_S = 0.25  # between looks whether the crawl is ending while a request waits
LANES_LEFT = "open it in your own browser and bring the HAR or Zeeschuimer export: scrapy replay FILE"


class NotAsked(IgnoreRequest):
    """The host is left alone for now."""

    def __init__(self, host: str, outcome: str, why: str) -> None:
        super().__init__(f"{host} is left alone: {why}")
        self.outcome = outcome


class DayOver(NotAsked):
    """The host has had its pages of the day (TIDEMARK_DAY_HOST_PAGES)."""

    def __init__(self, host: str) -> None:
        super().__init__(host, Outcome.RATE_LIMITED, "it has had its pages of the day")


def retry_after_s(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, written as a number or as a date; None when it is neither."""
    text = value.strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


class Rests:
    """Until when which host is left alone in which lane, and for what: a file beside the archive."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, at: datetime) -> dict[str, tuple[datetime, str]]:
        try:
            kept: Mapping[str, Any] = json.loads(self.path.read_text())
            found = {key: (datetime.fromisoformat(until), str(why)) for key, (until, why) in kept.items()}
            return {key: rest for key, rest in found.items() if rest[0] > at}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def add(self, key: str, until: datetime, outcome: str) -> None:
        kept = {**self.read(now()), key: (until, outcome)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({key: (at.isoformat(), why) for key, (at, why) in sorted(kept.items())}))
        fresh.replace(self.path)


class Manners:
    """Downloader middleware inside Retry: a 429 is asked again when it said so, once, or not at all."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("MANNERS_ENABLED"):
            raise NotConfigured
        self.crawler = crawler
        self.context = Context.of(crawler)
        self.after = settings.getint("CIRCUIT_AFTER")
        self.longest_s = settings.getfloat("RETRY_AFTER_LONGEST_S")
        self.retried = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self.rests = Rests(self.context.config.data_dir / "rests.json") if settings.getbool("COOL_DOWN") else None
        self.resting: dict[str, float] = {}
        """Monotonic moment before which a host is not asked, by host and lane."""
        self.streak: dict[str, int] = {}
        self.open: dict[str, tuple[datetime, str]] = self.rests.read(now()) if self.rests else {}
        self.told: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Manners:
        made = cls(crawler)
        crawler.signals.connect(made.page_read, signal=page_read)
        crawler.signals.connect(made.heard, signal=answer_heard)
        crawler.signals.connect(made.spider_closed, signal=signals.spider_closed)
        return made

    async def process_request(self, request: Request) -> None:
        key = _key(request.url, str(request.meta.get("lane", "http")))
        if key is None or request.meta.get("dont_obey_robotstxt"):  # robots.txt itself
            return
        if (rest := self.open.get(key)) is not None:
            self.told.add(key)
            self.crawler.stats.inc_value("manners/not_asked")
            raise NotAsked(key.partition(" ")[0], rest[1], f"{rest[1]}, until {rest[0]:%H:%M} UTC")
        while (left_s := self.resting.get(key, 0.0) - time.monotonic()) > 0:
            engine = self.crawler.engine
            if engine is None or engine._slot is None or engine._slot.closing is not None:
                raise NotAsked(key.partition(" ")[0], "rate_limited", "the crawl is ending")
            await asyncio.sleep(min(left_s, TURN_S))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        key = _key(request.url, str(request.meta.get("lane", "http")))
        if key is None or response.status not in ASKS_FOR_PATIENCE:
            return response
        said = response.headers.get("Retry-After")
        wait_s = None if said is None else retry_after_s(said.decode("latin-1"), datetime.now(UTC))
        if wait_s is None:
            if response.status == 429:  # it did not say when; asking again at once is what it complains of
                request.meta["dont_retry"] = True
            return response
        if self._rest(key, wait_s) and response.status in self.retried and not request.meta.get("waited"):
            return request.replace(dont_filter=True, meta={**request.meta, "waited": True})
        request.meta["dont_retry"] = True
        return response

    def heard(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        """A page's own request was answered: whoever it was, the site asked us to wait."""
        key, said = _key(url, "browser"), headers.get("retry-after")
        if key and said and status in ASKS_FOR_PATIENCE and (wait_s := retry_after_s(said, datetime.now(UTC))):
            self._rest(key, wait_s)

    def _rest(self, key: str, wait_s: float) -> bool:
        """Whether it is short enough to be waited for."""
        self.crawler.stats.inc_value("manners/retry_after")
        if wait_s > self.longest_s:
            self._leave_alone(key, now() + timedelta(seconds=wait_s), str(Outcome.RATE_LIMITED))
            return False
        self.resting[key] = max(self.resting.get(key, 0.0), time.monotonic() + wait_s)
        if (rest := getattr(self.crawler.engine and self.crawler.engine.downloader, "rest", None)) is not None:
            rest(key.partition(" ")[0], wait_s)  # and so do all other workers
        return True

    def page_read(self, row: Mapping[str, Any], items: int) -> None:
        """Count walls in a row; one good answer begins anew."""
        key = _key(str(row["url"]), str(row["lane"]))
        not_asked = row.get("error") in (NotAsked.__name__, DayOver.__name__)
        if key is None or not self.after or row.get("again") or not_asked:
            return
        outcome = str(row["outcome"])
        if outcome in GOOD or outcome in ("shape_changed", "robots"):
            self.streak[key] = 0
            return
        self.streak[key] = self.streak.get(key, 0) + 1
        if self.streak[key] >= self.after and key not in self.open:
            self._leave_alone(key, now() + COOL_DOWN, outcome)

    def _leave_alone(self, key: str, until: datetime, outcome: str) -> None:
        self.open[key] = (until, outcome)
        self.told.add(key)
        if self.rests and outcome != Outcome.NETWORK:  # which may be our own, and mended in a minute
            self.rests.add(key, until, outcome)

    def spider_closed(self) -> None:
        for key in sorted(self.told):
            until, outcome = self.open[key]
            host, _, lane = key.partition(" ")
            log.warning("%s does not answer lane %s (%s): left alone until %s UTC. Ways left: later; or %s",
                        host, lane, outcome, f"{until:%Y-%m-%d %H:%M}", _ways(host))  # fmt: skip


def _ways(host: str) -> str:
    if "tiktok" in host:
        return f"{LANES_LEFT}; or an API key of your own (TIKAPI_KEY, SCRAPINGBEE_API_KEY; see docs/crawling.md)"
    return LANES_LEFT


def _key(url: str, lane: str) -> str | None:
    """Host and lane; None for what is no request to a site."""
    parts = urlsplit(url)
    return f"{parts.hostname} {lane}" if parts.scheme in ("http", "https") else None
