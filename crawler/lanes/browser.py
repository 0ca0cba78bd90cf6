"""Lane browser: scrapy-playwright with one browser, tabs that are used again, and a door of its own to the network.

Requests carry `playwright` and an `order` (crawler.lanes.tab) in their meta; every other request of the spider goes
the way of lane http. Nothing is started before the first of them.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from playwright.async_api import Error as PlaywrightError
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Headers, HtmlResponse, Request, Response, TextResponse
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from scrapy_playwright.provider import PlaywrightBrowserProvider

from crawler.config import load, told_children
from crawler.health import INSTALL_BROWSER, find_browser, headless_shell
from crawler.lanes import processes
from crawler.lanes.api import Told, service_of
from crawler.lanes.gate import Gate, Upstream
from crawler.lanes.tab import Order, Seen, Tab

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from playwright.async_api import Browser, BrowserType
    from scrapy import Spider
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
HANDLERS = {"https": "crawler.lanes.browser.BrowserHandler", "capture": "crawler.lanes.replay.CaptureHandler"}
"""For the setting DOWNLOAD_HANDLERS of spiders that may need a browser."""
FLAGS = (
    "--blink-settings=imagesEnabled=false", "--disable-gpu", "--in-process-gpu", "--disable-dev-shm-usage",
    "--disable-sync", "--disable-background-networking", "--disable-component-update", "--no-first-run", "--mute-audio",
    "--js-flags=--max-semi-space-size=2", "--disable-quic", "--dns-prefetch-disable",
    "--no-pings",
    # Nothing goes past the door: not to this machine, and not by way of video calls.
    "--proxy-bypass-list=<-loopback>", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)  # fmt: skip
NOT_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")  # it comes decoded
# Playwright's driver is a Node program that grows to 160 MB with short-lived messages; so it stays at 120, for a fifth
# more of its processor time.
DRIVER = ("NODE_OPTIONS", "--max-semi-space-size=1")
PARK_S = 0.5  # a blank page costs a process of the browser, so it waits whether the next visit comes at once
TIDY_EVERY = 10  # visits, between which what pages have left in memory is thrown away
LOOK_EVERY = 20  # visits, at the memory of the browser


class BrowserMissing(Exception):
    """There is no browser, or it does not start; says what to do."""


class Provider(PlaywrightBrowserProvider):  # type: ignore[misc]
    """Finds the browser, starts it behind the gate with its sandbox where the system allows, and marks it as ours."""

    gate: Gate
    renderers: int

    async def launch_browser(self) -> Browser:
        path = self._found()
        flags = [*FLAGS, f"--renderer-process-limit={self.renderers}", processes.mark()]
        options: dict[str, Any] = {
            "executable_path": path, "args": flags, "proxy": {"server": f"http://{self.gate.address}"},
            # Scrapy ends the browser in its own time; Playwright would do so at the first Ctrl-C.
            "handle_sigint": False, "handle_sigterm": False, "handle_sighup": False,
        }  # fmt: skip
        kind: BrowserType = self.browser_type
        boxed = os.name == "nt" or os.geteuid() != 0  # the sandbox refuses to serve root
        for is_last in (False, True):  # on a busy machine one may end while it starts (seen once in 4,000 visits)
            try:
                return await kind.launch(**options, chromium_sandbox=boxed)
            except PlaywrightError as error:
                if boxed and "sandbox" in error.message.lower():
                    break
                if is_last:
                    raise BrowserMissing(f"{path} does not start: {error.message.splitlines()[0]}") from None
        log.warning("this system has no sandbox for the browser; it runs without (its network is still closed)")
        return await kind.launch(**options, chromium_sandbox=False)

    def _found(self) -> Path:
        full = Path(self.browser_type.executable_path)
        own = headless_shell(full) or (full if full.is_file() else None)
        path = find_browser(load().browser_path, lambda: own)
        if path is None or not path.is_file():
            raise BrowserMissing(f"no browser found. Try: {INSTALL_BROWSER}; or set BROWSER_PATH")
        return path


class BrowserHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings, spider = crawler.settings, crawler.spidercls
        self.come_s = settings.getfloat("PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT") / 1000
        self.patience_s = settings.getfloat("BROWSER_PATIENCE_S")
        self.visit_s = settings.getfloat("BROWSER_VISIT_S")
        self.tabs = tabs = min(settings.getint("BROWSER_TABS"), settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self.most_visits = settings.getint("BROWSER_RECYCLE_VISITS") * tabs
        self.most_bytes = (settings.getint("BROWSER_RECYCLE_MB") + 68 * (tabs - 1)) * 1_000_000
        self.context_kwargs = {
            "user_agent": settings["USER_AGENT"], "service_workers": "block", "accept_downloads": False,
            "ignore_https_errors": settings.getbool("BROWSER_IGNORE_TLS"),
        }  # fmt: skip
        hosts: Collection[str] = (*getattr(spider, "hosts", ()), *getattr(spider, "page_hosts", ()))
        upstream = Upstream.parse(getproxies().get("https"))  # as Scrapy finds the proxy of lane http
        self.gate = Gate(hosts, upstream, settings.getint("DOWNLOAD_MAXSIZE"))
        self.service = service_of(settings.get("API_SERVICE") or "", load())
        self.idle: list[Tab] = []
        self.parking: set[asyncio.Task[None]] = set()
        self.seats = asyncio.Semaphore(tabs)
        self.seated = 0
        self.visits = 0
        """Since the browser was started."""
        self.starting = asyncio.Lock()
        self.changing = asyncio.Lock()
        self.empty = asyncio.Event()

    async def _launch(self) -> None:
        """Not at the start of the crawl: it may never need a browser."""

    async def _download_request_with_retry(self, request: Request, spider: Spider) -> Response:
        order: Order = request.meta["order"]
        if self.service is not None:
            seen = await self.service.visit(request.url, order, self._ask)
            request.meta["seen"] = seen
            return _response(seen, request)
        async with self.seats:
            async with self.changing:
                await self._recycle()
                tab = await self._tab()
                self.seated += 1
            try:
                seen = await tab.visit(request.url, order)
            finally:
                await asyncio.shield(self._give_back(tab))
        request.meta["download_latency"] = seen.latency_s
        request.meta["seen"] = seen
        return _response(seen, request)

    async def _ask(self, url: str, headers: Mapping[str, str]) -> Told:
        """A request to the service, past everything that logs or keeps addresses."""
        given = await HTTP11DownloadHandler.download_request(self, Request(url, headers=dict(headers)))
        kept = {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
                for name, values in given.headers.items()}  # fmt: skip
        body = gzip.decompress(given.body) if kept.get("content-encoding") == "gzip" else given.body
        return Told(given.status, kept, body)

    async def _tab(self) -> Tab:
        if not self.idle and self.parking:  # better the one that is being blanked than one more
            await asyncio.gather(*self.parking)
        while self.idle:
            tab = self.idle.pop()
            if not tab.broken:
                return tab
        await self._start()
        if "default" not in self.context_wrappers:
            await self._create_browser_context("default", self.context_kwargs)
        page = await self.context_wrappers["default"].context.new_page()
        self.stats.inc_value("browser/tabs")
        return await Tab.open(page, self.come_s, self.patience_s, self.visit_s)

    async def _start(self) -> None:
        """What a first visit needs: the gate, Playwright, and nobody else's browser in our name."""
        async with self.starting:
            if hasattr(self, "browser_provider"):
                return
            if ended := await asyncio.to_thread(processes.end_orphans):
                log.warning("%d browser%s of a crawl that was killed: ended", ended, "" if ended == 1 else "s")
            await self.gate.open()
            if self.tabs == 1:  # one worker shall fit a small machine
                told_children(*DRIVER)
            provider = Provider(self.config)
            provider.gate = self.gate
            provider.renderers = min(self.tabs, 2)
            await provider.start()
            self.browser_provider = provider

    async def _give_back(self, tab: Tab) -> None:
        self.visits += 1
        self.stats.inc_value("browser/visits")
        self.stats.set_value("browser/bytes", self.gate.total_bytes)
        if tab.broken:
            with suppress(PlaywrightError, TimeoutError):
                async with asyncio.timeout(5):
                    await tab.page.close()
            self.stats.inc_value("browser/tabs_broken")
        else:
            if self.tabs == 1 and self.visits % TIDY_EVERY == 0:
                await tab.tidy()
                processes.give_back()
            self.idle.append(tab)
            asyncio.get_running_loop().call_later(PARK_S, self._park, tab)
        self.seated -= 1
        if not self.seated:
            self.empty.set()

    def _park(self, tab: Tab) -> None:
        """A page that the next visit has not replaced does not go on in the background."""
        if tab in self.idle and not tab.is_blank:
            self.idle.remove(tab)
            self.parking.add(task := asyncio.get_running_loop().create_task(self._blank(tab)))
            task.add_done_callback(self.parking.discard)

    async def _blank(self, tab: Tab) -> None:
        await tab.leave()
        self.idle.append(tab)

    async def _recycle(self) -> None:
        """A browser grows with the pages it has shown: after so many, or when it is too large, a new one takes over."""
        if not hasattr(self, "browser") or not self.visits:
            return
        if self.visits < self.most_visits:
            if self.visits % LOOK_EVERY or not self.most_bytes:
                return
            if await asyncio.to_thread(self._memory_bytes) < self.most_bytes:
                return
        while self.seated:
            self.empty.clear()
            await self.empty.wait()
        await asyncio.gather(*self.parking)
        self.idle.clear()
        self.visits = 0
        self.stats.inc_value("browser/recycled")
        await self.browser.close()
        while hasattr(self, "browser"):  # the library forgets it when it hears that it is gone
            await asyncio.sleep(0.005)

    def _memory_bytes(self) -> int:
        used = processes.memory_bytes(processes.owned(os.getpid()))
        self.stats.max_value("browser/memory_bytes", used)
        return used

    async def close(self) -> None:
        began_s = time.monotonic()
        await super().close()
        await self.gate.close()
        if self.visits:
            for host, times in self.gate.refused.items():
                self.stats.set_value(f"browser/refused/{host}", times)
            log.debug("browser closed in %.1f s", time.monotonic() - began_s)


def _response(seen: Seen, request: Request) -> Response:
    headers = {name: value for name, value in seen.headers.items() if name not in NOT_OF_THE_BODY}
    kind = TextResponse if "json" in headers.get("content-type", "") else HtmlResponse
    return kind(
        seen.url, status=seen.status, headers=Headers(headers), body=seen.body or b"", request=request,
        flags=["browser"], encoding="utf-8",
    )  # fmt: skip
