"""A parent for crawls with a browser: it ends one that hangs, and a crawl whose parent is gone ends itself.

A page that is never given back holds Scrapy's own orderly end for ever: neither its time limit nor one SIGTERM gets
through. So the crawl runs in a child, and the parent has the last word.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import NoReturn

GRACE_S = 30.0
"""Between asking and killing; a dyno has as long between SIGTERM and SIGKILL."""
KILLED = 137
LOOK_S = 0.2


def watched(limit_s: float) -> None:
    """Return in a child; the parent waits for it, at most so long, and leaves with its exit status.

    Where the system cannot fork, there is no parent and the crawl goes on by itself.
    """
    if not hasattr(os, "fork") or limit_s <= 0:
        return
    alive_r, alive_w = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the parent can pass it on
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(alive_w)
        threading.Thread(target=_end_with, args=(alive_r,), name="tidemark-parent", daemon=True).start()
        return
    os.close(alive_r)
    os.set_inheritable(alive_w, True)
    # The parent needs nothing of what the crawl has loaded: a small interpreter takes its place.
    os.execv(sys.executable, [sys.executable, "-I", "-S", __file__, str(child), str(limit_s), str(GRACE_S)])


def _end_with(alive: int) -> None:
    """The pipe ends when the parent does, however it died."""
    os.read(alive, 1)
    os._exit(KILLED)  # the browser's driver ends with us, and the browser with it


def _wait(child: int, limit_s: float, grace_s: float) -> NoReturn:
    ends_s, asked = time.monotonic() + limit_s, False

    def pass_on(number: int, frame: object) -> None:
        nonlocal ends_s, asked
        os.kill(child, number)
        ends_s, asked = time.monotonic() + grace_s, True

    signal.signal(signal.SIGTERM, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGINT, lambda number, frame: None)  # the terminal has told the child, too
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _leave(os.waitstatus_to_exitcode(status))
        if time.monotonic() > ends_s and asked:
            os.kill(child, signal.SIGKILL)
            sys.stderr.write("the crawl hung and was killed; what was fetched is in the archive: scrapy verify\n")
            ends_s = float("inf")
        elif time.monotonic() > ends_s:
            sys.stderr.write(f"the crawl has run for its hard limit of {limit_s / 60:g} minutes and is ended\n")
            pass_on(signal.SIGTERM, None)
        time.sleep(LOOK_S)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if code >= 0 else KILLED)


if __name__ == "__main__":
    _wait(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
