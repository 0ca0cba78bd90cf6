"""The collection `trends`: one document per topic of a board, derived from its rows, with how far it goes in `meta`.

Documents first, then how far they go: what is cut off in between is written again, never left out.
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
    """Of what the columns mean."""


class Trends:
    """Four verbs over the derived topics of one database."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)

    def progress(self, board: str) -> Progress | None:
        """None where the board was never derived, or by a program that kept something else."""
        with plain_errors("meta"):
            found = self._database["meta"].find_one({"_id": f"{COLLECTION}:{board}"}) or {}
        if not {"upto", "snapshots", "max_gap_ms", "version"} <= set(found):
            return None
        gap = timedelta(milliseconds=found["max_gap_ms"])
        return Progress(found["upto"], found["snapshots"], gap, found["version"])

    def snapshots(self, board: str, upto: datetime) -> int:
        """How many snapshots of *board* there are up to a moment, that moment included."""
        with plain_errors("boards"):
            return int(self._database["boards"].count_documents({"board": board, "at": {"$lte": upto}}))

    def keep(self, board: str, topics: Sequence[Mapping[str, Any]], progress: Progress, *, whole: bool) -> int:
        """Write topics by their topic_key; with *whole* they are all there is, and others go. How many went."""
        keys = {f"{board}#{each['topic_key']}" for each in topics}
        gone = [key for key in self._ids(board) if key not in keys] if whole else []
        writes: Iterator[Any] = (_replacement(board, each) for each in topics)
        with plain_errors(COLLECTION):
            while batch := list(islice(writes, BATCH)):
                self._database[COLLECTION].bulk_write(batch, ordered=False)
            if gone:
                self._database[COLLECTION].bulk_write([DeleteOne({"_id": key}) for key in gone], ordered=False)
        state = {
            "board": board, "upto": progress.upto, "snapshots": progress.snapshots, "version": progress.version,
            "max_gap_ms": round(progress.max_gap / timedelta(milliseconds=1)),
        }  # fmt: skip
        with plain_errors("meta"):
            self._database["meta"].replace_one({"_id": f"{COLLECTION}:{board}"}, state, upsert=True)
        return len(gone)

    def all(self, board: str) -> list[Document]:
        """By topic_key."""
        with plain_errors(COLLECTION):
            return list(self._database[COLLECTION].find({"board": board}).sort("_id", 1))

    def _ids(self, board: str) -> list[str]:
        with plain_errors(COLLECTION):
            return [each["_id"] for each in self._database[COLLECTION].find({"board": board}, {"_id": 1})]


def _replacement(board: str, topic: Mapping[str, Any]) -> ReplaceOne[Document]:
    typed = {name: Int64(value) if type(value) is int else value for name, value in topic.items() if value is not None}
    key = f"{board}#{topic['topic_key']}"
    return ReplaceOne({"_id": key}, {"_id": key, "board": board, **typed}, upsert=True)
