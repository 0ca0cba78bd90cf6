"""The collection `creators`, kept up to date: what changed is read and written again, the rest stands. Never queries.

Its documents follow from the profiles, posts and observations alone, so a summary kept up step by step is the same as
one made anew. Every creator's shrunk rate leans on all the others, so it is judged anew each time, from numbers only;
histories are read of those creators alone whose pages or posts changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from analysis.creators.table import ACCOUNT_COLUMNS, GROWTH_COLUMNS, RATE_COLUMNS, creators, growths, material
from crawler.storage.creators import Creators

DIGITS = 6  # significant ones of a rate that are kept, so that the last bits of a sum write nothing anew
NOT_KEPT = ("creator", "size")


@dataclass(frozen=True)
class Refreshed:
    creators: int
    changed: int
    """Whose profile, posts or observations are others than at the last time."""
    written: int
    """Those, and the ones whose shrunk rate moved with them."""
    gone: int


def refresh(store: Creators) -> Refreshed:
    """Bring the collection up to date; a second call at once writes nothing."""
    found = material(store.posts(), store.profiles())
    table = creators(found).set_index("creator", drop=False)
    prints, kept = store.fingerprints(found.owner), store.kept()
    changed = [key for key in table.index if kept.get(key, {}).get("made_of") != prints.get(key)]
    names = found.profiles.groupby("creator")["key"].agg(list).to_dict()
    grown = growths(store.histories([key for each in changed for key in names.get(each, ())]), found.owner)
    rows = {str(key): row for key, row in zip(grown.index, grown.to_dict("records"), strict=True)}
    documents = []
    for key, row in zip(table.index, table.to_dict("records"), strict=True):
        old = kept.get(key, {})
        growth = rows.get(key, {}) if key in changed else {name: old.get(name) for name in GROWTH_COLUMNS}
        made = _document(str(key), row, growth, prints.get(key), names.get(key, ()))
        if made != old:
            documents.append(made)
    gone = sorted(kept.keys() - set(table.index))
    store.keep(documents, gone)
    return Refreshed(len(table), len(changed), len(documents), len(gone))


def _document(key: str, row: dict[Any, Any], growth: dict[Any, Any], made_of: str | None, names: Any) -> dict[str, Any]:
    """Flat and typed; what is not known is left out, as in every collection."""
    made: dict[str, Any] = {"_id": key, "made_of": made_of}
    if len(names) > 1:
        made["names"] = sorted(names)
    for name in (*ACCOUNT_COLUMNS, *RATE_COLUMNS):
        if name not in NOT_KEPT:
            made[name] = _plain(row[name])
    videos = made["videos"]
    made["coverage"] = _plain(min(1.0, made["posts_seen"] / videos)) if videos else None
    made |= {name: _plain(value) for name, value in growth.items()}
    return {name: value for name, value in made.items() if value is not None}


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, (bool, str, int, datetime)):
        return value
    number = float(value)
    return number if number == 0 else round(number, DIGITS - 1 - math.floor(math.log10(abs(number))))
