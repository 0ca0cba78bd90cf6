"""The archive: written one segment a process, read by id or in order of time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

from crawler.archive import records
from crawler.archive.index import PATTERN, Loaded, Table, index_path, line_of, load
from crawler.archive.model import ArchiveError, Capture, CaptureMissing, from_ms, iso_ms, to_ms
from crawler.archive.records import Original, Row
from crawler.lanes import redact

MAX_OPEN_SEGMENTS = 32  # a process may open 256 files on macOS, and the crawl needs some
MAX_FRESH = 256  # captures are read right after they are written, and their outcome is noted then
HEAD_BYTES = 1 << 16  # headers of a record, unpacked, with room for long addresses


def _now() -> datetime:
    return datetime.now(UTC)


class Archive:
    """Safe for several threads and several processes; each process writes segments of its own.

    What write() returned from survives kill -9 of the process; a power cut may cost the end of a segment.
    read_only: nothing in the directory is changed, not even mended.
    problems: what was found torn or damaged when it was opened, a line each.
    """

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int = 256 << 20,
        level: int = 6,
        read_only: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.directory = directory
        self.segment_bytes = segment_bytes
        self.level = level
        self.read_only = read_only
        self.problems: list[str] = []
        self._clock = clock
        self._lock = RLock()
        self._table = Table()
        self._segments: list[Loaded] = []
        self._own: dict[Path, int] = {}
        self._writer: Segment | None = None
        self._files: OrderedDict[int, int] = OrderedDict()
        self._fresh: OrderedDict[int, str] = OrderedDict()
        """Addresses of captures written last, by place, as their records have them."""
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # what others said, for its owner only
        self._take_in(mend=not read_only)

    def write(self, capture: Capture) -> bool:
        """Keep a response; False when it is there already.

        Raises ArchiveError when the disk refuses; the archive is then as it was before.
        """
        capture = redact.capture(capture)
        digest = records.digest_of(capture.body)
        while True:
            with self._lock:
                if capture.id in self:
                    return False
                original = self._original(digest) if capture.body else None
            # The slow part, without the lock: another thread reads and notes meanwhile.
            record = records.pack(records.response(capture, digest, original), self.level)
            row = Row("revisit" if original else "response", capture.id, to_ms(capture.fetched_at), 0,
                      len(record), digest, capture.target)  # fmt: skip
            with self._lock:
                if capture.id in self:
                    return False
                if original is None and capture.body and self._original(digest):
                    continue  # another thread has just written the same body
                self._append(record, row)
                self._fresh[self._table.places[bytes.fromhex(capture.id)]] = records.target_uri(capture.url)
                if len(self._fresh) > MAX_FRESH:
                    self._fresh.popitem(last=False)
                return True

    def note(self, capture_id: str, outcome: str, parts: Mapping[str, Any]) -> None:
        """Keep what reading a capture gave. Said again, nothing is written; said anew, the last word counts.

        Raises CaptureMissing when the capture is not here.
        """
        body = records.note_text(outcome, _scrubbed(parts))
        digest = records.digest_of(body)
        with self._lock:
            place = self._place(capture_id)
            if self._table.noted(_key(capture_id), digest):
                return
            about = self._original_at(place)
            record = records.pack(records.note(about.id, about.url, about.date, outcome, body), self.level)
            at_ms = self._table.moments[place]
            self._append(record, Row("metadata", about.id, at_ms, 0, len(record), digest, outcome))

    def read(self, capture_id: str) -> Capture:
        """Raises CaptureMissing, and ArchiveError when its record is damaged."""
        return self._read(self._place(capture_id))

    def outcome(self, capture_id: str) -> str | None:
        """What reading it gave; None when nobody has said."""
        note = self._table.notes.get(_key(capture_id) or b"")
        return None if note is None else note.rpartition(" ")[0]

    def captures(
        self, *, target: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Capture]:
        """In order of (fetched_at, id), since included and until not; a body is read when its turn comes."""
        for place in self._in_time(target, since, until):
            yield self._read(place)

    def ids(
        self, *, target: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[str]:
        """The same choice and order as captures(), without reading any."""
        return (self._table.ids[place].hex() for place in self._in_time(target, since, until))

    def written_before(self, moment: datetime) -> Iterator[str]:
        """Ids of captures in segments that were begun before, whenever they were fetched."""
        stamp = f"{moment:%Y%m%dT%H%M%SZ}"
        old = {number for number, loaded in enumerate(self._segments) if loaded.segment.name < stamp}
        return (self._table.ids[place].hex() for place, each in enumerate(self._table.segments) if each in old)

    def refresh(self) -> None:
        """Take in what other processes have written since."""
        with self._lock:
            self._take_in(mend=False)

    def close(self) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            while self._files:
                os.close(self._files.popitem()[1])

    def __contains__(self, capture_id: object) -> bool:
        return isinstance(capture_id, str) and _key(capture_id) in self._table.places

    def __len__(self) -> int:
        return len(self._table.ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_in(self, *, mend: bool) -> None:
        known = {loaded.segment for loaded in self._segments} | set(self._own)
        for segment in sorted(set(self.directory.glob(PATTERN)) - known):
            self._segments.append(Loaded(segment))
        for number, loaded in enumerate(self._segments):
            if loaded.segment in self._own:
                continue
            for row in load(loaded, mend=mend):
                self._table.add(number, row)
            self.problems += loaded.problems
            loaded.problems.clear()

    def _in_time(self, target: str | None, since: datetime | None, until: datetime | None) -> list[int]:
        limits = (None if since is None else to_ms(since), None if until is None else to_ms(until))
        return self._table.in_time(redact.url(target) if target else target, *limits)

    def _place(self, capture_id: str) -> int:
        key = _key(capture_id)
        if key is not None and key not in self._table.places:
            self.refresh()  # another process may have written it
        place = None if key is None else self._table.places.get(key)
        if place is None:
            raise CaptureMissing(
                f"capture {redact.printable(capture_id[:40])}: not among {len(self)} in {self.directory}. "
                "Is this the archive of the crawl that saw it? Bring the other one in: scrapy replay PATH"
            )
        return place

    def _read(self, place: int) -> Capture:
        record = self._record(place)
        body: bytes = record.content_stream().read()
        if record.rec_type == "revisit":
            digest = record.rec_headers.get_header("WARC-Payload-Digest").removeprefix("sha256:")
            holder = self._table.originals.get(bytes.fromhex(digest))
            if holder is None:
                raise CaptureMissing(
                    f"capture {self._table.ids[place].hex()}: the body it shares with another is not in "
                    f"{self.directory}. Put all segments of the archive into one folder"
                )
            body = self._record(holder).content_stream().read()
        capture = records.capture_of(record, body)
        if capture.id != self._table.ids[place].hex():
            raise self._damaged(place, "its content has changed since it was written")
        return capture

    def _record(self, place: int, most: int = 0) -> Any:
        length = self._table.lengths[place]
        with self._lock:  # no other thread may close the file meanwhile
            fd = self._file(self._table.segments[place])
            member = os.pread(fd, min(length, most) if most else length, self._table.offsets[place])
        try:
            return records.parse(member, most=most)
        except ValueError as error:
            raise self._damaged(place, str(error)) from None

    def _damaged(self, place: int, why: str) -> ArchiveError:
        segment = self._segments[self._table.segments[place]].segment
        return ArchiveError(
            f"{segment} at {self._table.offsets[place]}: capture {self._table.ids[place].hex()} unreadable: "
            f"{why}. Restore the file from a copy; the other captures are not touched"
        )

    def _file(self, number: int) -> int:
        fd = self._files.pop(number, None)
        if fd is None:
            fd = os.open(self._segments[number].segment, os.O_RDONLY)
            if len(self._files) >= MAX_OPEN_SEGMENTS:
                os.close(self._files.popitem(last=False)[1])
        self._files[number] = fd
        return fd

    def _original(self, digest: str) -> Original | None:
        place = self._table.originals.get(bytes.fromhex(digest))
        return None if place is None else self._original_at(place)

    def _original_at(self, place: int) -> Original:
        url = self._fresh.get(place) or self._record(place, HEAD_BYTES).rec_headers.get_header("WARC-Target-URI")
        return Original(self._table.ids[place].hex(), url, iso_ms(from_ms(self._table.moments[place])))

    def _append(self, record: bytes, row: Row) -> None:
        if self.read_only:
            raise ArchiveError(f"{self.directory}: opened for reading only")
        try:
            if self._writer is None or self._writer.pid != os.getpid():  # a fork writes its own
                self._writer = Segment(self.directory, self._clock(), self.level)
                self._own[self._writer.path] = len(self._segments)
                self._segments.append(Loaded(self._writer.path))
            row = row._replace(offset=self._writer.end)
            self._writer.append(record, row)
            self._table.add(self._own[self._writer.path], row)
            if self._writer.end >= self.segment_bytes:
                self._writer.close()
                self._writer = None
        except OSError as error:
            raise ArchiveError(
                error.errno,
                f"the archive in {self.directory} cannot be written ({error.strerror or error}). "
                "Free space or mend the disk, then start again: what was written before is whole",
            ) from error


class Segment:
    """One WARC file and its index, written by this process alone and locked while it is."""

    def __init__(self, directory: Path, started_at: datetime, level: int) -> None:
        self.pid = os.getpid()
        self.path, self._fd = _create(directory, f"{started_at:%Y%m%dT%H%M%SZ}-{self.pid}")
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._index = os.open(index_path(self.path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.end = 0
        self._index_end = 0
        head = records.pack(records.info(self.path.name, iso_ms(started_at)), level)
        try:
            self.append(head, Row("other", "", 0, 0, len(head), "", None))
        except BaseException:
            self.close()
            self.path.unlink()
            index_path(self.path).unlink()
            raise

    def append(self, record: bytes, row: Row) -> None:
        """Both files grow, or neither does. The operating system has the bytes when this returns."""
        line = line_of(row)
        try:
            _write_all(self._fd, record)
            _write_all(self._index, line)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.end)
                os.ftruncate(self._index, self._index_end)
            raise
        self.end += len(record)
        self._index_end += len(line)

    def close(self) -> None:
        try:
            os.fsync(self._fd)
            os.fsync(self._index)
        finally:
            os.close(self._index)
            os.close(self._fd)


def _create(directory: Path, stem: str) -> tuple[Path, int]:
    number = 1
    while True:
        path = directory / f"{stem}-{number:04}.warc.gz"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            number += 1


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _key(capture_id: str) -> bytes | None:
    try:
        return bytes.fromhex(capture_id)
    except ValueError:
        return None


def _scrubbed(value: Any) -> Any:
    """Texts of a note without secrets."""
    if isinstance(value, str):
        return redact.text(value)
    if isinstance(value, Mapping):
        return {str(name): _scrubbed(each) for name, each in value.items()}
    return [_scrubbed(each) for each in value] if isinstance(value, list | tuple) else value
