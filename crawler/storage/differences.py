"""What storing a capture's items would change, number by number; reads only.

The documents are joined as the store joins them, so what is told is what a replay would do: values of an older parser
give way, those of the same parser stand unless the rules say otherwise, and no entity is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo.database import Database

from crawler.items import Item
from crawler.storage.merge import counter_units, document, join, join_observations, join_rows, observation, stamp_of
from crawler.storage.schema import APPEND_ONLY

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    capture: str
    at: datetime
    url: str
    kind: str
    key: str
    field: str
    stored: Any
    """None: nothing is stored."""
    would_be: Any
    """None: it would no longer be there."""
    collection: str
    same_parser: bool
    """What is stored was read by a parser of this very version: which of the two stands is left to chance."""


class Differences:
    """Remembers what it has joined: captures that follow each other see each other's values."""

    def __init__(self, database: Database[Document]) -> None:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        self._database = database.with_options(codec_options=options)
        self._joined: dict[tuple[str, str], Document | None] = {}

    def of(self, items: Iterable[Item]) -> Iterator[Difference]:
        """Items of one capture. A counter of an observation and of the latest state is told once."""
        for item in items:
            model = type(item)
            if item.collection in APPEND_ONLY:
                if not self._overruled(item):
                    yield from self._joining(item, item.collection, document(item), join_rows, model.facts())
                continue
            told = []  # values may be lists
            if item.counters:
                fields = [name for group in counter_units(model) for name in group]
                for each in self._joining(
                    item, "observations", observation(item), partial(join_observations, model), fields
                ):
                    told.append((each.field, each.stored, each.would_be))
                    yield each
            for each in self._joining(item, item.collection, document(item), partial(join, model), model.facts()):
                if (each.field, each.stored, each.would_be) not in told:
                    yield each

    def _joining(
        self, item: Item, collection: str, made: Document, joined: Callable[[Document, Document], Document],
        fields: Iterable[str],
    ) -> Iterator[Difference]:  # fmt: skip
        before = self._stored(collection, made["_id"])
        after = made if before is None else joined(before, made)
        self._joined[collection, made["_id"]] = after
        same = before is not None and before.get("parser") == made["parser"]
        same = same and (before or {}).get("capture") == made["capture"]
        for name in fields:
            stored, would_be = _plain((before or {}).get(name)), _plain(after.get(name))
            if stored != would_be:
                yield Difference(
                    item.capture,
                    item.observed_at,
                    item.url,
                    item.kind,
                    item.key,
                    name,
                    stored,
                    would_be,
                    collection,
                    same,
                )

    def _stored(self, collection: str, key: str) -> Document | None:
        if (collection, key) not in self._joined:
            found = self._database[collection].find_one({"_id": key}, {"etag": 0})
            if found is not None and collection in APPEND_ONLY:
                found.setdefault("first_seen", found["observed_at"])
            self._joined[collection, key] = found
        return self._joined[collection, key]

    def _overruled(self, item: Item) -> bool:
        """Of a list at a moment, a capture of which a later one stands."""
        board = self._stored("boards", item.key.rpartition("#")[0] or item.key)
        return board is not None and stamp_of(board) > stamp_of(item.__dict__)


def _plain(value: Any) -> Any:
    return value.to_decimal() if isinstance(value, Decimal128) else value
