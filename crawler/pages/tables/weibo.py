"""Weibo's hot list as two public archives keep it: hourly JSON with the site's own rank, and a CSV by heat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar
from urllib.parse import unquote

from crawler.counts import json_count
from crawler.fields import Fields, flag, load_json, text
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Precision, Row, Snapshot
from crawler.pages.tables.base import Cells, CutTable, names_of, needed, whole

_CHINA = timezone(timedelta(hours=8))
_NAMED = re.compile(r"(\d{4})-(\d\d)-(\d\d)[/_](\d\d)\.json(?:\.gz)?$")
# Within the address of a row, encoded once or twice. Decoding a hundred thousand of them takes four times as long.
_IS = r"(?:%(?:25)*3D|=)"
_SHOWN_AT = re.compile(rf"display_time{_IS}(\d{{9,11}})(?!\d)".encode())
_RANK = re.compile(rf"(?:[&?]|%(?:25)*(?:26|3F))(?:realpos|band_rank){_IS}(\d{{1,4}})(?!\d)", re.IGNORECASE)


class HotPage(BoardPage):
    """One hour: `[{"title", "url", "hot", "ads", …}]`, sorted by heat by the collector.

    The site's own rank and the true moment stand in each `url`. Advertising rows are kept as promoted; the
    pinned topic has neither rank nor heat and comes last. A day's summary is a union, not a list: it is not read.
    """

    name: ClassVar[str] = "weibo.hot"
    platform: ClassVar[str] = "weibo"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if body.strip() == b"[]":
            return _NAMED.search(unquote(url)) is not None
        return body.lstrip()[:1] == b"[" and {"title", "hot", "ads"} <= set(names_of(body)) and not _is_union(url)

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        """display_time of the rows; else the hour in the file's name, in China."""
        told = [int(each) for each in _SHOWN_AT.findall(body)]
        if told:
            return datetime.fromtimestamp(max(told), UTC), None
        if match := _NAMED.search(name):
            year, month, day, hour = map(int, match.groups())
            try:
                return datetime(year, month, day, hour, tzinfo=_CHINA).astimezone(UTC), None
            except ValueError:
                return None
        return None

    def snapshots(self) -> Iterator[Snapshot]:
        try:
            data = load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        rows = Fields({"rows": data}, "$", self.reading.odd)
        ranked: list[tuple[bool, int, Row]] = []
        unread = 0
        for row in rows.parts("rows"):
            try:
                made = self._row(row)
            except MissingField as error:
                self.odd_row("boardentry", str(error), row)
                unread += 1
            else:
                ranked.append((made.shown_at is None, made.shown_at or 0, made))
        # Rows without a rank keep the collector's order, behind the ranked ones.
        ranked.sort(key=lambda each: each[:2])
        yield Snapshot("weibo:hot:cn", self.fetched_at, [row for *_, row in ranked], "cn", "weibo", unread=unread)

    def _row(self, row: Fields) -> Row:
        rank = _RANK.search(row.need("url", text))
        category = row.may("category", text)
        made = Row(
            topic=row.need("title", text),
            volume=row.need("hot", json_count) or None,
            promoted=row.need("ads", flag),
            category=None if category == "暂无" else category,  # "none yet"
            shown_at=int(rank[1]) if rank else None,
        )
        row.skip("description", "readCount", "discussCount", "origin")
        return made


class HeatTable(CutTable):
    """`snapshot_utc,rank_by_count,term,count`: ranked by heat; the site's own order was not kept."""

    name: ClassVar[str] = "weibo.heat_table"
    platform: ClassVar[str] = "weibo"
    columns: ClassVar[frozenset[str]] = frozenset(("snapshot_utc", "rank_by_count", "term", "count"))
    moments: ClassVar[tuple[str, ...]] = ("snapshot_utc",)
    board_columns: ClassVar[tuple[str, ...]] = ("snapshot_utc",)

    def board_of(self, cells: Cells, where: str) -> Snapshot:
        return Snapshot("weibo:heat:cn", self.moment(cells)[0], (), "cn", "weibo")

    def rank(self, cells: Cells) -> int | None:
        stated = cells.get("rank_by_count", "")
        return int(stated) if stated.isdigit() else None

    def row(self, cells: Cells, where: str) -> Row:
        return Row(needed(cells, "term", where), whole(cells, "count", where))


def _is_union(url: str) -> bool:
    return re.search(r"summary\.json(?:\.gz)?$", url) is not None
