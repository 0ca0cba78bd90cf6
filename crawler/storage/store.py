"""Writing: batched, unordered, idempotent. One batch of items in, what became of each out."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import AutoReconnect, BulkWriteError, PyMongoError

from crawler.forgetting import Keeper
from crawler.items import Board, BoardEntry, Item, Post, Refused
from crawler.storage import schema
from crawler.storage.connect import explain
from crawler.storage.errors import StorageAway, StorageError
from crawler.storage.forgotten import note_captures, stones
from crawler.storage.merge import (
    Document,
    document,
    etag,
    join,
    join_observations,
    join_rows,
    observation,
    stamp_of,
)

T = TypeVar("T")
DUPLICATE, INVALID = 11000, 121
WAITS_S = (0.5, 1.0, 2.0, 4.0)
STONES_S = 60.0  # a process that runs for weeks hears of who was forgotten meanwhile
RACES = 8  # another process may change a document between our read and our write; each round is a new read

Join = Callable[[Document, Document], Document]


class Store:
    """Two to six verbs over one database. Thread-safe: a batch at a time is the caller's choice."""

    def __init__(
        self, database: Database[Document], *, sleep: Callable[[float], None] = time.sleep, uri: str = "",
        revive: Callable[[], object] | None = None, hash_key: str | None = None,
    ) -> None:  # fmt: skip
        """revive: starts a server of ours that has died; tried before each new attempt.

        hash_key: of the tombstones of people who asked to be forgotten.
        """
        self._database = database
        self._sleep = sleep
        self._uri = uri
        self._revive = revive
        self._keeper = Keeper(hash_key, frozenset())
        self._looked_s = time.monotonic()
        self._beside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tidemark-store")

    def prepare(self) -> None:
        self._tried(lambda: schema.ensure(self._database))
        self._keeper = Keeper(self._keeper.key, self._tried(lambda: stones(self._database)))
        self._looked_s = time.monotonic()

    def answers(self) -> bool:
        """Whether the server can be reached now; asked once."""
        try:
            self._database.command("ping")
        except PyMongoError:
            return False
        return True

    def close(self) -> None:
        self._beside.shutdown()

    def save(self, items: Sequence[Item]) -> list[str]:
        """Upsert a batch; the fate of each item in order: saved, repeated, refused:<reason>, or forgotten.

        Raises StorageError after bounded retries; saving the batch again is safe.
        """
        if time.monotonic() - self._looked_s > STONES_S:
            self._look_for_stones()
        back = self._taken_back(items)
        fates = iter(self._without_forgotten([item for item in items if item.key not in back]))
        return ["forgotten" if item.key in back else next(fates) for item in items]

    def _taken_back(self, items: Sequence[Item]) -> set[str]:
        """Tweets whose authors deleted them, by the notices that dumps and streams bring; also when they come later."""
        tweets = {
            number: item.key
            for item in items
            if isinstance(item, Post) and item.platform == "x" and item.post_id.isdecimal()
            and (number := int(item.post_id)) < 1 << 63
        }  # fmt: skip
        if not tweets:
            return set()
        found = self._tried(lambda: list(self._database["withdrawn"].find({"_id": {"$in": list(tweets)}})))
        return {tweets[each["_id"]] for each in found}

    def _look_for_stones(self) -> None:
        found = self._tried(lambda: stones(self._database))
        if found != self._keeper.stones:
            self._keeper = Keeper(self._keeper.key, found)
        self._looked_s = time.monotonic()

    def _without_forgotten(self, items: Sequence[Item]) -> list[str]:
        """Items about people who are forgotten go nowhere; their captures are noted, to leave the archive."""
        if not self._keeper.stones:
            return self._saved(items)
        cleaned = [self._keeper.cleaned(item) for item in items]
        changed = {item.capture for item, made in zip(items, cleaned, strict=True) if made is not item}
        fates = iter(self._saved([made for made in cleaned if made is not None]))
        if changed:
            at = max(item.observed_at for item in items)
            self._tried(lambda: note_captures(self._database, changed, at))
        return ["forgotten" if made is None else next(fates) for made in cleaned]

    def _saved(self, items: Sequence[Item]) -> list[str]:
        fates: dict[int, str] = {}
        by_model: dict[type[Item], list[int]] = defaultdict(list)
        for i, item in enumerate(items):
            by_model[type(item)].append(i)
        # Boards first: their entries are judged by the board that won.
        for model in sorted(by_model, key=lambda each: each is BoardEntry):
            places = by_model[model]
            told = self._tried(partial(self._save, model, [items[i] for i in places]))
            fates.update(zip(places, told, strict=True))
        return [fates[i] for i in range(len(items))]

    def quarantine(self, refused: Iterable[Refused], run: str, at: datetime) -> None:
        """Keep what was refused, once per content, with its reason and capture."""
        documents = [
            {"_id": _digest(each.capture, each.kind, each.reason, each.data), **each.model_dump(),
             "run": run, "recorded_at": at}
            for each in refused
        ]  # fmt: skip
        self._tried(lambda: self._insert_missing(self._database["quarantine"], documents))

    def fetches(self, rows: Iterable[Mapping[str, Any]], at: datetime) -> None:
        """Add to the ledger of outcomes: the first telling of a fetch stands, parsers are gathered."""
        operations = [
            UpdateOne(
                {"_id": row["_id"]},
                {
                    "$setOnInsert": {**{k: v for k, v in row.items() if k != "_id"}, "recorded_at": at},
                    "$addToSet": {"parsers": row.get("parser", "none@0")},
                },
                upsert=True,
            )
            for row in rows
        ]
        if operations:
            self._tried(lambda: self._database["fetches"].bulk_write(operations, ordered=False))

    def applied(self, captures: Sequence[str], parsers: Mapping[str, str]) -> set[str]:
        """Those of *captures* whose items a run has stored with today's parser of the page."""
        rows = self._tried(
            lambda: list(self._database["fetches"].find({"_id": {"$in": list(captures)}}, {"parsers": 1}))
        )
        current = set(parsers.values()) | {"none@0"}
        return {row["_id"] for row in rows if current.intersection(row.get("parsers", ()))}

    def run(self, row: Mapping[str, Any]) -> None:
        """Keep or renew the document of a run."""
        self._tried(lambda: self._database["runs"].replace_one({"_id": row["_id"]}, dict(row), upsert=True))

    def _save(self, model: type[Item], items: list[Item]) -> list[str]:
        if model.collection in schema.APPEND_ONLY:
            changed, refused = self._rows(model, items)
        else:
            seen = self._beside.submit(self._observe, model, items) if model.counters else None
            changed, refused = self._halved(self._database[model.collection], items, document, partial(join, model))
            if seen is not None:
                more, worse = seen.result()
                changed |= more
                refused |= worse
        return [
            f"refused:{refused[item.key]}" if item.key in refused else "saved" if item.key in changed else "repeated"
            for item in items
        ]

    def _observe(self, model: type[Item], items: list[Item]) -> tuple[set[str], dict[str, str]]:
        keys: dict[str, str] = {}

        def made(item: Item) -> Document:
            doc = observation(item)
            keys[doc["_id"]] = item.key
            return doc

        changed, refused = self._merge(
            self._database["observations"], items, made, lambda a, b: join_observations(model, a, b)
        )
        return {keys[each] for each in changed}, {keys[each]: why for each, why in refused.items() if each in keys}

    def _rows(self, model: type[Item], items: list[Item]) -> tuple[set[str], dict[str, str]]:
        """Boards and entries. Of two captures of one board at one moment the greater stamp stands whole."""
        collection = self._database[model.collection]
        if model is Board:
            changed, refused = self._merge(collection, items, _row, join_rows)
            self._drop_superseded([item for item in items if item.key in changed])
            return changed, refused
        boards = {item.key.rpartition("#")[0] for item in items}
        winners = {
            board["_id"]: stamp_of(board)
            for board in self._database["boards"].find(
                {"_id": {"$in": list(boards)}}, {"observed_at": 1, "capture": 1, "parser": 1}
            )
        }
        current = []
        for item in items:
            winner = winners.get(item.key.rpartition("#")[0])
            if winner is None or stamp_of(item.__dict__) >= winner:
                current.append(item)
        return self._halved(collection, current, _row, join_rows)

    def _drop_superseded(self, boards: Sequence[Item]) -> None:
        """Rows of these boards that an older capture of the same list left. One question for all of them."""
        winners: dict[tuple[str, datetime], Board] = {}
        for item in boards:
            if isinstance(item, Board):
                known = winners.setdefault((item.board, item.at), item)
                if stamp_of(known.__dict__) < stamp_of(item.__dict__):
                    winners[item.board, item.at] = item
        if not winners:
            return
        others = [{"board": each.board, "at": each.at, "capture": {"$ne": each.capture}} for each in winners.values()]
        entries = self._database["board_entries"]
        stale = [
            row["_id"]
            for row in entries.find(
                {"$or": others}, dict.fromkeys(("board", "at", "observed_at", "capture", "parser"), 1)
            )
            if stamp_of(row) < stamp_of(winners[row["board"], row["at"]].__dict__)
        ]
        if stale:
            entries.delete_many({"_id": {"$in": stale}})

    def _halved(
        self, collection: Collection[Document], items: Sequence[Item], make: Callable[[Item], Document], joined: Join
    ) -> tuple[set[str], dict[str, str]]:
        """The server plans every guarded write anew (70 microseconds): two connections keep two cores busy."""
        odd = [item for item in items if hash(item.key) & 1]
        even = [item for item in items if not hash(item.key) & 1]
        waiting = self._beside.submit(self._merge, collection, odd, make, joined)
        changed, refused = self._merge(collection, even, make, joined)
        more, worse = waiting.result()
        return changed | more, refused | worse

    def _merge(
        self, collection: Collection[Document], items: Sequence[Item], make: Callable[[Item], Document], joined: Join
    ) -> tuple[set[str], dict[str, str]]:
        """Read, join, write guarded by etag; what another process changed meanwhile goes round again."""
        pending: dict[str, Document] = {}
        refused: dict[str, str] = {}
        changed: set[str] = set()
        for item in items:
            doc = make(item)
            key = doc["_id"]
            pending[key] = joined(pending[key], doc) if key in pending else doc
        for _ in range(RACES):
            if not pending:
                return changed, refused
            operations, keys = self._operations(collection, pending, joined, refused)
            failed = write_all(collection, operations)
            for i, key in enumerate(keys):
                code = failed.get(i)
                if code == DUPLICATE:
                    continue  # stays pending
                if code == INVALID:
                    refused[key] = "document_invalid"
                elif code is not None:
                    raise StorageError(f"{collection.name}: write refused by the server, code {code}")
                else:
                    changed.add(key)
            pending = {key: pending[key] for i, key in enumerate(keys) if failed.get(i) == DUPLICATE}
        raise StorageAway(f"{collection.name}: {len(pending)} documents changed under {RACES} writes in a row")

    def _operations(
        self, collection: Collection[Document], pending: dict[str, Document], joined: Join, refused: dict[str, str]
    ) -> tuple[list[InsertOne[Document] | ReplaceOne[Document]], list[str]]:
        stored = {doc["_id"]: doc for doc in collection.find({"_id": {"$in": list(pending)}})}
        operations: list[InsertOne[Document] | ReplaceOne[Document]] = []
        keys = []
        for key, doc in pending.items():
            before = stored.get(key)
            guard = before.pop("etag", None) if before else None
            after = joined(before, doc) if before else doc
            try:
                mark = etag(after)
            except (BSONError, OverflowError, UnicodeError, ValueError):
                refused[key] = "document_not_storable"
                continue
            if mark == guard:
                continue
            after = {**after, "etag": mark}
            if before is None:
                operations.append(InsertOne(after))
            else:
                # An upsert whose guard fails tries to insert and names itself by a duplicate key.
                operations.append(ReplaceOne({"_id": key, "etag": guard}, after, upsert=True))
            keys.append(key)
        return operations, keys

    def _insert_missing(self, collection: Collection[Document], documents: list[Document]) -> None:
        known = {doc["_id"] for doc in collection.find({"_id": {"$in": [doc["_id"] for doc in documents]}}, {"_id": 1})}
        unique = {doc["_id"]: doc for doc in documents if doc["_id"] not in known}
        write_all(collection, [InsertOne(doc) for doc in unique.values()])

    def _tried(self, work: Callable[[], T]) -> T:
        """Bounded retries while the server is away; every other failure is explained at once."""
        for wait_s in (*WAITS_S, None):
            try:
                return work()
            except AutoReconnect as error:  # also NetworkTimeout and ServerSelectionTimeoutError
                if wait_s is None:
                    raise explain(error, self._uri) from None
                if self._revive is not None:
                    self._revive()
                self._sleep(wait_s)
            except PyMongoError as error:
                raise explain(error, self._uri) from None
        raise AssertionError("unreachable")


def _row(item: Item) -> Document:
    doc = document(item)
    del doc["first_seen"]
    return doc


def write_all(
    collection: Collection[Document], operations: list[InsertOne[Document] | ReplaceOne[Document]]
) -> dict[int, int]:
    """Error code by position of the operation; empty when all went well."""
    if not operations:
        return {}
    try:
        collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        if error.details.get("writeConcernErrors"):
            raise
        return {each["index"]: each["code"] for each in error.details["writeErrors"]}
    return {}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
