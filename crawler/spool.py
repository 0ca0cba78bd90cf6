"""The spool: what the database could not take, on disk until it can. Bounded, durable, in no order.

One file a process, `<moment>-<pid>-<n>.jsonl`, locked while its writer lives. A line is a CRC-32 in hex,
a space, and JSON: first the server it is meant for, then items, refused items, ledger rows and run rows.
Every start takes in what dead writers left; since items are facts at a moment, the order does not matter.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson
from pydantic import ValidationError

from crawler.items import KINDS, Item, Refused, as_json_text, reason_of

log = logging.getLogger(__name__)
PATTERN = "*.jsonl"
BATCH_LINES = 1000
SHOWN_CHARS = 20_000  # of a damaged line, in quarantine


class SpoolError(OSError):
    """The spool is full or its disk refuses; what was put before is whole."""


class Sink(Protocol):
    """What the spool is emptied into; crawler.storage.store.Store is one."""

    def save(self, items: Sequence[Item]) -> list[str]: ...
    def quarantine(self, refused: Sequence[Refused], run: str, at: datetime) -> None: ...
    def fetches(self, rows: Sequence[dict[str, Any]], at: datetime) -> None: ...
    def run(self, row: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class Load:
    """What is written together: a ledger row never before the items of its capture."""

    items: Sequence[Item] = ()
    refused: Sequence[Refused] = ()
    rows: Sequence[dict[str, Any]] = ()
    runs: Sequence[dict[str, Any]] = ()

    def __bool__(self) -> bool:
        return bool(self.items or self.refused or self.rows or self.runs)


@dataclass
class CaughtUp:
    """What emptying a spool did."""

    files: int = 0
    items: int = 0
    refused: int = 0
    damaged: int = 0
    """Lines that do not read; each is in quarantine."""
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Files meant for another server, by its name; left alone."""

    def __str__(self) -> str:
        text = f"spool: {self.items} items of {self.files} files brought into the database"
        if self.refused:
            text += f", {self.refused} of them refused"
        return text + (f"; {self.damaged} damaged lines are in quarantine" if self.damaged else "")


