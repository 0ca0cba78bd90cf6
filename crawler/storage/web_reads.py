"""Reads for the API: a list page by page in a total order, as a stream, or one document. Never writes.

What a caller asks for comes as Conditions; the operators of a query are made here, so that no text from outside
becomes one. Pages follow each other by the last value seen (keyset), never by an offset, so rows that arrive between
two pages neither repeat nor hide others. Ties on the order's field are told apart by its `tie`; only the group of
rows that a page cuts through is asked for again in that order, so no index needs to hold the tie.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeAlias

import bson
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database
from pymongo.errors import ExecutionTimeout

from crawler.storage.errors import StorageError
from crawler.storage.merge import value_of
from crawler.storage.reads import Document, Query, plain_errors

ANSWER_WITHIN_MS = 10_000  # of one query; a reader that waits longer has gone
BATCH = 2_000  # documents a stream holds at once, besides those on their way
Operator = Literal["eq", "ge", "lt", "le"]
_SHOWN = {"etag": 0}
_OPERATORS = {"eq": "$eq", "ge": "$gte", "lt": "$lt", "le": "$lte"}


class TooSlow(StorageError):
    """A query that would take longer than ANSWER_WITHIN_MS."""


class Condition(NamedTuple):
    """*field* compared with a plain value: text, number, moment or flag."""

    field: str
    operator: Operator
    value: Any


class Order(NamedTuple):
    field: str
    descending: bool
    tie: str = "_id"
    """Ascending within equal values; unique there."""
    indexed: bool = False
    """An index holds field and tie in this order: then no group needs to be asked for again."""


class After(NamedTuple):
    """Where the page before ended."""

    value: Any
    tie: Any


class Rows(NamedTuple):
    rows: list[Document]
    more: bool


def matching(conditions: Sequence[Condition]) -> Query:
    made: Query = {}
    for field, operator, value in conditions:
        if isinstance(value, (dict, list)):
            raise TypeError(f"{field}: expected a plain value, found {type(value).__name__}")
        stored = value if isinstance(value, int) else value_of(value)
        made.setdefault(field, {})[_OPERATORS[operator]] = stored
    return made


class Find(NamedTuple):
    """One query that a page is made from."""

    match: Query
    by: list[tuple[str, int]]
    limit: int


_Asking: TypeAlias = Generator[Find, list[Document], list[Document]]
"""Yields queries, is sent their rows; knows no connection, so it needs no thread to wait for one."""


class Pages:
    """Pages of lists, as the API shows them. One event loop's own.

    Documents with `key` for `_id`, without `etag`; moments in UTC but without saying so, prices as they are stored:
    to make both what they are (`as_python`) costs more than the query, so it is left to whoever shows one.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database: AsyncDatabase[Document] = database.with_options(codec_options=CodecOptions())

    async def page(
        self, collection: str, conditions: Sequence[Condition], order: Order, limit: int, after: After | None = None
    ) -> Rows:
        """At most *limit* documents in the order, behind *after*. Raises StorageError."""
        asking = _page(matching(conditions), order, limit, after)
        found = self._database[collection]
        with _asked(collection):
            try:
                find = next(asking)
                while True:
                    cursor = found.find(
                        find.match, _SHOWN, sort=find.by, limit=find.limit, max_time_ms=ANSWER_WITHIN_MS
                    )
                    find = asking.send(await cursor.to_list())
            except StopIteration as end:
                rows: list[Document] = end.value
        return Rows([plain(row) for row in rows[:limit]], len(rows) > limit)

    async def close(self) -> None:
        await self._database.client.close()


def _page(match: Query, order: Order, limit: int, after: After | None) -> _Asking:
    """The rows of a page and, where there are more, one behind it."""
    if after is not None and not isinstance(after.value, int):
        after = After(None if after.value is None else value_of(after.value), after.tie)
    rows: list[Document] = []
    if after:
        rows = yield _group(match, order, after.value, after.tie, limit + 1)
    done = len(rows)
    if done <= limit:
        rows += yield from _rest(match, order, after, limit + 1 - done)
    if order.indexed:
        return rows
    if len(rows) > limit:
        rows = yield from _cut(match, order, rows, done, limit)
    return [*_by_tie(rows[:limit], order), *rows[limit:]]


