"""What every board page shares: snapshots of rows in, boards and entries out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from crawler.fields import Fields
from crawler.items import MAX_INT64, Board, BoardEntry, News
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Page
from crawler.topics import topic_key

Precision = Literal["day"] | None


class NoPlace(MissingField):
    """A board makes no sense without its place, and nobody said it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list as it shows it; see BoardEntry for the meaning of each field."""

    topic: str
    volume: int | None = None
    precision: int | None = None
    """Rounding step of volume; None when exact."""
    floor: int | None = None
    """When volume is hidden: the number below which the source hides it."""
    at_least: bool | None = None
    """Volume is a lower bound."""
    promoted: bool | None = None
    category: str | None = None
    entity: str | None = None
    shown_at: int | None = None
    """Place the list itself states; None where only the order tells."""
    since: datetime | None = None
    news: tuple[News, ...] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A list at a moment: rows in order of rank, promoted ones anywhere; None where a rank stands empty."""

    board: str
    at: datetime
    rows: Sequence[Row | None]
    place: str | None = None
    source: str | None = None
    ceiling: int | None = None
    """Most rows this source ever shows."""
    asked: int | None = None
    first: int = 1
    """Position of the first row: above 1 on later pages of a list."""
    unread: int = 0
    """Rows that were shown and could not be read; among `rows` they are None."""

    def ranked(self) -> Iterator[tuple[int, Row]]:
        """Each row with its position: earned ones in order, empty ranks kept free, bought ones behind."""
        earned = [row for row in self.rows if row is None or not row.promoted]
        bought = [row for row in self.rows if row is not None and row.promoted]
        for position, row in enumerate([*earned, *bought], start=self.first):
            if row is not None:
                yield position, row


class BoardPage(Page):
    """Subclasses write `snapshots`; what they cannot read of a row they tell by odd_row and put None."""

    is_data: ClassVar[bool] = False
    """The answer is JSON or XML: a web page in its place is a wall, not another shape."""

    def snapshots(self) -> Iterator[Snapshot]:
        """The lists of this page. Raises ShapeError."""
        raise NotImplementedError(type(self).__name__)

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        """The moment that a saved file tells of itself, by its content or its *name* (a path)."""
        return None

    def read(self) -> None:
        head = self.body[:1000].lstrip().lower()
        if not head or (self.is_data and head.startswith((b"<!doctype html", b"<html"))):
            self.reading.outcome = Outcome.BLOCKED
            found = "a web page" if head else "nothing"
            self.reading.problem = f"{type(self).__name__} {self.url}: expected a list, found {found}"
            return
        boards = []
        for snapshot in self.snapshots():
            self.take(snapshot)
            boards.append(snapshot)
        empty = not self.reading.items and not any(snapshot.unread for snapshot in boards)
        if self.reading.outcome is Outcome.OK and empty:
            # Archives stored empty lists for years: an empty answer is a failed one, not "no trends".
            self.reading.outcome = Outcome.BLOCKED
            self.reading.problem = f"{type(self).__name__} {self.url}: expected rows, found an empty list"

    def read_row(self, fields: Fields, read: Callable[[Fields], Row]) -> Row | None:
        """A row by its reader; None for one that cannot be read, which is told."""
        try:
            return read(fields)
        except MissingField as error:
            self.odd_row("boardentry", str(error), fields)
            return None

    def take(self, snapshot: Snapshot) -> None:
        """A snapshot as a Board and its entries, the board first."""
        reading = self.reading
        if not snapshot.rows and not snapshot.unread:
            reading.parts[snapshot.board] = str(Outcome.BLOCKED)
            return
        shown = sum(row is not None for row in snapshot.rows) + snapshot.unread
        reading.got = (reading.got or 0) + shown
        ceiling = None if snapshot.ceiling is None else max(snapshot.ceiling, shown)
        reading.ceiling = ceiling if reading.ceiling is None else max(reading.ceiling, ceiling or 0)
        first, stored = len(reading.items), 0
        model: BoardEntry | None = None
        stem = ""
        for position, row in snapshot.ranked():
            if model is not None and _is_plain(position, row):
                # The fields that a board's rows share were judged with the first one: five times as fast.
                reading.items.append(_like(model, stem, position, row))
                stored += 1
            elif made := self._entry(snapshot, position, row):
                model, stem = made, made.key.rpartition("#")[0]
                stored += 1
        if not stored:
            return
        self.add(
            Board, board=snapshot.board, at=snapshot.at, place=snapshot.place, source=snapshot.source, size=stored,
            asked=snapshot.asked, got=shown, ceiling=ceiling,
        )  # fmt: skip
        reading.items.insert(first, reading.items.pop())

    def _entry(self, snapshot: Snapshot, position: int, row: Row) -> BoardEntry | None:
        return self.add(
            BoardEntry, board=snapshot.board, at=snapshot.at, position=position,
            shown_at=row.shown_at if row.shown_at != position else None,
            topic=row.topic, topic_key=topic_key(row.topic), volume=row.volume, volume_precision=row.precision,
            volume_at_least=row.at_least, volume_floor=row.floor, promoted=row.promoted, category=row.category,
            entity=row.entity, since=row.since, news=row.news,
        )  # fmt: skip

    def place_beside(self) -> str | None:
        """The place that came with the file, where the page does not state it."""
        return self.headers.get("tidemark-place") or None

    def told_place(self) -> str:
        """The same, where a board makes no sense without it."""
        if place := self.place_beside():
            return place
        raise NoPlace("place: expected one beside the file, found none; give --place br")


def _is_plain(position: int, row: Row) -> bool:
    """Whether the model would take the row as it is; what is not plain goes through the model itself."""
    return (
        1 <= position <= 100_000
        and row.topic != ""
        and (row.volume is None or 0 <= row.volume <= MAX_INT64)
        and (row.precision is None or row.precision >= 2)
        and (row.floor is None or 0 <= row.floor <= MAX_INT64)
        and (row.shown_at is None or 0 <= row.shown_at <= 100_000)
        and row.since is None
        and row.news is None
    )


def _like(model: BoardEntry, stem: str, position: int, row: Row) -> BoardEntry:
    """Another row of the same board, made as pydantic's own model_copy does, without its detours."""
    entry = object.__new__(BoardEntry)
    values = {
        **model.__dict__, "key": f"{stem}#{position}", "position": position,
        "shown_at": row.shown_at if row.shown_at != position else None,
        "topic": row.topic, "topic_key": topic_key(row.topic), "volume": row.volume,
        "volume_precision": row.precision, "volume_at_least": row.at_least, "volume_floor": row.floor,
        "promoted": row.promoted, "category": row.category, "entity": row.entity, "since": None, "news": None,
    }  # fmt: skip
    object.__setattr__(entry, "__dict__", values)
    object.__setattr__(entry, "__pydantic_fields_set__", model.__pydantic_fields_set__)
    object.__setattr__(entry, "__pydantic_extra__", None)
    object.__setattr__(entry, "__pydantic_private__", None)
    return entry
