"""Profiles of runs: one document a run, read back as the history that the next run is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.config import Config
from crawler.storage.connect import opened

COLLECTION = "run_profiles"


def before(config: Config, database: str, source: str, at: datetime, most: int) -> list[dict[str, float]]:
    """Measures of the last *most* runs of *source* before *at*, oldest first. Raises StorageError."""
    with opened(config, database) as there:
        found = there[COLLECTION].find(
            {"source": source, "at": {"$lt": at}}, {"measures": 1}, sort=[("at", -1)], limit=most
        )
        return [{str(each["name"]): float(each["value"]) for each in row["measures"]} for row in found][::-1]


def last(config: Config, database: str, source: str | None) -> dict[str, Any] | None:
    """The newest profile, of *source* or of any. Raises StorageError."""
    with opened(config, database) as there:
        return there[COLLECTION].find_one({"source": source} if source else {}, sort=[("at", -1)])


def keep(
    config: Config, database: str, run: str, source: str, at: datetime, measures: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]], alarms: Sequence[str],
) -> None:  # fmt: skip
    """Keep or renew the profile of a run. Names of measures hold dots and colons, so they are values, not keys."""
    row = {
        "_id": run, "source": source, "at": at,
        "measures": [{"name": name, "value": value} for name, value in measures.items()],
        "ranges": [{"name": name, "least": low, "greatest": high} for name, (low, high) in ranges.items()],
        "alarms": list(alarms),
    }  # fmt: skip
    with opened(config, database) as there:
        collection = there[COLLECTION]
        collection.create_index([("source", 1), ("at", -1)], name="source_-at")
        collection.replace_one({"_id": run}, row, upsert=True)
