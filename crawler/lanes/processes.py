"""Processes of ours, as the system shows them: a browser whose crawl is gone, and how much memory a crawl takes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
MARK = "--tidemark-owner="
"""On a browser's command line: the process that started it, and since when that has been running."""


def mark() -> str:
    return f"{MARK}{os.getpid()}:{started(os.getpid())}"


def started(pid: int) -> str:
    """Clock ticks since boot at which a process began, so that a number used again is told apart; '' if it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return _alive(pid)


def _alive(pid: int) -> str:
    """Where there is no /proc."""
    if PROC.is_dir() and (PROC / "self").exists():
        return ""
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return "alive"
    return ""


def orphans() -> list[int]:
    """Browsers that crawls of ours left behind when they were killed."""
    found = []
    for pid, arguments in _everything():
        owner = next((each.removeprefix(MARK) for each in arguments if each.startswith(MARK)), None)
        if owner is not None:
            number, _, since = owner.partition(":")
            if not (number.isdecimal() and started(int(number)) == since):  # its crawl is no longer at work
                found.append(pid)
    return found


def end_orphans() -> int:
    """End them, with all their processes; how many browsers there were."""
    found = orphans()
    for pid in found:
        for each in (pid, *descendants(pid)):
            with contextlib.suppress(OSError):
                os.kill(each, signal.SIGKILL)
    return len(found)


def owned(owner: int) -> list[int]:
    """The browser processes that this process started, and theirs."""
    wanted = f"{MARK}{owner}:"
    roots = [pid for pid, arguments in _everything() if any(each.startswith(wanted) for each in arguments)]
    return sorted({each for pid in roots for each in (pid, *descendants(pid))})


def descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for each in _numbers():
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((PROC / str(each) / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(each)
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.append(child)
            waiting.append(child)
    return found


def memory_bytes(pids: list[int]) -> int:
    """Proportional set size of all of them; 0 where the system does not tell."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
                    break
    return total


def _numbers() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for each in os.listdir(PROC):  # noqa: PTH208 - names are enough
            if each.isdecimal():
                yield int(each)


def _everything() -> Iterator[tuple[int, list[str]]]:
    """Every process with its arguments, of which we may see some."""
    if PROC.is_dir() and (PROC / "self").exists():
        for pid in _numbers():
            with contextlib.suppress(OSError):
                raw = (PROC / str(pid) / "cmdline").read_bytes()
                # A browser rewrites its title: then its arguments stand in one, parted by spaces.
                yield pid, raw.replace(b"\0", b" ").decode("utf-8", "replace").split()
        return
    with contextlib.suppress(OSError):
        listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=False)
        for line in listed.stdout.splitlines():
            number, *arguments = line.split()
            if number.isdecimal():
                yield int(number), arguments


def give_back() -> None:
    """What this process has freed goes back to the system, where its C library can do so: by itself it keeps most."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
