"""Old months of the append-only collections as Parquet files, out of the database and still there for every reader.

One file a collection and month, `<collection>/<YYYY-MM>.parquet`, in TIDEMARK_DATA/history/<database> and, with
ARCHIVE_URL, in the object store beside the captures. Columns are typed for any tool; `document` holds the BSON of the
document as it was, so that nothing is lost in translation and a check compares bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import bson
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from pymongo.database import Database

from crawler.config import Config, load
from crawler.storage.errors import StorageAway

Document = dict[str, Any]
BATCH = 10_000  # documents in memory at once: 10 MB of boards' rows, so that a 512 MB dyno can do it
AWARE: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
_MOMENT = pa.timestamp("ms", tz="UTC")
_COMMON = {"_id": pa.string(), "at": _MOMENT, "at_precision": pa.string(), "capture": pa.string(),
           "parser": pa.string(), "url": pa.string()}  # fmt: skip
_COUNTS = ("followers", "following", "likes", "videos", "views", "comments", "shares", "saves", "reposts", "posts",
           "replies", "rating_count", "sold_count")  # fmt: skip
COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "boards": {**_COMMON, "board": pa.string(), "observed_at": _MOMENT, "size": pa.int64(), "place": pa.string(),
               "source": pa.string()},
    "board_entries": {**_COMMON, "board": pa.string(), "observed_at": _MOMENT, "position": pa.int64(),
                      "topic": pa.string(), "topic_key": pa.string(), "volume": pa.int64(),
                      "volume_precision": pa.int64(), "volume_floor": pa.int64(), "entity": pa.string()},
    "observations": {**_COMMON, "entity": pa.string(), "kind": pa.string(), **dict.fromkeys(_COUNTS, pa.int64()),
                     "rating": pa.float64(), "price": pa.string(), "list_price": pa.string(),
                     "currency": pa.string(), "available": pa.bool_()},
}  # fmt: skip
"""What may move, and which of its fields other tools find as columns; `document` has all."""
_NAME = re.compile(rf"(?:{'|'.join(COLUMNS)})/\d{{4}}-\d{{2}}\.parquet")
KEY = {"boards": "board", "board_entries": "board", "observations": "entity"}


@dataclass(frozen=True, slots=True)
class Month:
    """A file, as the collection `history` tells of it."""

    collection: str
    month: str
    rows: int
    bytes: int
    sha256: str

    @property
    def id(self) -> str:
        return f"{self.collection}@{self.month}"

    @property
    def name(self) -> str:
        return f"{self.collection}/{self.month}.parquet"

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Since included, until not."""
        year, month = int(self.month[:4]), int(self.month[5:])
        return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


