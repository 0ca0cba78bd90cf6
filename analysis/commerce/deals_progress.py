"""How far the reading of dumps is: a line on standard error, and what could not be read. For people only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from analysis.commerce.deals_archive import Found, Joined
from crawler.lanes import twitterstream
from crawler.lanes.twitterstream import Damaged

SAY_EVERY_S = 2.0
SAID = 12  # damaged places shown by name
NO_TWEETS = "no tweet and no notice in it; a dump has a tweet a line, as JSON"


class Pace:
    """Rate and time left, from the packed bytes of *sources* that were read."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._total = sum(twitterstream.size(each) or 0 for each in sources)
        self._before, self._source, self._at = 0, "", 0
        self._began = self._said = time.monotonic()

    def after(self, found: Found | Damaged, joined: Joined) -> None:
        name = found.name.partition("!")[0].partition("#")[0]
        if name != self._source:
            self._before, self._source = self._before + self._at, name
        self._at = found.at if isinstance(found, Found) else self._at
        now = time.monotonic()
        if now - self._said > SAY_EVERY_S:
            self._said = now
            sys.stderr.write(f"\r{self._line(joined, now - self._began)}   ")
            sys.stderr.flush()

    def _line(self, joined: Joined, since_s: float) -> str:
        packed = self._before + self._at
        left = (self._total - packed) / packed * since_s / 60 if self._total and packed else None
        rate = f"{joined.members:,} members, {joined.account.tweets:,} tweets, {joined.bytes / 1e6 / since_s:.0f} MB/s"
        return rate if left is None else f"{rate}, {max(left, 0):.0f} min left"

    def end(self) -> None:
        if self._said != self._began:
            sys.stderr.write("\r" + " " * 78 + "\r")


def troubles(joined: Joined) -> Iterator[str]:
    """Lines that say what is wrong with what was read; none where all is well."""
    if joined.account.holds_nothing:
        yield NO_TWEETS
    yield from (f"{each.name}: {each.reason}" for each in joined.problems[:SAID])
    if len(joined.problems) > SAID:
        yield f"and {len(joined.problems) - SAID:,} more places"
