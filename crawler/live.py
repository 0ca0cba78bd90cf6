"""Does each source still answer? One polite request a source: what its robots.txt says, and what its page is read as.

Nothing is stored, and no browser is started: a source that needs one is asked for its plain page.
"""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from crawler.lanes import redact
from crawler.lanes.http import may_follow
from crawler.outcomes import of_status
from crawler.pages import Page

MOST_BYTES = 8_000_000
WITHIN_S = 20.0
APART_S = 2.0  # between two requests to one host


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    url: str
    page: str
    needs: str = ""
    """What it cannot be asked without."""


@dataclass(frozen=True, slots=True)
class Answer:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


Fetch = Callable[[str], Answer]
"""Raises OSError."""


@dataclass(frozen=True, slots=True)
class Finding:
    source: str
    host: str
    robots: str
    outcome: str
    at: datetime
    note: str = ""

    def line(self) -> str:
        return (
            f"{self.source:24} {self.host:28} robots: {self.robots:11} {self.outcome:13} {self.at:%Y-%m-%d %H:%M} UTC"
            + (f"  {redact.text(self.note)[:90]}" if self.note else "")
        )


def examine(
    sources: list[Source], agent: str, now: Callable[[], datetime], fetch: Fetch,
    rest: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:  # fmt: skip
    """Each as soon as it is known. agent: the name that robots.txt may know us by."""
    rules: dict[str, tuple[str, RobotFileParser | None]] = {}
    for source in sources:
        host = urlsplit(source.url).hostname or ""
        if source.needs:
            yield Finding(source.name, host, "not asked", "not asked", now(), f"needs {source.needs}")
            continue
        was_asked = host in rules
        said, parser = rules[host] if was_asked else _rules(source.url, fetch)
        rules[host] = said, parser
        allowed = said == "none" or (parser is not None and parser.can_fetch(agent, source.url))
        if not allowed:
            verdict = said if parser is None else "forbids"
            yield Finding(source.name, host, verdict, "network" if said == "no answer" else "robots", now())
            continue
        if was_asked:
            rest(APART_S)
        outcome, note = _outcome(source, now, fetch)
        yield Finding(source.name, host, "none" if said == "none" else "allows", outcome, now(), note)


def _rules(url: str, fetch: Fetch) -> tuple[str, RobotFileParser | None]:
    """As RFC 9309 has it: none is leave, one that cannot be had is not."""
    parts = urlsplit(url)
    try:
        answer = fetch(f"{parts.scheme}://{parts.netloc}/robots.txt")
    except (OSError, HTTPException):
        return "no answer", None
    if answer.status >= 500 or answer.status == 429:
        return "unreachable", None
    if answer.status >= 400:
        return "none", None
    parser = RobotFileParser()
    parser.parse(answer.body.decode("utf-8", "replace").splitlines())
    return "found", parser


def _outcome(source: Source, now: Callable[[], datetime], fetch: Fetch) -> tuple[str, str]:
    try:
        answer = fetch(source.url)
    except (OSError, HTTPException) as error:
        return "network", type(error).__name__
    page = Page.registry[source.page](answer.url, answer.body, now(), answer.headers)
    outcome = of_status(answer.status) or page.outcome
    if of_status(answer.status) is None and page.result.bare:
        return str(outcome), "no data without a browser; the crawl tries one"
    follows = " its list needs the browser" if page.result.follows else ""
    return str(outcome), follows.strip()


class _Careful(urllib.request.HTTPRedirectHandler):
    """Redirects stay on their site."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not may_follow(req.full_url, newurl):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetcher(user_agent: str) -> Fetch:
    context = ssl.create_default_context()
    opener = urllib.request.build_opener(_Careful, urllib.request.HTTPSHandler(context=context))

    def fetch(url: str) -> Answer:
        request = urllib.request.Request(url, headers={"User-Agent": user_agent, "Accept": "*/*"})
        try:
            with opener.open(request, timeout=WITHIN_S) as given:
                return _answer(given, given.status)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error, error.code)
        except ValueError as error:
            raise OSError(str(error)) from None

    return fetch


def _answer(given: Any, status: int) -> Answer:
    headers = {name.lower(): value for name, value in given.headers.items()}
    return Answer(given.url, status, headers, given.read(MOST_BYTES))
