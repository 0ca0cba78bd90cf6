"""Watch list and slots: who takes what in which slot, claimed by one process at a time.

A slot is a document of its own, and its id is its name: two processes that insert it at once cannot both succeed.
A claim is a lease; one that its process no longer renews may be taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bson.codec_options import CodecOptions
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from crawler.schedule import MOST_ATTEMPTS, Verdict, Watch, back_off

Document = dict[str, Any]
LEASE = timedelta(minutes=5)
BEFORE = 20  # snapshots of a board that a new one is compared with
DUPLICATE = 11000
MOST_IDS = 10_000  # in a query
NO_MORE: Document = {"attempts": {"$gte": MOST_ATTEMPTS}}
Due = tuple[Watch, datetime]
"""Something, and the begin of the slot it is to be taken in."""


class Open(NamedTuple):
    """A slot that was claimed or tried, and never settled for good."""

    slot: datetime
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Dead:
    """What was tried as often as it may be, and why it is not tried again."""

    id: str
    reason: str
    at: datetime


def worth_trying(now: datetime) -> list[Document]:
    """Queries: left by a process that is gone, or failed so long ago that another try is due."""
    return [
        {"status": "claimed", "lease_until": {"$lt": now}, "attempts": {"$lt": MOST_ATTEMPTS}},
        {"status": "failed", "attempts": {"$lt": 1}},
        *({"status": "failed", "attempts": n, "settled_at": {"$lte": now - back_off(n)}}
          for n in range(1, MOST_ATTEMPTS)),
        {"status": "rested"},
    ]  # fmt: skip


class Slots:
    def __init__(self, database: Database[Document], collection: str = "slots", lease: timedelta = LEASE) -> None:
        """collection: `slots` of targets, `jobs` of what follows them."""
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._slots = self._database[collection]
        self.lease = lease

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

    def watches(self, ids: Sequence[str] | None = None) -> list[Watch]:
        """ids: only of these."""
        asked: Document = {"every_s": {"$gt": 0}, "paused": {"$ne": True}}
        asked |= {"_id": {"$in": list(ids)}} if ids is not None else {}
        return [
            Watch(row["spider"], row["value"], timedelta(seconds=row["every_s"]), row["since"])
            for row in self._database["targets"].find(asked).sort("_id", 1)
        ]

    def counts(self, watch: Watch) -> dict[str, int]:
        """How many of its slots were taken, and how many are gaps of which reason."""
        group = {"_id": {"$ifNull": ["$reason", "$status"]}, "n": {"$sum": 1}}
        found = self._slots.aggregate(
            [{"$match": {"watch": watch.id}}, {"$group": group}, {"$sort": {"n": -1, "_id": 1}}]
        )
        return {row["_id"]: row["n"] for row in found}

    def lasts(self) -> dict[str, datetime]:
        """Newest slot of which anything is recorded, of every watch; costs a look into the index for each."""
        newest: list[Document] = [
            {"$sort": {"watch": 1, "slot": -1}}, {"$group": {"_id": "$watch", "slot": {"$first": "$slot"}}}
        ]  # fmt: skip
        return {row["_id"]: row["slot"] for row in self._slots.aggregate(newest)}

    def free(self, dues: Sequence[Due], now: datetime) -> list[tuple[Due, int]]:
        """Those that may be claimed, and how often each was tried."""
        found: list[tuple[Due, int]] = []
        for i in range(0, len(dues), MOST_IDS):
            part = {watch.slot_id(slot): (watch, slot) for watch, slot in dues[i : i + MOST_IDS]}
            there = {row["_id"] for row in self._slots.find({"_id": {"$in": list(part)}}, {"_id": 1})}
            again = self._slots.find({"_id": {"$in": list(there)}, "$or": worth_trying(now)}, {"attempts": 1})
            tries = {row["_id"]: int(row["attempts"]) for row in again} if there else {}
            found += [(due, tries.get(name, 0)) for name, due in part.items() if name in tries or name not in there]
        return found

    def told(self, dues: Sequence[Due]) -> dict[str, str]:
        """Status of those that are recorded, by the slot's id."""
        ids = [watch.slot_id(slot) for watch, slot in dues]
        return {row["_id"]: row["status"] for row in self._slots.find({"_id": {"$in": ids}}, {"status": 1})}

    def claim(self, watch: Watch, slot: datetime, now: datetime, owner: str) -> bool:
        """Whether the slot is *owner*'s to take: new, or left by a process that is gone, or worth another try."""
        return bool(self.claim_all([(watch, slot)], now, owner))

    def claim_all(self, dues: Sequence[Due], now: datetime, owner: str, looked_at: datetime | None = None) -> list[Due]:
        """Those of *dues* that are now *owner*'s.

        looked_at: when `abandoned` was asked. A lease that ended since is left to the next round, which looks again.
        """
        if not dues:
            return []
        lease = {"status": "claimed", "owner": owner, "lease_until": now + self.lease, "claimed_at": now}
        rows = [
            {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "attempts": 1, **lease}
            for watch, slot in dues
        ]
        taken = self._inserted(rows)
        free = worth_trying(looked_at or now)
        mine = []
        for i, (watch, slot) in enumerate(dues):
            if i not in taken:
                found = self._slots.update_one(
                    {"_id": watch.slot_id(slot), "$or": free}, {"$set": lease, "$inc": {"attempts": 1}}
                )
                if found.modified_count != 1:
                    continue
            mine.append((watch, slot))
        return mine

    def _inserted(self, rows: list[Document]) -> set[int]:
        """Places of those that were not there."""
        try:
            self._slots.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            errors = error.details["writeErrors"]
            if any(each["code"] != DUPLICATE for each in errors) or error.details.get("writeConcernErrors"):
                raise
            return set(range(len(rows))) - {each["index"] for each in errors}
        return set(range(len(rows)))

    def renew(self, dues: Sequence[Due], now: datetime, owner: str) -> int:
        """Heartbeat; how many claims are still *owner*'s."""
        mine = {"_id": {"$in": [watch.slot_id(slot) for watch, slot in dues]}, "owner": owner, "status": "claimed"}
        return self._slots.update_many(mine, {"$set": {"lease_until": now + self.lease}}).matched_count

    def settle(self, watch: Watch, slot: datetime, verdict: Verdict, now: datetime, owner: str) -> bool:
        """Acknowledge, after the pipelines have stored. False when another process has taken the slot over."""
        # What nobody found the time for was not tried.
        untried = {"$inc": {"attempts": -1}} if verdict.reason == "no_time" else {}
        told: Document = {"status": verdict.status, "settled_at": now, "late_s": (now - slot).total_seconds()}
        told |= {name: value for name, value in (("reason", verdict.reason), ("flag", verdict.flag)) if value}
        mine = {"_id": watch.slot_id(slot), "owner": owner, "status": "claimed"}
        gone = {"lease_until": "", **({} if verdict.reason else {"reason": ""})}
        return self._slots.update_one(mine, {"$set": told, "$unset": gone, **untried}).matched_count == 1

    def gaps(self, watch: Watch, slots: Iterable[datetime], reason: str, now: datetime) -> int:
        """Record slots that nobody took; those that are recorded already stay as they are."""
        rows = [
            {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "status": "gap", "reason": reason,
             "settled_at": now}
            for slot in slots
        ]  # fmt: skip
        return len(self._inserted(rows)) if rows else 0

    def rest(self, dues: Sequence[Due], now: datetime) -> int:
        """Record slots that the plan of the budget leaves out so far; how many are new. They may still be claimed."""
        rows = [
            {"_id": watch.slot_id(slot), "watch": watch.id, "slot": slot, "status": "rested", "attempts": 0,
             "settled_at": now}
            for watch, slot in dues
        ]  # fmt: skip
        return len(self._inserted(rows)) if rows else 0

    def left_open(self, now: datetime) -> dict[str, list[Open]]:
        """By watch, oldest first: slots claimed by processes that are gone, and those that failed so far."""
        open_ones = {"$or": [{"status": "claimed", "lease_until": {"$lt": now}}, {"status": "failed"}]}
        found: dict[str, list[Open]] = defaultdict(list)
        for row in self._slots.find(open_ones, {"watch": 1, "slot": 1, "status": 1, "reason": 1}).sort("slot", 1):
            found[row["watch"]].append(Open(row["slot"], row["status"], row.get("reason")))
        return found

    def busy(self, now: datetime) -> bool:
        """Whether a living process holds a slot."""
        return self._slots.find_one({"status": "claimed", "lease_until": {"$gte": now}}, {"_id": 1}) is not None

    def abandoned(self, now: datetime, dues: Sequence[Due] | None = None) -> bool:
        """Whether a process died over a slot it had claimed; dues: over one of these."""
        asked: Document = {"status": "claimed", "lease_until": {"$lt": now}}
        asked |= {"_id": {"$in": [watch.slot_id(slot) for watch, slot in dues]}} if dues is not None else {}
        return self._slots.find_one(asked, {"_id": 1}) is not None

    def exhausted(self, now: datetime) -> dict[str, list[datetime]]:
        """By watch: slots whose process died at the last try they may have."""
        found: dict[str, list[datetime]] = defaultdict(list)
        for row in self._slots.find({"status": "claimed", "lease_until": {"$lt": now}, **NO_MORE}):
            found[row["watch"]].append(row["slot"])
        return found

    def dead(self) -> list[Dead]:
        """Slots that are not over and not tried again, newest first."""
        rows = self._slots.find({"status": "failed", **NO_MORE}).sort([("slot", -1), ("_id", 1)])
        return [Dead(row["_id"], str(row.get("reason", "")), row["settled_at"]) for row in rows]

    def revive(self, ids: Sequence[str] | None = None) -> int:
        """What failed may be tried as if never tried; ids: of these only. How many."""
        asked: Document = {"status": "failed", "attempts": {"$gt": 0}}
        asked |= {"_id": {"$in": list(ids)}} if ids is not None else {}
        return self._slots.update_many(asked, {"$set": {"attempts": 0}}).modified_count

    def close(self, watch: Watch, slot: datetime, verdict: Verdict, now: datetime) -> None:
        """Settle a slot that was left open."""
        told: Document = {"status": verdict.status, "settled_at": now}
        told |= {name: value for name, value in (("reason", verdict.reason), ("flag", verdict.flag)) if value}
        self._slots.update_one(
            {"_id": watch.slot_id(slot), "status": {"$in": ["claimed", "failed"]}},
            {"$set": told, "$unset": {"lease_until": "", **({} if verdict.reason else {"reason": ""})}},
        )

    def fetches(self, dues: Sequence[Due]) -> dict[str, list[Document]]:
        """The ledger's rows of these targets in their slots, oldest first, by the slot's id."""
        together: dict[tuple[str, datetime, timedelta], list[str]] = defaultdict(list)
        for watch, slot in dues:
            together[watch.spider, slot, watch.every].append(watch.value)
        found: dict[str, list[Document]] = {watch.slot_id(slot): [] for watch, slot in dues}
        for (spider, slot, every), values in together.items():
            asked = {"spider": spider, "target": {"$in": values}, "at": {"$gte": slot, "$lt": slot + every}}
            for row in self._database["fetches"].find(asked).sort([("at", 1), ("_id", 1)]):
                found[Watch(spider, row["target"], every, slot).slot_id(slot)].append(row)
        return found

    def sizes(self, fetches: Iterable[Document]) -> tuple[list[int], list[int]]:
        """Rows of the boards that these fetches brought, and of the same boards before."""
        captures = [row["capture"] for row in fetches if "capture" in row]
        if not captures:
            return [], []
        taken = list(self._database["boards"].find({"capture": {"$in": captures}}, {"board": 1, "at": 1, "size": 1}))
        now, before = [], []
        for row in taken[:1]:  # of a page with several lists the newest tells
            earlier = self._database["boards"].find(
                {"board": row["board"], "at": {"$lt": row["at"]}}, {"size": 1}, sort=[("at", -1)], limit=BEFORE
            )
            now.append(int(row.get("size", 0)))
            before += [int(each.get("size", 0)) for each in earlier]
        return now, before
