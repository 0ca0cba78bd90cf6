"""Creators and their posts: numbers of one moment each, and the derived collection `creators`.

A latest-state document may hold views of one capture and likes of an older one. A rate made of both is none, so
such a post's numbers are those of the capture that showed most of them together, the last one of these.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from pymongo import DeleteMany, ReplaceOne
from pymongo.database import Database

from crawler.items import Post, Profile
from crawler.storage.reads import OBSERVATION_COLUMNS, Document, Query, frame_of, known_by, moments, plain_errors

COLLECTION = "creators"

_MOMENT = "datetime64[ms, UTC]"
_POST_COUNTS = {
    name: "Int64" for counter in Post.counters for name in (counter, f"{counter}_precision")
}  # fmt: skip
_PROFILE_COUNTS = {name: "Int64" for counter in Profile.counters for name in (counter, f"{counter}_precision")}
POST_COLUMNS = {
    "key": "string", "platform": "string", "author": "string", "author_id": "string", "created_at": _MOMENT,
    "observed_at": _MOMENT, "at_precision": "string", "media": "string", "duration_s": "Float64",
    "caption": "string", "hashtags": "object", "sound_id": "string", "sound_title": "string", "language": "string",
    "location": "string", "category": "string", "is_ad": "boolean", **_POST_COUNTS,
}  # fmt: skip
PROFILE_COLUMNS = {
    "key": "string", "platform": "string", "username": "string", "user_id": "string", "verified": "boolean",
    "private": "boolean", "region": "string", "category": "string", "observed_at": _MOMENT, "at_precision": "string",
    **_PROFILE_COUNTS,
}  # fmt: skip


class Creators:
    """Five verbs over one database; with known_at it reads only what had been captured by then."""

    def __init__(self, database: Database[Document], known_at: datetime | None = None) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._known_at = known_at

    def posts(self, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Posts made in since <= created_at < until, oldest first; columns as POST_COLUMNS.

        observed_at is the moment of the numbers.
        """
        made = moments(since, until).get("at")
        return self._latest("posts", {"created_at": made} if made else {}, POST_COLUMNS, Post.counters)

    def profiles(self) -> pd.DataFrame:
        """Every account with a page or a card seen, by key; columns as PROFILE_COLUMNS."""
        return self._latest("profiles", {}, PROFILE_COLUMNS, ())

    def histories(self, entities: Iterable[str]) -> pd.DataFrame:
        """Every accepted capture of *entities*, by entity and moment; columns as OBSERVATION_COLUMNS."""
        query = {"entity": {"$in": list(entities)}, **known_by("at", self._known_at)}
        wanted = {"_id": 0, **dict.fromkeys(OBSERVATION_COLUMNS, 1)}
        with plain_errors("observations"):
            rows = list(self._database["observations"].find(query, wanted).sort([("entity", 1), ("at", 1)]))
        return frame_of(rows, OBSERVATION_COLUMNS)

    def fingerprints(self, account_of: Mapping[str, str]) -> dict[str, str]:
        """Account: a hash that changes with any of its profiles, posts or observations.

        account_of: account of every profile key and post key; others are passed over.
        """
        parts: dict[str, list[str]] = defaultdict(list)
        for name in ("profiles", "posts"):
            with plain_errors(name):
                for row in self._database[name].find({}, {"etag": 1}):
                    if row["_id"] in account_of:
                        parts[account_of[row["_id"]]].append(f"{row['_id']} {row.get('etag')}")
        for entity, count in self._counted("profile"):
            if entity in account_of:
                parts[account_of[entity]].append(f"{entity} {count}")
        return {
            account: hashlib.blake2b("\n".join(sorted(lines)).encode(), digest_size=9).hexdigest()
            for account, lines in parts.items()
        }

    def kept(self) -> dict[str, Document]:
        """The collection as it is, by key."""
        with plain_errors(COLLECTION):
            rows = list(self._database[COLLECTION].find())
        return {row["_id"]: {name: int(v) if isinstance(v, Int64) else v for name, v in row.items()} for row in rows}

    def keep(self, documents: Sequence[Document], gone: Sequence[str]) -> None:
        """Replace *documents* by their `_id`, and remove *gone*; each creator's is written whole or not at all."""
        writes: list[ReplaceOne[Document] | DeleteMany] = [
            ReplaceOne({"_id": each["_id"]}, _typed(each), upsert=True) for each in documents
        ]
        if gone:
            writes.append(DeleteMany({"_id": {"$in": list(gone)}}))
        if writes:
            with plain_errors(COLLECTION):
                self._database[COLLECTION].bulk_write(writes, ordered=False)

    def _counted(self, kind: str) -> list[tuple[str, str]]:
        """Entity, how many observations, and a sum that moves when a newer parser mends one."""
        group = {"_id": "$entity", "n": {"$sum": 1}, "parsers": {"$addToSet": "$parser"}, "last": {"$max": "$at"}}
        with plain_errors("observations"):
            rows = list(self._database["observations"].aggregate([{"$match": {"kind": kind}}, {"$group": group}]))
        return [(row["_id"], f"{row['n']} {sorted(row['parsers'])} {row['last']}") for row in rows]

    def _latest(self, name: str, query: Query, columns: Mapping[str, str], together: Sequence[str]) -> pd.DataFrame:
        seen = {} if self._known_at is None else {"first_seen": {"$lte": self._known_at}}
        wanted = {**dict.fromkeys(columns, 1), "older": 1}
        order = [("created_at", 1), ("_id", 1)] if "created_at" in columns else [("_id", 1)]
        with plain_errors(name):
            rows = list(self._database[name].find({**query, **seen}, wanted).sort(order))
        for row in rows:
            row["key"] = row.pop("_id")
        stale = [row for row in rows if self._needs_another_moment(row, together)]
        numbers = self._numbers([row["key"] for row in stale]) if stale else {}
        for row in stale:
            for counter in [each for each in columns if each in _POST_COUNTS or each in _PROFILE_COUNTS]:
                row.pop(counter, None)
            row.update(numbers.get(row["key"], {}))
        return frame_of(rows, columns)

    def _needs_another_moment(self, row: Document, together: Sequence[str]) -> bool:
        if self._known_at is not None and row["observed_at"] > self._known_at:
            return True
        return any(counter in row.get("older", {}) for counter in together)

    def _numbers(self, entities: Sequence[str]) -> dict[str, Document]:
        """Of each entity the observation that shows most counters, the last one of these."""
        query: Query = {"entity": {"$in": list(entities)}, **known_by("at", self._known_at)}
        found: dict[str, Document] = {}
        with plain_errors("observations"):
            for row in self._database["observations"].find(query).sort([("at", 1), ("capture", 1)]):
                shown = {name: row[name] for name in (*_POST_COUNTS, *_PROFILE_COUNTS) if name in row}
                if _shows(shown) >= _shows(found.get(row["entity"], {})):
                    found[row["entity"]] = {"observed_at": row["at"], "at_precision": row.get("at_precision"), **shown}
        return found


def _typed(document: Document) -> Document:
    """Whole numbers as int64, whatever their size: one type a field."""
    return {name: Int64(v) if isinstance(v, int) and not isinstance(v, bool) else v for name, v in document.items()}


def _shows(numbers: Mapping[str, Any]) -> int:
    return sum(name in numbers for name in (*Post.counters, *Profile.counters))
