"""Tables as CSV, JSON lines or a JSON list: rows by column name, and files of many moments cut by moment."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar

import orjson

from crawler.counts import DateError, day_or_moment
from crawler.fields import Fields, load_json
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, NoPlace, Precision, Row, Snapshot

HEAD_BYTES = 4000  # enough for the names of all columns
MOST_ROWS = 10_000  # a larger rank is no rank
Cells = dict[str, str]

csv.field_size_limit(1 << 24)  # descriptions of videos are longer than the usual 128 KB only when they are a trap


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one moment, with the head of their table: a page of its own."""

    mark: str
    """The moment as the rows write it."""
    at: datetime
    at_precision: Precision
    body: bytes


class TablePage(BoardPage):
    """Subclasses declare the columns that tell the format, and write `board_of` and `row`."""

    columns: ClassVar[frozenset[str]]
    """Lower-case names that a table of this format has, whatever else it has."""
    board_columns: ClassVar[tuple[str, ...]]
    """Columns that board_of reads: rows equal in them are of one board."""

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return cls.columns <= frozenset(names_of(body))

    def board_of(self, cells: Cells, where: str) -> Snapshot:
        """The list that a row belongs to, still without rows."""
        raise NotImplementedError

    def row(self, cells: Cells, where: str) -> Row | None:
        """None for a place on the list that stands empty."""
        raise NotImplementedError

    def rank(self, cells: Cells) -> int | None:
        """The rank a row states; None where the order of the rows is the rank."""
        return None

    def table_rows(self) -> Iterator[Cells]:
        return rows_of(self.body)

    def snapshots(self) -> Iterator[Snapshot]:
        boards: dict[tuple[str, datetime], _Board] = {}
        known: dict[tuple[str | None, ...], _Board] = {}
        for i, cells in enumerate(self.table_rows()):
            where = f"row[{i}]"
            told = tuple(map(cells.get, self.board_columns))
            board = known.get(told)
            try:
                if board is None:
                    made = self.board_of(cells, where)
                    board = known[told] = boards.setdefault((made.board, made.at), _Board(made))
                board.rows.append((self.rank(cells), self.row(cells, where)))
            except NoPlace:
                raise
            except ValueError as error:
                self.odd_row("boardentry", str(error), Fields(cells, where))
                if board:
                    board.rows.append((None, None))
                    board.unread += 1
        for board in boards.values():
            yield replace(board.told, rows=_by_rank(board.rows), unread=board.unread)


@dataclass(slots=True)
class _Board:
    told: Snapshot
    rows: list[tuple[int | None, Row | None]] = field(default_factory=list)
    unread: int = 0


def _by_rank(rows: list[tuple[int | None, Row | None]]) -> list[Row | None]:
    """Rows at the ranks they state, ranks that nobody holds empty; in their order where ranks are not all told."""
    told = {rank: row for rank, row in rows if rank and row}
    if len(told) < sum(row is not None for _, row in rows) or max(told, default=0) > MOST_ROWS:
        return [row for _, row in rows]
    return [told.get(rank) for rank in range(1, max(told, default=0) + 1)]


class CutTable(TablePage):
    """A table of many moments. Rows of one moment stand together; each moment is read as a page of its own."""

    moments: ClassVar[tuple[str, ...]]
    """Columns that together state the moment."""

    @classmethod
    def moment(cls, cells: Cells) -> tuple[datetime, Precision]:
        """Raises DateError."""
        return utc_moment(" ".join(cells.get(name, "") for name in cls.moments))

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        first = next(iter(rows_of(body)), None)
        return cls.moment(first) if first else None

    @classmethod
    def cut(cls, lines: Iterable[bytes]) -> Iterator[Part | str]:
        """One part a moment, lines unchanged; one part in memory. A line for a person where rows have no moment.

        Raises ValueError where rows of a moment do not stand together: a list cannot be told whole then.
        """
        rows = records(lines)
        head = next(rows, b"")
        as_lines = head.lstrip(b"\xef\xbb\xbf \t").startswith(b"{")
        if as_lines:
            rows, head = chain((head,), rows), b""
        read = _reader_of(head)
        done: set[str] = set()
        held: list[bytes] = []
        cells: Cells = {}
        now: str | None = None
        for line in rows:
            if not line.strip():
                continue
            found = read(line)
            mark = " ".join(found.get(name, "") for name in cls.moments)
            if mark != now:
                if now is not None:
                    yield cls._part(now, cells, head, held)
                    done.add(now)
                if mark in done:
                    raise ValueError(f"rows of {mark} stand apart; sort the file by {', '.join(cls.moments)}")
                now, cells, held = mark, found, []
            held.append(line)
        if now is not None:
            yield cls._part(now, cells, head, held)

    @classmethod
    def _part(cls, mark: str, cells: Cells, head: bytes, lines: list[bytes]) -> Part | str:
        try:
            at, precision = cls.moment(cells)
        except DateError as error:
            return f"{len(lines)} rows without a moment: {error}"
        return Part(mark, at, precision, head + b"".join(lines))