class History:
    """The files of one database. folder: on this machine; url: in the object store, where one is set."""

    def __init__(self, database: Database[Document], folder: Path, url: str | None = None) -> None:
        self._months = database["history"]
        self.folder = folder
        self.url = url

    @classmethod
    def of(cls, database: Database[Document], settings: Config | None = None) -> History:
        settings = settings or load()
        url = f"{settings.archive_url.rstrip('/')}/{database.name}-history" if settings.archive_url else None
        return cls(database, settings.data_dir / "history" / database.name, url)

    def months(self, collection: str | None = None) -> list[Month]:
        rows = self._months.find({"collection": collection} if collection else {}).sort("_id", 1)
        return [Month(row["collection"], row["month"], row["rows"], row["bytes"], row["sha256"]) for row in rows]

    def note(self, month: Month, at: datetime) -> None:
        row = {"collection": month.collection, "month": month.month, "rows": month.rows, "bytes": month.bytes,
               "sha256": month.sha256, "moved_at": at}  # fmt: skip
        self._months.replace_one({"_id": month.id}, row, upsert=True)

    def forget(self, month: Month) -> None:
        """Take a month off the list and delete its file here."""
        self._months.delete_one({"_id": month.id})
        (self.folder / month.name).unlink(missing_ok=True)

    def rows(self, collection: str, query: Mapping[str, Any], columns: Iterable[str] | None = None) -> list[Document]:
        """Documents that a query finds; understands what the readers ask: equality, $in, $ne, bounds, $or."""
        found: list[Document] = []
        for month in self.months(collection):
            if _outside(month, query):
                continue
            table = ds.dataset(self.path(month), format="parquet").to_table(
                columns=["document"], filter=_expression(query)
            )
            found += [bson.decode(each, AWARE) for each in table.column("document").to_pylist()]
        if columns is None:
            return found
        wanted = {"_id", *columns}
        return [{name: value for name, value in row.items() if name in wanted} for row in found]

    def captures(self) -> Counter[str]:
        """Documents by the capture they were written for."""
        found: Counter[str] = Counter()
        for month in self.months():
            found.update(pq.read_table(self.path(month), columns=["capture"]).column("capture").to_pylist())
        return found

    def documents(self, month: Month) -> Iterator[bytes]:
        """BSON of every document, in the order of the file, a batch in memory."""
        for batch in pq.ParquetFile(self.path(month)).iter_batches(BATCH, columns=["document"]):
            yield from batch.column("document").to_pylist()

    def path(self, month: Month) -> Path:
        """The file on this machine, fetched if need be, and what it was when it was written. Raises StorageAway."""
        from crawler.shipping import ShippingError, fetch_file  # brings Scrapy, and readers seldom come here

        path = self.folder / month.name
        if not path.is_file() and self.url:
            try:
                fetch_file(f"{self.url}/{month.name}", path)
            except ShippingError as error:
                raise StorageAway(f"history of {month.id}: {error}") from None
        if not path.is_file():
            raise StorageAway(
                f"history of {month.id}: {path} is missing. It was moved out of the database on another machine? "
                "Copy the folder history from there, or set ARCHIVE_URL"
            )
        if path.stat().st_size != month.bytes:
            raise StorageAway(f"history of {month.id}: {path} is not the file that was written. Restore it from a copy")
        return path

    def write(self, collection: str, month: str, documents: Iterable[bytes]) -> Month:
        """A file of BSON documents, on disk and in the store; the earlier file of that month is replaced."""
        path = self.folder / collection / f"{month}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        beside = path.with_suffix(".part")
        schema = pa.schema([*COLUMNS[collection].items(), ("document", pa.binary())])
        rows, coming = 0, iter(documents)
        with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
            while batch := list(islice(coming, BATCH)):
                writer.write_table(_table(collection, batch, schema))
                rows += len(batch)
        with beside.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        made = Month(collection, month, rows, beside.stat().st_size, digest)
        if self.url:
            from crawler.shipping import put_file

            put_file(beside, f"{self.url}/{made.name}")
        beside.replace(path)
        return made

    def take(self, name: str, sha256: str, file: IO[bytes]) -> None:
        """A file from a backup, unless it is here. Raises ValueError where it is not what it was."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"history: {name[:60]!r} is no name of ours")
        path = self.folder / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        with beside.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        if _digest(beside) != sha256:
            beside.unlink()
            raise ValueError(f"history: {name} is not what was written; the backup is damaged")
        if self.url:
            from crawler.shipping import put_file

            put_file(beside, f"{self.url}/{name}")
        beside.replace(path)

    def verified(self, month: Month) -> bool:
        """Whether the file, and its copy in the store, is byte for byte what was written."""
        if _digest(self.folder / month.name) != month.sha256:
            return False
        if self.url:
            from crawler.shipping import fetch_file

            copy = self.folder / f"{month.name}.check"
            try:
                fetch_file(f"{self.url}/{month.name}", copy)
                return _digest(copy) == month.sha256
            finally:
                copy.unlink(missing_ok=True)
        return True


def decoded(document: bytes) -> Document:
    return bson.decode(document, AWARE)


def encoded(document: Document) -> bytes:
    return bson.encode(document)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(collection: str, batch: Sequence[bytes], schema: Any) -> Any:
    rows = [decoded(each) for each in batch]
    columns = [pa.array([_plain(row.get(name)) for row in rows], kind) for name, kind in COLUMNS[collection].items()]
    return pa.Table.from_arrays([*columns, pa.array(batch, pa.binary())], schema=schema)


def _plain(value: Any) -> Any:
    return str(value.to_decimal()) if isinstance(value, Decimal128) else value


def _outside(month: Month, query: Mapping[str, Any]) -> bool:
    since, until = month.bounds
    asked = query.get("at")
    if not isinstance(asked, Mapping):
        return False
    return bool(("$lt" in asked and asked["$lt"] <= since) or ("$gte" in asked and asked["$gte"] >= until))


def _expression(query: Mapping[str, Any]) -> Any:
    """A MongoDB query of the readers' kind as a filter of pyarrow; None where everything is asked for."""
    parts = []
    for name, value in query.items():
        if name == "$or":
            either = [part for each in value if (part := _expression(each)) is not None]
            parts.append(_joined(either, "or"))
        elif isinstance(value, Mapping):
            parts += [_compared(ds.field(name), operator, each) for operator, each in value.items()]
        else:
            parts.append(ds.field(name) == value)
    return _joined(parts, "and")


def _joined(parts: Sequence[Any], how: str) -> Any:
    joined = None
    for part in parts:
        joined = part if joined is None else (joined | part if how == "or" else joined & part)
    return joined


def _compared(field: Any, operator: str, value: Any) -> Any:
    match operator:
        case "$in":
            return field.isin(list(value))
        case "$ne":
            return (field != value) | field.is_null()  # as MongoDB: what is missing is not equal
        case "$gte":
            return field >= value
        case "$lt":
            return field < value
        case "$lte":
            return field <= value
        case "$exists":
            return field.is_valid() if value else field.is_null()
    raise ValueError(f"{operator}: not asked of history; add it here")