def _rest(match: Query, order: Order, after: After | None, limit: int) -> _Asking:
    """Rows behind the group of *after*, in the order of the field; those without a value last, or first."""
    by = [(order.field, DESCENDING if order.descending else ASCENDING)]
    if order.indexed:
        by.append((order.tie, ASCENDING))
    if after is None:
        return (yield Find(match, by, limit))
    if after.value is None and order.descending:
        return []
    behind: Query = {"$lt" if order.descending else "$gt": after.value}
    if after.value is None:
        behind = {"$ne": None}
    rows = yield Find(_and(match, {order.field: behind}), by, limit)
    if order.descending and len(rows) < limit:
        rows += yield _group(match, order, None, None, limit - len(rows))
    return rows


def _cut(match: Query, order: Order, rows: list[Document], done: int, limit: int) -> _Asking:
    """Where the page ends within a group of equal values, that group's head in the order of the tie."""
    last = rows[limit - 1].get(order.field)
    if rows[limit].get(order.field) != last or limit < done:
        return rows
    start = next(at for at, row in enumerate(rows) if row.get(order.field) == last)
    if start < done:  # the group that the page began in came in its order already
        return rows
    head = yield _group(match, order, last, None, limit + 1 - start)
    return [*rows[:start], *head]


def _group(match: Query, order: Order, value: Any, behind: Any, limit: int) -> Find:
    asked: Query = {order.field: {"$eq": value}}
    if behind is not None:
        asked[order.tie] = {"$gt": behind}
    return Find(_and(match, asked), [(order.tie, ASCENDING)], limit)


class Lists:
    """A whole list as a stream, or one document; prices as Decimal, moments in UTC."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database.with_options(codec_options=READING)

    def stream(self, collection: str, conditions: Sequence[Condition], order: Order) -> Iterator[Document]:
        """Every document by the order's field, a batch in memory at a time. Raises StorageError while it runs."""
        direction = DESCENDING if order.descending else ASCENDING
        with plain_errors(collection):
            cursor = self._database[collection].find(matching(conditions), _SHOWN, batch_size=BATCH)
            for row in cursor.sort(order.field, direction).allow_disk_use(True):
                yield plain(row)

    def one(self, collection: str, key: str) -> Document | None:
        with _asked(collection):
            found = self._database[collection].find_one({"_id": {"$eq": key}}, _SHOWN)
        return None if found is None else plain(found)


@contextmanager
def _asked(collection: str) -> Iterator[None]:
    with plain_errors(collection):
        try:
            yield
        except ExecutionTimeout:
            raise TooSlow(
                f"{collection}: no answer within {ANSWER_WITHIN_MS // 1000} s; ask for less: fewer days, "
                "or a filter such as author or entity"
            ) from None


def _and(match: Query, more: Query) -> Query:
    return {"$and": [match, more]} if match else more


def _by_tie(rows: list[Document], order: Order) -> list[Document]:
    """Rows of equal value came as the index had them; here they stand by their tie."""
    made: list[Document] = []
    for _, group in groupby(rows, key=lambda row: row.get(order.field)):
        made += sorted(group, key=lambda row: row[order.tie])
    return made


class _Exact(TypeDecoder):
    """Prices as Decimal, while documents are decoded."""

    bson_type = Decimal128

    def transform_bson(self, value: Any) -> Decimal:
        found: Decimal = value.to_decimal()
        return found


READING: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC, type_registry=TypeRegistry([_Exact()]))


def as_python(value: Any) -> Any:
    """A value of Pages: prices as Decimal, moments aware of their zone; all else as it is."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def plain(row: Document) -> Document:
    """`_id` as `key`, first."""
    return {"key": row.pop("_id"), **row} if "_id" in row else row


def plain_item(document: Document) -> Document:
    """A document that was made, not read: its prices as Decimal, too."""
    return plain(bson.decode(bson.encode(document), READING))
