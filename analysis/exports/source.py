"""What an export reads: the parts of each table, and their rows. Derived tables are made from what analysis knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.exports.rows import Row, flattened, rows_of
from analysis.exports.schema import TABLES, Table
from analysis.text.keywords import keywords
from analysis.text.language import identify
from analysis.text.posts import PostText, from_row, once_each
from analysis.text.sentiment import Model, classify
from crawler.storage.exports import NO_DAY, Exports, Part
from crawler.storage.reads import Reader

SENTIMENT_MODEL: Model = "small"  # the other one reads a hundred posts a second
STORED = {"evolution": "trends", "alerts": "alerts", "creators": "creators"}
"""Derived table: the collection that analysis keeps it in."""
BATCH = 5_000
Documents = list[dict[str, Any]]


class Source:
    """One database, read once: what a derived table holds does not change while it is exported."""

    def __init__(self, exports: Exports, reader: Reader) -> None:
        self._exports, self._reader = exports, reader
        self._made: dict[str, Documents] = {}
        self.name = exports.name

    def tables(self) -> tuple[Table, ...]:
        """Parents before their lists' tables, boards before their entries."""
        return tuple(table for table in TABLES if table.parent is None)

    def is_empty(self) -> bool:
        return not any(self._exports.has(table.collection) for table in self.tables() if table.collection)

    def parts(self, table: Table) -> dict[str, Part]:
        if table.collection and table.moment:
            return self._exports.parts(table.collection, table.moment)
        documents = self._documents(table)
        digest = hashlib.blake2b(digest_size=12)
        for each in documents:
            digest.update(flattened(table, each)["etag"].encode())
        return {NO_DAY: Part(len(documents), digest.hexdigest())}

    def rows(self, table: Table, day: str = NO_DAY) -> Iterator[dict[str, list[Row]]]:
        """Batches of rows of the table and of its lists' tables."""
        if table.collection and table.moment:
            for batch in self._exports.documents(table.collection, table.moment, day):
                yield rows_of(table, batch)
            return
        documents = self._documents(table)
        for start in range(0, len(documents), BATCH):
            yield rows_of(table, documents[start : start + BATCH])

    def keys(self, table: Table) -> set[tuple[Any, ...]]:
        """Keys of the rows that the table should have."""
        if table.collection and table.moment:
            return self._exports.keys(table.collection, table.key)
        flat = [flattened(table, each) for each in self._documents(table)]
        return {tuple(each[name] for name in table.key) for each in flat}

    def _documents(self, table: Table) -> Documents:
        if table.name not in self._made:
            if table.name in STORED:
                found = [each for batch in self._exports.documents(STORED[table.name]) for each in batch]
            else:
                found = self._makers[table.name]()
            self._made[table.name] = found
        return self._made[table.name]

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Documents]]:
        return {
            "topics": lambda: [{**each, "topic_key": each["_id"]} for each in self._exports.topics()],
            "prices_daily": self._exports.prices_daily,
            "keywords": self._keywords,
            "sentiment": self._sentiment,
        }

    @cached_property
    def _posts(self) -> list[PostText]:
        frame = self._reader.posts().astype(object)
        rows = [
            {
                str(name): said if isinstance(said, list) else None if pd.isna(said) else said
                for name, said in row.items()
            }
            for row in frame.to_dict("records")
        ]
        return once_each(from_row(row) for row in rows)

    def _keywords(self) -> Documents:
        found = keywords(self._posts).frame if self._posts else pd.DataFrame({"key": []})
        return [{str(name): said for name, said in row.items()} for row in found.to_dict("records")]

    def _sentiment(self) -> Documents:
        told = [post for post in self._posts if post.caption]
        codes = [identify(post.caption, post.stated_language).code for post in told]
        moods = classify([post.caption for post in told], codes, SENTIMENT_MODEL) if told else []
        return [
            {
                "post": post.key, "language": code, "model": SENTIMENT_MODEL,
                "label": mood.label if mood else None, "confidence": round(max(mood), 4) if mood else None,
            }
            for post, code, mood in zip(told, codes, moods, strict=True)
        ]  # fmt: skip
