"""Many readers: one answer for all who asked before it was begun, several processes, one limit, none left behind."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from analysis.web.buckets import SETS, WAYS, Buckets
from analysis.web.site import Site
from analysis.web.together import Together

BEHIND = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_who_asks_before_an_answer_is_begun_shares_it_and_who_asks_later_waits_for_the_next() -> None:
    begun: list[int] = []

    async def story() -> list[int]:
        together: Together[int] = Together()
        gate = asyncio.Event()

        async def make() -> int:
            begun.append(len(begun) + 1)
            own = begun[-1]
            await gate.wait()
            return own

        first = [asyncio.create_task(together.get("a", make)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        late = [asyncio.create_task(together.get("a", make)) for _ in range(4)]
        other = asyncio.create_task(together.get("b", make))
        await asyncio.sleep(0)
        gate.set()
        return [*await asyncio.gather(*first), *await asyncio.gather(*late), await other]

    assert asyncio.run(story()) == [1, 1, 1, 3, 3, 3, 3, 2]
    assert begun == [1, 2, 3]


def test_a_fault_reaches_all_who_shared_it_and_one_who_hangs_up_ends_it_for_nobody() -> None:
    async def story() -> list[object]:
        together: Together[int] = Together()

        async def fail() -> int:
            await asyncio.sleep(0)
            raise ValueError("away")

        async def make() -> int:
            await asyncio.sleep(0.01)
            return 7

        failed = await asyncio.gather(*(together.get("a", fail) for _ in range(2)), return_exceptions=True)
        gone, stays = (asyncio.create_task(together.get("a", make)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        return [*map(type, failed), await stays, await together.get("a", make)]

    assert asyncio.run(story()) == [ValueError, ValueError, 7, 7]


@BEHIND
def test_one_limit_holds_for_all_processes_together() -> None:
    buckets = Buckets(per_s=1, burst=30, clock_s=lambda: 5.0)
    children = []
    for _ in range(3):
        ends, says = os.pipe()
        if (pid := os.fork()) == 0:
            allowed = sum(buckets.wait_s("a") == 0 for _ in range(20))
            os.write(says, bytes([allowed]))
            os._exit(0)
        os.close(says)
        children.append((pid, ends))
    allowed = 0
    for pid, ends in children:
        allowed += os.read(ends, 1)[0]
        os.close(ends)
        os.waitpid(pid, 0)
    assert allowed == 30
    assert buckets.wait_s("b") == 0


def test_more_clients_than_can_be_remembered_shut_nobody_out() -> None:
    now = [0.0]
    buckets = Buckets(per_s=1, burst=1, clock_s=lambda: now[0])
    for client in range(2 * SETS * WAYS):
        now[0] += 0.001
        assert buckets.wait_s(str(client)) == 0
    assert buckets.wait_s(str(2 * SETS * WAYS - 1)) > 0


def asked(port: int, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.read()


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@BEHIND
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_two_processes_answer_behind_one_door_and_none_outlives_the_first(
    site: Site, mongo_uri: str, ending: signal.Signals
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "analysis.web", "--database", site.database, "--port", str(port)]
    server = subprocess.Popen([*command, "--workers", "2"], env={**os.environ, "MONGODB_URI": mongo_uri},
                              stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        _until(lambda: _answers(port))
        children = children_of(server.pid)
        assert len(children) == 2
        assert json.loads(asked(port, "/api/entries?board=x:trends:br")[1])["ok"]
        os.kill(server.pid, ending)
        server.wait(20)
        _until(lambda: not any(Path(f"/proc/{each}").exists() for each in children))
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    try:
        return asked(port, "/healthz")[0] == 200
    except OSError:
        return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
