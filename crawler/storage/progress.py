"""How far a watched target has been followed: one small document each in `targets`, replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.config import Config
from crawler.storage.connect import opened


def load(config: Config, database: str, spider: str, value: str) -> dict[str, Any]:
    """What was kept for this target; empty when nothing was. Raises StorageError."""
    with opened(config, database) as there:
        found = there["targets"].find_one({"_id": f"{spider}:{value}"}) or {}
    progress = found.get("progress", {})
    return dict(progress) if isinstance(progress, Mapping) else {}


def keep(config: Config, database: str, spider: str, value: str, progress: Mapping[str, Any]) -> None:
    """Raises StorageError."""
    with opened(config, database) as there:
        there["targets"].update_one(
            {"_id": f"{spider}:{value}"},
            {"$set": {"spider": spider, "value": value, "progress": dict(progress)}},
            upsert=True,
        )
