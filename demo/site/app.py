"""The site as pure functions: what was asked, at which simulated moment, and what is answered. No sockets here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from demo.world import World

Era = Literal["universal", "sigi", "next", "node"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """How the pages of the video platform are made."""

    era: Era = "universal"
    """Which script tag holds the state: 2023 and later, 2022, 2020-21, first quarter of 2020."""
    exact: bool = True
    """Profiles carry statsV2, which is not rounded."""
    rendered: bool = False
    """Cards and counters stand in the HTML, as in a page saved from a browser."""
    tag_state: bool = True
    """Hashtag pages carry webapp.challenge-detail; some do not, and then only the text shows it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: host without port, path decoded, query as it came."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""

    @property
    def url(self) -> str:
        return f"{self.host}{self.path}" + (f"?{self.query}" if self.query else "")

    def get(self, name: str, otherwise: str = "") -> str:
        return dict(parse_qsl(self.query)).get(name, otherwise)

    def whole(self, name: str, otherwise: int, most: int = 10**6) -> int:
        """A whole number from the query; anything else counts as not given."""
        value = self.get(name)
        return min(int(value), most) if value.isdecimal() and len(value) < 15 else otherwise


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    body: bytes | Iterable[bytes] = b""
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class View:
    """The world at the moment of a request, and how it is to be shown."""

    world: World
    at: datetime
    look: Look = Look()
    twists: frozenset[str] = frozenset()
    """Faults that the page itself must play: private, missing, falling, renamed, grid_failed, endless."""

    @property
    def at_h(self) -> float:
        return self.world.hour(self.at)


Handler = Callable[..., Answer]
_ROUTES: list[tuple[frozenset[str], re.Pattern[str], Handler, bool]] = []
_HOSTS: set[str] = set()


def route(hosts: Iterable[str], path: str, *, only_by_name: bool = False) -> Callable[[Handler], Handler]:
    """Answer requests of these hosts whose whole path matches; named groups become arguments.

    only_by_name: not where one address stands for all hosts, because the path fits everything.
    """

    def register(handler: Handler) -> Handler:
        _HOSTS.update(hosts)
        _ROUTES.append((frozenset(hosts), re.compile(path), handler, only_by_name))
        return handler

    return register


def known_hosts() -> frozenset[str]:
    return frozenset(_HOSTS)


def answer(view: View, asked: Asked) -> Answer:
    """The page that was asked for. A host that is none of ours (127.0.0.1) stands for all of them at once."""
    everywhere = asked.host not in _HOSTS
    for hosts, path, handler, only_by_name in _ROUTES:
        if ((everywhere and not only_by_name) or asked.host in hosts) and (found := path.fullmatch(asked.path)):
            return handler(view, asked, **found.groupdict())
    return Answer(404, body=b"<!doctype html><title>Not found</title><h1>404</h1><p>simulated</p>")


def as_json(data: Any, status: int = 200, headers: Headers = (), kind: str = "application/json") -> Answer:
    return Answer(status, f"{kind}; charset=utf-8", json.dumps(data, ensure_ascii=False).encode(), headers)


def page(text: str, status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(status, body=text.encode(), headers=headers)


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status, body=b"", headers=(("Location", to),))


def in_script(data: Any) -> str:
    """JSON that may stand in a script element: no '<' ends it, whatever the texts hold."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003C")
