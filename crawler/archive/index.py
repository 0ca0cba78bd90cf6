"""Which record lies where. One append-only file beside each segment, a line a record; rebuilt when torn.

A line is a CRC-32 in hex, a space, and a JSON array (Row).

A segment is never changed while its writer lives: the writer holds a lock (flock) on it.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern

import orjson

from crawler.archive import records
from crawler.archive.records import Row

PATTERN = "*.warc.gz"
_STEP = 1 << 14  # bytes handed to zlib at once: what lies beyond the member is copied, so keep it small
_BLOCK = 1 << 20


def index_path(segment: Path) -> Path:
    return segment.with_name(segment.name + ".idx")


def line_of(row: Row) -> bytes:
    text = orjson.dumps(tuple(row)) + b"\n"
    return b"%08x " % zlib.crc32(text) + text


@dataclass(slots=True)
class Loaded:
    """What is known of one segment."""

    segment: Path
    read: int = 0
    """Bytes of the index file that are sound."""
    end: int = 0
    """Bytes of the segment that the rows cover."""
    problems: list[str] = field(default_factory=list)


def load(loaded: Loaded, *, mend: bool) -> Iterator[Row]:
    """Rows of a segment from where *loaded* stands; what the index lacks is read from the segment itself.

    mend: cut a torn end (it is kept beside, as .torn) and complete the index, if the writer is dead.
    """
    segment = loaded.segment
    fd = _opened(segment, mend)
    try:
        mend = mend and _lock(fd)
        size = os.fstat(fd).st_size
        if loaded.read or _ends_well(fd, index_path(segment), size):
            yield from _indexed(loaded, size)
        fresh: list[Row] = []
        for row in _scanned(fd, loaded.end, size):
            if row.kind == "torn":
                if mend:
                    _cut(fd, row, loaded)
                break
            if row.kind == "damaged":
                loaded.problems.append(f"{segment.name}: {row.length} bytes unreadable at {row.offset}")
            fresh.append(row)
            loaded.end = row.offset + row.length
        if mend and loaded.end:
            _complete(loaded, fresh)
        yield from fresh
    finally:
        os.close(fd)


def _opened(segment: Path, mend: bool) -> int:
    try:
        return os.open(segment, os.O_RDWR if mend else os.O_RDONLY)
    except OSError:  # a folder or disk that is read-only
        return os.open(segment, os.O_RDONLY)


def _lock(fd: int) -> bool:
    """Whether the segment is ours to mend: writable, and its writer gone."""
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _ends_well(fd: int, index: Path, size: int) -> bool:
    """Whether the last record an index names is whole; a power cut may keep the index and lose its records."""
    try:
        with index.open("rb") as file:
            file.seek(max(0, index.stat().st_size - _STEP))
            *lines, _ = file.read().split(b"\n")
    except FileNotFoundError:
        return True
    last = _rows([line + b"\n" for line in lines[-1:]])
    return not lines or bool(last and _member_length(fd, last[0].offset, size) == last[0].length)


def _indexed(loaded: Loaded, size: int) -> Iterator[Row]:
    """Rows of the index file as long as each begins where the one before ends, within *size* bytes."""
    try:
        file = index_path(loaded.segment).open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(loaded.read)
        while lines := file.readlines(_BLOCK):
            rows = _rows(lines)
            for line, row in zip(lines, rows, strict=False):
                end = row.offset + row.length
                if end > loaded.end:  # else it was read from the segment before its line was written
                    if row.offset != loaded.end or end > size:
                        return
                    loaded.end = end
                    yield row
                loaded.read += len(line)
            if len(rows) < len(lines):
                return


def _rows(lines: list[bytes]) -> list[Row]:
    """As many rows as are sound; a torn or damaged line ends them."""
    sound: list[bytes] = []
    for line in lines:
        if line[-1:] != b"\n" or line[:9] != b"%08x " % zlib.crc32(line[9:]):
            break
        sound.append(line[9:])
    return [Row(*each) for each in orjson.loads(b"[" + b",".join(sound) + b"]")]


def _scanned(fd: int, start: int, size: int) -> Iterator[Row]:
    """Rows read from the segment. Unreadable bytes with a record after them: damaged; at the end: torn."""
    offset = start
    while offset < size:
        length = _member_length(fd, offset, size)
        if length is not None:
            try:
                yield records.row_of(records.parse(os.pread(fd, length, offset)), offset, length)
            except ValueError:
                yield Row("other", "", 0, offset, length, "", None)
        else:
            following = _next_member(fd, offset + 1, size)
            length = (following or size) - offset
            yield Row("damaged" if following else "torn", "", 0, offset, length, "", None)
        offset += length


def _member_length(fd: int, offset: int, size: int) -> int | None:
    """Length of the whole gzip member at *offset*; None when there is none."""
    unpack = zlib.decompressobj(wbits=31)
    at = offset
    while at < size:
        piece = os.pread(fd, min(_STEP, size - at), at)
        if not piece:
            return None
        try:
            unpack.decompress(piece)
        except zlib.error:
            return None
        at += len(piece)
        if unpack.eof:
            return at - len(unpack.unused_data) - offset
    return None


def _next_member(fd: int, start: int, size: int) -> int | None:
    at = start
    while at < size:
        piece = os.pread(fd, _BLOCK, at)
        found = piece.find(b"\x1f\x8b\x08")
        while found >= 0:
            length = _member_length(fd, at + found, size)
            if length and _is_record(os.pread(fd, length, at + found)):
                return at + found
            found = piece.find(b"\x1f\x8b\x08", found + 1)
        at += max(len(piece) - 2, 1)  # the three bytes may lie across two pieces
    return None


def _is_record(member: bytes) -> bool:
    return zlib.decompressobj(wbits=31).decompress(member, 5) == b"WARC/"


def _cut(fd: int, torn: Row, loaded: Loaded) -> None:
    aside = loaded.segment.with_name(f"{loaded.segment.name}.{torn.offset}.torn")
    aside.write_bytes(os.pread(fd, torn.length, torn.offset))
    os.ftruncate(fd, torn.offset)
    loaded.problems.append(f"{loaded.segment.name}: torn last record cut; its {torn.length} bytes: {aside.name}")


def _complete(loaded: Loaded, fresh: list[Row]) -> None:
    """Make the index file say what is known, and no more."""
    path = index_path(loaded.segment)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(fd).st_size == loaded.read and not fresh:
            return
        lines = b"".join(map(line_of, fresh))
        os.ftruncate(fd, loaded.read)
        os.pwrite(fd, lines, loaded.read)
        loaded.read += len(lines)
        if fresh:
            loaded.problems.append(f"{path.name}: {len(fresh)} records added from the segment")
    finally:
        os.close(fd)


class Table:
    """All captures of an archive, in columns, without bodies, addresses and headers."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.originals: dict[bytes, int] = {}
        self.ids: list[bytes] = []
        self.targets: list[str | None] = []
        self.notes: dict[bytes, str] = {}
        self.moments, self.offsets, self.lengths = array("q"), array("q"), array("q")
        self.segments = array("l")

    def add(self, segment: int, row: Row) -> None:
        kind = row.kind
        if kind == "metadata":
            key = bytes.fromhex(row.id)
            place = self.places.get(key)
            self.notes[key if place is None else self.ids[place]] = intern(f"{row.text} {row.digest[:16]}")
        elif kind in ("response", "revisit"):
            key = bytes.fromhex(row.id)
            if key in self.places:
                return
            place = len(self.ids)
            self.places[key] = place
            self.ids.append(key)
            self.targets.append(None if row.text is None else intern(row.text))
            self.moments.append(row.at_ms)
            self.offsets.append(row.offset)
            self.lengths.append(row.length)
            self.segments.append(segment)
            if kind == "response":
                self.originals.setdefault(bytes.fromhex(row.digest), place)

    def noted(self, key: bytes | None, digest: str) -> bool:
        """Whether the last note on a capture has this digest."""
        return key is not None and self.notes.get(key, "").endswith(f" {digest[:16]}")

    def in_time(self, target: str | None, since_ms: int | None, until_ms: int | None) -> list[int]:
        """Places in order of (moment, id); since included, until not."""
        moments, ids, targets = self.moments, self.ids, self.targets
        wanted = [
            place
            for place, at_ms in enumerate(moments)
            if (target is None or targets[place] == target)
            and (since_ms is None or at_ms >= since_ms)
            and (until_ms is None or at_ms < until_ms)
        ]
        wanted.sort(key=lambda place: (moments[place], ids[place]))
        return wanted
