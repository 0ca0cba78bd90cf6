"""archive.twitter-trending.com: a day of X's top 10 in a place, a table every half hour. Saved tables: tables.x."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from parsel import Selector

from crawler import places
from crawler.fields import Fields
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Row, Snapshot
from crawler.pages.tables.x import dotted
from crawler.pages.x import VOLUME_FLOOR

CEILING = 10
_ADDRESS = re.compile(r"twitter-trending\.com/([a-z-]+)/(\d\d)-(\d\d)-(\d{4})")


class TwitterTrending(BoardPage):
    """`.tek_tablo` with its time of day and ranks; thousands have dots. The zone is not stated and read as UTC."""

    name: ClassVar[str] = "twitter_trending.archive"
    platform: ClassVar[str] = "x"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://archive\.twitter-trending\.com/",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b"twitter-trending.com" in body and b"tablo611" in body

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, None] | None:
        """The last table of the page: nothing on it is younger, whenever it was saved."""
        try:
            page = Selector(text=body.decode("utf-8", "replace"))
            _, day = _where("", page)
            return max(day + _time(each) for each in page.css(".tek_tablo")), None
        except ValueError:
            return None

    def snapshots(self) -> Iterator[Snapshot]:
        page = Selector(text=self.body.decode("utf-8", "replace"))
        place, day = _where(self.url, page)
        tables = page.css(".tek_tablo")
        if not tables:
            raise MissingField("body: expected .tek_tablo, found none")
        for table in tables:
            rows: dict[int, Row] = {}
            unread = 0
            for line in table.css("tr.tr_table"):
                try:
                    position, row = _row(line)
                    if row is not None:
                        rows[position] = row
                except MissingField as error:
                    unread += 1
                    self.odd_row(
                        "boardentry", str(error), Fields({"row": (line.xpath("string()").get() or "")[:200]}, "row")
                    )
            ordered = [rows.get(position) for position in range(1, max(rows, default=0) + 1)]
            yield Snapshot(
                f"twitter-trending:trends:{place}", day + _time(table), ordered, place, "archive.twitter-trending.com",
                CEILING, unread=unread,
            )  # fmt: skip


def _where(url: str, page: Selector) -> tuple[str, datetime]:
    """Place and day, from the address or the one that the page states."""
    for each in (url, page.css("link[rel=canonical]::attr(href)").get() or ""):
        if match := _ADDRESS.search(each):
            slug, day, month, year = match.groups()
            try:
                return places.named(slug), datetime(int(year), int(month), int(day), tzinfo=UTC)
            except ValueError:
                break
    raise MissingField("address: expected …/united-states/31-01-2019, found none")


def _time(table: Selector) -> timedelta:
    label = (table.css(".trend_baslik611::text").get() or "").strip()
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", label)
    if match is None:
        raise MissingField(f".trend_baslik611: expected a time such as 00:09, found {label[:20]!r}")
    return timedelta(hours=int(match[1]), minutes=int(match[2]))


def _row(line: Selector) -> tuple[int, Row | None]:
    """A row and, in the line below it, its volume; '-' stands for an empty place."""
    rank = "".join(line.css(".sira611::text").getall()).strip()
    topic = "".join(line.css(".word_ars ::text, .word_ars::text").getall()).strip()
    if not rank.isdigit() or not topic:
        raise MissingField(f"row: expected .sira611 and .word_ars, found {rank[:9]!r} and {topic[:9]!r}")
    below = line.xpath("following-sibling::tr[1][contains(@class, 'tr_table1')]")
    shown = "".join(below.css(".volume61 ::text, .volume61::text").getall()).strip()
    volume = dotted(re.sub(r"\s*tweets?$", "", shown), f"row {rank}")
    return int(rank), None if topic == "-" else Row(topic, volume, floor=None if volume else VOLUME_FLOOR)
