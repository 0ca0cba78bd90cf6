"""The site on a port of this machine: plain HTTP, virtual hosts, and a proxy that stands in for the whole web.

As a proxy it answers every host of the world itself, with TLS and a certificate of its own making, so that an
unmodified crawler or browser meets it under the real addresses. It never connects to anything.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from demo.site import boards, control, store, tls, x  # noqa: F401 - each registers its pages
from demo.site.app import Answer, Asked, Look, View, answer, known_hosts
from demo.site.clock import Clock
from demo.site.faults import KINDS, Fault, Faults, instead, spoil
from demo.site.tiktok import creative, lists, mall, older, pages  # noqa: F401 - each registers its pages
from demo.world import START, World

HERE = frozenset(("127.0.0.1", "localhost", "::1"))
REMEMBERED = 200_000
GZIP_FROM = 1400  # smaller bodies fit one packet anyway
MOMENT = "x-simulated-at"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as the site saw it."""

    at: datetime
    host: str
    path: str
    query: str
    agent: str
    status: int
    """0 where nothing was answered."""
    faults: tuple[str, ...]


@dataclass
class Site:
    """The world, its clock and its moods. Every attribute may be changed while it runs."""

    world: World
    clock: Clock
    look: Look = field(default_factory=Look)
    faults: Faults = field(default_factory=Faults)
    log: deque[Visit] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def proxies(self) -> dict[str, str]:
        """Environment with which a crawler meets this site under every real address."""
        proxy = f"http://{self.address}"
        return {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""}

    def answer(self, asked: Asked, proxied: bool) -> tuple[Answer, list[Fault], datetime]:
        """What is sent for a request, the faults it met, and the simulated moment."""
        at = self.clock.now()
        if asked.host in HERE and not proxied:
            if (ruled := control.answer(self, asked)) is not None:
                return ruled, [], at
        elif asked.host not in known_hosts():
            return Answer(502, body=b"no such host in the simulated web"), [], at
        struck = self.faults.strike(asked)
        view = View(self.world, at, self.look, frozenset(f.kind for f in struck if KINDS[f.kind].twist))
        for fault in struck:
            if (put := instead(fault, view, asked)) is not None:
                return put, struck, at
        given = answer(view, asked)
        for fault in struck:
            given = spoil(fault, given)
        return given, struck, at


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    proxied = False

    @property
    def site(self) -> Site:
        return cast("Server", self.server).site

    def do_CONNECT(self) -> None:
        """A tunnel: from here on, this connection speaks TLS with us as if we were the host."""
        host = self.path.rpartition(":")[0].strip("[]").lower()
        if host not in known_hosts():
            self._note(Asked("CONNECT", host, "/"), 502, ())
            self.send_error(502, "no such host in the simulated web")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            self.connection = cast(socket, tls.context().wrap_socket(self.connection, server_side=True))
        except (OSError, ssl.SSLError):
            self.close_connection = True
            return
        cast("Server", self.server).opened.add(self.connection)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = cast(Any, self.connection.makefile("wb", 0))
        self.proxied, self.close_connection = True, False

    def _serve(self) -> None:
        length = self.headers.get("content-length", "0")
        posted = self.rfile.read(int(length)) if length.isdecimal() else b""
        parts = urlsplit(self.path)
        proxied = self.proxied or bool(parts.netloc)
        host = (parts.netloc or self.headers.get("host", "")).rpartition("@")[2].lower()
        host = (host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host).strip("[]")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if posted:
            headers["x-posted"] = posted.decode("utf-8", "replace")
        asked = Asked(self.command, host.removesuffix(".localhost"), unquote(parts.path) or "/", parts.query, headers)
        given, struck, at = self.site.answer(asked, proxied)
        wires = {KINDS[fault.kind].wire: fault for fault in struck}
        self._note(asked, 0 if "refuse" in wires else given.status, tuple(fault.kind for fault in struck))
        if "refuse" in wires:
            self._cut()
        else:
            self._send(given, at, wires)

    do_GET = do_HEAD = do_POST = do_DELETE = _serve

    def _send(self, given: Answer, at: datetime, wires: dict[Any, Fault]) -> None:
        body, headers = given.body, dict(given.headers)
        if isinstance(body, bytes):
            if len(body) > GZIP_FROM and "gzip" in self.headers.get("accept-encoding", ""):
                body, headers["Content-Encoding"] = _gzip(body), "gzip"
            headers["Content-Length"] = str(len(body))
        self.send_response_only(given.status)
        self.send_header("Server", "simulated")
        self.send_header("Date", format_datetime(at.astimezone(UTC), usegmt=True))
        self.send_header(MOMENT, at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        self.send_header("Content-Type", given.kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:  # the end of the connection is the end of the body
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        if "drop" in wires and isinstance(body, bytes):
            self.wfile.write(body[: len(body) // 2])
            self._cut()
        elif "slow" in wires and isinstance(body, bytes):
            for part in _drops(body):
                self.wfile.write(part)
                time.sleep(wires["slow"].delay_s)
        else:
            for part in (body,) if isinstance(body, bytes) else body:
                self.wfile.write(part)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)

    def finish(self) -> None:
        """The library closes the socket it accepted; under a tunnel there is another one around it."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            cast("Server", self.server).opened.discard(self.connection)
            self.connection.close()

    def _note(self, asked: Asked, status: int, faults: tuple[str, ...]) -> None:
        agent = asked.headers.get("user-agent", "")
        self.site.log.append(Visit(self.site.clock.now(), asked.host, asked.path, asked.query, agent, status, faults))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal: the log of visits holds it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.opened: set[Any] = set()
        super().__init__(("127.0.0.1", port), Handler)
        site.port = self.server_address[1]

    def get_request(self) -> tuple[Any, Any]:
        connection, peer = super().get_request()
        self.opened.add(connection)
        return connection, peer

    def shutdown_request(self, request: Any) -> None:
        self.opened.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor that goes away in the middle is no error of the site; everything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.opened):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)
            with suppress(OSError):
                connection.close()


@lru_cache(maxsize=64)
def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(body) + packer.flush()


def _drops(body: bytes, parts: int = 8) -> Iterator[bytes]:
    size = max(1, -(-len(body) // parts))
    for at in range(0, len(body), size):
        yield body[at : at + size]


@contextmanager
def running(
    world: World | None = None, *, at: datetime = START, rate: float = 0.0, look: Look | None = None,
    faults: Iterable[Fault] = (), port: int = 0,
) -> Iterator[Site]:  # fmt: skip
    """The site in threads of this process until the block ends; port 0 takes a free one."""
    world = world or World()
    site = Site(world, Clock(at, rate), look or Look(), Faults(world.seed, list(faults)))
    server = Server(site, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.stop()
        thread.join()
