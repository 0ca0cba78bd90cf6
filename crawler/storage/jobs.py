"""Since when jobs are owed, what a day has cost so far, and the queue of what was asked for out of turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.objectid import ObjectId
from pymongo import ReturnDocument
from pymongo.database import Database

from crawler.jobs import Spent
from crawler.schedule import MOST_ATTEMPTS, back_off
from crawler.storage.hosts import Hosts
from crawler.storage.slots import LEASE, NO_MORE, Dead

Document = dict[str, Any]
KEPT = timedelta(days=30)
MOST_CHARS = 2000  # of a message
MOST_MESSAGES = 1000  # that nobody has looked at yet


def _aware(database: Database[Document]) -> Database[Document]:
    options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
    return database.with_options(codec_options=options)


def since(database: Database[Document], names: Iterable[str], now: datetime) -> dict[str, datetime]:
    """The moment each job was first on the list; slots that began before are not owed."""
    meta = _aware(database)["meta"]
    meta.update_one({"_id": "jobs"}, {"$min": {f"since.{name}": now for name in names}}, upsert=True)
    found: Mapping[str, datetime] = (meta.find_one({"_id": "jobs"}) or {}).get("since", {})
    return dict(found)


def spent(database: Database[Document], now: datetime) -> Spent:
    """Of the day (UTC) that *now* lies in, by the ledger."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    host = {"$arrayElemAt": [{"$split": [{"$ifNull": ["$url", ""]}, "/"]}, 2]}
    browser = {"$cond": [{"$eq": ["$lane", "browser"]}, {"$ifNull": ["$ms", 0]}, 0]}
    rows = list(
        database["fetches"].aggregate([
            {"$match": {"at": {"$gte": day, "$lt": day + timedelta(days=1)}, "lane": {"$ne": "replay"}}},
            {"$group": {"_id": {"spider": "$spider", "host": host}, "n": {"$sum": 1},
                        "bytes": {"$sum": "$bytes"}, "ms": {"$sum": browser}}},
        ])
    )  # fmt: skip
    hosts = {(str(row["_id"].get("spider")), str(row["_id"].get("host"))): int(row["n"]) for row in rows}
    loaded = sum(hosts.values())
    for name, n in Hosts(database).of_day(now).items():  # let through, and not in the ledger yet
        if (more := n - sum(told for (_, each), told in hosts.items() if each == name)) > 0:
            hosts["", name] = more
    return Spent(loaded, sum(int(row["bytes"]) for row in rows), sum(row["ms"] for row in rows) / 1000, hosts)


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: what to crawl at once."""

    id: Any
    spider: str
    value: str
    attempts: int
    asked_at: datetime


class Queue:
    """Messages in the collection `asked`: taken oldest first, by one process at a time, and settled by the ledger."""

    def __init__(self, database: Database[Document], lease: timedelta = LEASE) -> None:
        self._database = _aware(database)
        self._asked = self._database["asked"]
        self.lease = lease

    def prepare(self) -> None:
        self._asked.create_index([("status", 1), ("asked_at", 1)], name="status_asked_at")
        self._asked.create_index([("settled_at", 1)], name="ttl", expireAfterSeconds=int(KEPT.total_seconds()))

    def ask(self, spider: str, value: str, now: datetime, by: str = "command") -> bool:
        """Put a message there; False when the same is waiting already. The caller has checked spider and value."""
        waiting = {"spider": spider, "value": value, "status": {"$in": ["waiting", "claimed"]}}
        row = {"_id": ObjectId(), "asked_at": now, "by": by, "attempts": 0, "status": "waiting"}
        done = self._asked.update_one(waiting, {"$setOnInsert": row}, upsert=True)
        return done.upserted_id is not None

    def message(self, text: str, now: datetime) -> bool:
        """Keep a message as it came, for a worker who knows the spiders; False when there are too many, or the same."""
        if self._asked.count_documents({"status": "new"}, limit=MOST_MESSAGES) >= MOST_MESSAGES:
            return False
        row = {"_id": ObjectId(), "asked_at": now, "by": "message"}
        same = {"status": "new", "message": text[: MOST_CHARS + 1]}
        return self._asked.update_one(same, {"$setOnInsert": row}, upsert=True).upserted_id is not None

    def read_messages(self, wanted: Callable[[str], tuple[str, str]], now: datetime) -> Counter[str]:
        """Messages made into crawls, or refused with the reason. wanted: raises ValueError."""
        done: Counter[str] = Counter()
        for row in self._asked.find({"status": "new"}).sort("asked_at", 1):
            try:
                spider, value = wanted(row["message"])
            except ValueError as error:
                told = {"status": "refused", "reason": str(error)[:300], "settled_at": now}
            else:
                self.ask(spider, value, row["asked_at"], "message")
                told = {"status": "read", "spider": spider, "value": value, "settled_at": now}
            self._asked.update_one({"_id": row["_id"]}, {"$set": told})
            done[str(told["status"])] += 1
        return done

    def waiting(self) -> int:
        return self._asked.count_documents({"status": {"$in": ["new", "waiting", "claimed"]}})

    def ready(self, now: datetime) -> int:
        """Messages that may be taken now."""
        return self._asked.count_documents({"$or": [{"status": "new"}, *_free(now)]})

    def next(self, now: datetime, owner: str) -> Asked | None:
        return self._claim({}, now, owner)

    def more(self, spider: str, most: int, now: datetime, owner: str) -> list[Asked]:
        """Others of the same spider, so that one process takes them all."""
        found: list[Asked] = []
        while len(found) < most and (asked := self._claim({"spider": spider}, now, owner)):
            found.append(asked)
        return found

    def settle(self, asked: Asked, now: datetime, owner: str) -> str:
        """Done when the ledger has a fetch of it since it was claimed; else tried again, three times at most."""
        row = self._asked.find_one({"_id": asked.id}) or {}
        mine = {"spider": asked.spider, "target": asked.value, "at": {"$gte": row.get("claimed_at", now)}}
        fetched = self._database["fetches"].find_one(mine, sort=[("at", -1)])
        status = "done" if fetched else "waiting" if asked.attempts < MOST_ATTEMPTS else "failed"
        told: Document = {"status": status, "outcome": fetched["outcome"] if fetched else "no_answer"}
        told["tried_at" if status == "waiting" else "settled_at"] = now
        self._asked.update_one({"_id": asked.id, "owner": owner, "status": "claimed"}, {"$set": told})
        return status

    def renew(self, asked: Iterable[Asked], now: datetime, owner: str) -> int:
        """Heartbeat; how many claims are still *owner*'s."""
        mine = {"_id": {"$in": [each.id for each in asked]}, "owner": owner, "status": "claimed"}
        return self._asked.update_many(mine, {"$set": {"lease_until": now + self.lease}}).matched_count

    def bury(self, now: datetime) -> int:
        """Messages whose process died at the last try they may have are tried no more. How many."""
        gone = {"status": "claimed", "lease_until": {"$lt": now}, **NO_MORE}
        told = {"status": "failed", "outcome": "interrupted", "settled_at": now}
        return self._asked.update_many(gone, {"$set": told}).modified_count

    def dead(self) -> list[Dead]:
        rows = self._asked.find({"status": "failed"}).sort([("settled_at", -1), ("_id", 1)])
        return [Dead(f"{row['spider']}:{row['value']}", str(row["outcome"]), row["settled_at"]) for row in rows]

    def revive(self, ids: Iterable[str] | None = None) -> int:
        """May be tried as if never tried; ids: of these only, as `dead` names them. How many."""
        asked: Document = {"status": "failed"}
        if ids is not None:
            pairs = [each.partition(":") for each in ids]
            asked["$or"] = [{"spider": spider, "value": value} for spider, _, value in pairs]
            if not pairs:
                return 0
        fresh = {"$set": {"status": "waiting", "attempts": 0}, "$unset": {"settled_at": ""}}
        return self._asked.update_many(asked, fresh).modified_count

    def _claim(self, query: Document, now: datetime, owner: str) -> Asked | None:
        lease = {"status": "claimed", "owner": owner, "lease_until": now + self.lease, "claimed_at": now}
        row = self._asked.find_one_and_update(
            {**query, "$or": _free(now)}, {"$set": lease, "$inc": {"attempts": 1}},
            sort=[("asked_at", 1), ("_id", 1)], return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        if row is None:
            return None
        return Asked(row["_id"], row["spider"], row["value"], int(row["attempts"]), row["asked_at"])


def _free(now: datetime) -> list[Document]:
    """Queries: new, left by a process that is gone, or tried so long ago that another try is due."""
    return [
        {"status": "waiting", "attempts": {"$lt": 1}},
        *({"status": "waiting", "attempts": n, "tried_at": {"$lte": now - back_off(n)}}
          for n in range(1, MOST_ATTEMPTS)),
        {"status": "claimed", "lease_until": {"$lt": now}, "attempts": {"$lt": MOST_ATTEMPTS}},
    ]  # fmt: skip
