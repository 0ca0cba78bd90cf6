"""Room: what the database takes, how fast it grows, and the oldest months moved out once they are proved elsewhere.

Sizes are documents plus indexes, uncompressed, as Atlas counts the quota of its small tiers.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import OperationFailure

from crawler.storage.history import BATCH, COLUMNS, KEY, History, Month, decoded
from crawler.storage.schema import FETCHES_KEPT_DAYS

Document = dict[str, Any]
FULL, TIGHT, RELAXED = 0.95, 0.80, 0.70  # of the plan: stop taking; move months; moved far enough
YOUNGEST = timedelta(days=35)  # a month stays until it is so old: late captures and the weekly patterns need it
GROWTH_OF = timedelta(days=7)
MOMENTS: Mapping[str, str] = {
    "observations": "at", "boards": "at", "board_entries": "at", "fetches": "at", "slots": "slot", "jobs": "slot",
    "runs": "started_at", "run_profiles": "at", "quarantine": "observed_at", "posts": "first_seen",
    "comments": "first_seen", "reviews": "first_seen", "profiles": "first_seen", "offers": "first_seen",
    "products": "first_seen", "alerts": "at", "rollups_daily": "at", "rollups_hourly": "at",
}  # fmt: skip
"""By which moment a collection's growth is told."""


@dataclass(frozen=True, slots=True)
class Size:
    collection: str
    documents: int
    bytes: int
    """Documents and indexes."""
    per_day: float
    """Bytes a day over the last week."""


@dataclass(frozen=True, slots=True)
class Room:
    """The size report."""

    sizes: Sequence[Size]
    plan_bytes: int | None

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.sizes)

    @property
    def per_day(self) -> float:
        return sum(each.per_day for each in self.sizes)

    @property
    def share(self) -> float | None:
        return None if self.plan_bytes is None else self.bytes / self.plan_bytes

    def days_until(self, share: float) -> float | None:
        """Days until so much of the plan is used at last week's pace; None without plan or growth."""
        if self.plan_bytes is None or self.per_day <= 0:
            return None
        return max(0.0, (share * self.plan_bytes - self.bytes) / self.per_day)


def room(database: Database[Document], plan_bytes: int | None, now: datetime) -> Room:
    sizes = []
    for name in sorted(database.list_collection_names()):
        if name.startswith("system."):
            continue
        stats = database.command("collStats", name)
        n, total = int(stats["count"]), int(stats["size"]) + int(stats["totalIndexSize"])
        sizes.append(Size(name, n, total, _growth(database, name, n, total, now)))
    return Room(sorted(sizes, key=lambda each: -each.bytes), plan_bytes)


def used_bytes(database: Database[Document]) -> int:
    """Quickly, without the parts."""
    stats = database.command("dbStats")
    return int(stats["dataSize"]) + int(stats["indexSize"])


def _growth(database: Database[Document], name: str, documents: int, total: int, now: datetime) -> float:
    moment = MOMENTS.get(name)
    if moment is None or documents == 0:
        return 0.0
    came = database[name].count_documents({moment: {"$gte": now - GROWTH_OF, "$lt": now}})
    oldest = database[name].find_one({moment: {"$exists": True}}, {moment: 1}, sort=[(moment, 1)])
    if name == "fetches" and oldest and now - _aware(oldest[moment]) >= timedelta(days=FETCHES_KEPT_DAYS - 1):
        return 0.0  # as many leave by TTL as come
    spent = GROWTH_OF if oldest is None else max(min(GROWTH_OF, now - _aware(oldest[moment])), timedelta(hours=1))
    return total / documents * came / (spent / timedelta(days=1))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def movable(database: Database[Document], now: datetime) -> list[tuple[str, str]]:
    """Collection and month of everything old enough to leave, oldest month first."""
    found: list[tuple[str, str]] = []
    last = (now - YOUNGEST).strftime("%Y-%m")  # of that month some days are too young still
    for name in COLUMNS:
        months = database[name].aggregate([
            {"$match": {"at": {"$lt": datetime(int(last[:4]), int(last[5:]), 1, tzinfo=UTC)}}},
            {"$group": {"_id": {"$dateToString": {"date": "$at", "format": "%Y-%m"}}}},
        ])  # fmt: skip
        found += [(name, row["_id"]) for row in months]
    return sorted(found, key=lambda each: (each[1], each[0]))


