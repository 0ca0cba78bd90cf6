"""Posts that were not read for deals yet, the deals found in them, and posts that their authors took back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo.database import Database

from crawler.items import Deal
from crawler.storage.reads import Document, plain_errors
from crawler.storage.store import Store

PROGRESS = "deals:posts"
OVERLAP = timedelta(minutes=10)  # of a crawl that was writing while we read; reading a post twice changes nothing
AT_ONCE = 500


class Deals:
    """Verbs over one database."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._raw = database
        self._database = database.with_options(codec_options=options)

    def watermark(self) -> datetime | None:
        """Everything stored before it was read."""
        with plain_errors("targets"):
            found = self._database["targets"].find_one({"_id": PROGRESS}) or {}
        moment = found.get("progress", {}).get("at")
        return moment if isinstance(moment, datetime) else None

    def move(self, to: datetime) -> None:
        with plain_errors("targets"):
            self._database["targets"].update_one(
                {"_id": PROGRESS}, {"$set": {"spider": "deals", "value": "posts", "progress": {"at": to}}}, upsert=True
            )

    def fresh(self) -> Iterator[tuple[list[Document], datetime | None]]:
        """Posts that runs have stored since the watermark, some at a time, each with the watermark to set then.

        The ledger of fetches says when a capture was stored, in the order of storing, not of the posts' own moments.
        """
        since = self.watermark()
        query: dict[str, Any] = {"recorded_at": {"$gt": since - OVERLAP}} if since else {}
        with plain_errors("fetches"):
            ledger = self._database["fetches"].find(query, {"recorded_at": 1}).sort("recorded_at", 1)
            batch: list[Document] = []
            for row in ledger:
                batch.append(row)
                if len(batch) == AT_ONCE:
                    yield self._posts(batch), batch[-1]["recorded_at"]
                    batch = []
            if batch:
                yield self._posts(batch), batch[-1]["recorded_at"]

    def _posts(self, ledger: Sequence[Document]) -> list[Document]:
        return list(self._database["posts"].find({"capture": {"$in": [row["_id"] for row in ledger]}}).sort("_id", 1))

    def replace(self, read: Sequence[str], found: Sequence[Deal]) -> None:
        """The deals of the posts *read* are *found* and no others."""
        store = Store(self._raw)
        try:
            store.save(found)
        finally:
            store.close()
        with plain_errors("deals"):
            self._database["deals"].delete_many(
                {"post": {"$in": list(read)}, "_id": {"$nin": [each.key for each in found]}}
            )

    def withdraw(self, posts: Iterable[str]) -> int:
        """Remove posts that were deleted at the source, with their numbers and deals; how many of them were here."""
        keys = list(posts)
        gone = 0
        for at in range(0, len(keys), AT_ONCE):
            some = keys[at : at + AT_ONCE]
            with plain_errors("posts"):
                gone += self._database["posts"].delete_many({"_id": {"$in": some}}).deleted_count
                self._database["observations"].delete_many({"entity": {"$in": some}})
                self._database["deals"].delete_many({"post": {"$in": some}})
        return gone

    def all(self, current_at: datetime | None = None) -> list[Document]:
        """Deals with the moment and the author of their post, oldest first; with *current_at* only those in force."""
        in_force = {} if current_at is None else {"$or": [{"valid_until": None}, {"valid_until": {"$gt": current_at}}]}
        steps: list[dict[str, Any]] = [
            {"$match": in_force},
            {"$lookup": {"from": "posts", "localField": "post", "foreignField": "_id", "as": "told"}},
            {"$set": {"told": {"$first": "$told"}}},
            {"$set": {
                "at": {"$ifNull": ["$told.created_at", "$observed_at"]}, "author": "$told.author",
                **{name: f"$told.{name}" for name in ("views", "likes", "comments", "shares", "reposts")},
            }},
            {"$unset": "told"},
            {"$sort": {"at": 1, "_id": 1}},
        ]  # fmt: skip
        with plain_errors("deals"):
            return [_plain(each) for each in self._database["deals"].aggregate(steps)]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
