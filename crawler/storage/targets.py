"""The watch list, and how far each target has been followed; posts whose counters are due. One document a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bson.codec_options import CodecOptions
from pymongo import UpdateOne
from pymongo.database import Database

Document = dict[str, Any]
Role = Literal["own", "competitor"]
YOUNGEST, OLDEST = timedelta(hours=1), timedelta(days=7)
AGE_SHARE = 0.1  # a post is due again after a tenth of its age: counters move fast at first
CANDIDATES = 20_000  # of the newest posts, among which the due ones are looked for
OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "=": "$eq"}


@dataclass(frozen=True, slots=True)
class Target:
    spider: str
    value: str
    since: datetime
    role: Role | None = None
    paused: bool = False
    every_s: float | None = None
    followed_at: str | None = None
    """When its list was last read to where it was known; ISO 8601."""

    @property
    def id(self) -> str:
        return f"{self.spider}:{self.value}"


class Targets:
    """On the list is what has a `since`; other documents only hold how far something was followed."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._targets = self._database["targets"]

    def add(self, targets: Iterable[Target]) -> list[Target]:
        """Those that were not on the list; the others stay as they are."""
        wanted = list(targets)
        there = {row["_id"] for row in self._targets.find({"_id": {"$in": [each.id for each in wanted]},
                                                           "since": {"$exists": True}}, {"_id": 1})}  # fmt: skip
        fresh = [each for each in {each.id: each for each in wanted}.values() if each.id not in there]
        if fresh:
            self._targets.bulk_write(
                [UpdateOne({"_id": each.id}, {"$set": _document(each)}, upsert=True) for each in fresh], ordered=False
            )
        return fresh

    def listed(self, spider: str | None = None) -> list[Target]:
        asked: Document = {"since": {"$exists": True}, **({"spider": spider} if spider else {})}
        return [
            Target(
                row["spider"], row["value"], row["since"], row.get("role"), bool(row.get("paused")),
                row.get("every_s"), row.get("progress", {}).get("at"),
            )
            for row in self._targets.find(asked).sort("_id", 1)
        ]  # fmt: skip

    def pause(self, ids: list[str], paused: bool) -> int:
        """How many of them are on the list."""
        change = {"$set": {"paused": True}} if paused else {"$unset": {"paused": ""}}
        return self._targets.update_many({"_id": {"$in": ids}, "since": {"$exists": True}}, change).matched_count

    def remove(self, ids: list[str]) -> int:
        """Off the list; what was stored, and how far it was followed, stays."""
        gone = {"since": "", "every_s": "", "role": "", "paused": ""}
        found = self._targets.update_many({"_id": {"$in": ids}, "since": {"$exists": True}}, {"$unset": gone})
        return found.matched_count

    def progress(self, spider: str, values: Iterable[str]) -> dict[str, Document]:
        """How far each was followed; those of which nothing is known are left out."""
        ids = [f"{spider}:{value}" for value in values]
        rows = self._targets.find({"_id": {"$in": ids}, "progress": {"$type": "object"}}, {"value": 1, "progress": 1})
        return {row["value"]: row["progress"] for row in rows}

    def keep(self, spider: str, found: Mapping[str, Document]) -> None:
        if found:
            self._targets.bulk_write(
                [
                    UpdateOne(
                        {"_id": f"{spider}:{value}"},
                        {"$set": {"spider": spider, "value": value, "progress": progress}}, upsert=True,
                    )
                    for value, progress in found.items()
                ],
                ordered=False,
            )  # fmt: skip

    def fetched(self, captures: Iterable[str]) -> set[str]:
        """Those of them that the ledger knows: their items are stored."""
        rows = self._database["fetches"].find({"_id": {"$in": list(captures)}}, {"_id": 1})
        return {row["_id"] for row in rows}

    def creators(self, where: Iterable[tuple[str, str, int]], sample: int) -> list[str]:
        """Handles of known creators that meet all conditions (counter, sign, number), drawn at random.

        A counter that the profile does not show meets no condition.
        """
        asked: Document = {"platform": "tiktok", "private": {"$ne": True}}
        for name, sign, number in where:
            asked.setdefault(name, {"$type": "number"})[OPERATORS[sign]] = number
        rows = self._database["profiles"].aggregate([{"$match": asked}, {"$sample": {"size": sample}}])
        return sorted(str(row["username"]).lower() for row in rows)

    def due_posts(self, now: datetime, most: int) -> list[str]:
        """Ids of the posts whose counters are most overdue, worst first."""
        rows = self._database["posts"].find(
            {"platform": "tiktok", "created_at": {"$lte": now}}, {"post_id": 1, "created_at": 1, "observed_at": 1}
        )
        overdue = []
        for row in rows.sort("created_at", -1).limit(CANDIDATES):
            wait = min(max((row["observed_at"] - row["created_at"]) * AGE_SHARE, YOUNGEST), OLDEST)
            late = (now - row["observed_at"]) / wait
            if late >= 1:
                overdue.append((-late, str(row["post_id"])))
        return [post_id for _, post_id in sorted(overdue)[:most]]


def _document(target: Target) -> Document:
    made: Document = {"spider": target.spider, "value": target.value, "since": target.since}
    return made | ({"role": target.role} if target.role else {})
