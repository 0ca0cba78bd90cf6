"""getdaytrends.com: what trends on X in a place, 50 rows in two tables. Its 2026 page shows no volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from parsel import Selector

from crawler import places
from crawler.counts import Count, CountError, parse_count
from crawler.fields import Fields
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Row, Snapshot

CEILING = 50
# JavaScript counts months from 0; the site's hours are UTC.
_NOW = re.compile(r"currentDate\s*=\s*new Date\((\d{4}),\s*(\d{1,2}),\s*(\d{1,2}),\s*(\d{1,2})\)")
_LANGUAGES = re.compile(r"^/(?:ar|de|es|fr|hi|it|ja|ko|nl|pl|pt|ru|sv|tr|uk)(?=/|$)")


class GetDayTrends(BoardPage):
    """`table.trends` twice (the second folded); the side tables rank other things. "Under 10K" is a floor."""

    name: ClassVar[str] = "getdaytrends.trends"
    platform: ClassVar[str] = "x"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://(?:www\.)?getdaytrends\.com/",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b"getdaytrends" in body[:8000] and _NOW.search(body.decode("utf-8", "replace")) is not None

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, None] | None:
        at = _now(body.decode("utf-8", "replace"))
        return (at, None) if at else None

    def snapshots(self) -> Iterator[Snapshot]:
        text = self.body.decode("utf-8", "replace")
        at = _now(text)
        if at is None:
            raise MissingField("currentDate: expected 'new Date(2026, 1, 23, 22)' in a script, found none")
        page = Selector(text=text)
        rows: dict[int, Row] = {}
        unread = 0
        for i, line in enumerate(page.css("table.trends tr")):
            try:
                position, row = _row(line, f"row[{i}]")
                if position in rows:
                    raise MissingField(f"row[{i}].pos: expected a new rank, found {position} again")
                rows[position] = row
            except MissingField as error:
                unread += 1
                self.odd_row(
                    "boardentry", str(error), Fields({"row": (line.xpath("string()").get() or "")[:200]}, "row")
                )
        place = self._place(page)
        ordered = [rows.get(position) for position in range(1, max(rows, default=0) + 1)]
        yield Snapshot(f"getdaytrends:trends:{place}", at, ordered, place, "getdaytrends.com", CEILING, unread=unread)

    def _place(self, page: Selector) -> str:
        """The place in the address, in the page's own address, or in its title."""
        for url in (self.url, page.css("link[rel=canonical]::attr(href)").get() or ""):
            path = _LANGUAGES.sub("", unquote(urlsplit(url).path))
            if re.match(r"https?://(?:www\.)?getdaytrends\.", url):
                parts = [
                    part for part in path.split("/") if part and not re.fullmatch(r"\d{1,3}|\d{4}-\d\d-\d\d", part)
                ]
                return places.named(parts[-1]) if parts else "world"
        titled = places.of_name((page.css("title::text").get() or "").split("•")[0])
        return titled or self.told_place()


def _now(text: str) -> datetime | None:
    match = _NOW.search(text)
    if match is None:
        return None
    year, month, day, hour = map(int, match.groups())
    try:
        return datetime(year, month + 1, day, tzinfo=UTC) + timedelta(hours=hour)
    except ValueError:
        return None


def _row(line: Selector, where: str) -> tuple[int, Row]:
    position = (line.css("th.pos::text").get() or "").strip()
    topic = "".join(line.css("td.main a ::text, td.main a::text").getall()).strip()
    if not position.isdigit() or not topic:
        raise MissingField(f"{where}: expected th.pos and td.main a, found {position[:9]!r} and {topic[:9]!r}")
    shown = (line.css(".desc ::text").get() or "").strip()
    count = _count(shown, where) if shown else None
    if count is None:
        return int(position), Row(topic)
    step = count.precision if count.precision > 1 else None
    return int(position), Row(topic, count.value, step, floor=count.floor, at_least=count.at_least or None)


def _count(shown: str, where: str) -> Count:
    try:
        return parse_count(shown, decimal=".")
    except CountError as error:
        raise MissingField(f"{where}.desc: {error}") from None
