"""The collection `notices`: what is to be told, to whom it went, and what never arrived. The same id is told once.

A notice is claimed before it is sent and marked after. A process that dies in between leaves it claimed; it is then
sent again, and says that it may be a repetition: better twice than never, and never twice unsaid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database

from crawler.notices import Notice, Send, place_of

Document = dict[str, Any]
LEASE = timedelta(minutes=5)
MOST_TRIES = 12  # one a round: two hours of an address that is away
KEPT = timedelta(days=400)  # so that no digest of the year is told again
AGAIN = "(This may be a repetition: the process that sent it died before it could note that.)\n"


@dataclass(frozen=True, slots=True)
class Delivered:
    sent: int = 0
    """Messages taken, of all addresses together."""
    refused: int = 0
    """Messages not taken; tried again in the next round, until MOST_TRIES."""


class Notices:
    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._notices = self._database["notices"]

    def prepare(self) -> None:
        self._notices.create_index([("status", 1), ("at", 1)], name="status_at")
        self._notices.create_index([("at", 1)], name="ttl", expireAfterSeconds=int(KEPT.total_seconds()))

    def add(self, notices: Iterable[Notice]) -> int:
        """How many are new."""
        writes = [
            UpdateOne(
                {"_id": each.id},
                {"$setOnInsert": {"kind": each.kind, "title": each.title, "body": each.body, "at": each.at,
                                  "status": "waiting", "tries": 0, "places": []}},
                upsert=True,
            )
            for each in notices
        ]  # fmt: skip
        return int(self._notices.bulk_write(writes, ordered=False).upserted_count) if writes else 0

    def deliver(self, urls: Sequence[str], send: Send, now: datetime, owner: str) -> Delivered:
        """Everything that waits, oldest first, once to each address."""
        sent = refused = 0
        seen: list[str] = []
        while urls and (row := self._claim(now, owner, seen)):
            seen.append(row["_id"])
            notice = Notice(row["_id"], row["kind"], row["title"], row["body"], row["at"])
            if row["repeated"]:
                notice = replace(notice, body=AGAIN + notice.body)
            missed = False
            for url in urls:
                if (place := place_of(url)) in row["places"]:
                    continue
                if send(url, notice):
                    sent += 1
                    self._notices.update_one({"_id": notice.id}, {"$addToSet": {"places": place}})
                else:
                    refused, missed = refused + 1, True
            status = "sent" if not missed else "failed" if row["tries"] >= MOST_TRIES else "waiting"
            self._notices.update_one(
                {"_id": notice.id, "owner": owner}, {"$set": {"status": status, "settled_at": now}}
            )
        return Delivered(sent, refused)

    def undelivered(self) -> int:
        return self._notices.count_documents({"status": {"$ne": "sent"}})

    def untold_alerts(self, since: datetime, most: int = 50) -> list[Document]:
        """Alerts of `python -m analysis alerts` that were told since, oldest first."""
        return list(self._database["alerts"].find({"at": {"$gte": since}}).sort("at", 1).limit(most))

    def gaps_in_a_row(self, now: datetime, most: int = 3) -> dict[str, tuple[str, int]]:
        """Watches whose newest *most* slots are gaps of one reason: reason and how many, by the watch's id.

        One question for each cadence of the list, however long that is.
        """
        listed: dict[float, list[str]] = defaultdict(list)
        for row in self._database["targets"].find({"every_s": {"$gt": 0}, "paused": {"$ne": True}}, {"every_s": 1}):
            listed[row["every_s"]].append(row["_id"])
        found = {}
        for every_s, ids in listed.items():
            newest = now - timedelta(seconds=every_s * (most + 2))
            reasons: dict[str, list[str | None]] = {each: [] for each in ids}
            asked = {"watch": {"$in": ids}, "slot": {"$gte": newest}, "status": {"$nin": ["claimed", "rested"]}}
            for row in self._database["slots"].find(asked, {"watch": 1, "reason": 1}).sort("slot", -1):
                reasons[row["watch"]].append(row.get("reason"))
            for each, told in reasons.items():
                if len(told) >= most and told[0] is not None and len(set(told[:most])) == 1:
                    found[each] = (told[0], most)
        return found

    def _claim(self, now: datetime, owner: str, but: Sequence[str]) -> Document | None:
        free = [{"status": "waiting"}, {"status": "sending", "lease_until": {"$lt": now}}]
        before = self._notices.find_one_and_update(
            {"_id": {"$nin": list(but)}, "$or": free},
            {"$set": {"status": "sending", "owner": owner, "lease_until": now + LEASE}, "$inc": {"tries": 1}},
            sort=[("at", 1), ("_id", 1)], return_document=ReturnDocument.BEFORE,
        )  # fmt: skip
        if before is None:
            return None
        return {**before, "tries": before["tries"] + 1, "repeated": before["status"] == "sending"}
