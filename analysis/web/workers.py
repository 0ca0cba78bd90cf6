"""Several processes behind one open door: parted from one that has loaded everything, replaced when one dies.

The first process opens no connection and answers nothing; it waits. A child that loses it ends too.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
MOST = 4  # of the default; more readers at once than that want a number of their own
YOUNG_S = 10.0  # a child that ends so soon could not start; its like would not either


def sensible() -> int:
    """A process for each core, up to MOST; one where processes cannot part."""
    return min(len(os.sched_getaffinity(0)), MOST) if sys.platform == "linux" else 1


def run(count: int, work: Callable[[], int]) -> int:
    """*work* in so many processes until a signal ends them. The status of one that could not start, else 0."""
    if count == 1:
        return work()
    held, told = os.pipe()
    stopping = False
    children: dict[int, float] = {}

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for each in children:
            os.kill(each, signal.SIGTERM)

    def start() -> None:
        if (pid := os.fork()) == 0:
            os.close(told)
            _child(held, work)
        children[pid] = time.monotonic()

    gc.freeze()  # what is loaded by now stays shared: a collection would write into every page of it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for _ in range(count):
        start()
    failed = 0
    while children:
        pid, status = os.wait()
        age_s = time.monotonic() - children.pop(pid)
        if stopping:
            continue
        if age_s < YOUNG_S:
            failed = abs(os.waitstatus_to_exitcode(status)) or 1
            stop()
        else:
            log.warning("a process of the web ended (status %d); another takes its place", status)
            start()
    return failed


def _child(held: int, work: Callable[[], int]) -> None:
    """Never returns."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with_the_first, args=(held,), daemon=True).start()
    status = 1
    try:
        status = work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with_the_first(held: int) -> None:
    os.read(held, 1)  # the end of the pipe: nobody holds its other side any more
    os.kill(os.getpid(), signal.SIGTERM)
