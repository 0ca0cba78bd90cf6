"""What the analysis of texts reads besides posts, and the two collections it derives: `links` and `heard`.

`heard` holds what was read from the files of a post (subtitles, speech, pictures), by post and by the hash of the
file; it goes when the post goes. `links` is written whole: what is no longer found is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from pymongo import DeleteMany, ReplaceOne
from pymongo.database import Database

from crawler.storage.reads import Document, frame_of, moments, plain_errors

LINKS, HEARD = "links", "heard"
BATCH = 2000  # documents a write

_MOMENT = "datetime64[ms, UTC]"
PRODUCT_COLUMNS = {
    "key": "string", "host": "string", "url": "string", "title": "string", "brand": "string", "vendor": "string",
    "first_seen": _MOMENT,
}  # fmt: skip
FILE_COLUMNS = {
    "key": "string", "post_id": "string", "created_at": _MOMENT, "language": "string", "cover_url": "string",
    "subtitles": "object", "urls": "object",
}  # fmt: skip


class Texts:
    """Reads with known_at see only what had been captured by then; the derived collections hold what is known now."""

    def __init__(self, database: Database[Document], known_at: datetime | None = None) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._known_at = known_at

    def products(self) -> pd.DataFrame:
        """Every product, by key; columns as PRODUCT_COLUMNS."""
        return self._read("products", PRODUCT_COLUMNS, {})

    def files(self, *, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
        """Posts created in since <= created_at < until with the files they name; columns as FILE_COLUMNS."""
        made = moments(since, until).get("at")
        return self._read("posts", FILE_COLUMNS, {"created_at": made} if made else {})

    def brands(self) -> set[str]:
        """Brands and vendors as stores write them, and brands named in deals."""
        found: set[str] = set()
        for collection, name in (("products", "brand"), ("products", "vendor"), ("deals", "brand")):
            with plain_errors(collection):
                found |= set(self._database[collection].distinct(name, self._seen()))
        return {each for each in found if each}

    def heard(self) -> list[Document]:
        """Everything read from files so far, oldest first."""
        known = {} if self._known_at is None else {"at": {"$lte": self._known_at}}
        with plain_errors(HEARD):
            return list(self._database[HEARD].find(known).sort([("at", 1), ("_id", 1)]))

    def keep_heard(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """By `_id`; the same file of the same post is one document however often it is read."""
        self._write(HEARD, [ReplaceOne({"_id": each["_id"]}, dict(each), upsert=True) for each in documents])

    def links(self) -> list[Document]:
        with plain_errors(LINKS):
            return list(self._database[LINKS].find().sort("_id", 1))

    def keep_links(self, documents: Sequence[Mapping[str, Any]]) -> int:
        """Write these by `_id`, then remove all others, so that a cut leaves too many and never too few.

        How many went.
        """
        self._write(LINKS, [ReplaceOne({"_id": each["_id"]}, _typed(each), upsert=True) for each in documents])
        kept = {each["_id"] for each in documents}
        with plain_errors(LINKS):
            gone = [each["_id"] for each in self._database[LINKS].find({}, {"_id": 1}) if each["_id"] not in kept]
        parts = [gone[i : i + BATCH] for i in range(0, len(gone), BATCH)]
        self._write(LINKS, [DeleteMany({"_id": {"$in": part}}) for part in parts])
        return len(gone)

    def _write(self, collection: str, writes: Sequence[Any]) -> None:
        with plain_errors(collection):
            for start in range(0, len(writes), BATCH):
                self._database[collection].bulk_write(list(writes[start : start + BATCH]), ordered=False)

    def _read(self, collection: str, columns: Mapping[str, str], query: Document) -> pd.DataFrame:
        with plain_errors(collection):
            rows = list(
                self._database[collection].find({**query, **self._seen()}, dict.fromkeys(columns, 1)).sort("_id", 1)
            )
        return frame_of([{**row, "key": row["_id"]} for row in rows], columns)

    def _seen(self) -> Document:
        return {} if self._known_at is None else {"first_seen": {"$lte": self._known_at}}


def _typed(document: Mapping[str, Any]) -> Document:
    """Charts want whole numbers of one kind; what is None is absent."""
    return {
        name: Int64(value) if type(value) is int else value for name, value in document.items() if value is not None
    }
