"""Lane api: somebody else's way to TikTok, with the user's own key. Chosen by the setting API_SERVICE, never needed.

tikapi       lists as JSON: posts of an account, hashtag, sound, search          TIKAPI_KEY
scrapingbee  the page in a browser of theirs, with what it requested itself      SCRAPINGBEE_API_KEY

A service takes the place of the browser: same orders, same pages, same archive. Keys travel in headers, or in an
address that nothing logs, keeps or archives.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from playwright.async_api import Error as PlaywrightError

from crawler.config import Config, ConfigError
from crawler.fields import dig
from crawler.lanes.tab import Answer, Order, Seen

TIKAPI = "https://api.tikapi.io/public"
SCRAPINGBEE = "https://app.scrapingbee.com/api/v1/"
PER_PAGE = 30
MOST_SCROLLS = 20


@dataclass(frozen=True, slots=True)
class Told:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Ask = Callable[[str, Mapping[str, str]], Awaitable[Told]]


class Service(Protocol):
    async def visit(self, url: str, order: Order, ask: Ask) -> Seen: ...


def service_of(name: str, config: Config) -> Service | None:
    """None: no service. Raises ConfigError with the key that is lacking."""
    match name:
        case "":
            return None
        case "tikapi":
            return Tikapi(_key("TIKAPI_KEY", config.tikapi_key))
        case "scrapingbee":
            return ScrapingBee(_key("SCRAPINGBEE_API_KEY", config.scrapingbee_api_key))
    raise ConfigError(f"API_SERVICE={name[:20]!r}: expected tikapi or scrapingbee")


def _key(name: str, value: str | None) -> str:
    if not value:
        raise ConfigError(f"{name}: not set; API_SERVICE wants it. See .env.example")
    return value


@dataclass(frozen=True)
class Tikapi:
    key: str = field(repr=False)

    async def visit(self, url: str, order: Order, ask: Ask) -> Seen:
        """The list that the page at *url* would have shown; before it, where needed, what the page itself is for."""

        async def told(path: str, **query: str) -> tuple[str, Told]:
            address = f"{TIKAPI}/{path}?{urlencode(query)}"
            return address, await ask(address, {"X-API-KEY": self.key, "Accept": "application/json"})

        parts = urlsplit(url)
        name, kind = unquote(parts.path.rstrip("/").rpartition("/")[2]), parts.path.split("/")[1]
        path, query, head = "", {}, None
        if kind.startswith("@") and parts.path.count("/") == 1:
            head = await told("check", username=name.removeprefix("@"))
            path, query = "posts", {"secUid": str(dig(head[1].json(), "userInfo", "user", "secUid") or "")}
        elif kind == "tag":
            head = await told("hashtag", name=name)
            path, query = "hashtag", {"id": str(dig(head[1].json(), "challengeInfo", "challenge", "id") or "")}
        elif kind == "music":
            path, query = "music", {"id": name.rpartition("-")[2]}
        elif kind == "search":
            path, query = "search/general", {"query": parse_qs(parts.query).get("q", [""])[0]}
        else:
            raise PlaywrightError("tikapi has no such list")
        heard = 0
        if all(query.values()):
            heard = await _lists(order, lambda more: told(path, **query, count=str(PER_PAGE), **more))
        whole = head is not None and (order.needs_document or not heard)
        address, first = head or (url, Told(200, {}, b""))
        return Seen(address, first.status, first.headers, first.body if whole else None, heard, 0.0)


async def _lists(order: Order, told: Callable[[dict[str, str]], Awaitable[tuple[str, Told]]]) -> int:
    """Answer by answer, each with the cursor of the one before."""
    heard, more = 0, dict[str, str]()
    while True:
        address, given = await told(more)
        step = await order.heard(Answer(address, given.status, given.headers, given.body))
        heard += 1
        answer = given.json()
        name = next((each for each in ("nextCursor", "cursor") if dig(answer, each)), None)
        if not step.go_on or name is None:
            return heard
        more = {name: str(answer[name])}


@dataclass(frozen=True)
class ScrapingBee:
    key: str = field(repr=False)

    async def visit(self, url: str, order: Order, ask: Ask) -> Seen:
        scenario = {"instructions": [{"infinite_scroll": {"max_count": MOST_SCROLLS, "delay": 1000}}]}
        query = {"api_key": self.key, "url": url, "render_js": "true", "json_response": "true",
                 "js_scenario": json.dumps(scenario)}  # fmt: skip
        told = await ask(f"{SCRAPINGBEE}?{urlencode(query)}", {})
        page = told.json()
        if not isinstance(page, dict) or not isinstance(page.get("body"), str):
            # Their own refusal (key, credits, rate) is what became of the visit; its text may quote our address.
            return Seen(url, told.status if told.status >= 400 else 502, {}, b"", 0, 0.0)
        heard = 0
        for each in page["xhr"] if isinstance(page.get("xhr"), list) else []:
            if not order.answers.search(str(dig(each, "url"))):
                continue
            body = dig(each, "body")
            text = body if isinstance(body, str) else json.dumps(body)
            status = dig(each, "status_code")
            status = status if isinstance(status, int) else 200
            step = await order.heard(Answer(str(each["url"]), status, _headers(dig(each, "headers")), text.encode()))
            heard += 1
            if not step.go_on:
                break
        status = page.get("initial-status-code")
        whole = order.needs_document or not heard
        return Seen(
            str(page.get("resolved-url") or url), status if isinstance(status, int) else 200,
            _headers(page.get("headers")), page["body"].encode() if whole else None, heard, 0.0,
        )  # fmt: skip


def _headers(given: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
