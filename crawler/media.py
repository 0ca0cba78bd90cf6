"""Files that a post names (subtitles, covers), fetched only when the user asks: few hosts, no redirect.

The addresses come from pages, so they are hostile: https alone, hosts of the platform's own file servers, and the
connection goes to the very address that was checked. Signed links expire; one that has is never asked for.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit
from urllib.robotparser import RobotFileParser

HOSTS = (".tiktokcdn.com", ".tiktokcdn-us.com", ".tiktokcdn-eu.com", ".tiktokv.com", ".tiktokv.us", ".tiktokv.eu",
         ".tiktok.com", ".twimg.com")  # fmt: skip
LARGEST = 8_000_000  # bytes; covers have 200 kB, subtitles of an hour 100 kB
TIMEOUT_S = 15.0
_EXPIRES = re.compile(r"(?:^|[?&])(?:x-)?expires?=(\d{9,11})(?:&|$)", re.I)
_PATH_EXPIRES = re.compile(r"/[0-9a-f]{32}/([0-9a-f]{8})/")  # https://host/<signature>/<seconds in hex>/video/…


class NotFetched(Exception):
    """Why a file was not fetched, in a word that can be counted: expired, host, private, robots, …"""


def expired(url: str, now: datetime) -> bool:
    """By the moment that a signed address states; one that states none is not."""
    found = _EXPIRES.search(url)
    hexed = _PATH_EXPIRES.search(url)
    until_s = int(found[1]) if found else int(hexed[1], 16) if hexed else None
    return until_s is not None and datetime.fromtimestamp(until_s, UTC) <= now


def checked_connection(host: str) -> http.client.HTTPConnection:
    """To a public address of *host*, with its certificate checked. Raises NotFetched, OSError."""
    addresses = [str(each[4][0]) for each in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    if not addresses or not all(ipaddress.ip_address(each.partition("%")[0]).is_global for each in addresses):
        raise NotFetched("private")
    made = http.client.HTTPSConnection(host, timeout=TIMEOUT_S)
    plain = socket.create_connection((addresses[0], 443), TIMEOUT_S)
    made.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    return made


@dataclass
class Fetcher:
    """*wait* is called before every request, with the host."""

    agent: str
    wait: Callable[[str], None]
    connect: Callable[[str], http.client.HTTPConnection] = checked_connection
    hosts: tuple[str, ...] = HOSTS
    _robots: dict[str, RobotFileParser] = field(default_factory=dict)

    def __call__(self, url: str, now: datetime) -> bytes:
        """The body. Raises NotFetched."""
        parts = _parts(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or not f".{host}".endswith(self.hosts) or parts.port not in (None, 443):
            raise NotFetched("host")
        if expired(url, now):
            raise NotFetched("expired")
        if not self._allowed(host).can_fetch(self.agent, url):
            raise NotFetched("robots")
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        status, body = self._get(host, path)
        if status != http.client.OK:
            raise NotFetched(f"status {status}")
        return body

    def _allowed(self, host: str) -> RobotFileParser:
        if host not in self._robots:
            status, body = self._get(host, "/robots.txt")
            told = body.decode("utf-8", "replace") if status == http.client.OK else ""
            if status >= http.client.INTERNAL_SERVER_ERROR:  # RFC 9309: unreachable means no
                told = "User-agent: *\nDisallow: /"
            self._robots[host] = RobotFileParser()
            self._robots[host].parse(told.splitlines())
        return self._robots[host]

    def _get(self, host: str, path: str) -> tuple[int, bytes]:
        self.wait(host)
        try:
            connection = self.connect(host)
            try:
                connection.request("GET", path, headers={"User-Agent": self.agent, "Accept-Encoding": "identity"})
                answer = connection.getresponse()
                body = answer.read(LARGEST + 1)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotFetched(f"network ({type(error).__name__})") from None
        if len(body) > LARGEST:
            raise NotFetched("too large")
        return answer.status, body


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotFetched("host") from None
    return parts
