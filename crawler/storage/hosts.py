"""When the next request to a host may go, and how many went today: one document a host, for all workers together.

The moment is the server's, so workers whose clocks differ keep the same distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Turn:
    wait_s: float
    granted: bool
    """False where the host has had its pages of the day."""


class Hosts:
    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        # Lost in a crash, a turn costs nobody anything: not worth waiting for the journal.
        self._hosts = database.get_collection("hosts", options, write_concern=WriteConcern(w=1, j=False))

    def prepare(self) -> None:
        self._hosts.create_index([("asked_at", 1)], name="ttl", expireAfterSeconds=int(KEPT.total_seconds()))

    def turn(self, host: str, gap: timedelta, most: int | None = None, now: datetime | None = None) -> Turn:
        """The next free moment, which is then taken; nobody else is let in for *gap* after it.

        most: requests of a day (UTC); counted only where there is such a limit.  now: the server's where it is None.
        """
        at: Any = "$$NOW" if now is None else now
        today = {"$dateToString": {"date": "$asked_at", "format": "%Y-%m-%d"}}
        row = self._hosts.find_one_and_update(
            {"_id": host},
            [
                {"$set": {"asked_at": at, "turn_at": {"$max": ["$free_at", at]}}},
                {"$set": {"n": {"$cond": [{"$eq": ["$day", today]}, "$n", 0]}, "day": today}},
                {"$set": {"granted": True if most is None else {"$lt": ["$n", most]}}},
                {"$set": {
                    "n": {"$cond": ["$granted", {"$add": ["$n", 0 if most is None else 1]}, "$n"]},
                    "free_at": {"$cond": [
                        "$granted", {"$add": ["$turn_at", round(gap.total_seconds() * 1000)]}, "$free_at"]},
                }},
            ],
            upsert=True, return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        assert row is not None  # an upsert
        return Turn((row["turn_at"] - row["asked_at"]).total_seconds(), bool(row["granted"]))

    def rest(self, host: str, wait: timedelta) -> None:
        """Nobody asks it before that much time is over."""
        until = {"$add": ["$$NOW", round(wait.total_seconds() * 1000)]}
        change = {"$set": {"asked_at": "$$NOW", "free_at": {"$max": ["$free_at", until]}}}
        self._hosts.update_one({"_id": host}, [change], upsert=True)

    def of_day(self, day: datetime) -> dict[str, int]:
        """Requests that were let through on that day (UTC)."""
        return {row["_id"]: int(row["n"]) for row in self._hosts.find({"day": f"{day:%Y-%m-%d}"}, {"n": 1})}
