"""Posts that were not read for deals yet, the deals found in them, and posts that their authors took back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from pymongo import InsertOne
from pymongo.database import Database

from crawler.items import Deal, Post
from crawler.storage.errors import StorageError
from crawler.storage.reads import Document, plain_errors
from crawler.storage.store import DUPLICATE, Store, write_all

PROGRESS = "deals:posts"
OVERLAP = timedelta(minutes=10)  # of a crawl that was writing while we read; reading a post twice changes nothing
AT_ONCE = 500
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


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
        # A deal was there since its post was; else the order in which captures of a post came would show.
        with plain_errors("posts"):
            posts = self._database["posts"].find({"_id": {"$in": [each.post for each in found]}}, {"first_seen": 1})
            since = {each["_id"]: each["first_seen"] for each in posts}
        first = [each.model_copy(update={"observed_at": since[each.post]}) for each in found if each.post in since]
        store = Store(self._raw)
        try:
            store.save([*first, *found])
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
                here = [each["_id"] for each in self._database["posts"].find({"_id": {"$in": some}}, {"_id": 1})]
                if not here:
                    continue
                self._database["observations"].delete_many({"entity": {"$in": here}})
                self._database["deals"].delete_many({"post": {"$in": here}})
                # Last, so that what a kill leaves half done is found again.
                gone += self._database["posts"].delete_many({"_id": {"$in": here}}).deleted_count
        return gone

    def take_back(self, numbers: Sequence[str]) -> int:
        """As withdraw, of tweets; remembered, so that one that comes later stays out of what `keep` stores."""
        known = {int(each) for each in numbers if each.isdecimal() and int(each) < 1 << 63}
        with plain_errors("withdrawn"):
            failed = write_all(self._database["withdrawn"], [InsertOne({"_id": Int64(each)}) for each in sorted(known)])
            if worse := {code for code in failed.values() if code != DUPLICATE}:
                raise StorageError(f"withdrawn: numbers were refused with code {min(worse)}")
        return self.withdraw([f"x:post:{each}" for each in known])

    def keep(self, posts: Sequence[Post]) -> tuple[int, list[Document]]:
        """Store tweets that were not taken back: how many were new or said more, and all of them as they now stand."""
        store = Store(self._raw)
        try:
            fates = store.save(posts)
        finally:
            store.close()
        kept = [post for post, fate in zip(posts, fates, strict=True) if fate != "forgotten"]
        with plain_errors("posts"):
            found = list(self._database["posts"].find({"_id": {"$in": [each.key for each in kept]}}).sort("_id", 1))
        return fates.count("saved"), found

    def members_read(self) -> frozenset[str]:
        """Names of the members of dumps that were stored whole."""
        with plain_errors("dumps"):
            return frozenset(each["_id"] for each in self._database["dumps"].find({}, {"_id": 1}))

    def note_member(self, name: str, at: datetime) -> None:
        with plain_errors("dumps"):
            self._database["dumps"].replace_one({"_id": name}, {"_id": name, "at": at}, upsert=True)

    def all(self, current_at: datetime | None = None, holds: timedelta = timedelta.max) -> list[Document]:
        """Deals with the moment and the author of their post, oldest first; with *current_at* only those in force.

        holds: how long one is in force that names no end.
        """
        in_force: Document = {}
        young: Document = {}
        if current_at is not None:
            in_force = {"$or": [{"valid_until": None}, {"valid_until": {"$gt": current_at}}]}
            since = current_at - min(holds, current_at - EARLIEST)
            young = {"$or": [{"valid_until": {"$ne": None}}, {"at": {"$gt": since}}]}
        steps: list[dict[str, Any]] = [
            {"$match": in_force},
            {"$lookup": {"from": "posts", "localField": "post", "foreignField": "_id", "as": "told"}},
            {"$set": {"told": {"$first": "$told"}}},
            {"$set": {
                "at": {"$ifNull": ["$told.created_at", "$observed_at"]}, "author": "$told.author",
                **{name: f"$told.{name}" for name in ("views", "likes", "comments", "shares", "reposts")},
            }},
            {"$match": young},
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
