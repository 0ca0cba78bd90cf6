"""The collection `alerts`: what was told, once, and later whether it came true. Telling twice is telling once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import UpdateOne
from pymongo.database import Database

from crawler.storage.reads import Document, plain_errors

COLLECTION = "alerts"


class Alerts:
    """Four verbs over the alerts of one database."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._collection = database.with_options(codec_options=options)[COLLECTION]

    def tell(self, alerts: Sequence[Mapping[str, Any]]) -> int:
        """Keep alerts by their `_id`; how many are new. The first telling stands, whatever a later one says."""
        if not alerts:
            return 0
        writes = [UpdateOne({"_id": each["_id"]}, {"$setOnInsert": dict(each)}, upsert=True) for each in alerts]
        with plain_errors(COLLECTION):
            return int(self._collection.bulk_write(writes, ordered=False).upserted_count)

    def unsettled(self, rule: str) -> list[Document]:
        with plain_errors(COLLECTION):
            return list(self._collection.find({"rule": rule, "came_true": {"$exists": False}}).sort("at", 1))

    def settle(self, outcomes: Mapping[str, tuple[bool, datetime]]) -> None:
        """Mark alerts by `_id` as true or false, and when that was known; a mark is never changed."""
        writes = [
            UpdateOne({"_id": key, "came_true": {"$exists": False}}, {"$set": {"came_true": true, "settled_at": at}})
            for key, (true, at) in outcomes.items()
        ]
        if writes:
            with plain_errors(COLLECTION):
                self._collection.bulk_write(writes, ordered=False)

    def all(self, rule: str | None = None, most: int = 1000) -> list[Document]:
        """The newest *most*, newest first."""
        with plain_errors(COLLECTION):
            return list(
                self._collection.find({"rule": rule} if rule else {}).sort([("at", -1), ("_id", 1)]).limit(most)
            )
