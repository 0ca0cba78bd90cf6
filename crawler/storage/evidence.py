"""What the database can show for each capture; read by `scrapy verify`, each collection once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pymongo.database import Database

from crawler.items import KINDS, Board, BoardEntry, Item
from crawler.storage.merge import Document, observation, stamp_of
from crawler.storage.schema import APPEND_ONLY

TRACES = ("observations", *sorted(APPEND_ONLY))
"""Collections that keep a document for every capture of an entity or a list."""

_STAMPS: list[dict[str, Any]] = [
    {"$project": {"c": {"$concatArrays": [
        ["$capture"],
        {"$map": {"input": {"$objectToArray": {"$ifNull": ["$older", {}]}}, "in": "$$this.v.capture"}},
    ]}}},
    {"$unwind": "$c"},
    {"$group": {"_id": "$c", "n": {"$sum": 1}}},
]  # fmt: skip


class Entry(NamedTuple):
    """A fetch that brought a page, as the ledger tells it."""

    capture: str
    traces: int
    """Documents that were written for this very capture."""


class Evidence:
    """Reads only. Raises what pymongo raises; wrap in crawler.storage.connect.plain_errors."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def ledger(self) -> Iterator[Entry]:
        for row in self._database["fetches"].find({"capture": {"$exists": True}}, {"traces": 1}, batch_size=10_000):
            yield Entry(row["_id"], row.get("traces", 0))

    def traces(self) -> Counter[str]:
        """Documents by the capture they were written for."""
        found: Counter[str] = Counter()
        for name in TRACES:
            for row in self._grouped(name, [{"$group": {"_id": "$capture", "n": {"$sum": 1}}}]):
                found[row["_id"]] += row["n"]
        if self._database["history"].find_one({}, {"_id": 1}) is not None:
            from crawler.storage.history import History

            found.update(History.of(self._database).captures())
        return found

    def stamps(self) -> Counter[str]:
        """Latest-state values by the capture they stem from, those of older captures among them."""
        found: Counter[str] = Counter()
        for name in {model.collection for model in KINDS.values()} - APPEND_ONLY:
            for row in self._grouped(name, _STAMPS):
                found[row["_id"]] += row["n"]
        return found

    def stateless(self) -> set[str]:
        """Captures of entities that were observed and have no latest state: its document was removed."""
        observed = {row["_id"]: row["n"] for row in self._grouped("observations", [
            {"$group": {"_id": "$entity", "kind": {"$first": "$kind"}}},
            {"$group": {"_id": "$kind", "n": {"$sum": 1}}},
        ])}  # fmt: skip
        found: set[str] = set()
        for kind, entities in observed.items():
            latest = KINDS[kind].collection
            if self._database[latest].estimated_document_count() >= entities:
                continue
            for row in self._grouped("observations", [
                {"$match": {"kind": kind}},
                {"$group": {"_id": "$entity", "captures": {"$addToSet": "$capture"}}},
                {"$lookup": {"from": latest, "localField": "_id", "foreignField": "_id", "as": "latest"}},
                {"$match": {"latest": []}},
            ]):  # fmt: skip
                found.update(row["captures"])
        return found

    def untraced(self, items: Iterable[Item]) -> list[str]:
        """Keys of items of which the database shows nothing: neither stored, nor overruled, nor refused."""
        wanted: dict[str, dict[str, Item]] = defaultdict(dict)
        for item in items:
            wanted[item.collection][item.key] = item
            if item.counters:
                wanted["observations"][observation(item)["_id"]] = item
        lacking = []
        for name, by_id in wanted.items():
            held = {row["_id"] for row in self._database[name].find({"_id": {"$in": list(by_id)}}, {"_id": 1})}
            lacking += [
                item.key
                for key, item in by_id.items()
                if key not in held and not self._overruled(item) and not self._refused(item)
            ]
        return lacking

    def _overruled(self, item: Item) -> bool:
        """An entry of a board of which a later capture of the same moment stands."""
        if not isinstance(item, BoardEntry | Board):
            return False
        board = self._database["boards"].find_one({"_id": item.key.rpartition("#")[0] or item.key})
        return board is not None and stamp_of(board) > stamp_of(item.__dict__)

    def _refused(self, item: Item) -> bool:
        return self._database["quarantine"].find_one({"capture": item.capture, "kind": item.kind}) is not None

    def _grouped(self, name: str, pipeline: list[dict[str, Any]]) -> Iterator[Document]:
        return iter(self._database[name].aggregate(pipeline, allowDiskUse=True, batchSize=10_000))
