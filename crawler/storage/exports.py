"""What leaves the database: documents by collection and day, with a fingerprint of each day. Reads only.

A day whose fingerprint is the one of the last export has nothing new, whatever arrived late, was replayed or removed;
so an export reads again only the days that changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo.database import Database

from crawler.storage import outlets
from crawler.storage.reads import Document, Query, plain_errors

BATCH = 5_000
NO_DAY = "none"
"""Part of the documents that have no moment, and of a derived collection as a whole."""


@dataclass(frozen=True)
class Part:
    """Documents of one day."""

    rows: int
    fingerprint: str


class Exports:
    """What an export asks one database."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self.name = database.name

    def note(self, place: str, host: str | None, words: Sequence[str], now: datetime) -> None:
        """Where an export goes, before it is written: whoever is forgotten later leaves it, too."""
        with plain_errors(outlets.COLLECTION):
            outlets.note(self._database, place, host, words, now)

    def parts(self, collection: str, moment: str) -> dict[str, Part]:
        """Day (2026-03-01) of *moment*: its part. Documents without an `etag` are hashed whole."""
        sums: dict[str, tuple[int, int]] = {}
        with plain_errors(collection):
            for row in self._database[collection].find({}, {"etag": 1, moment: 1}, batch_size=20_000):
                day = f"{row[moment]:%Y-%m-%d}" if isinstance(row.get(moment), datetime) else NO_DAY
                rows, total = sums.get(day, (0, 0))
                mark = hashlib.blake2b(f"{row['_id']} {row.get('etag')}".encode(), digest_size=8).digest()
                sums[day] = rows + 1, (total + int.from_bytes(mark)) % 2**64
        return {day: Part(rows, f"{rows}-{total:016x}") for day, (rows, total) in sorted(sums.items())}

    def documents(self, collection: str, moment: str | None = None, day: str = NO_DAY) -> Iterator[list[Document]]:
        """Documents of a day, by key, in batches; moment None: of the whole collection. Decimals are Decimal."""
        query: Query = {}
        if moment is not None and day != NO_DAY:
            start = datetime.fromisoformat(day).replace(tzinfo=UTC)
            query = {moment: {"$gte": start, "$lt": start + timedelta(days=1)}}
        elif moment is not None:
            query = {moment: {"$not": {"$type": "date"}}}
        batch: list[Document] = []
        with plain_errors(collection):
            for row in self._database[collection].find(query, batch_size=BATCH).sort("_id", 1):
                batch.append({name: _plain(value) for name, value in row.items()})
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def has(self, collection: str) -> bool:
        with plain_errors(collection):
            return self._database[collection].find_one({}, {"_id": 1}) is not None

    def keys(self, collection: str, fields: Sequence[str]) -> set[tuple[Any, ...]]:
        """Values of *fields* of every document; `key` is its `_id`."""
        names = ["_id" if name == "key" else name for name in fields]
        with plain_errors(collection):
            rows = self._database[collection].find({}, {"_id": 1, **dict.fromkeys(names, 1)}, batch_size=20_000)
            return {tuple(row.get(name) for name in names) for row in rows}

    def topics(self) -> list[Document]:
        """Every topic that a board ever showed: its key, its newest spelling, when, how often, how high."""
        steps: list[Query] = [
            {"$sort": {"at": 1}},
            {"$group": {
                "_id": "$topic_key", "topic": {"$last": "$topic"}, "first_seen": {"$min": "$at"},
                "last_seen": {"$max": "$at"}, "rows": {"$sum": 1}, "best_position": {"$min": "$position"},
                "peak_volume": {"$max": "$volume"}, "boards": {"$addToSet": "$board"},
            }},
            {"$set": {"boards": {"$size": "$boards"}}},
            {"$sort": {"_id": 1}},
        ]  # fmt: skip
        with plain_errors("board_entries"):
            return list(self._database["board_entries"].aggregate(steps, allowDiskUse=True))

    def prices_daily(self) -> list[Document]:
        """Of each offer, day and currency: first, last, least and greatest price asked, and how often it was seen."""
        steps: list[Query] = [
            {"$match": {"kind": "offer", "price": {"$exists": True}}},
            {"$sort": {"at": 1, "capture": 1}},
            {"$group": {
                "_id": {"offer": "$entity", "day": {"$dateTrunc": {"date": "$at", "unit": "day"}},
                        "currency": {"$ifNull": ["$currency", ""]}},
                "first": {"$first": "$price"}, "last": {"$last": "$price"}, "least": {"$min": "$price"},
                "greatest": {"$max": "$price"}, "list_price": {"$last": "$list_price"},
                "available": {"$last": "$available"}, "readings": {"$sum": 1},
            }},
            {"$sort": {"_id": 1}},
        ]  # fmt: skip
        with plain_errors("observations"):
            found = list(self._database["observations"].aggregate(steps, allowDiskUse=True))
        return [
            {**{name: _plain(value) for name, value in row.items() if name != "_id"}, **row["_id"]} for row in found
        ]

    def aggregate(self, collection: str, steps: list[Query]) -> list[Document]:
        """Any reading pipeline; what MongoDB Charts will run."""
        with plain_errors(collection):
            return list(self._database[collection].aggregate(steps))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value
