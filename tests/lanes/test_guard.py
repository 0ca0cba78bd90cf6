"""No crawl outlives its limit or its parent, and no browser its crawl."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from crawler.config import ROOT
from crawler.lanes import processes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
HANGS = """
import os, signal, sys, time
from crawler import guard
guard.GRACE_S = 0.1
guard.watched(float(sys.argv[1]))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def started(limit_s: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS, limit_s], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def gone(pid: int) -> bool:
    ends_s = time.monotonic() + 20
    while time.monotonic() < ends_s:
        try:
            if (processes.PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
    return False


def test_a_crawl_that_hangs_is_killed_at_its_hard_limit():
    process, child = started("0.2")
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 137
    assert gone(child)
    assert "hung and was killed" in said


def test_a_hanging_crawl_that_is_asked_to_end_is_killed_a_little_later():
    process, child = started("60")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 137
    assert gone(child)


def test_a_crawl_whose_parent_is_killed_ends():
    process, child = started("60")
    process.kill()
    process.communicate()
    assert gone(child)


def test_the_exit_status_is_that_of_the_crawl():
    code = "from crawler import guard; guard.watched(60); raise SystemExit(3)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 3


def sleeper(owner: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"{processes.MARK}{owner}"])


@pytest.mark.skipif(not processes.PROC.is_dir(), reason="this system has no /proc")
def test_a_browser_whose_crawl_was_killed_is_found_and_ended_and_no_other():
    dead, alive = sleeper("4194399:17"), sleeper(processes.mark().removeprefix(processes.MARK))
    try:
        assert dead.pid in processes.orphans()
        assert alive.pid not in processes.orphans()
        assert processes.end_orphans() >= 1
        assert dead.wait(20) == -signal.SIGKILL
        assert alive.poll() is None
        assert alive.pid in processes.owned(os.getpid())
        assert processes.memory_bytes([alive.pid]) > 0
    finally:
        for each in (dead, alive):
            each.kill()
            each.wait()
