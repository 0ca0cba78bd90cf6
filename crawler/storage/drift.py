"""What drift remembers: `drift`, a document a spider (its memory, packed), and `breaks`, one for each change of shape.

A break is open until its field reads as before (over) or a person accepts it. No text of a page and nobody's name is
in either; of what entities are called there is a hash.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo.database import Database

from crawler.drift import accepted
from crawler.drift_seen import Alarm, Memory

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """A change of shape, as it was told."""

    id: str
    spider: str
    group: str
    """Page object and kind of item, or `page`."""
    field: str
    what: str
    says: str
    """The newest alarm in words."""
    since: datetime
    since_run: str
    last: datetime
    last_run: str
    runs: int
    state: str
    """open, over, accepted."""
    proposal: Mapping[str, Any] | None = None

    @property
    def page(self) -> str:
        return self.group.partition(" ")[0]


class Drift:
    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)

    def memory(self, spider: str) -> Memory:
        """Empty for a spider that never ran, or whose memory cannot be read: it is learned anew."""
        row = self._database["drift"].find_one({"_id": spider})
        try:
            return Memory.of(json.loads(zlib.decompress(row["memory"]))) if row else Memory()
        except (ValueError, zlib.error):
            return Memory()

    def keep(self, spider: str, run: str, at: datetime, memory: Memory, alarms: Sequence[Alarm]) -> None:
        """The memory after a run, and its alarms: new breaks, those that go on, and those that are over."""
        self.remember(spider, memory, at)
        breaks = self._database["breaks"]
        still = set()
        for each in alarms:
            about = {"spider": spider, "group": each.measure.group, "field": each.measure.field, "state": "open"}
            newest = {"what": each.measure.what, "says": str(each), "last": at, "last_run": run}
            row = breaks.find_one_and_update(about, {"$set": newest, "$inc": {"runs": 1}})
            if row is None:
                row = {"_id": f"{spider}|{each.measure.group}|{each.measure.field}@{run}", **about, **newest,
                       "since": at, "since_run": run, "runs": 1}  # fmt: skip
                breaks.replace_one({"_id": row["_id"]}, row, upsert=True)
            still.add(row["_id"])
        for row in breaks.find({"spider": spider, "state": "open", "_id": {"$nin": sorted(still)}}):
            if f"{row['group']}|{row['field']}" not in memory.opened:
                breaks.update_one({"_id": row["_id"]}, {"$set": {"state": "over", "over": at}})

    def remember(self, spider: str, memory: Memory, at: datetime) -> None:
        packed = Binary(zlib.compress(json.dumps(memory.as_data(), separators=(",", ":")).encode()))
        self._database["drift"].replace_one(
            {"_id": spider}, {"_id": spider, "at": at, "memory": packed}, upsert=True
        )  # fmt: skip

    def spiders(self) -> list[str]:
        """Those of which something is remembered."""
        return sorted(str(row["_id"]) for row in self._database["drift"].find({}, {"_id": 1}))

    def breaks(self, *states: str, most: int = 500) -> list[Break]:
        """The newest first."""
        query = {"state": {"$in": list(states)}} if states else {}
        rows = self._database["breaks"].find(query, sort=[("last", -1), ("_id", 1)], limit=most)
        names = [each for each in Break.__slots__ if each not in ("id", "proposal")]
        return [Break(row["_id"], **{name: row[name] for name in names}, proposal=row.get("proposal")) for row in rows]

    def accept(self, run: str) -> list[Break]:
        """The breaks that this run showed, accepted as the usual; their fields are learned anew."""
        found = [each for each in self.breaks("open") if run in (each.since_run, each.last_run)]
        for spider in sorted({each.spider for each in found}):
            mine = [each for each in found if each.spider == spider]
            memory = accepted(self.memory(spider), [(each.group, each.field) for each in mine])
            self.remember(spider, memory, max(each.last for each in mine))
        ids = [each.id for each in found]
        self._database["breaks"].update_many({"_id": {"$in": ids}}, {"$set": {"state": "accepted"}})
        return found

    def propose(self, ids: Iterable[str], proposal: Mapping[str, Any]) -> None:
        self._database["breaks"].update_many({"_id": {"$in": list(ids)}}, {"$set": {"proposal": dict(proposal)}})

    def captures(self, spider: str, page: str, since: datetime, *, after: bool, most: int = 60) -> list[str]:
        """Ids of captures that this page object read: good ones before a moment, or all from it on."""
        query: Document = {
            "spider": spider, "parser": {"$regex": rf"^{re.escape(page)}@"}, "capture": {"$exists": True},
            "at": {"$gte": since} if after else {"$lt": since},
        }  # fmt: skip
        if not after:
            query["outcome"] = "ok"
        rows = self._database["fetches"].find(query, {"capture": 1}, sort=[("at", -1)], limit=most)
        return [row["capture"] for row in rows]


def forget(database: Database[Document]) -> None:
    """Everything remembered of single entities; charts stay. The next run remembers them anew."""
    drift = Drift(database)
    for row in database["drift"].find({}, {"_id": 1}):
        memory = drift.memory(row["_id"])
        memory.entities = {}
        at = datetime.fromtimestamp(memory.at or 0, UTC)
        drift.remember(row["_id"], memory, at)
    database["breaks"].update_many({}, {"$unset": {"proposal": ""}})