def column(body: bytes, name: str) -> Iterator[str]:
    """One column of a table, without the others: much cheaper than rows."""
    head = body[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"["):
        yield from (cells.get(name, "") for cells in rows_of(body))
        return
    text = body.decode("utf-8-sig", "replace").lstrip()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.split("\n", 1)[0]))
    names = [each.strip().lower() for each in next(reader, [])]
    if name in names:
        place = names.index(name)
        yield from (values[place] for values in reader if len(values) > place)


def names_of(body: bytes) -> tuple[str, ...]:
    """Column names of a table in lower case; empty when *body* is none."""
    return _names(body[:HEAD_BYTES])


@lru_cache(maxsize=16)  # every format asks for them in turn
def _names(head: bytes) -> tuple[str, ...]:
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"["):
        return _keys_of(head.lstrip(b"[ \t\r\n"))
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    try:
        return tuple(name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter_of(line)), []))
    except csv.Error:  # a lone carriage return within the line: no table
        return ()


def _keys_of(head: bytes) -> tuple[str, ...]:
    """Names at the top of the first JSON object, read without the rest, which may be cut."""
    found, depth = [], 0
    for match in re.finditer(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]', head):
        if match[0] in (b"{", b"["):
            depth += 1
        elif match[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                break
        elif match[2] and depth == 1:
            found.append(match[1].decode("utf-8", "replace").lower())
    return tuple(found)


def delimiter_of(head: str) -> str:
    """Of comma, semicolon and tab the one that the head holds most."""
    return max(",;\t", key=head.count)


def rows_of(body: bytes) -> Iterator[Cells]:
    """Rows of a CSV, of JSON lines, or of a JSON list of objects; values as text, None as ''.

    Raises MissingField where it is none of them.
    """
    text = body.decode("utf-8-sig", "replace").lstrip()
    if text[:1] == "[":
        yield from map(_cells, _listed(body))
    elif text[:1] == "{":
        for line in filter(str.strip, text.split("\n")):
            yield _cells(_object(line))
    else:
        head = text.split("\n", 1)[0]
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(head))
            names = [name.strip().lower() for name in next(reader, [])]
            for values in reader:
                if values:
                    yield dict(zip(names, values, strict=False))
        except csv.Error as error:
            raise MissingField(f"body: not CSV: {error}") from None


def lines_of(body: bytes) -> Iterable[bytes]:
    """The lines of a table in memory; a JSON list as a line for each object. Raises MissingField."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        return (orjson.dumps(row) + b"\n" for row in _listed(body))
    return io.BytesIO(body)


def records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines joined where a quoted value holds a line break."""
    held: list[bytes] = []
    open_quote = False
    for line in lines:
        odd = line.count(b'"') % 2 == 1 and not line.startswith(b"{")
        if not held and not odd:
            yield line
            continue
        held.append(line)
        open_quote ^= odd
        if not open_quote:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)


def utc_moment(text: str) -> tuple[datetime, Precision]:
    """'2026-02-07T00:18:54Z', '2019-01-01 00:09' (read as UTC), '2019-01-01' (a day). Raises DateError."""
    label = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", label):
        try:
            return datetime.fromisoformat(label).replace(tzinfo=UTC), None
        except ValueError as error:
            raise DateError(f"moment {label!r}: {error}") from None
    return day_or_moment(label, assume_utc=True)


def whole(cells: Cells, name: str, where: str, *, zero_is_hidden: bool = True) -> int | None:
    """A count: digits, also '1608396.0'; None where it is hidden: '', None, null, nan, '-' (and 0)."""
    label = cells.get(name, "").strip()
    if label.lower() in ("", "none", "null", "nan", "-"):
        return None
    if match := re.fullmatch(r"(\d{1,18})(?:\.0+)?", label):
        number = int(match[1])
        return None if number == 0 and zero_is_hidden else number
    raise MissingField(f"{where}.{name}: expected a whole number or nothing, found {label[:20]!r}")


def needed(cells: Cells, name: str, where: str) -> str:
    if value := cells.get(name, "").strip():
        return value
    raise MissingField(f"{where}.{name}: expected a value, found none; columns: {', '.join(sorted(cells)[:12])}")


def _reader_of(head: bytes) -> Callable[[bytes], Cells]:
    """Reads one record: CSV under *head*, or a JSON line where there is no head."""
    if not head:
        return lambda line: _cells(_object(line.decode("utf-8", "replace")))
    label = head.decode("utf-8-sig", "replace")
    delimiter = delimiter_of(label)
    names = [name.strip().lower() for name in next(csv.reader([label], delimiter=delimiter))]

    def read(line: bytes) -> Cells:
        record = io.StringIO(line.decode("utf-8", "replace"), newline="")
        return dict(zip(names, next(csv.reader(record, delimiter=delimiter), []), strict=False))

    return read


def _listed(body: bytes) -> list[Any]:
    try:
        data = load_json(body)
    except ValueError as error:
        raise MissingField(f"body: {error}") from None
    return data if isinstance(data, list) else []


def _object(line: str) -> Any:
    try:
        return load_json(line)
    except ValueError as error:
        raise MissingField(f"line: {error}") from None


def _cells(row: Any) -> Cells:
    if not isinstance(row, dict):
        raise MissingField(f"row: expected an object, found {type(row).__name__}")
    return {str(name).lower(): _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
