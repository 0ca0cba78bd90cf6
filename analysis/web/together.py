"""One answer for all who ask the same at once. Knows no web and no database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE_S = 0.25  # with the one before: a slow answer shall not make the next one slower


class Together(Generic[T]):
    """Of one event loop. An answer is shared only by those who asked before it was begun, so none is older than its
    question: who asks while one is being made waits for the next, with all others who do."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, asyncio.Future[T]] = {}
        self._begun: dict[Hashable, asyncio.Future[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        shared = self._waiting.get(key)
        if shared is None:
            shared = self._waiting[key] = asyncio.ensure_future(self._made(key, make))
        return await asyncio.shield(shared)  # one who hangs up does not end it for the others

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        if (before := self._begun.get(key)) is not None:
            await asyncio.wait([before], timeout=PATIENCE_S)
        own = self._begun[key] = self._waiting.pop(key)
        try:
            return await make()
        finally:
            if self._begun.get(key) is own:
                del self._begun[key]
