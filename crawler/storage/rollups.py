"""Observations by hour and by day: first, last, least and greatest of every counter. Made by the server with $merge.

A day is made anew when its number of observations has changed, so late and replayed captures are taken in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.database import Database

from crawler.items import KINDS

Document = dict[str, Any]
UNITS = {"hour": "rollups_hourly", "day": "rollups_daily"}
HOURLY_KEPT = timedelta(days=60)  # hours of older days can be made again from observations; days stay for good
COUNTERS = tuple(dict.fromkeys(name for model in KINDS.values() for name in model.counters))
ORDERED = tuple(name for name in COUNTERS if name not in ("available", "currency"))
"""Counters of which least and greatest make sense."""


def refresh(database: Database[Document], now: datetime, *, rebuild: bool = False) -> int:
    """How many days were made, or made anew."""
    for name in UNITS.values():
        database[name].create_indexes([
            IndexModel([("entity", 1), ("at", 1)], name="entity_at"),
            IndexModel([("kind", 1), ("at", 1)], name="kind_at"),
        ])  # fmt: skip
    days = _counts(database)
    known: dict[str, int] = {} if rebuild else (database["meta"].find_one({"_id": "rollups"}) or {}).get("days", {})
    moved = {row["month"] for row in database["history"].find({"collection": "observations"}, {"month": 1})}
    made = 0
    for day, n in sorted(days.items()):
        # Of a month that has left, the database holds late captures only: its rollups stand as they were.
        if known.get(day) == n or (day[:7] in moved and day in known):
            continue
        _make(database, datetime.fromisoformat(day).replace(tzinfo=UTC), now)
        database["meta"].update_one({"_id": "rollups"}, {"$set": {f"days.{day}": n}}, upsert=True)
        made += 1
    database["rollups_hourly"].delete_many({"at": {"$lt": now - HOURLY_KEPT}})
    return made


def _counts(database: Database[Document]) -> dict[str, int]:
    day = {"$dateToString": {"date": "$at", "format": "%Y-%m-%d"}}
    return {row["_id"]: int(row["n"]) for row in database["observations"].aggregate(
        [{"$group": {"_id": day, "n": {"$sum": 1}}}], allowDiskUse=True)}  # fmt: skip


def _make(database: Database[Document], day: datetime, now: datetime) -> None:
    for unit, name in UNITS.items():
        if unit == "hour" and day < now - HOURLY_KEPT:
            continue
        database["observations"].aggregate(steps(unit, name, day), allowDiskUse=True)


def steps(unit: str, into: str, day: datetime) -> list[Document]:
    begin = {"$dateTrunc": {"date": "$at", "unit": unit}}
    wide = {"$eq": ["$at_precision", "day"]}
    group: Document = {
        "_id": {"entity": "$entity", "at": begin}, "kind": {"$first": "$kind"}, "platform": {"$first": "$platform"},
        "n": {"$sum": 1}, "by_day_only": {"$sum": {"$cond": [wide, 1, 0]}},
    }  # fmt: skip
    # Of documents MongoDB compares the first field first: the greatest of {at, capture, value} is the last one shown.
    for counter in COUNTERS:
        shown = {"$cond": [{"$gt": [f"${counter}", None]}, {"at": "$at", "c": "$capture", "v": f"${counter}"}, None]}
        group[counter] = {"$max": shown}
        if counter in ORDERED:
            group[f"{counter}_first"] = {"$min": shown}
            group[f"{counter}_min"] = {"$min": f"${counter}"}
            group[f"{counter}_max"] = {"$max": f"${counter}"}
    flat: Document = {"at": "$_id.at", "entity": "$_id.entity"}
    for counter in COUNTERS:
        flat[counter] = {"$ifNull": [f"${counter}.v", "$$REMOVE"]}
        if counter in ORDERED:
            flat[f"{counter}_first"] = {"$ifNull": [f"${counter}_first.v", "$$REMOVE"]}
            for end in ("min", "max"):
                flat[f"{counter}_{end}"] = {"$ifNull": [f"${counter}_{end}", "$$REMOVE"]}
    stamp = "%Y-%m-%dT%HZ" if unit == "hour" else "%Y-%m-%d"
    key = {"$concat": ["$_id.entity", "@", {"$dateToString": {"date": "$_id.at", "format": stamp}}]}
    return [
        {"$match": {"at": {"$gte": day, "$lt": day + timedelta(days=1)}}},
        {"$group": group},
        {"$set": flat},
        {"$set": {"_id": key}},
        {"$merge": {"into": into, "whenMatched": "replace"}},
    ]