class Spool:
    """The spool of one database, as one process writes it.

    server: name of the server without credentials; most_bytes: bound over all files of the folder.
    """

    def __init__(self, directory: Path, server: str, most_bytes: int) -> None:
        self.directory = directory
        self.server = server
        self.most_bytes = most_bytes
        self._fd: int | None = None
        self._end = 0
        self.items = 0
        """Items this process has put here."""

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.directory.glob(PATTERN))

    def put(self, load: Load, now: datetime) -> None:
        """On disk, to stay, when this returns. Raises SpoolError; the spool is then as it was before."""
        lines = b"".join(_line(what, data) for what, data in _records(load))
        try:
            held = self.size_bytes
            if held + len(lines) > self.most_bytes:
                raise SpoolError(
                    f"the spool in {self.directory} is full ({held / 1e6:.1f} of {self.most_bytes / 1e6:.1f} MB). "
                    "Bring the database back, or set TIDEMARK_SPOOL_MB higher"
                )
            self._append(lines, now)
        except SpoolError:
            raise
        except OSError as error:
            raise SpoolError(
                f"the spool in {self.directory} cannot be written ({error.strerror or error}). "
                "Free space or mend the disk: what was written before is whole"
            ) from error
        self.items += len(load.items)

    def close(self) -> None:
        """The next start may take it in."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _append(self, lines: bytes, now: datetime) -> None:
        if self._fd is None:
            self._fd, self._end = _create(self.directory, now), 0
            lines = _line("server", self.server) + lines
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
            os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(lines)


def _create(directory: Path, now: datetime) -> int:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = 1
    while True:
        path = directory / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{number:04}.jsonl"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            number += 1
            continue
        fcntl.flock(fd, fcntl.LOCK_EX)
        folder = os.open(directory, os.O_RDONLY)
        os.fsync(folder)  # else a power cut may take the name of the file, and with it all it holds
        os.close(folder)
        return fd


def _records(load: Load) -> Iterator[tuple[str, Any]]:
    yield from (("item", item.model_dump(mode="json", exclude_none=True)) for item in load.items)
    yield from (("refused", each.model_dump(mode="json")) for each in load.refused)
    yield from (("fetch", row) for row in load.rows)
    yield from (("run", row) for row in load.runs)


def _line(what: str, data: Any) -> bytes:
    text = as_json_text([what, data]).encode() + b"\n"
    return b"%08x " % zlib.crc32(text) + text


def waiting(directory: Path) -> bool:
    """Whether there is anything to catch up with; costs one look into a folder."""
    return next(directory.glob(PATTERN), None) is not None


def catch_up(directory: Path, server: str, sink: Sink, now: datetime) -> CaughtUp:
    """Bring what dead writers left into the database, and delete it there.

    Raises what *sink* raises when the database goes away again; nothing is lost then, and what was brought
    in already is brought in again next time, which changes nothing.
    """
    done = CaughtUp()
    for path in sorted(directory.glob(PATTERN)):
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another start was quicker
        with os.fdopen(fd, "rb") as file:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its writer lives, or another start has it in hand
            meant_for = _meant_for(file.readline())
            if meant_for not in (None, server):
                done.elsewhere[str(meant_for)] = done.elsewhere.get(str(meant_for), 0) + 1
                continue
            file.seek(0)
            while lines := list(islice(file, BATCH_LINES)):
                _take_in(lines, path.name, sink, now, done)
            path.unlink(missing_ok=True)
            done.files += 1
    return done


def _meant_for(line: bytes) -> str | None:
    """None when the first line is harmed: then the folder decides, which is of one database."""
    match _read(line):
        case ["server", str(server)]:
            return server
    return None


def _read(line: bytes) -> Any:
    """[what, data] of a sound line, else None."""
    if line[-1:] != b"\n" or line[:9] != b"%08x " % zlib.crc32(line[9:]):
        return None
    try:
        return orjson.loads(line[9:])
    except orjson.JSONDecodeError:  # an escaped half of a surrogate pair
        return json.loads(line[9:])


def _take_in(lines: list[bytes], name: str, sink: Sink, now: datetime, done: CaughtUp) -> None:
    items: list[Item] = []
    refused: list[Refused] = []
    rows: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    for line in lines:
        match _read(line):
            case ["item", dict(data)]:
                made = _item(data, name, now)
                (items if isinstance(made, Item) else refused).append(made)  # type: ignore[arg-type]
            case ["refused", dict(data)]:
                refused.append(Refused.model_validate(data))
            case ["fetch", dict(data)]:
                rows.append({**data, "at": datetime.fromisoformat(data["at"])})
            case ["run", dict(data)]:
                moments = {each: datetime.fromisoformat(data[each]) for each in ("started_at", "finished_at")}
                runs.append({**data, **moments})
            case ["server", _]:
                pass
            case _:
                done.damaged += 1
                refused.append(_damaged("spool_line_damaged", line, name, now))
    fates = sink.save(items) if items else []
    for item, fate in zip(items, fates, strict=True):
        if fate.startswith("refused:"):
            reason = fate.partition(":")[2]
            refused.append(Refused.of(item.kind, reason, item.model_dump(mode="json"), item))
    done.items += len(items)
    done.refused += sum(fate.startswith("refused:") for fate in fates)
    sink.quarantine(refused, "spool", now)
    sink.fetches(rows, now)
    for row in runs:
        sink.run(row)


def _item(data: dict[str, Any], name: str, now: datetime) -> Item | Refused:
    """An item of an older Tidemark may no longer fit its model."""
    model = KINDS.get(str(data.get("kind")))
    try:
        if model is None:
            return _damaged("spool_kind_unknown", as_json_text(data).encode(), name, now)
        return model.model_validate(data)
    except ValidationError as error:
        return _damaged(f"spool_{reason_of(error)}", as_json_text(data).encode(), name, now)


def _damaged(reason: str, line: bytes, name: str, now: datetime) -> Refused:
    return Refused(
        kind="spool", reason=reason, data=as_json_text(line.decode("utf-8", "replace")[:SHOWN_CHARS]),
        url=f"spool:{name}", observed_at=now, capture="none", parser="spool@1",
    )  # fmt: skip
