"""Summaries for the dashboard: the newest of a board, what came in and what did not, as plain rows. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import pandas as pd
from pymongo.database import Database

from crawler.storage.reads import OBSERVATION_COLUMNS, Document, Query
from crawler.storage.reads import plain_errors as errors
from crawler.storage.web_reads import ANSWER_WITHIN_MS, READING, plain


class Newest(NamedTuple):
    """A board's newest snapshot."""

    at: datetime
    observed_at: datetime
    place: str | None
    size: int | None
    got: int | None
    ceiling: int | None
    capture: str


class Views:
    def __init__(self, database: Database[Document]) -> None:
        self._database = database.with_options(codec_options=READING)

    def newest(self, board: str, until: datetime | None = None) -> Newest | None:
        """With *until*: the newest before that moment."""
        query: Query = {"board": {"$eq": board}, **({"at": {"$lt": until}} if until else {})}
        with errors("boards"):
            row = self._database["boards"].find_one(query, sort=[("at", -1)])
        return None if row is None else Newest(*(row.get(name) for name in Newest._fields))  # type: ignore[arg-type]

    def first_seen(self, board: str, keys: Sequence[str]) -> dict[str, datetime]:
        found = {}
        with errors("board_entries"):
            for key in keys:
                row = self._database["board_entries"].find_one(
                    {"board": {"$eq": board}, "topic_key": {"$eq": key}}, {"at": 1, "_id": 0}, sort=[("at", 1)]
                )
                if row:
                    found[key] = row["at"]
        return found

    def observed(self, kind: str, since: datetime | None, most: int) -> pd.DataFrame:
        """The newest *most* observations of a kind, by entity and moment; columns as OBSERVATION_COLUMNS."""
        query: Query = {"kind": {"$eq": kind}, **({"at": {"$gte": since}} if since else {})}
        with errors("observations"):
            wanted = {"_id": 0, **dict.fromkeys(OBSERVATION_COLUMNS, 1)}
            found = self._database["observations"].find(query, wanted).sort("at", -1).limit(most)
            rows = list(found.max_time_ms(ANSWER_WITHIN_MS))
        columns = OBSERVATION_COLUMNS.items()
        made = {name: pd.Series([row.get(name) for row in rows], dtype=kind) for name, kind in columns}
        return pd.DataFrame(made).sort_values(["entity", "at", "capture"], ignore_index=True)

    def rows(
        self, collection: str, query: Query | None = None, fields: Sequence[str] = (), *, sort: str = "-_id",
        most: int = 1000,
    ) -> list[Document]:  # fmt: skip
        """Plain documents of a collection, the first *most* in the order; *query* holds plain values only."""
        order = [(sort.removeprefix("-"), -1 if sort.startswith("-") else 1)]
        match = {name: {"$eq": value} for name, value in (query or {}).items()}
        with errors(collection):
            found = self._database[collection].find(match, dict.fromkeys(fields, 1) if fields else {"etag": 0})
            return [plain(row) for row in found.sort(order).limit(most).max_time_ms(ANSWER_WITHIN_MS)]

    def outcomes(self) -> list[Document]:
        """Fetches of every spider, day and outcome, with the newest moment of each."""
        day = {"$dateToString": {"date": "$at", "format": "%Y-%m-%d"}}
        group = {
            "_id": {"spider": "$spider", "day": day, "outcome": "$outcome"},
            "n": {"$sum": 1},
            "last": {"$max": "$at"},
        }
        return [{**row["_id"], "n": row["n"], "last": row["last"]} for row in self._grouped("fetches", group)]

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """About how many documents each collection holds."""
        with errors("counts"):
            return {name: self._database[name].estimated_document_count() for name in names}

    def gaps(self) -> list[Document]:
        """Slots that were due, by what became of them; empty where nothing is watched."""
        group = {
            "_id": {"watch": "$watch", "status": "$status", "reason": "$reason"}, "n": {"$sum": 1},
            "first": {"$min": "$slot"}, "last": {"$max": "$slot"},
        }  # fmt: skip
        return [{**row.pop("_id"), **row} for row in self._grouped("slots", group)]

    def _grouped(self, collection: str, group: Query) -> list[Document]:
        with errors(collection):
            return list(self._database[collection].aggregate([{"$group": group}], maxTimeMS=ANSWER_WITHIN_MS))
