"""The living site for a benchmark: its own answers, made beforehand and sent from memory, in a process of its own.

A site that makes its pages while they are asked for takes its time from the crawlers beside it: more than our lane http
does for a page. Here each visitor gets the same bytes for next to nothing. Visit n of a profile shows the
account as it was in minute n, so no two bodies are alike. What was not made beforehand is answered by the living site.

`python -m benchmarks.crawl_site PROFILES POSTS`: says its port; then takes `begin` (forget what was counted) and `told`
(what was counted since, as JSON) line by line.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from demo.site import Site, tls
from demo.site import server as living
from demo.site.app import Answer, Asked, View, answer, known_hosts
from demo.site.clock import Clock
from demo.site.tiktok.token import signed
from demo.world import START, World, names

HOST = "www.tiktok.com"
LIST = "/api/post/item_list/"
HANDLES = [each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell")]
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
GRID = re.compile(rb'data-grid="[^"]+" data-card="[^"]+" data-query="([^"]+)"')


@dataclass
class Counted:
    """Since it was last asked to begin."""

    pages_s: list[float] = field(default_factory=list)
    """Monotonic moments at which a page of a profile or post was asked for."""
    lists_s: list[float] = field(default_factory=list)
    bytes: int = 0
    requests: int = 0
    cpu_s: float = field(default_factory=time.process_time)

    def told(self) -> dict[str, Any]:
        return {"pages_s": self.pages_s, "lists_s": self.lists_s, "bytes": self.bytes, "requests": self.requests,
                "cpu_s": time.process_time() - self.cpu_s}  # fmt: skip


class Recorded:
    """profiles: how many visits of profiles there are, each with its first list; posts: how many pages of posts."""

    def __init__(self, profiles: int, posts: int) -> None:
        world = World(7)
        began = START + timedelta(hours=30)
        self.site = Site(world, Clock(began + timedelta(minutes=profiles + 1), 1.0))
        self.kept: dict[bytes, tuple[bytes, bytes]] = {}
        """By path and query: the head without what changes, and the packed body."""
        self.counted = Counted()
        for n in range(profiles):
            self._profile(n, View(world, began + timedelta(minutes=n)))
        for post_id in post_ids(world, began, posts):
            path = f"/@/video/{post_id}"
            self._keep(path.encode(), answer(View(world, began), Asked("GET", HOST, path)))

    def _profile(self, n: int, view: View) -> None:
        path = f"/@{HANDLES[n % len(HANDLES)]}"
        page = answer(view, Asked("GET", HOST, path))
        self._keep(f"{path}?n={n}".encode(), page)
        assert isinstance(page.body, bytes)
        if found := GRID.search(page.body):
            query = signed(view, LIST, found[1].decode().replace("&amp;", "&") + "&cursor=0")
            self._keep(f"{LIST}?{query}".encode(), answer(view, Asked("GET", HOST, LIST, query)))

    def _keep(self, key: bytes, given: Answer) -> None:
        assert isinstance(given.body, bytes)
        packer = zlib.compressobj(6, wbits=31)
        body = packer.compress(given.body) + packer.flush()
        self.kept[key] = (_head(given, len(body), "Content-Encoding: gzip\r\n"), body)

    def serve(self, connection: socket.socket) -> None:
        """One connection until its visitor goes; threads, because TLS in C is cheaper than any loop's."""
        with suppress(OSError):  # also of TLS
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left = b""
            while more := connection.recv(65_536):
                left += more
                if b"\r\n\r\n" not in left:
                    continue
                head, _, left = left.partition(b"\r\n\r\n")
                line, _, rest = head.partition(b"\r\n")
                method, _, target = line.rpartition(b" ")[0].partition(b" ")
                if method == b"CONNECT":
                    if target.rpartition(b":")[0].decode() not in known_hosts():
                        connection.sendall(b"HTTP/1.1 502 no such host\r\nContent-Length: 0\r\n\r\n")
                        continue
                    connection.sendall(OPENED)
                    connection = tls.context().wrap_socket(connection, server_side=True)
                    continue
                self._answer(connection, target, rest)
        connection.close()

    def _answer(self, connection: socket.socket, target: bytes, rest: bytes) -> None:
        counted = self.counted
        counted.requests += 1
        if target.startswith(b"/@"):
            counted.pages_s.append(time.monotonic())
        elif target.startswith(LIST.encode()):
            counted.lists_s.append(time.monotonic())
        kept = self.kept.get(target)
        if kept is None:
            kept = self._made(target.decode("latin-1"), rest)
        at = self.site.clock.now()
        sent = b"HTTP/1.1 %b\r\n%b: %b\r\n\r\n%b" % (kept[0], living.MOMENT.encode(), moment(at), kept[1])
        counted.bytes += len(sent)
        connection.sendall(sent)

    def _made(self, target: str, rest: bytes) -> tuple[bytes, bytes]:
        pairs = (each.decode("latin-1").partition(":") for each in rest.split(b"\r\n"))
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        path, _, query = target.partition("?")
        asked = Asked("GET", headers.get("host", HOST), unquote(path), query, headers)
        given, _, _ = self.site.answer(asked, True)
        assert isinstance(given.body, bytes)
        return _head(given, len(given.body), ""), given.body


def moment(at: datetime) -> bytes:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def _head(given: Answer, size: int, more: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.headers)
    return (
        f"{given.status} Simulated\r\nServer: simulated\r\nContent-Type: {given.kind}\r\nContent-Length: {size}\r\n"
        f"{more}{lines}"
    ).encode().removesuffix(b"\r\n")  # fmt: skip


def post_ids(world: World, at: datetime, most: int) -> list[str]:
    return [post.post_id for _, post in world.crowd.everything(world.hour(at))][:most]


def visits(n: int) -> list[str]:
    """Targets 'handle~n' of n visits."""
    return [f"{HANDLES[i % len(HANDLES)]}~{i}" for i in range(n)]


def main() -> None:
    recorded = Recorded(int(sys.argv[1]), int(sys.argv[2]))
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=_accept, args=(listening, recorded), daemon=True).start()
    print(listening.getsockname()[1], flush=True)
    for line in sys.stdin:
        if line.strip() == "begin":
            recorded.counted = Counted()
        print(json.dumps(recorded.counted.told()), flush=True)


def _accept(listening: socket.socket, recorded: Recorded) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=recorded.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
