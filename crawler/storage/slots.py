"""Watch list and slots: who takes what in which slot, claimed by one process at a time.

A slot is a document of its own, and its id is its name: two processes that insert it at once cannot both succeed.
A claim is a lease; one that its process no longer renews may be taken over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from crawler.schedule import MOST_ATTEMPTS, Verdict, Watch

Document = dict[str, Any]
LEASE = timedelta(minutes=5)
BEFORE = 20  # snapshots of a board that a new one is compared with


class Slots:
    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._slots = self._database["slots"]

    def prepare(self) -> None:
        self._slots.create_index([("watch", 1), ("slot", -1)], name="watch_-slot")
        self._slots.create_index([("status", 1), ("slot", -1)], name="status_-slot")

    def watch(self, watch: Watch) -> None:
        """Put on the list, or change its cadence; what was followed before stays known."""
        self._database["targets"].update_one(
            {"_id": watch.id},
            {
                "$set": {"spider": watch.spider, "value": watch.value, "every_s": watch.every.total_seconds()},
                "$setOnInsert": {"since": watch.since},
            },
            upsert=True,
        )
        self._database["targets"].update_one(
            {"_id": watch.id, "since": {"$exists": False}}, {"$set": {"since": watch.since}}
        )

    def unwatch(self, spider: str, value: str) -> bool:
        found = self._database["targets"].update_one(
            {"_id": f"{spider}:{value}", "every_s": {"$exists": True}}, {"$unset": {"every_s": "", "since": ""}}
        )
        return found.modified_count == 1

    def watches(self) -> list[Watch]:
        return [
            Watch(row["spider"], row["value"], timedelta(seconds=row["every_s"]), row["since"])
            for row in self._database["targets"].find({"every_s": {"$gt": 0}}).sort("_id", 1)
        ]

    def counts(self, watch: Watch) -> dict[str, int]:
        """How many of its slots were taken, and how many are gaps of which reason."""
        group = {"_id": {"$ifNull": ["$reason", "$status"]}, "n": {"$sum": 1}}
        found = self._slots.aggregate(
            [{"$match": {"watch": watch.id}}, {"$group": group}, {"$sort": {"n": -1, "_id": 1}}]
        )
        return {row["_id"]: row["n"] for row in found}

    def last(self, watch: Watch) -> datetime | None:
        """Newest slot of which anything is recorded."""
        found = self._slots.find_one({"watch": watch.id}, {"slot": 1}, sort=[("slot", -1)])
        return None if found is None else found["slot"]

    def claim(self, watch: Watch, slot: datetime, now: datetime, owner: str) -> bool:
        """Whether the slot is *owner*'s to take: new, or left by a process that is gone, or worth another try."""
        lease = {"status": "claimed", "owner": owner, "lease_until": now + LEASE, "claimed_at": now}
        try:
            self._slots.insert_one(
                {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "attempts": 1, **lease}
            )  # fmt: skip
            return True
        except DuplicateKeyError:
            pass
        free = [
            {"status": "claimed", "lease_until": {"$lt": now}},
            {"status": "failed", "attempts": {"$lt": MOST_ATTEMPTS}},
        ]
        found = self._slots.update_one(
            {"_id": watch.slot_id(slot), "$or": free}, {"$set": lease, "$inc": {"attempts": 1}}
        )
        return found.modified_count == 1

    def renew(self, watch: Watch, slot: datetime, now: datetime, owner: str) -> bool:
        """Heartbeat. False when the claim has been lost."""
        mine = {"_id": watch.slot_id(slot), "owner": owner, "status": "claimed"}
        return self._slots.update_one(mine, {"$set": {"lease_until": now + LEASE}}).matched_count == 1

    def settle(self, watch: Watch, slot: datetime, verdict: Verdict, now: datetime, owner: str) -> bool:
        """Acknowledge, after the pipelines have stored. False when another process has taken the slot over."""
        told: Document = {"status": verdict.status, "settled_at": now, "late_s": (now - slot).total_seconds()}
        told |= {name: value for name, value in (("reason", verdict.reason), ("flag", verdict.flag)) if value}
        mine = {"_id": watch.slot_id(slot), "owner": owner, "status": "claimed"}
        gone = {"lease_until": "", **({} if verdict.reason else {"reason": ""})}
        return self._slots.update_one(mine, {"$set": told, "$unset": gone}).matched_count == 1

    def gaps(self, watch: Watch, slots: Iterable[datetime], reason: str, now: datetime) -> int:
        """Record slots that nobody took; those that are recorded already stay as they are."""
        rows = [
            {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "status": "gap", "reason": reason,
             "settled_at": now}
            for slot in slots
        ]  # fmt: skip
        if not rows:
            return 0
        try:
            return len(self._slots.insert_many(rows, ordered=False).inserted_ids)
        except BulkWriteError as error:
            if any(each["code"] != 11000 for each in error.details["writeErrors"]):
                raise
            return int(error.details["nInserted"])

    def left_open(self, watch: Watch, before: datetime, now: datetime) -> list[datetime]:
        """Slots that are over, and were claimed or tried but never settled; a claim that still lives is left alone."""
        open_ones = {
            "watch": watch.id, "slot": {"$lt": before},
            "$or": [{"status": "claimed", "lease_until": {"$lt": now}}, {"status": "failed"}],
        }  # fmt: skip
        return [row["slot"] for row in self._slots.find(open_ones, {"slot": 1}).sort("slot", 1)]

    def abandoned(self, now: datetime) -> bool:
        """Whether a process died over a slot it had claimed."""
        return self._slots.find_one({"status": "claimed", "lease_until": {"$lt": now}}, {"_id": 1}) is not None

    def close(self, watch: Watch, slot: datetime, verdict: Verdict, now: datetime) -> None:
        """Settle a slot that was left open."""
        told: Document = {"status": verdict.status, "settled_at": now}
        told |= {name: value for name, value in (("reason", verdict.reason), ("flag", verdict.flag)) if value}
        self._slots.update_one(
            {"_id": watch.slot_id(slot), "status": {"$in": ["claimed", "failed"]}},
            {"$set": told, "$unset": {"lease_until": "", **({} if verdict.reason else {"reason": ""})}},
        )

    def fetches(self, watch: Watch, slot: datetime) -> list[Document]:
        """The ledger's rows of this target in this slot, oldest first."""
        asked = {
            "spider": watch.spider, "target": watch.value, "at": {"$gte": slot, "$lt": slot + watch.every}
        }  # fmt: skip
        return list(self._database["fetches"].find(asked).sort([("at", 1), ("_id", 1)]))

    def sizes(self, fetches: Iterable[Document]) -> tuple[list[int], list[int]]:
        """Rows of the boards that these fetches brought, and of the same boards before."""
        captures = [row["capture"] for row in fetches if "capture" in row]
        taken = list(self._database["boards"].find({"capture": {"$in": captures}}, {"board": 1, "at": 1, "size": 1}))
        now, before = [], []
        for row in taken[:1]:  # of a page with several lists the newest tells
            earlier = self._database["boards"].find(
                {"board": row["board"], "at": {"$lt": row["at"]}}, {"size": 1}, sort=[("at", -1)], limit=BEFORE
            )
            now.append(int(row.get("size", 0)))
            before += [int(each.get("size", 0)) for each in earlier]
        return now, before
