"""The collection `trends`: one document per topic of a board, derived from its rows, with how far it goes in `meta`.

A mark before the documents, and how far they go behind them: what is cut off in between is made anew, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from bson.codec_options import CodecOptions
from bson.int64 import Int64
from pymongo import DeleteOne, ReplaceOne
from pymongo.database import Database

from crawler.storage.reads import Document, plain_errors

COLLECTION = "trends"
BATCH = 2000  # documents a write
PROGRESS = ("upto", "snapshots", "version", "number", "whole", "last_whole", "standing_since", "rows")


@dataclass(frozen=True)
class Progress:
    """How far the documents of a board go."""

    upto: datetime
    """Moment of the newest snapshot in them."""
    snapshots: int
    """Snapshots of the board up to then; another number later says that one came in behind."""
    max_gap: timedelta
    """How long a snapshot stands at most, in all of them."""
    version: int
    """Of what the documents mean."""
    number: int
    """Of the newest snapshot, counted from 0."""
    whole: int
    """Snapshots up to then that were taken whole."""
    last_whole: int
    """Number of the newest of these; -1 without any."""
    standing_since: datetime
    """Its moment: a topic last seen before has left."""
    rows: str
    """Fingerprint of the newest snapshot."""
    cut_off: bool = False
    """Documents were being written when it was last heard of."""


class Trends:
    """Six verbs over the derived topics of one database."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)

    def progress(self, board: str) -> Progress | None:
        """None where the board was never derived, or by a program that kept something else."""
        with plain_errors("meta"):
            found = self._database["meta"].find_one({"_id": f"{COLLECTION}:{board}"}) or {}
        kept = {name: found[name] for name in PROGRESS if name in found}
        if len(kept) < len(PROGRESS):
            return None
        gap = timedelta(milliseconds=found["max_gap_ms"])
        return Progress(max_gap=gap, cut_off=found.get("cut_off", False), **kept)

    def topics(self, board: str, keys: Sequence[str], standing_since: datetime) -> list[Document]:
        """Documents of these topics, and of all that were last seen at a moment or later."""
        ids = [f"{board}#{key}" for key in keys]
        with plain_errors(COLLECTION):
            topics = self._database[COLLECTION]
            found = {each["_id"]: each for each in topics.find({"_id": {"$in": ids}})}
            standing = topics.find({"board": board, "last_seen": {"$gte": standing_since}})
            return [_plain(each) for each in (found | {each["_id"]: each for each in standing}).values()]

    def snapshots(self, board: str, upto: datetime) -> int:
        """How many snapshots of *board* there are up to a moment, that moment included."""
        with plain_errors("boards"):
            return int(self._database["boards"].count_documents({"board": board, "at": {"$lte": upto}}))

    def keep(self, board: str, topics: Sequence[Mapping[str, Any]], progress: Progress, *, whole: bool) -> int:
        """Write topics by their topic_key; with *whole* they are all there is, and others go. How many went."""
        keys = {f"{board}#{each['topic_key']}" for each in topics}
        gone = [key for key in self._ids(board) if key not in keys] if whole else []
        writes: Iterator[Any] = (_replacement(board, each) for each in topics)
        of = f"{COLLECTION}:{board}"
        gap_ms = round(progress.max_gap / timedelta(milliseconds=1))
        state = {"board": board, "max_gap_ms": gap_ms, **{name: getattr(progress, name) for name in PROGRESS}}
        with plain_errors("meta"):
            self._database["meta"].update_one({"_id": of}, {"$set": {"cut_off": True}}, upsert=True)
        with plain_errors(COLLECTION):
            while batch := list(islice(writes, BATCH)):
                self._database[COLLECTION].bulk_write(batch, ordered=False)
            if gone:
                self._database[COLLECTION].bulk_write([DeleteOne({"_id": key}) for key in gone], ordered=False)
        with plain_errors("meta"):
            self._database["meta"].replace_one({"_id": of}, state, upsert=True)
        return len(gone)

    def all(self, board: str) -> list[Document]:
        """By topic_key, without what is kept to go on."""
        with plain_errors(COLLECTION):
            return list(self._database[COLLECTION].find({"board": board}, {"carry": 0}).sort("_id", 1))

    def boards(self) -> list[str]:
        """Every board that was captured, by name."""
        with plain_errors("boards"):
            return sorted(self._database["boards"].distinct("board"))

    def _ids(self, board: str) -> list[str]:
        with plain_errors(COLLECTION):
            return [each["_id"] for each in self._database[COLLECTION].find({"board": board}, {"_id": 1})]


def _replacement(board: str, topic: Mapping[str, Any]) -> ReplaceOne[Document]:
    key = f"{board}#{topic['topic_key']}"
    return ReplaceOne({"_id": key}, {"_id": key, "board": board, **_typed(topic)}, upsert=True)


def _typed(value: Any) -> Any:
    """Whole numbers as long, whatever their size; what is missing left out."""
    if isinstance(value, Mapping):
        return {name: _typed(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return Int64(value) if type(value) is int else value


def _plain(document: Document) -> Document:
    return {name: each for name, each in document.items() if name not in ("_id", "board")}
