"""A database as one file, and back into any server: gzip of BSON, checked by digest. What is there already stays.

Format: a tar of `<collection>.bson` (documents one after another, as mongodump writes them) and `backup.json` with
counts, digests, the schema's version and the moment, compressed by gzip.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.database import Database

from crawler.storage import schema
from crawler.storage.history import History
from crawler.storage.migrations import version
from crawler.storage.store import write_all

Document = dict[str, Any]
BATCH = 1000
MADE_BY_US = ("meta",)  # of the server it stands on; rebuilt there, but for what is owed since when
RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


class BackupError(ValueError):
    """A file that is no whole backup; says what is wrong."""


@dataclass(frozen=True, slots=True)
class Done:
    documents: Mapping[str, int]
    bytes: int = 0
    there: int = 0
    """Documents that stood there already, as new or newer, and were left."""

    @property
    def total(self) -> int:
        return sum(self.documents.values())


def backup(database: Database[Document], path: Path, now: datetime, history: History) -> Done:
    """Every collection, and the files of months that have left; it appears when it is whole. Private to its owner."""
    beside = path.with_name(f".{path.name}.part")
    facts: dict[str, Any] = {"made_at": now.isoformat(), "version": version(database), "collections": {}}
    facts["history"] = [[each.name, each.sha256] for each in history.months()]
    beside.touch(mode=0o600)
    try:
        with tarfile.open(beside, "w:gz", compresslevel=6) as tar:
            for name in sorted(database.list_collection_names()):
                if name.startswith("system."):
                    continue
                with tempfile.TemporaryFile(dir=path.parent) as file:
                    facts["collections"][name] = _dumped(database, name, file)
                    _added(tar, f"{name}.bson", file)
            for month in history.months():
                with history.path(month).open("rb") as old:
                    _added(tar, f"history/{month.name}", old)
            _added(tar, "backup.json", io.BytesIO(json.dumps(facts).encode()))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return Done({name: each["documents"] for name, each in facts["collections"].items()}, path.stat().st_size)


def _dumped(database: Database[Document], name: str, file: IO[bytes]) -> dict[str, Any]:
    digest, n = hashlib.sha256(), 0
    raw: Collection[Any] = database.get_collection(name, codec_options=RAW)
    for document in raw.find().sort("_id", 1):
        file.write(document.raw)
        digest.update(document.raw)
        n += 1
    return {"documents": n, "sha256": digest.hexdigest()}


def _added(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = file.seek(0, io.SEEK_END), 0o600
    file.seek(0)
    tar.addfile(entry, file)


def check(path: Path) -> dict[str, Any]:
    """What the file says of itself, after every digest was found right. Raises BackupError."""
    found = {}
    if not path.is_file():
        raise BackupError(f"{path}: no such file")
    try:
        with tarfile.open(path, "r:gz") as tar:
            facts: dict[str, Any] = json.loads(_read(tar, "backup.json").read())
            for name, said in facts["collections"].items():
                digest, n = hashlib.sha256(), 0
                for document in _documents(tar, name):
                    digest.update(document.raw)
                    n += 1
                found[name] = {"documents": n, "sha256": digest.hexdigest()}
                if found[name] != said:
                    raise BackupError(f"{path.name}: {name}: not what was written; the file is damaged")
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError, bson.errors.BSONError) as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(f"{path.name}: not a whole backup ({type(error).__name__})") from None
    if facts["version"] > schema.VERSION:
        raise BackupError(f"{path.name}: made by a newer Tidemark (schema {facts['version']}); update first")
    return facts


def restore(database: Database[Document], path: Path, history: History) -> Done:
    """Into a database that may hold some of it: what is missing is put there, what is there stays. Raises BackupError.

    Said twice, nothing changes. Facts have their own ids, so old and new come together; latest state that is older in
    the database than in the file is mended by `scrapy verify`.
    """
    facts = check(path)
    schema.ensure(database)
    restored: dict[str, int] = {}
    there = 0
    with tarfile.open(path, "r:gz") as tar:
        for name, sha256 in facts["history"]:
            with _read(tar, f"history/{name}") as file:
                history.take(name, sha256, file)
        for name in sorted(facts["collections"]):
            if name in MADE_BY_US:
                continue
            restored[name], documents = 0, _documents(tar, name)
            while batch := list(islice(documents, BATCH)):
                put = _put(database, name, batch)
                restored[name] += put
                there += len(batch) - put
    return Done(restored, path.stat().st_size, there)


def _put(database: Database[Document], name: str, batch: list[RawBSONDocument]) -> int:
    """What is missing; of latest state, also what is older there."""
    ids = [each["_id"] for each in batch]
    known = {row["_id"]: row for row in database[name].find(
        {"_id": {"$in": ids}}, {"observed_at": 1, "etag": 1})}  # fmt: skip
    operations: list[Any] = []
    for each in batch:
        mine = known.get(each["_id"])
        if mine is None:
            operations.append(InsertOne(each))
        elif "first_seen" in each and _moment(each) > _moment(mine):
            operations.append(ReplaceOne({"_id": each["_id"], "etag": mine.get("etag")}, each))
    failed = write_all(database[name], operations)
    return len(operations) - len(failed)


def _moment(document: Any) -> float:
    moment = document.get("observed_at")
    return moment.timestamp() if isinstance(moment, datetime) else 0.0


def _documents(tar: tarfile.TarFile, name: str) -> Iterator[RawBSONDocument]:
    with _read(tar, f"{name}.bson") as file:
        yield from bson.decode_file_iter(file, RAW)


def _read(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)  # read in place: no name in the file becomes a path
    if file is None:
        raise KeyError(name)
    return file
