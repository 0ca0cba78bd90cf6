"""Exports of the Zeeschuimer extension (NDJSON): what a person's own browser received, as captures of responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.archive import Capture
from crawler.counts import epoch
from crawler.fields import dig, load_json
from crawler.items import Vantage, as_json_text
from crawler.lanes import redact

READ = ("tiktok.com", "tiktok-comments")
MARK = "#zeeschuimer"
# The extension stamps each row as it stores it; rows of one response follow within milliseconds.
ONE_RESPONSE = timedelta(seconds=2)


def is_export(head: bytes) -> bool:
    first = head.lstrip()[:1]
    return first == b"{" and b'"nav_index"' in head and b'"source_platform"' in head


@dataclass
class _Response:
    page_url: str
    source_url: str
    nav: str
    platform: str
    at: datetime
    lines: list[bytes]

    def goes_on_with(self, other: _Response) -> bool:
        mine, its = ((each.page_url, each.source_url, each.nav, each.platform) for each in (self, other))
        return mine == its and abs(other.at - self.at) <= ONE_RESPONSE

    @property
    def listed_as(self) -> tuple[str, ...]:
        """The list it belongs to: later responses of it go on where it ended."""
        return self.nav, self.page_url, self.platform, self.source_url.partition("?")[0]


def read(data: bytes, vantage: Vantage) -> Iterator[Capture | str]:
    """A capture a response; a line of text for what gave none.

    Of the browser that collected them nothing is kept: its name is dropped, and tokens in the requests' addresses.
    """
    other: Counter[str] = Counter()
    damaged = 0
    before: Counter[tuple[str, ...]] = Counter()
    open_: _Response | None = None
    for line in data.splitlines():
        if not line.strip():
            continue
        found = _row(line)
        if found is None:
            damaged += 1
        elif found.platform not in READ:
            other[found.platform] += 1
        elif open_ is not None and open_.goes_on_with(found):
            open_.lines += found.lines
        else:
            if open_ is not None:
                yield _capture(open_, before, vantage)
            open_ = found
    if open_ is not None:
        yield _capture(open_, before, vantage)
    if damaged:
        yield f"{damaged} lines are no Zeeschuimer rows with a moment"
    for platform, n in sorted(other.items()):
        yield f"{n} rows of {platform[:40]}: no page object reads them"


def _row(line: bytes) -> _Response | None:
    try:
        row = load_json(line)
        at = epoch(dig(row, "timestamp_collected"))
    except ValueError:
        return None
    page_url, source_url = _text(row, "source_platform_url"), _text(row, "source_url")
    if not (page_url or source_url).startswith("http"):
        return None
    kept = {name: value for name, value in row.items() if name != "user_agent"} | {"source_url": redact.url(source_url)}
    return _Response(
        page_url or source_url, source_url, _text(row, "nav_index"), _text(row, "source_platform").lower(), at,
        [as_json_text(kept).encode("utf-8", "replace")],
    )  # fmt: skip


def _capture(response: _Response, before: Counter[tuple[str, ...]], vantage: Vantage) -> Capture:
    offset = before[response.listed_as]
    before[response.listed_as] += len(response.lines)
    return Capture(
        url=response.page_url.partition("#")[0] + MARK,
        fetched_at=response.at,
        status=200,
        headers={"content-type": "application/x-ndjson", "tidemark-offset": str(offset)},
        body=b"\n".join(response.lines) + b"\n",
        lane="replay",
        vantage=vantage,
        target=None,
        spider=None,
    )


def _text(row: Any, name: str) -> str:
    value = dig(row, name)
    return value if isinstance(value, str) else ""
