"""The one door of the browser: a proxy of our own on loopback. Whatever a page asks for goes through it or nowhere.

A page's own requests, redirects and scripts cannot be trusted with our network. So the browser knows no other way than
this door, which opens tunnels to listed hosts on port 443 only, looks their names up itself, refuses addresses that
are not public, connects to the address it has checked, and counts bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from base64 import b64encode
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from socket import SOCK_STREAM
from typing import cast
from urllib.parse import unquote, urlsplit

HEAD_BYTES = 16_384  # of a request for a tunnel; a browser's has 300
HANDSHAKE_S = 15.0
REFUSED = b"HTTP/1.1 403 Refused by Tidemark\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
UNREACHABLE = b"HTTP/1.1 502 Unreachable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The proxy that the user's environment names; it looks names up itself."""

    host: str
    port: int
    login: str = field(default="", repr=False)
    """Ready for a Proxy-Authorization header; empty where it wants none."""

    @classmethod
    def parse(cls, url: str | None) -> Upstream | None:
        if not url:
            return None
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if not parts.hostname:
            return None
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        login = b64encode(pair.encode()).decode() if parts.username else ""
        return cls(parts.hostname, parts.port or 80, login)


@dataclass
class Gate:
    """hosts: exact names, or '.name' for every host below it."""

    hosts: Collection[str]
    upstream: Upstream | None = None
    most_bytes: int = 64 * 1024 * 1024
    """Of one answer; the tunnel that brings more is cut."""
    bytes: Counter[str] = field(default_factory=Counter)
    """Received, by host."""
    refused: Counter[str] = field(default_factory=Counter)
    """Tunnels not opened, by host."""
    _server: asyncio.Server | None = None
    _tunnels: set[Tunnel] = field(default_factory=set)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Tunnel(self), "127.0.0.1", 0)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for tunnel in list(self._tunnels):
                tunnel.cut()
            await self._server.wait_closed()

    def permits(self, host: str) -> bool:
        return any(host == each or (each[0] == "." and host.endswith(each)) for each in self.hosts)

    @property
    def total_bytes(self) -> int:
        return self.bytes.total()


class Side(asyncio.Protocol):
    """One end of a tunnel: what comes in goes out at the other end, which slows it when it cannot keep up."""

    other: Side | None = None
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            with contextlib.suppress(RuntimeError):
                self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


class Far(Side):
    """Towards the site, or towards the proxy before it."""

    def __init__(self, near: Tunnel, host: str, waits_for_proxy: bool) -> None:
        self.near = near
        self.host = host
        self.head = b""
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not waits_for_proxy:
            self.ready.set_result(True)

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.head += data
            if b"\r\n\r\n" in self.head:
                self.ready.set_result(self.head.split(b" ", 2)[1:2] == [b"200"])
            return
        self.near.gate.bytes[self.host] += len(data)
        self.near.since_asked += len(data)
        if self.near.since_asked > self.near.gate.most_bytes:
            self.near.cut()
        else:
            self.near.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_result(False)
        super().connection_lost(error)


class Tunnel(Side):
    """Towards the browser."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.head = b""
        self.since_asked = 0
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.gate._tunnels.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gate._tunnels.discard(self)
        if self.task is not None:
            self.task.cancel()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.since_asked = 0
            self.other.transport.write(data)
            return
        self.head += data
        if len(self.head) > HEAD_BYTES:
            self.cut()
        elif b"\r\n\r\n" in self.head and self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._open())

    def cut(self) -> None:
        self.transport.abort()
        if self.other is not None:
            self.other.transport.abort()

    async def _open(self) -> None:
        method, _, rest = self.head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        host, _, port = rest.split(" ")[0].rpartition(":")
        host = host.strip("[]").lower()
        if method != "CONNECT" or port != "443" or not self.gate.permits(host):
            self.gate.refused[host or urlsplit(rest.split(" ")[0]).hostname or "?"] += 1
            self._answer(REFUSED)
            return
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                far = await self._connected(host)
        except (OSError, TimeoutError, Refused) as error:
            self.gate.refused[host] += isinstance(error, Refused)
            self._answer(REFUSED if isinstance(error, Refused) else UNREACHABLE)
            return
        far.other, self.other = self, far
        self.transport.write(OPENED)

    def _answer(self, said: bytes) -> None:
        self.transport.write(said)
        self.transport.close()

    async def _connected(self, host: str) -> Far:
        """Raises OSError, TimeoutError, Refused."""
        loop = asyncio.get_running_loop()
        upstream = self.gate.upstream
        if upstream is None:
            for n, where in enumerate(addresses := await public_addresses(host), start=1):
                try:
                    return (await loop.create_connection(lambda: Far(self, host, False), where, 443))[1]
                except OSError:
                    if n == len(addresses):
                        raise
        else:
            _, far = await loop.create_connection(lambda: Far(self, host, True), upstream.host, upstream.port)
            login = f"Proxy-Authorization: Basic {upstream.login}\r\n" if upstream.login else ""
            far.transport.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{login}\r\n".encode("latin-1"))
            if await far.ready:
                return far
            far.transport.close()
        raise OSError("no tunnel")


class Refused(Exception):
    """The name leads into a private network."""


async def public_addresses(host: str) -> list[str]:
    """The addresses of a host, all of which are public. Raises OSError, Refused."""
    found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=SOCK_STREAM)
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    if not addresses or not all(ipaddress.ip_address(each).is_global for each in addresses):
        raise Refused(host)
    return addresses
