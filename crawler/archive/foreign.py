"""WARC files of anyone, read as captures: a gzip member per record or one for all, or no gzip."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal, NamedTuple

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader as Unpacker
from warcio.exceptions import ArchiveLoadFailed

from crawler.archive import records
from crawler.archive.model import Capture
from crawler.counts import day_or_moment
from crawler.items import Vantage

MAX_BODY_BYTES = 512 << 20  # a page is far smaller; what unpacks to more is a trap
_DAMAGE = (ArchiveLoadFailed, OSError, EOFError, ValueError, zlib.error)

# It prints the addresses that it mends, secrets and all.
logging.getLogger("warcio.recordloader").setLevel(logging.ERROR)


class _Silent(ArchiveIterator):  # type: ignore[misc]  # warcio ships no types
    INC_RECORD = ""  # what follows a record of wrong length would be printed, whatever it is


class Place(NamedTuple):
    """Where a record begins. gzip: the offset counts unpacked bytes of a file that is one gzip member."""

    path: Path
    offset: int
    gzip: bool


class WarcFiles:
    """Several files read as one: a revisit in one may have its body in another, also in a later one.

    Gives captures, and a line for a person where records were passed over. One body in memory at a time.
    """

    def __init__(self, vantage: Vantage) -> None:
        self._vantage = vantage
        self._originals: dict[str, Place] = {}
        self._waiting: list[Place] = []

    def read(self, path: Path) -> Iterator[Capture | str]:
        passed: Counter[str] = Counter()
        done = 0
        try:
            for record, place in _records(path):
                yield from self._taken(record, place, passed)
                done += 1
        except _DAMAGE as error:
            passed[f"damaged after {done} records ({_short(error)}); those before it are read"] += 1
        for why, n in passed.items():
            yield why if n == 1 else f"{n} records: {why}"

    def rest(self) -> Iterator[Capture | tuple[Path, str]]:
        """The revisits that came before the record that holds their body."""
        lacking: Counter[Path] = Counter()
        for place in self._waiting:
            record = _at(place)
            original = self._originals.get(record.rec_headers.get_header("WARC-Payload-Digest") or "")
            if original is None:
                lacking[place.path] += 1
            else:
                yield self._capture(record, self._shared(record, original))
        self._waiting.clear()
        for path, n in lacking.items():
            yield path, f"{n} revisits of pages that are in none of the files given; give those files too"

    def _taken(self, record: Any, place: Place, passed: Counter[str]) -> Iterator[Capture]:
        is_page = record.rec_type == "revisit" or (record.rec_type == "response" and record.http_headers)
        if not is_page:
            return  # requests, notes, DNS answers
        digest = record.rec_headers.get_header("WARC-Payload-Digest") or ""
        try:
            if record.rec_type == "response":
                body = _body(record)
                if digest:
                    self._originals.setdefault(digest, place)
            elif digest in self._originals:
                body = self._shared(record, self._originals[digest])
            else:
                self._waiting.append(place)
                return
            yield self._capture(record, body)
        except (ValueError, AttributeError, TypeError) as error:
            passed[_short(error)] += 1

    def _shared(self, revisit: Any, place: Place) -> bytes:
        original = _at(place)
        if revisit.http_headers is None:  # a revisit need not repeat them
            revisit.http_headers = original.http_headers
        return _body(original)

    def _capture(self, record: Any, body: bytes) -> Capture:
        head = record.rec_headers
        if head.get_header("Tidemark-Capture"):
            return records.capture_of(record, body)
        stated = head.get_header("WARC-Date")
        if not stated:
            raise ValueError("no WARC-Date, so no moment")
        moment, precision = _moment(stated)
        return Capture(
            url=head.get_header("WARC-Target-URI").strip("<>"),
            fetched_at=moment,
            status=_status(record),
            headers=_joined(record.http_headers.headers),
            body=body,
            lane="replay",
            vantage=self._vantage,
            target=None,
            spider=None,
            at_precision=precision,
        )


def _records(path: Path) -> Iterator[tuple[Any, Place]]:
    done = 0
    try:
        for record, place in _iterated(path, packed=False):
            yield record, place
            done += 1
    except ArchiveLoadFailed as error:
        if "non-chunked" not in str(error):
            raise
    else:
        return
    for number, (record, place) in enumerate(_iterated(path, packed=True)):
        if number >= done:
            yield record, place


def _iterated(path: Path, *, packed: bool) -> Iterator[tuple[Any, Place]]:
    with _opened(path, packed) as file:
        archive = _Silent(file)
        for record in archive:
            yield record, Place(path, archive.offset, packed)


def _opened(path: Path, packed: bool) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if packed else path.open("rb")


def _at(place: Place) -> Any:
    """The record at a place, its body in memory: the file is closed again."""
    with _opened(place.path, place.gzip) as file:
        file.seek(place.offset)
        record = next(iter(_Silent(file)))
        if record.http_headers is not None:
            record.kept_body = _body(record)
        return record


def _body(record: Any) -> bytes:
    """What the server sent, with Content-Encoding and Transfer-Encoding undone."""
    if hasattr(record, "kept_body"):
        return bytes(record.kept_body)
    encoding = (record.http_headers.get_header("content-encoding") or "identity").strip().lower()
    if encoding not in ("identity", "none", *Unpacker.get_supported_decompressors()):
        raise ValueError(f"body is packed as {encoding[:20]!r}, which nothing here unpacks")
    stream, pieces, size = record.content_stream(), [], 0
    while piece := stream.read(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise ValueError(f"body above {MAX_BODY_BYTES >> 20} MB")
    while record.raw_stream.read(1 << 16):
        pass
    if getattr(record.raw_stream, "limit", 0) > 0:  # warcio hands out half a page without a word
        raise ValueError("cut short: the file ends within this record")
    return b"".join(pieces)


def _moment(stated: str) -> tuple[Any, Literal["day"] | None]:
    """WARC-Date; WARC 1.1 allows a bare day, and finer fractions than we keep."""
    head, dot, fraction = stated.partition(".")
    return day_or_moment(f"{head}.{fraction.rstrip('Zz')[:6]}Z" if dot else head, assume_utc=True)


def _status(record: Any) -> int:
    code = record.http_headers.get_statuscode()
    if not (code.isascii() and code.isdigit()):
        raise ValueError("no HTTP status")
    return int(code)


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        low = name.lower()
        if low not in ("content-encoding", "transfer-encoding"):
            joined[low] = f"{joined[low]}, {value}" if low in joined else value
    return joined


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