def make_room(
    database: Database[Document], history: History, plan_bytes: int, now: datetime, *, least: float = TIGHT
) -> list[Month]:
    """From *least* of the plan on, the oldest months move until RELAXED would be reached. Nothing else is touched."""
    used = used_bytes(database)
    if used < least * plan_bytes:
        return []
    moved: list[Month] = []
    per_document = {
        each.collection: each.bytes / each.documents for each in room(database, None, now).sizes if each.documents
    }
    for collection, month in movable(database, now):
        if used < RELAXED * plan_bytes:
            break
        made, left = move(database, history, collection, month, now)
        moved.append(made)
        # Index files give their room back late; what left is what counts.
        used -= int(left * per_document.get(collection, 0.0))
    for name in {each.collection for each in moved}:
        with contextlib.suppress(OperationFailure):  # the smallest Atlas tiers forbid it
            database.command("compact", name, force=True)
    return moved


def move(
    database: Database[Document], history: History, collection: str, month: str, now: datetime
) -> tuple[Month, int]:
    """One month of one collection: written, read back and compared, noted, and only then deleted here.

    Also how many documents left. A month that has left before, and of which late captures came, is written anew with
    both. Cut off at any point, the next call brings it to its end; readers meanwhile find every document once.
    """
    earlier = {each.id: each for each in history.months(collection)}.get(f"{collection}@{month}")
    since, until = Month(collection, month, 0, 0, "").bounds
    made = history.write(collection, month, _joined(database, history, collection, earlier, since, until))
    if not history.verified(made):
        raise OSError(f"history of {made.id}: the file does not read back as it was written; nothing was deleted")
    history.note(made, now)
    left = 0
    raw = _raw(database, collection)
    batch: list[RawBSONDocument] = []
    held = _in_file(history, made)
    for document in raw.find({"at": {"$gte": since, "$lt": until}}, batch_size=BATCH):
        if _digest(document.raw) in held:
            batch.append(document)
        if len(batch) >= BATCH:
            left += _deleted(database, collection, batch)
            batch = []
    return made, left + _deleted(database, collection, batch)


def _in_file(history: History, month: Month) -> set[bytes]:
    """Digests of every document, read back from the file: 16 bytes a document, 40 MB of a month with 500,000."""
    return {_digest(each) for each in history.documents(month)}


def _digest(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=16).digest()


def _deleted(database: Database[Document], collection: str, batch: Sequence[RawBSONDocument]) -> int:
    if not batch:
        return 0
    # By content too: what was changed since it was read stays, and joins the file next time.
    same = {"_id": {"$in": [each["_id"] for each in batch]}, "etag": {"$in": [each.get("etag") for each in batch]}}
    return int(database[collection].delete_many(same).deleted_count)


def _joined(
    database: Database[Document], history: History, collection: str, earlier: Month | None, since: datetime,
    until: datetime,
) -> Iterator[bytes]:  # fmt: skip
    """Documents of the month, by key and moment; of one that is in file and database, the database's."""
    raw = _raw(database, collection)
    if earlier is not None:
        here = {row["_id"] for row in database[collection].find({"at": {"$gte": since, "$lt": until}}, {"_id": 1})}
        for each in history.documents(earlier):
            if decoded(each)["_id"] not in here:
                yield each
    ordered = [(KEY[collection], 1), ("at", 1), ("_id", 1)]
    query = {"at": {"$gte": since, "$lt": until}}
    for document in raw.find(query, batch_size=BATCH).sort(ordered).allow_disk_use(True):
        yield document.raw


def _raw(database: Database[Document], collection: str) -> Any:
    return database.get_collection(collection, codec_options=CodecOptions(document_class=RawBSONDocument))


def bring_back(database: Database[Document], history: History, month: Month) -> int:
    """A month into the database again; documents that are there stay as they are. How many came."""
    came = 0
    batch: list[Document] = []

    def put() -> int:
        there = {row["_id"] for row in database[month.collection].find(
            {"_id": {"$in": [each["_id"] for each in batch]}}, {"_id": 1})}  # fmt: skip
        fresh = [each for each in batch if each["_id"] not in there]
        if fresh:
            database[month.collection].insert_many(fresh, ordered=False)
        return len(fresh)

    for document in history.documents(month):
        batch.append(decoded(document))
        if len(batch) >= BATCH:
            came += put()
            batch = []
    came += put() if batch else 0
    history.forget(month)
    return came
