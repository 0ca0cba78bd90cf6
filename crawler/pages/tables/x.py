"""X/Twitter trends in tables that other people saved. See crawler.pages.x for the API's own bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar

from crawler import places
from crawler.counts import CountError, parse_count
from crawler.outcomes import MissingField
from crawler.pages.boards import Precision, Row, Snapshot
from crawler.pages.tables.base import Cells, CutTable, TablePage, column, names_of, needed, rows_of, whole
from crawler.pages.x import CEILING, VOLUME_FLOOR, as_of

# One public archive names its files by its own clock, DDMMYYYYHHMM in India; the rows state as_of in UTC.
_INDIA = timezone(timedelta(hours=5, minutes=30))
_NAMED = re.compile(r"trends_(\d{12})\.(?:csv|jsonl?)(?:\.gz)?$")
_EMPTY = frozenset((b"", b'""', b"[]", b"{}", b"null"))
_VOLUMES = ("tweet_volume", "volume", "volumne")


class TrendsTablePage(TablePage):
    """A row a trend in order of rank: `name,…,tweet_volume[,location,country,as_of]`, `name;volume`, `name volume`.

    A hidden volume stands there as nothing, None, null, nan or 0: never a zero. Moment and place are those of the
    rows where they state them, else the file's. Several places in one file are several boards.
    """

    name: ClassVar[str] = "x.trends_table"
    version: ClassVar[int] = 2
    platform: ClassVar[str] = "x"
    board_columns: ClassVar[tuple[str, ...]] = ("location", "country", "as_of")

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if len(body) < 10 and body.strip() in _EMPTY:
            return _NAMED.search(url) is not None
        names = names_of(body)
        if "name" in names and ("tweet_volume" in names or (len(names) == 2 and set(names) & set(_VOLUMES))):
            return True
        return len(list(_printed(body[:2000].decode("utf-8", "replace"), least=5))) >= 5

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        """The latest as_of of the rows; of an empty file what its name tells."""
        if b"as_of" in body[:4000]:
            told = [as_of(each) for each in set(column(body, "as_of")) if each]
            if told:
                return max(told), None
        if match := _NAMED.search(name):
            try:
                return datetime.strptime(match[1], "%d%m%Y%H%M").replace(tzinfo=_INDIA).astimezone(UTC), None
            except ValueError:
                return None
        return None

    def table_rows(self) -> Iterator[Cells]:
        if self.body.strip() in _EMPTY:
            return iter(())
        if names_of(self.body)[1:]:
            return rows_of(self.body)
        return ({"name": name, "volume": volume} for name, volume in _printed(self.body.decode("utf-8-sig", "replace")))

    def board_of(self, cells: Cells, where: str) -> Snapshot:
        place = self._place(cells)
        at = as_of(cells["as_of"]) if cells.get("as_of") else self.fetched_at
        return Snapshot(f"x:trends:{place}", at, (), place, "x", CEILING)

    def row(self, cells: Cells, where: str) -> Row:
        column = next((each for each in _VOLUMES if each in cells), "volume")
        volume = whole(cells, column, where)
        promoted = cells.get("promoted_content")
        return Row(
            needed(cells, "name", where), volume, floor=VOLUME_FLOOR if volume is None else None,
            promoted=None if promoted is None else promoted.lower() not in ("", "none", "null", "nan", "false"),
        )  # fmt: skip

    def _place(self, cells: Cells) -> str:
        if location := cells.get("location", "").strip():
            return places.named(location)
        return places.of_name(cells.get("country", "")) or self.told_place()


class ArchiveTable(CutTable):
    """Tables of archive.twitter-trending.com: `-` is an empty place, thousands have dots.

    The site does not state the zone of its hours; they are read as UTC.
    """

    platform: ClassVar[str] = "x"
    board: ClassVar[str]
    moments: ClassVar[tuple[str, ...]] = ("date",)
    board_columns: ClassVar[tuple[str, ...]] = ("date",)

    def board_of(self, cells: Cells, where: str) -> Snapshot:
        place = self.told_place()
        at, _ = self.moment(cells)
        return Snapshot(f"twitter-trending:{self.board}:{place}", at, (), place, "archive.twitter-trending.com")

    def rank(self, cells: Cells) -> int | None:
        return int(cells["rank"]) if cells.get("rank", "").isdigit() else None

    def row(self, cells: Cells, where: str) -> Row | None:
        topic = needed(cells, "topic", where)
        return None if topic == "-" else self.filled(topic, cells, where)

    def filled(self, topic: str, cells: Cells, where: str) -> Row:
        raise NotImplementedError


class HalfHourTable(ArchiveTable):
    """Top 10 every half hour: `Date,Hour,Rank,Topic,Volume`; volume 0 is unknown, as X hides it below 10,000."""

    name: ClassVar[str] = "x.archive_half_hours"
    board: ClassVar[str] = "trends"
    columns: ClassVar[frozenset[str]] = frozenset(("date", "hour", "rank", "topic", "volume"))
    moments: ClassVar[tuple[str, ...]] = ("date", "hour")
    board_columns: ClassVar[tuple[str, ...]] = ("date", "hour")

    def filled(self, topic: str, cells: Cells, where: str) -> Row:
        volume = dotted(cells.get("volume", ""), where)
        return Row(topic, volume, floor=VOLUME_FLOOR if volume is None else None)


class DailyPeakTable(ArchiveTable):
    """Topics of a day by their greatest volume: `Date,Rank,Topic,Peak_Volume`."""

    name: ClassVar[str] = "x.archive_most_tweeted"
    board: ClassVar[str] = "most_tweeted"
    columns: ClassVar[frozenset[str]] = frozenset(("date", "rank", "topic", "peak_volume"))

    def filled(self, topic: str, cells: Cells, where: str) -> Row:
        return Row(topic, dotted(cells.get("peak_volume", ""), where))


class DailyLongestTable(ArchiveTable):
    """Topics of a day by the time they trended: `Date,Rank,Topic,Duration`. Volume is minutes, in steps of 30."""

    name: ClassVar[str] = "x.archive_longest"
    board: ClassVar[str] = "longest_minutes"
    columns: ClassVar[frozenset[str]] = frozenset(("date", "rank", "topic", "duration"))

    def filled(self, topic: str, cells: Cells, where: str) -> Row:
        return Row(topic, minutes(cells.get("duration", ""), where), precision=30)


def dotted(label: str, where: str) -> int | None:
    """'518.784' -> 518784, '1.020.000' -> 1020000; 0, '-' and '' are unknown."""
    label = label.strip()
    if label in ("", "-", "0"):
        return None
    try:
        count = parse_count(label, decimal=",")
    except CountError as error:
        raise MissingField(f"{where}.volume: {error}") from None
    return count.value or None


def minutes(label: str, where: str) -> int:
    """'6.5 hours' -> 390, '30 minutes' -> 30."""
    match = re.fullmatch(r"(\d{1,3})(\.5)? hours?|(\d{1,4}) min(?:ute)?s?", label.strip())
    if match is None:
        raise MissingField(f"{where}.duration: expected '6.5 hours', found {label[:20]!r}")
    return int(match[3]) if match[3] else int(match[1]) * 60 + (30 if match[2] else 0)


def _printed(shown: str, least: int = 1) -> Iterator[tuple[str, str]]:
    """Lines 'some topic 140681' or 'some topic None'; nothing unless every line is one."""
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    found = [re.fullmatch(r"(.+?)\s+(\d+|None)", line) for line in lines]
    whole_ones = found[:-1] if least > 1 else found  # the last line of a cut text may be torn
    if len(lines) >= least and all(whole_ones):
        yield from ((match[1], match[2]) for match in found if match)
