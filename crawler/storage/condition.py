"""What the database tells of how the watching goes: per spider and target, jobs, notices, alerts. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.database import Database

from crawler.items import KINDS
from crawler.storage.drift import Drift
from crawler.storage.jobs import Queue
from crawler.storage.notices import Notices

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spider:
    """What became of a spider's work in the time looked at."""

    name: str
    runs: int = 0
    good: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    items: Mapping[str, int] = field(default_factory=dict)
    """yielded, saved, repeated, refused, spooled, unsaved."""
    unusual: tuple[str, ...] = ()
    """Measures of the newest run that its runs before do not make likely: fill rates, sizes, ranges, repeats."""

    @property
    def fetches(self) -> int:
        return sum(self.outcomes.values())

    @property
    def new_share(self) -> float | None:
        """Items that were not known, of all; the rest are repeats."""
        seen = self.items.get("saved", 0) + self.items.get("repeated", 0)
        return self.items.get("saved", 0) / seen if seen else None


@dataclass(frozen=True, slots=True)
class Watched:
    """A target of the watch list."""

    id: str
    every: timedelta
    since: datetime
    taken: datetime | None
    """Begin of the newest slot that was taken."""
    slots: Mapping[str, int]
    """Slots in the time looked at, by status or reason."""
    rested: int = 0
    """Of these since the newest that was taken, those that the plan of the budget left out."""


@dataclass(frozen=True, slots=True)
class Condition:
    at: datetime
    since: datetime
    spiders: tuple[Spider, ...]
    watched: tuple[Watched, ...]
    jobs: Mapping[str, Mapping[str, int]]
    """Slots of each job, by status or reason."""
    no_counter: Mapping[str, tuple[int, int]]
    """Observations that show no counter at all, and all of them, by kind."""
    tagged: tuple[int, int]
    """Posts with a hashtag, and all, of those first seen."""
    quarantined: int
    undelivered: int
    asked: int
    alerts: tuple[int, int, int]
    """Told; of those that are settled, came true; settled."""
    breaks: tuple[str, ...] = ()
    """Fields that have changed their shape, in words, of which nobody has decided yet."""


def read(database: Database[Document], since: datetime, at: datetime) -> Condition:
    """*at* included."""
    options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
    database = database.with_options(codec_options=options)
    span = {"$gte": since, "$lte": at}
    alerts = list(database["alerts"].find({"at": span}, {"came_true": 1}))
    settled = [row["came_true"] for row in alerts if "came_true" in row]
    posts = {"first_seen": span}
    return Condition(
        at, since, tuple(_spiders(database, span)), tuple(_watched(database, span)), _jobs(database, span),
        _no_counter(database, span),
        (database["posts"].count_documents({**posts, "hashtags.0": {"$exists": True}}),
         database["posts"].count_documents(posts)),
        database["quarantine"].count_documents({"recorded_at": span}), Notices(database).undelivered(),
        Queue(database).waiting(), (len(alerts), sum(settled), len(settled)),
        tuple(f"{each.spider}: {each.says}" for each in Drift(database).breaks("open")),
    )  # fmt: skip


def _spiders(database: Database[Document], span: Document) -> list[Spider]:
    outcomes: dict[str, dict[str, int]] = {}
    by = {"_id": {"spider": "$spider", "outcome": "$outcome"}, "n": {"$sum": 1}}
    for row in database["fetches"].aggregate([{"$match": {"at": span}}, {"$group": by}]):
        name = str(row["_id"].get("spider", "-"))
        outcomes.setdefault(name, {})[str(row["_id"].get("outcome"))] = int(row["n"])
    runs: dict[str, list[Document]] = {}
    wanted = dict.fromkeys(("spider", "verdict", "items"), 1)
    for row in database["runs"].find({"started_at": span}, wanted).sort("started_at", 1):
        runs.setdefault(row["spider"], []).append(row)
    newest = {row["_id"]: row for row in database["run_profiles"].aggregate([
        {"$match": {"at": span}}, {"$sort": {"at": 1}},
        {"$group": {"_id": "$source", "alarms": {"$last": "$alarms"}}},
    ])}  # fmt: skip
    found = []
    for name in sorted(set(outcomes) | set(runs)):
        items: dict[str, int] = {}
        for row in runs.get(name, ()):
            for fate, n in row.get("items", {}).items():
                items[fate] = items.get(fate, 0) + int(n)
        unusual = tuple(
            f"{source}: {alarm}" for source, row in sorted(newest.items())
            if source.partition(" ")[0] == name for alarm in row["alarms"]
        )  # fmt: skip
        good = sum(row["verdict"] == "good" for row in runs.get(name, ()))
        found.append(Spider(name, len(runs.get(name, ())), good, outcomes.get(name, {}), items, unusual))
    return found


def _watched(database: Database[Document], span: Document) -> list[Watched]:
    by = {"_id": {"watch": "$watch", "what": {"$ifNull": ["$reason", "$status"]}}, "n": {"$sum": 1}}
    slots: dict[str, dict[str, int]] = {}
    for row in database["slots"].aggregate([{"$match": {"slot": span}}, {"$group": by}]):
        slots.setdefault(row["_id"]["watch"], {})[row["_id"]["what"]] = int(row["n"])
    taken = {row["_id"]: row["slot"] for row in database["slots"].aggregate([
        {"$match": {"status": "taken"}}, {"$group": {"_id": "$watch", "slot": {"$max": "$slot"}}}
    ])}  # fmt: skip
    rested: dict[str, int] = {}
    for row in database["slots"].find({"status": "rested", "slot": span}, {"watch": 1, "slot": 1}):
        if row["watch"] not in taken or row["slot"] > taken[row["watch"]]:
            rested[row["watch"]] = rested.get(row["watch"], 0) + 1
    listed = database["targets"].find({"every_s": {"$gt": 0}, "paused": {"$ne": True}}).sort("_id", 1)
    return [
        Watched(row["_id"], timedelta(seconds=row["every_s"]), row["since"], taken.get(row["_id"]),
                slots.get(row["_id"], {}), rested.get(row["_id"], 0))
        for row in listed
    ]  # fmt: skip


def _jobs(database: Database[Document], span: Document) -> dict[str, dict[str, int]]:
    by = {"_id": {"watch": "$watch", "what": {"$ifNull": ["$reason", "$status"]}}, "n": {"$sum": 1}}
    found: dict[str, dict[str, int]] = {}
    for row in database["jobs"].aggregate([{"$match": {"slot": span}}, {"$group": by}]):
        found.setdefault(row["_id"]["watch"].partition(":")[2], {})[row["_id"]["what"]] = int(row["n"])
    return dict(sorted(found.items()))


def _no_counter(database: Database[Document], span: Document) -> dict[str, tuple[int, int]]:
    found = {}
    for kind, model in KINDS.items():
        if model.counters:
            mine: Document = {"kind": kind, "at": span}
            if n := database["observations"].count_documents(mine):
                none = {name: {"$exists": False} for name in model.counters}
                found[kind] = (database["observations"].count_documents({**mine, **none}), n)
    return found
