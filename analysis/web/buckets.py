"""How often a client may ask, counted for all processes that stand behind one door. Knows no web."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SETS, WAYS = 2_048, 8  # 16,384 clients remembered; the longest silent of a set makes room
SLOT = struct.Struct("=Qdd")  # client, tokens left, moment of its last request in s


@dataclass
class Buckets:
    """So many requests a second for each client, and as many at once as `burst`; 0 a second: no limit.

    Made before the processes part: they share its memory, and a lock that the kernel takes back from one that dies.
    """

    per_s: float
    burst: float
    clock_s: Callable[[], float] = time.monotonic  # of the machine, so the same in every process
    _memory: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, SETS * WAYS * SLOT.size), repr=False)
    _door: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._door, name = tempfile.mkstemp()
        Path(name).unlink()
        weakref.finalize(self, os.close, self._door)

    def wait_s(self, client: str) -> float:
        """0 where the client may go on; else how long it should wait."""
        if self.per_s <= 0:
            return 0.0
        mark = hash(client) & (1 << 64) - 1  # of one seed in all processes that parted from one
        now, first = self.clock_s(), mark % SETS * WAYS
        with self._alone():
            slots = [SLOT.unpack_from(self._memory, (first + n) * SLOT.size) for n in range(WAYS)]
            own = next((n for n, slot in enumerate(slots) if slot[0] == mark), None)
            left, at = (self.burst, now) if own is None else slots[own][1:]
            left = min(self.burst, left + (now - at) * self.per_s)
            allowed = left >= 1
            if own is None:
                own = min(range(WAYS), key=lambda n: (slots[n][0] != 0, slots[n][2]))
            SLOT.pack_into(self._memory, (first + own) * SLOT.size, mark, left - allowed, now)
        return 0.0 if allowed else (1 - left) / self.per_s

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.lockf(self._door, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._door, fcntl.LOCK_UN)
