"""Lane http: every response goes to the archive before anything reads it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tldextract import TLDExtract

from crawler.archive import ArchiveError, Capture
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

    def __init__(self, crawler: Crawler) -> None:
        self.context = Context.of(crawler)
        self.crawler = crawler
        self.spider = crawler.spidercls.name

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiveMiddleware:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        seen = request.meta.get("seen")
        if seen is not None and seen.body is None:
            return response  # a browser's visit whose document nobody needs: its answers are archived
        capture = request.meta.get("replayed") or self._captured(request, response)
        request.meta["capture"] = capture
        await self._write(capture)
        return response

    async def _write(self, capture: Capture) -> None:
        await keep(capture, self.context, self.crawler)

    def _captured(self, request: Request, response: Response) -> Capture:
        headers = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in response.headers.items()
        }
        return captured(
            request, _whole_url(request, response), response.status, headers, response.body, self.context.clock(),
            self.spider,
        )  # fmt: skip


def captured(
    request: Request, url: str, status: int, headers: Mapping[str, str], body: bytes, at: datetime, spider: str
) -> Capture:
    """What is kept of an answer that this request brought; secrets are out."""
    vantage: Vantage = request.meta.get("vantage", Vantage())
    if proxy := request.meta.get("proxy"):
        vantage = vantage.model_copy(update={"via": urlsplit(str(proxy)).hostname})
    return redact.capture(
        Capture(
            url=url, fetched_at=at, status=status, headers=headers, body=body, lane=request.meta.get("lane", "http"),
            vantage=vantage, target=request.meta.get("target"), spider=spider,
        )
    )  # fmt: skip


async def keep(capture: Capture, context: Context, crawler: Crawler) -> None:
    """Half a megabyte takes ten milliseconds to compress: not on the event loop. A small body does not.

    A response that cannot be kept is not read: a number without its page is worth nothing.
    """
    try:
        if len(capture.body) > INLINE_BYTES:
            await asyncio.to_thread(context.archive.write, capture)
        else:
            context.archive.write(capture)
        context.archived(capture.id)
    except ArchiveError as error:
        context.stop(crawler, "archive", error.strerror or str(error))
        raise


class ArchiveRedirects(ArchiveMiddleware):
    """Redirects never reach the inner place: they are archived before they are followed.

    One that leads to another site is not followed: an address found in an answer is fetched only
    on the spider's list, and never inside our own network. The spider then gets the redirect itself.
    """

    async def process_response(self, request: Request, response: Response) -> Response:
        to = response.headers.get("Location")
        if to is None or not 300 <= response.status < 400:
            return response
        if await self._leads_on(request, to.decode("latin-1")):
            await self._write(self._captured(request, response))
        else:
            request.meta["dont_redirect"] = True  # the inner place archives it
        return response

    async def _leads_on(self, request: Request, to: str) -> bool:
        hosts = getattr(self.crawler.spidercls, "hosts", ())
        listed = {each.format(target=request.meta.get("target")) for each in hosts}
        try:
            there = urlsplit(urljoin(request.url, to))
            if not may_follow(request.url, there.geturl(), listed):
                return False
        except ValueError:  # no address at all
            return False
        if there.netloc == urlsplit(request.url).netloc or "proxy" in request.meta:
            return True  # where we are already, or somebody else looks the name up
        return await is_public(there.hostname or "")


def may_follow(here: str, there: str, listed: Collection[str] = ()) -> bool:
    """Whether a redirect stays on its site or goes to a listed host; an address of numbers is no site.

    Raises ValueError for what is no address.
    """
    parts = urlsplit(there)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        return False
    if host in listed or parts.netloc == urlsplit(here).netloc:
        return True
    return bool(_site(host)) and _site(host) == _site(urlsplit(here).hostname or "")


async def is_public(host: str) -> bool:
    """Whether every address of a host lies outside our own network; True when it has none: the download will tell."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return True
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)


def _site(host: str) -> str:
    """The name somebody registered: 'shop.co.uk' of 'www.shop.co.uk'; '' for a number or a public suffix."""
    found = _suffixes()(host)
    if found.suffix or not host.rpartition(".")[2].isalpha():
        return found.top_domain_under_public_suffix
    return ".".join(host.split(".")[-2:]) if "." in host else ""  # a suffix that the list does not know


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    return TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list that comes with it; nothing is downloaded


def _whole_url(request: Request, response: Response) -> str:
    """Scrapy takes the fragment off; on later pages of a list it says which rank the page begins with."""
    fragment = urlsplit(request.url).fragment
    return f"{response.url}#{fragment}" if fragment and "#" not in response.url else response.url
