"""The one door from storage to analysis: frames with fixed columns, as known at a moment.

`Reader(db).as_known_at(t)` shows only what had been captured by then, so a backtest cannot see the
future. A capture of which only the day is known lies in [observed_at, observed_at + 24 h): it counts
as known from the end of that day, because before then it may still lie ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pandas as pd
from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, PyMongoError

from crawler.items import KINDS
from crawler.storage.errors import StorageAway, StorageRefused

if TYPE_CHECKING:
    from crawler.storage.history import History

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = MongoClient[Document]
Query: TypeAlias = dict[str, Any]

DAY = timedelta(hours=24)
_MOMENT = "datetime64[ms, UTC]"

BOARD_COLUMNS = {
    "at": _MOMENT, "at_precision": "string", "size": "Int64", "asked": "Int64", "got": "Int64",
    "ceiling": "Int64", "place": "string", "source": "string", "observed_at": _MOMENT, "capture": "string",
}  # fmt: skip
ENTRY_COLUMNS = {
    "at": _MOMENT, "at_precision": "string", "position": "Int64", "topic": "string", "topic_key": "string",
    "volume": "Int64", "volume_precision": "Int64", "volume_floor": "Int64", "promoted": "boolean",
    "category": "string", "entity": "string", "observed_at": _MOMENT, "capture": "string",
}  # fmt: skip
ENTITY_COLUMNS = {"entity": "string", "observations": "Int64", "first": _MOMENT, "last": _MOMENT}

POST_COLUMNS = {
    "key": "string", "platform": "string", "author": "string", "created_at": _MOMENT, "observed_at": _MOMENT,
    "caption": "string", "language": "string", "hashtags": "object", "mentions": "object", "sound_id": "string",
    "sound_title": "string", "views": "Int64", "likes": "Int64", "comments": "Int64", "shares": "Int64",
    "saves": "Int64",
}  # fmt: skip
REVIEW_COLUMNS = {
    "key": "string", "product": "string", "created_at": _MOMENT, "observed_at": _MOMENT, "title": "string",
    "text": "string", "language": "string", "rating": "Float64",
}  # fmt: skip
_COUNTED = ("views", "likes", "comments", "shares", "saves")

_NOT_WHOLE = {
    "rating": "Float64", "price": "object", "list_price": "object",
    "currency": "string", "available": "boolean",
}  # fmt: skip
_COUNTERS = dict.fromkeys(name for model in KINDS.values() for name in model.counters)
OBSERVATION_COLUMNS = {
    "entity": "string", "kind": "string", "at": _MOMENT, "at_precision": "string", "capture": "string",
    **{name: _NOT_WHOLE.get(name, "Int64") for name in _COUNTERS},
    **{f"{name}_precision": "Int64" for name in _COUNTERS if name not in _NOT_WHOLE},
}  # fmt: skip


class BoardSummary(NamedTuple):
    """A board that was ever captured; first and last are moments of the list."""

    board: str
    snapshots: int
    first: datetime
    last: datetime


class Reader:
    """Reads one database; with known_at only what had been captured by that moment (UTC)."""

    def __init__(self, database: Database[dict[str, Any]], known_at: datetime | None = None) -> None:
        if known_at is not None and known_at.tzinfo is None:
            raise ValueError("known_at: needs a time zone")
        self._raw = database
        self._known_at = known_at
        options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)

    def as_known_at(self, moment: datetime) -> Reader:
        """The same database as it was known then; a later moment never widens an earlier one."""
        earlier = moment if self._known_at is None else min(moment, self._known_at)
        return Reader(self._raw, earlier)

    def boards(self, board: str, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Snapshots of *board* with since <= at < until, oldest first; columns as BOARD_COLUMNS."""
        query = {"board": board, **moments(since, until), **self._known("observed_at")}
        found = self._find("boards", query, BOARD_COLUMNS, "at")
        return _exact_where_stated(frame_of(found, BOARD_COLUMNS))

    def entries(
        self, board: str, *, since: datetime | None = None, until: datetime | None = None,
        topics: Sequence[str] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Rows of *board* with since <= at < until, by moment and position; columns as ENTRY_COLUMNS.

        topics: only those with one of these keys.
        """
        wanted: Query = {} if topics is None else {"topic_key": {"$in": list(topics)}}
        query = {"board": board, **moments(since, until), **self._known("observed_at")}
        found = self._find("board_entries", query | wanted, ENTRY_COLUMNS, "at", "position")
        return _exact_where_stated(frame_of(found, ENTRY_COLUMNS))

    def observations(
        self, entity: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> pd.DataFrame:
        """Every accepted capture of *entity*, by moment and capture; columns as OBSERVATION_COLUMNS.

        Counters that its kind does not have are all missing; prices are Decimal, in units of currency.
        """
        return self._observed({"entity": entity}, since, until)

    def observations_of(
        self, entities: Sequence[str], *, since: datetime | None = None, until: datetime | None = None
    ) -> pd.DataFrame:
        """The same of many entities at once."""
        return self._observed({"entity": {"$in": list(entities)}}, since, until)

    def about(self, kind: str, fields: Sequence[str]) -> pd.DataFrame:
        """What is said of each entity of *kind* that was known by the reader's moment: entity, and text *fields*.

        As last shown: such texts have no history.
        """
        seen = {} if self._known_at is None else {"first_seen": {"$lte": self._known_at}}
        steps: list[Query] = [
            {"$match": seen}, {"$sort": {"_id": 1}}, {"$project": {"entity": "$_id", **dict.fromkeys(fields, 1)}}
        ]  # fmt: skip
        found = self._aggregate(KINDS[kind].collection, steps)
        return frame_of(found, dict.fromkeys(("entity", *fields), "string"))

    def history(self, entity: str, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """The same, of an account under all its names: a renamed handle keeps its history by its user_id.

        The column entity says *entity* throughout.
        """
        frame = self._observed({"entity": {"$in": self.names(entity)}}, since, until)
        return frame.assign(entity=pd.Series(entity, index=frame.index, dtype="string"))

    def names(self, entity: str) -> list[str]:
        """Keys of the same account, *entity* among them; only itself for what is no account or has no user_id."""
        profiles = self._keyed({"_id": entity}, "user_id", "platform")
        own = profiles[0] if profiles else {}
        if not own.get("user_id"):
            return [entity]
        same = {"user_id": own["user_id"], "platform": own["platform"]}
        return sorted({entity, *(each["_id"] for each in self._keyed(same))})

    def _keyed(self, query: Query, *columns: str) -> list[Document]:
        """Profiles that were known by the reader's moment."""
        seen = {} if self._known_at is None else {"first_seen": {"$lte": self._known_at}}
        steps: list[Query] = [{"$match": {**query, **seen}}, {"$project": dict.fromkeys(("_id", *columns), 1)}]
        return self._aggregate("profiles", steps)

    def _observed(self, of: Query, since: datetime | None, until: datetime | None) -> pd.DataFrame:
        query = {**of, **moments(since, until), **self._known("at")}
        frame = frame_of(self._find("observations", query, OBSERVATION_COLUMNS, "at"), OBSERVATION_COLUMNS)
        return frame.sort_values(["at", "capture"], kind="stable", ignore_index=True)

    def known_boards(self) -> list[BoardSummary]:
        """Every board, by name."""
        group = {"_id": "$board", "n": {"$sum": 1}, "first": {"$min": "$at"}, "last": {"$max": "$at"}}
        steps = [{"$match": self._known("observed_at")}, {"$group": group}, {"$sort": {"_id": 1}}]
        found = {each["_id"]: BoardSummary(each["_id"], each["n"], each["first"], each["last"])
                 for each in self._aggregate("boards", steps)}  # fmt: skip
        for row in self._moved("boards", self._known("observed_at"), ["board", "at"]):
            known = found.get(row["board"]) or BoardSummary(row["board"], 0, row["at"], row["at"])
            first, last = min(known.first, row["at"]), max(known.last, row["at"])
            found[row["board"]] = BoardSummary(row["board"], known.snapshots + 1, first, last)
        return [found[name] for name in sorted(found)]

    def entities(self, kind: str | None = None, limit: int = 1000, among: Sequence[str] | None = None) -> pd.DataFrame:
        """Entities of *kind* (None: of any), the most observed first; columns as ENTITY_COLUMNS.

        among: only these.
        """
        chosen: Query = {} if among is None else {"entity": {"$in": list(among)}}
        group = {
            "_id": "$entity", "observations": {"$sum": 1}, "first": {"$min": "$at"}, "last": {"$max": "$at"}
        }  # fmt: skip
        steps: list[Query] = [
            {"$match": {**({"kind": kind} if kind else {}), **chosen, **self._known("at")}},
            {"$group": group},
            {"$sort": {"observations": -1, "_id": 1}},
            {"$limit": limit},
            {"$set": {"entity": "$_id"}},
        ]
        older = self._moved("observations", {**({"kind": kind} if kind else {}), **chosen, **self._known("at")},
                            ["entity", "at"])  # fmt: skip
        if not older:
            return frame_of(self._aggregate("observations", steps), ENTITY_COLUMNS)
        return _with_older(self._aggregate("observations", [*steps[:2], {"$set": {"entity": "$_id"}}]), older, limit)

    def posts(self, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Posts created in since <= created_at < until, oldest first; columns as POST_COLUMNS.

        As known at an earlier moment: those first seen by then; counters that were read later are missing.
        """
        return self._latest("posts", {}, POST_COLUMNS, since, until)

    def reviews(self, product: str | None = None) -> pd.DataFrame:
        """Reviews of *product*, or of all, oldest first; columns as REVIEW_COLUMNS."""
        return self._latest("reviews", {"product": product} if product else {}, REVIEW_COLUMNS, None, None)

    def evidence_of(self, product: str) -> list[Document]:
        """All candidate values that the product's page held when it was last read; empty where none were kept."""
        seen = {} if self._known_at is None else {"observed_at": {"$lte": self._known_at}}
        found = self._aggregate("products", [{"$match": {"_id": product, **seen}}, {"$project": {"evidence": 1}}])
        return list(found[0].get("evidence") or ()) if found else []

    def _latest(
        self, collection: str, query: Query, columns: Mapping[str, str], since: datetime | None, until: datetime | None
    ) -> pd.DataFrame:
        made = moments(since, until).get("at")
        seen = {} if self._known_at is None else {"first_seen": {"$lte": self._known_at}}
        wanted = {**query, **({"created_at": made} if made else {}), **seen}
        steps: list[Query] = [
            {"$match": wanted},
            {"$sort": {"created_at": 1, "_id": 1}},
            {"$set": {"key": "$_id"}},
            {"$project": {"_id": 0, **dict.fromkeys(columns, 1)}},
        ]
        frame = frame_of(self._aggregate(collection, steps), columns)
        if self._known_at is not None:
            later = frame["observed_at"] > self._known_at
            for name in frame.columns.intersection(list(_COUNTED)):
                frame[name] = frame[name].mask(later)
        return frame

    def _find(self, collection: str, query: Query, columns: Iterable[str], *order: str) -> list[Document]:
        wanted = {"_id": 0, **dict.fromkeys(columns, 1)}
        with plain_errors(collection):
            found = list(self._database[collection].find(query, wanted).sort([(name, 1) for name in order]))
        if older := self._moved(collection, query, columns):
            found = sorted([*older, *found], key=lambda row: tuple(row[name] for name in order))
        return found

    @cached_property
    def _history(self) -> History | None:
        """Months that have left the database; None where none has."""
        with plain_errors("history"):
            if self._database["history"].find_one({}, {"_id": 1}) is None:
                return None
        from crawler.storage.history import History

        return History.of(self._raw)

    def _moved(self, collection: str, query: Query, columns: Iterable[str]) -> list[Document]:
        """Rows of months that have left the database; what is in both, as after a late capture, is the database's."""
        if self._history is None:
            return []
        older = self._history.rows(collection, query, columns)
        if not older:
            return []
        with plain_errors(collection):
            ids = [row["_id"] for row in older]
            both = {row["_id"] for row in self._database[collection].find({"_id": {"$in": ids}}, {"_id": 1})}
        return [row for row in older if row["_id"] not in both]

    def _aggregate(self, collection: str, steps: Sequence[Query]) -> list[Document]:
        with plain_errors(collection):
            return list(self._database[collection].aggregate(steps))

    def _known(self, moment: str) -> Query:
        return known_by(moment, self._known_at)


def _with_older(rows: list[Document], older: list[Document], limit: int) -> pd.DataFrame:
    """Counts of the database and rows that have left it, as one table of entities."""
    found = {row["entity"]: [row["observations"], row["first"], row["last"]] for row in rows}
    for row in older:
        n, first, last = found.get(row["entity"], (0, row["at"], row["at"]))
        found[row["entity"]] = [n + 1, min(first, row["at"]), max(last, row["at"])]
    ordered = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))[:limit]
    return frame_of(
        [dict(zip(ENTITY_COLUMNS, (entity, *each), strict=True)) for entity, each in ordered], ENTITY_COLUMNS
    )


