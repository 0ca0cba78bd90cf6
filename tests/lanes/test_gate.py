"""The browser's only door: listed public hosts, port 443, so many bytes; everything else stays shut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from crawler.lanes.gate import Gate, Refused, Upstream, public_addresses


@contextlib.asynccontextmanager
async def opened(gate: Gate) -> AsyncIterator[Gate]:
    await gate.open()
    try:
        yield gate
    finally:
        await gate.close()


async def said(gate: Gate, request: str) -> bytes:
    host, _, port = gate.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return answer


@contextlib.asynccontextmanager
async def proxy(answer: bytes) -> AsyncIterator[Upstream]:
    """Somebody's proxy, behind which every host says *answer*."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if b"Basic dTpw" in head else b"HTTP/1.1 407 No\r\n\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readexactly(1)
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Upstream("127.0.0.1", server.sockets[0].getsockname()[1], "dTpw")
    finally:
        server.close()


REFUSED = [
    "CONNECT www.example.org:443 HTTP/1.1",  # not on the list
    "CONNECT localhost:443 HTTP/1.1",  # on the list, and our own machine
    "CONNECT 127.0.0.1:443 HTTP/1.1",
    "CONNECT [::1]:443 HTTP/1.1",
    "CONNECT 169.254.169.254:443 HTTP/1.1",
    "CONNECT shop.example:22 HTTP/1.1",
    "GET http://169.254.169.254/latest/meta-data/ HTTP/1.1",
    "GET / HTTP/1.1",
]


@pytest.mark.parametrize("request_line", REFUSED)
def test_nothing_but_listed_public_hosts_is_let_through(request_line):
    async def main() -> bytes:
        listed = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "shop.example")
        async with opened(Gate(listed)) as gate:
            return await said(gate, f"{request_line}\r\nHost: x\r\n\r\n")

    assert asyncio.run(main()).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("host", "passes"),
    [("a.example", True), ("cdn.b.example", True), ("b.example", False), ("xb.example", False),
     ("a.example.evil.org", False)],
)  # fmt: skip
def test_a_name_with_a_dot_before_it_stands_for_the_hosts_below(host, passes):
    assert Gate(("a.example", ".b.example")).permits(host) is passes


def test_an_answer_that_never_ends_is_cut_and_bytes_are_counted_by_host():
    async def main() -> tuple[int, int]:
        async with proxy(b"x" * 400_000) as upstream, opened(Gate(("a.example",), upstream, 100_000)) as gate:
            host, _, port = gate.address.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.write(b"?")
            came = 0
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65536):
                    came += len(data)
            writer.close()
            return came, gate.bytes["a.example"]

    came, counted = asyncio.run(main())
    assert came <= 100_000 < counted


def test_a_proxy_that_opens_no_tunnel_is_told_as_unreachable():
    async def main() -> bytes:
        async with proxy(b"") as right, opened(Gate(("a.example",), Upstream(right.host, right.port, "bm8="))) as gate:
            return await said(gate, "CONNECT a.example:443 HTTP/1.1\r\n\r\n")

    assert asyncio.run(main()).startswith(b"HTTP/1.1 502")


def test_a_proxys_address_keeps_its_login_out_of_sight():
    upstream = Upstream.parse("http://u:p@proxy.example:3128")
    assert upstream == Upstream("proxy.example", 3128, "dTpw")
    assert "dTpw" not in repr(upstream)
    assert Upstream.parse(None) is None


def test_a_name_of_this_machine_has_no_public_address():
    with pytest.raises(Refused):
        asyncio.run(public_addresses("localhost"))
