"""The collection `outlets`: where exports of this database went and by which command, so that they can be made anew.

A line each, noted before the first byte is written. No password: where one was given, it is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.database import Database

Document = dict[str, Any]
COLLECTION = "outlets"
_PASSWORD = re.compile(r"(?i)(\bpassword\s*=\s*)('[^']*'|\S+)|(?<=://)([^\s:/@]+):[^\s/@]+@")


@dataclass(frozen=True, slots=True)
class Outlet:
    id: str
    place: str
    """A path of *host*, or an address."""
    host: str | None
    """Machine whose path it is; None: an address that any machine reaches."""
    words: tuple[str, ...]
    """After `python -m analysis export`; none: a file of `scrapy crawl -o`."""
    at: datetime


def note(database: Database[Document], place: str, host: str | None, words: Sequence[str], now: datetime) -> None:
    """Said again, the moment is renewed."""
    said = [without_password(each) for each in words]
    told = hashlib.sha256("\n".join([place, host or "", *said]).encode("utf-8", "replace")).hexdigest()[:24]
    row = {"place": without_password(place), "host": host, "words": said, "at": now}
    database[COLLECTION].replace_one({"_id": told}, row, upsert=True)


def all_of(database: Database[Document]) -> list[Outlet]:
    rows = database[COLLECTION].find().sort("_id", 1)
    return [Outlet(row["_id"], row["place"], row["host"], tuple(row["words"]), row["at"]) for row in rows]


def drop(database: Database[Document], outlet: Outlet) -> None:
    database[COLLECTION].delete_one({"_id": outlet.id})


def without_password(said: str) -> str:
    return _PASSWORD.sub(lambda hit: f"{hit[3]}@" if hit[3] else "", said).strip()