def known_by(moment: str, known_at: datetime | None) -> Query:
    """Captured by *known_at*: what lies within a day counts from the end of that day."""
    if known_at is None:
        return {}
    exact = {"at_precision": {"$ne": "day"}, moment: {"$lte": known_at}}
    by_day = {"at_precision": "day", moment: {"$lte": known_at - DAY}}
    return {"$or": [exact, by_day]}


def moments(since: datetime | None, until: datetime | None) -> Query:
    limits = {"$gte": since, "$lt": until}
    given = {operator: moment for operator, moment in limits.items() if moment is not None}
    return {"at": given} if given else {}


@contextmanager
def plain_errors(collection: str) -> Iterator[None]:
    try:
        yield
    except ConnectionFailure as error:
        kind = type(error).__name__
        raise StorageAway(f"{collection}: the database went away ({kind}); try: scrapy doctor") from None
    except PyMongoError as error:
        kind = type(error).__name__
        raise StorageRefused(f"{collection}: the database refuses to be read ({kind}); try: scrapy doctor") from None


def frame_of(rows: Sequence[Document], columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: _column([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def _column(values: Sequence[Any], kind: str) -> pd.Series[Any]:
    if kind == "object":
        plain = [value.to_decimal() if isinstance(value, Decimal128) else value for value in values]
        return pd.Series(plain, dtype="object")
    return pd.Series(values, dtype=kind)


def _exact_where_stated(frame: pd.DataFrame) -> pd.DataFrame:
    """at_precision tells of the capture; a moment that the list itself states (as_of) is exact."""
    stated = frame["at"] != frame["observed_at"]
    return frame.assign(at_precision=frame["at_precision"].mask(stated))
