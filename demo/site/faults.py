"""Misbehaviour on demand: what can go wrong, how it looks on the wire, and what it truly is.

A fault has a kind, a pattern for `host/path?query`, and either a number of times or a share of the requests, drawn with
a seed: the same requests meet the same faults.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from demo.site.app import Answer, Asked, View, page, redirect
from demo.site.walls import WALLS
from demo.world.chance import share

Wire = Literal["", "refuse", "drop", "slow"]
HUGE_BYTES = 200 * 1024 * 1024
PRIVATE_ADDRESSES = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/",
    "http://[::1]:1/",
    "http://10.0.0.1/",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to misbehave."""

    truth: str
    """The outcome a crawler should come to, as crawler/outcomes.py names it. `ok`: the numbers shown may be kept."""
    what: str
    twist: bool = False
    """Played by the page itself (View.twists), not put in its place."""
    wire: Wire = ""


KINDS = {
    "rate_limited": Kind("rate_limited", "429 with Retry-After"),
    "forbidden": Kind("blocked", "403"),
    "unauthorized": Kind("login_wall", "401"),
    "captcha": Kind("blocked", "200 and a captcha page"),
    "challenge": Kind("blocked", "200 and a page whose script must run first"),
    "shell": Kind("blocked", "200 and the page's frame without any data"),
    "static_shell": Kind("blocked", "200 and the static site's frame without any data"),
    "empty": Kind("blocked", "200 and not a single byte"),
    "login_wall": Kind("login_wall", "302 to the login page"),
    "consent": Kind("consent", "200 and a question about cookies"),
    "consent_redirect": Kind("consent", "302 to a consent host"),
    "geo": Kind("geo", "451"),
    "not_found": Kind("missing", "404"),
    "server_error": Kind("network", "503"),
    "refused": Kind("network", "the connection is closed before a byte", wire="refuse"),
    "dropped": Kind("network", "the connection is closed in the middle of the body", wire="drop"),
    "slow": Kind("ok", "the body comes in drops", wire="slow"),
    "truncated": Kind("shape_changed", "a whole answer with half a body"),
    "malformed": Kind("shape_changed", "JSON or RSS that is none"),
    "private_redirect": Kind("blocked", "302 to an address inside the crawler's own network"),
    "too_fast": Kind("rate_limited", "429 with Retry-After, but only to whoever asks too often within a real second"),
    "broken_redirect": Kind("blocked", "302 to what is no address"),
    "redirect_loop": Kind("network", "302 to itself"),
    "huge": Kind("network", "a body of 200 MB"),
    "flood": Kind("network", "a body of 200 MB that does not say how long it is"),
    "bomb": Kind("network", "half a megabyte that unpacks to 200 MB"),
    "robots": Kind("robots", "robots.txt forbids everything"),
    "missing": Kind("missing", "no such account, post, tag or product", twist=True),
    "private": Kind("private", "the account is private", twist=True),
    "grid_failed": Kind("ok", "the grid says that something went wrong; the rest of the page is good", twist=True),
    "endless": Kind("ok", "the grid never ends and repeats itself", twist=True),
    "falling": Kind("ok", "counters fall to six tenths", twist=True),
    "renamed": Kind("shape_changed", "a key that is needed has another name", twist=True),
    "quota": Kind("rate_limited", "403: the quota of the key for the video chart is used up", twist=True),
    "unsigned": Kind("blocked", "200 and `no permission` from the Creative Center", twist=True),
}


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    path: str = ""
    """Regular expression, searched in host/path?query; '' is every request."""
    share: float = 1.0
    """Part of the matching requests that it strikes."""
    times: int | None = None
    """How often it strikes at most; None for ever."""
    after: int = 0
    """Matching requests that it lets pass first."""
    retry_after_s: int = 7
    delay_s: float = 0.2
    """Between two drops of a slow body."""
    per_s: int = 2
    """Requests a second that too_fast puts up with."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault {self.kind!r}: there is no such kind; there are {', '.join(KINDS)}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"fault {self.kind}: {self.path!r} is no regular expression ({error})") from None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """'captcha', 'rate_limited:/@nasa', 'dropped:/api/:0.3', 'login_wall:/@:x2' (share, or x and times)."""
        kind, _, rest = text.partition(":")
        path, _, much = rest.rpartition(":") if re.search(r":(x\d+|0?\.\d+|1)$", rest) else (rest, "", "")
        if much.startswith("x"):
            return cls(kind, path, times=int(much[1:]))
        return cls(kind, path, share=float(much)) if much else cls(kind, path)


@dataclass
class Faults:
    """The faults in force, counted by request; shared by all threads of the site."""

    seed: int = 7
    listed: list[Fault] = field(default_factory=list)
    real_s: Callable[[], float] = time.monotonic
    _seen: dict[int, int] = field(default_factory=dict)
    _struck: dict[int, int] = field(default_factory=dict)
    _moments: dict[int, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, path: str = "", **more: float) -> Fault:
        fault = replace(Fault(kind, path), **more)  # type: ignore[arg-type]
        with self._lock:
            self.listed.append(fault)
        return fault

    def put(self, fault: Fault) -> None:
        with self._lock:
            self.listed.append(fault)

    def clear(self) -> None:
        with self._lock:
            self.listed.clear()
            self._seen.clear()
            self._struck.clear()
            self._moments.clear()

    def strike(self, asked: Asked) -> list[Fault]:
        """The faults that this request meets; counts it. robots.txt meets none but its own."""
        with self._lock:
            return [fault for n, fault in enumerate(self.listed) if self._strikes(n, fault, asked)]

    def _strikes(self, n: int, fault: Fault, asked: Asked) -> bool:
        is_robots = asked.path == "/robots.txt"
        if is_robots != (fault.kind == "robots"):
            return False
        if not re.search(fault.path if not is_robots else fault.path.partition("/")[0], asked.url):
            return False
        seen = self._seen[n] = self._seen.get(n, 0) + 1
        if seen <= fault.after or (fault.times is not None and self._struck.get(n, 0) >= fault.times):
            return False
        if fault.share < 1 and share(self.seed, "fault", n, seen) >= fault.share:
            return False
        if fault.kind == "too_fast" and self._within_a_second(n) <= fault.per_s:
            return False
        self._struck[n] = self._struck.get(n, 0) + 1
        return True

    def _within_a_second(self, n: int) -> int:
        """Requests of the last real second, this one included."""
        moments, now = self._moments.setdefault(n, deque()), self.real_s()
        moments.append(now)
        while moments[0] <= now - 1:
            moments.popleft()
        return len(moments)


def instead(fault: Fault, view: View, asked: Asked) -> Answer | None:
    """The answer that this fault puts in the place of the page; None when the page itself is needed."""
    match fault.kind:
        case "rate_limited" | "too_fast":
            return page("slow down", 429, (("Retry-After", str(fault.retry_after_s)),))
        case "forbidden" | "unauthorized" | "geo" | "not_found" | "server_error":
            status = {"forbidden": 403, "unauthorized": 401, "geo": 451, "not_found": 404, "server_error": 503}[
                fault.kind
            ]
            return page(f"<!doctype html><title>{status}</title><h1>{status}</h1>", status)
        case "captcha" | "challenge" | "shell" | "static_shell" | "consent":
            return page(WALLS[fault.kind])
        case "empty":
            return Answer(kind="application/json; charset=utf-8")
        case "login_wall":
            return redirect(f"https://{asked.host}/login?redirect_url=https%3A%2F%2F{asked.host}")
        case "consent_redirect":
            return redirect(f"https://consent.{asked.host.removeprefix('www.')}/m?continue=https%3A%2F%2F{asked.host}")
        case "private_redirect":
            return redirect(PRIVATE_ADDRESSES[len(asked.url) % len(PRIVATE_ADDRESSES)])
        case "broken_redirect":
            return redirect("http://[::1")
        case "redirect_loop":
            return redirect(f"https://{asked.url}")
        case "flood":
            return Answer(body=_huge())
        case "bomb":
            return Answer(
                body=(_bomb(),), headers=(("Content-Encoding", "gzip"), ("Content-Length", str(len(_bomb()))))
            )
        case "huge":
            return Answer(body=_huge(), headers=(("Content-Length", str(HUGE_BYTES)),))
        case "robots":
            return Answer(kind="text/plain", body=b"User-agent: *\nDisallow: /\n")
    return None


def spoil(fault: Fault, given: Answer) -> Answer:
    """The page's own answer with its body harmed."""
    if not isinstance(given.body, bytes):
        return given
    if fault.kind == "truncated":
        return replace(given, body=_before_the_data_ends(given.body))
    if fault.kind == "malformed":
        return replace(given, body=_torn(given.body))
    return given


def _before_the_data_ends(body: bytes) -> bytes:
    """Half of it, and never as much as would leave the first script whole."""
    end = body.find(b"</script>")
    return body[: min(len(body) // 2, end // 2 if end > 0 else len(body))]


def _torn(body: bytes) -> bytes:
    """Every colon after a name becomes a semicolon, no item of a feed ends: long, plausible, neither."""
    return body.replace(b'":', b'";').replace(b"</item>", b"<item>")


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(map(packer.compress, _huge())) + packer.flush()


def _huge() -> Iterator[bytes]:
    block = b"<!-- simulated -->\n" * 3449  # 64 KiB or so, made once
    left = HUGE_BYTES
    while left > 0:
        part = block[:left]
        left -= len(part)
        yield part
