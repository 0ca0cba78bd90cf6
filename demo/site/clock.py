"""The simulated clock: set by hand, and running at any rate, also not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta


class Clock:
    """*rate*: simulated seconds a real second; 0 stands still until it is set or advanced."""

    def __init__(self, at: datetime, rate: float = 0.0, real_s: Callable[[], float] = time.monotonic) -> None:
        if at.tzinfo is None:
            raise ValueError("at: a moment needs a time zone, e.g. 2026-03-01T12:00:00Z")
        self._real_s = real_s
        self._lock = threading.Lock()
        self._at, self._since_s, self.rate = at, real_s(), rate

    def now(self) -> datetime:
        with self._lock:
            return self._at + timedelta(seconds=(self._real_s() - self._since_s) * self.rate)

    def set(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("at: a moment needs a time zone, e.g. 2026-03-01T12:00:00Z")
        with self._lock:
            self._at, self._since_s = at, self._real_s()

    def advance(self, by: timedelta) -> None:
        self.set(self.now() + by)
