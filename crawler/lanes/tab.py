"""One tab of the browser, used again and again: opens an address and listens to the JSON that the page requests itself.

It waits for answers, never for time to pass; a limit only says when no answer is to be expected any more. What the
page asks for is seen through the DevTools protocol: nothing is intercepted, so nothing waits for us.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

BLANK = "about:blank"
MOST_REDIRECTS = 5
LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; real lists have 0.4 MB
BROKEN_REDIRECTS = ("net::ERR_INVALID_REDIRECT", "net::ERR_UNSAFE_REDIRECT")
RENDER_S = 2.0  # how long the cards of an answer may take to appear before we scroll anyway
# The network of a page that nobody looks at. Images are off in the browser itself (see browser.py); what comes from
# hosts that are not on the list does not pass the gate.
UNSEEN = [
    f"*.{kind}{rest}"
    for kind in ("css", "woff", "woff2", "ttf", "otf", "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico",
                 "mp4", "webm", "m3u8", "mp3", "m4a", "aac")
    for rest in ("", "?*")
]  # fmt: skip
# Nobody looks at the page, so nothing of it is painted: a quarter of what a visit costs. It is laid out, scrolled and
# observed as always. Said of the page from outside its HTML, so that nothing of it is archived.
UNPAINTED = """{
    const style = new CSSStyleSheet();
    style.replaceSync('html{visibility:hidden!important}');
    document.adoptedStyleSheets = [style];
}"""
# Waits until the last card of the answer stands in the page, and goes to the end of it: the page then asks for more.
SCROLL = """async ([link, most_ms]) => {
    const there = () => !link || document.querySelector(`a[href*="${CSS.escape(link)}"]`);
    if (!there()) await new Promise(done => {
        const seen = new MutationObserver(() => { if (there()) end(); });
        const end = () => { seen.disconnect(); clearTimeout(limit); done(); };
        const limit = setTimeout(end, most_ms);
        seen.observe(document.documentElement, {childList: true, subtree: true, attributes: true});
    });
    window.scrollTo(0, 0);
    window.scrollTo(0, document.documentElement.scrollHeight);
}"""


class PageFailed(Exception):
    """No document came, and asking again would not help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page was told when it asked for itself."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str = ""
    """Why there is no body; then status is 0 or what came before it broke off."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do after an answer."""

    go_on: bool
    link: str | None = None
    """Part of the address of its last row, which is on the page once the answer is shown."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a page."""

    answers: re.Pattern[str]
    """Addresses of the JSON to listen to."""
    heard: Callable[[Answer], Awaitable[Step]]
    pace_s: Callable[[], float] = lambda: 0.0
    """How long to leave the site alone before the page asks for more."""
    needs_document: bool = False
    """The document itself is wanted, whatever answers come."""
    reads: Callable[[str, bytes], bool] = lambda url, body: True
    """Whether the document as served holds what it is for; if not, the rendered page is taken."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a visit."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """The document; None where nobody needs it."""
    answers: int
    latency_s: float
    """Until the document came."""


@dataclass
class _Asked:
    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    error: str = ""
    led_away: int = 0
    """Status of a redirect on the way."""


@dataclass
class _Visit:
    answers: re.Pattern[str]
    loader: str = ""
    document: _Asked | None = None
    redirects: list[_Asked] = field(default_factory=list)
    pending: dict[str, _Asked] = field(default_factory=dict)
    finished: deque[tuple[str, _Asked]] = field(default_factory=deque)
    loaded: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Tab:
    def __init__(self, page: Page, cdp: CDPSession, come_s: float, patience_s: float, visit_s: float) -> None:
        self.page = page
        self.cdp = cdp
        self.come_s = come_s
        self.patience_s = patience_s
        self.visit_s = visit_s
        self.broken = False
        self.is_blank = True
        self._visit: _Visit | None = None
        page.on("crash", lambda _: self._break())
        page.on("close", lambda _: self._break())
        for name, handler in (
            ("requestWillBeSent", self._sent), ("responseReceived", self._received), ("dataReceived", self._data),
            ("loadingFinished", self._finished), ("loadingFailed", self._failed),
        ):  # fmt: skip
            cdp.on(f"Network.{name}", handler)
        page.on("load", lambda _: self._loaded())

    @classmethod
    async def open(cls, page: Page, come_s: float, patience_s: float, visit_s: float) -> Tab:
        cdp = await page.context.new_cdp_session(page)
        made = cls(page, cdp, come_s, patience_s, visit_s)
        await asyncio.gather(
            cdp.send("Network.enable", {"maxTotalBufferSize": 4 * LARGEST_ANSWER,
                                        "maxResourceBufferSize": LARGEST_ANSWER}),
            cdp.send("Network.setBlockedURLs", {"urls": UNSEEN}),
            page.add_init_script(UNPAINTED),
        )  # fmt: skip
        return made

    async def visit(self, url: str, order: Order) -> Seen:
        """Raises PlaywrightError when the page does not come, PageFailed when it never will; the tab is then broken."""
        began_s = time.monotonic()
        self.is_blank = False
        visit = self._visit = _Visit(order.answers)
        try:
            async with asyncio.timeout(self.visit_s):
                if (led_away := await self._go(url, visit)) is not None:
                    return Seen(led_away.url, led_away.status, led_away.headers, b"", 0, time.monotonic() - began_s)
                latency_s = time.monotonic() - began_s
                answers = await self._listen(visit, order)
                return await self._seen(visit, order, answers, latency_s)
        except TimeoutError:
            self.broken = True
            raise PlaywrightError(f"the page took more than {self.visit_s:.0f} s") from None
        except BaseException:
            self.broken = True
            raise
        finally:
            self._visit = None

    async def leave(self) -> None:
        """Nothing of the page goes on in the background."""
        try:
            async with asyncio.timeout(5):
                await self._navigate(BLANK)
                self.is_blank = True
        except (TimeoutError, PlaywrightError):
            self.broken = True

    async def tidy(self) -> None:
        """Have the browser give back what earlier pages have left: by itself it does so late."""
        with suppress(PlaywrightError):
            await self.cdp.send("HeapProfiler.collectGarbage")
            await self.cdp.send("Memory.simulatePressureNotification", {"level": "critical"})

    async def _go(self, url: str, visit: _Visit) -> _Asked | None:
        """None when the page came; else the redirect that led away from the listed hosts."""
        said = await self._navigate(url)
        if not said:
            return None
        if any(each in said for each in BROKEN_REDIRECTS):
            return _Asked(visit.document.url if visit.document else url, 302)
        if "ERR_TOO_MANY_REDIRECTS" in said or len(visit.redirects) > MOST_REDIRECTS:
            raise PageFailed(f"more than {MOST_REDIRECTS} redirects")
        if "ERR_TUNNEL_CONNECTION_FAILED" in said and visit.redirects:
            return visit.redirects[-1]
        raise PlaywrightError(f"{said} at {url}")

    async def _navigate(self, url: str) -> str:
        """What kept the page from coming; '' when it came.

        Not by Playwright's goto, which leaves objects of every page behind.
        """
        try:
            async with asyncio.timeout(self.come_s):
                told = await self.cdp.send("Page.navigate", {"url": url})
        except TimeoutError:
            return f"no answer in {self.come_s:.0f} s"
        return str(told.get("errorText") or "")

    async def _listen(self, visit: _Visit, order: Order) -> int:
        """How many answers were heard."""
        heard = 0
        if visit.document is not None and not 200 <= visit.document.status < 300:
            return heard
        while (found := await self._next(visit)) is not None:
            step = await order.heard(await self._answer(*found))
            heard += 1
            if not step.go_on:
                break
            if (pause_s := order.pace_s()) > 0:
                await asyncio.sleep(pause_s)
            await self.page.evaluate(SCROLL, [step.link, RENDER_S * 1000])
        return heard

    async def _next(self, visit: _Visit) -> tuple[str, _Asked] | None:
        """The next answer that is complete; None when the page has come to rest without another."""
        while not visit.finished:
            if self.broken:
                raise PlaywrightError("the page crashed")
            is_quiet = visit.loaded and not visit.pending
            try:
                async with asyncio.timeout(self.patience_s if is_quiet else None):
                    await visit.changed.wait()
            except TimeoutError:
                return None
            visit.changed.clear()
        return visit.finished.popleft()

    async def _answer(self, request: str, asked: _Asked) -> Answer:
        if asked.error:
            return Answer(asked.url, asked.status, asked.headers, b"", asked.error)
        if 300 <= asked.status < 400:
            return Answer(asked.url, asked.status, asked.headers, b"")
        if asked.size > LARGEST_ANSWER:
            return Answer(asked.url, asked.status, asked.headers, b"", "too large")
        try:
            body = await self._body(request)
        except PlaywrightError:
            return Answer(asked.url, asked.status, asked.headers, b"", "the body is gone")
        return Answer(asked.url, asked.status, asked.headers, body)

    async def _body(self, request: str) -> bytes:
        given: dict[str, Any] = await self.cdp.send("Network.getResponseBody", {"requestId": request})
        body = str(given["body"])
        return base64.b64decode(body) if given["base64Encoded"] else body.encode("utf-8", "surrogatepass")

    async def _seen(self, visit: _Visit, order: Order, answers: int, latency_s: float) -> Seen:
        document = visit.document or _Asked(self.page.url, 200)
        body: bytes | None = None
        if order.needs_document or not answers:
            body = await self._document(visit, document, order)
        return Seen(document.url, document.status, document.headers, body, answers, latency_s)

    async def _document(self, visit: _Visit, document: _Asked, order: Order) -> bytes:
        served = b""
        with suppress(PlaywrightError):  # the browser did not keep it: it is empty, or too large
            served = await self._body(visit.loader)
        if not 200 <= document.status < 300 or order.reads(document.url, served):
            return served
        return (await self.page.content()).encode("utf-8", "replace")

    # What the browser tells of its network. A request belongs to the visit when the document that asked is the visit's.

    def _sent(self, event: dict[str, Any]) -> None:
        visit = self._visit
        if visit is None:
            return
        request, url = event["requestId"], str(event["request"]["url"])
        if event.get("type") == "Document" and request == event["loaderId"]:
            if not url.startswith("http"):
                return
            if "redirectResponse" in event and visit.document is not None:
                told = event["redirectResponse"]
                visit.redirects.append(_Asked(visit.document.url, int(told["status"]), _headers(told["headers"])))
                if len(visit.redirects) > MOST_REDIRECTS:
                    self._later(self.cdp.send("Page.stopLoading"))
            visit.loader, visit.document = request, _Asked(url)
        elif request in visit.pending and "redirectResponse" in event:
            visit.pending[request].led_away = int(event["redirectResponse"]["status"])
        elif event["loaderId"] == visit.loader and visit.answers.search(url):
            visit.pending[request] = _Asked(url)
            visit.changed.set()

    def _received(self, event: dict[str, Any]) -> None:
        if asked := self._asked(event):
            asked.status = int(event["response"]["status"])
            asked.headers = _headers(event["response"]["headers"])
            asked.url = str(event["response"]["url"])

    def _data(self, event: dict[str, Any]) -> None:
        if asked := self._asked(event):
            asked.size += int(event["dataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        self._settle(event, "")

    def _failed(self, event: dict[str, Any]) -> None:
        error = str(event.get("errorText") or "failed")
        if (asked := self._asked(event)) and error in BROKEN_REDIRECTS:
            asked.led_away = 302
        self._settle(event, error)

    def _settle(self, event: dict[str, Any], error: str) -> None:
        if (visit := self._visit) and (asked := visit.pending.pop(event["requestId"], None)):
            if error and asked.led_away:  # to where the page may not read, or we do not go
                asked.status, error = asked.led_away, ""
                asked.headers = {}
            asked.error = error
            visit.finished.append((event["requestId"], asked))
            visit.changed.set()

    def _loaded(self) -> None:
        if self._visit is not None and self._visit.document is not None:
            self._visit.loaded = True
            self._visit.changed.set()

    def _asked(self, event: dict[str, Any]) -> _Asked | None:
        if self._visit is None:
            return None
        request = event["requestId"]
        return self._visit.document if request == self._visit.loader else self._visit.pending.get(request)

    def _break(self) -> None:
        self.broken = True
        if self._visit is not None:
            self._visit.changed.set()

    def _later(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names; what stands between lines of one name becomes a comma."""
    return {str(name).lower(): str(value).replace("\n", ", ") for name, value in given.items()}
