"""What a person can bring in (`scrapy replay PATH…`): archives, WARC, HAR, saved pages and tables, also in tar files.

Read as captures. Nothing here looks into a page beyond the address and the moment that it states of itself. A table
of many moments is cut into one capture a moment (crawler.pages.tables), so that the archive keeps each row once and
every number leads back to the few lines that show it, not to a file of a hundred megabytes.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, cast
from urllib.parse import quote

from crawler import pages
from crawler.archive import Archive, ArchiveError, Capture, CaptureMissing
from crawler.archive.foreign import WarcFiles
from crawler.items import Vantage
from crawler.lanes import har, packed, redact, twitterstream, zeeschuimer
from crawler.lanes.saved import CONTENT_TYPES, META, Known, Provenance, Stated, content_type, saved_url, sidecar_of
from crawler.pages.boards import BoardPage
from crawler.pages.tables import CutTable, Part, lines_of
from crawler.pages.xstream import StreamPage

HEAD_BYTES = 4096  # enough for the names of a table's columns
MAX_FILE_BYTES = 512 << 20  # one file is held in memory; a page is far smaller
SEGMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]+-[0-9]{4}\.warc\.gz")
TABLES = frozenset((".csv", ".tsv", ".jsonl", ".json"))
_NOT_PAGES = frozenset(("MANIFEST.tsv", META, "expected.json"))


@dataclass(frozen=True)
class Options:
    """What a person says of the files; it counts before what the files say."""

    url: str | None = None
    observed_at: datetime | None = None
    at_precision: Literal["day"] | None = None
    manifest: Path | None = None
    place: str | None = None
    vantage: Vantage = field(default_factory=Vantage)


@dataclass(frozen=True)
class Skipped:
    """Something that gave no capture."""

    path: str
    reason: str
    """One line a person can act on."""


def read(paths: Sequence[Path], options: Options) -> Iterator[Capture | Skipped]:
    """Every capture in files and folders, folders in sorted order; at most one file in memory."""
    reader = _Reader(options)
    for path in paths:
        yield from reader.given(path)
    yield from reader.rest()


class _Reader:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.warcs = WarcFiles(options.vantage)
        self.provenance = Provenance(options.url, options.observed_at, options.at_precision, options.manifest)

    def given(self, path: Path) -> Iterator[Capture | Skipped]:
        other: Counter[str] = Counter()
        if path.is_dir():
            yield from self._folder(path, path.resolve(), other)
        elif path.exists():
            yield from self._file(path, other)
        else:
            yield _skipped(path, "no such file or folder")
        for ending, n in sorted(other.items()):
            yield _skipped(path, f"not a page: {ending} ({n} file{'s' if n > 1 else ''})")
        for manifest, why in self.provenance.complaints():
            yield _skipped(manifest, why)

    def rest(self) -> Iterator[Capture | Skipped]:
        for each in self.warcs.rest():
            yield self._clean(each) if isinstance(each, Capture) else _skipped(*each)

    def _folder(self, folder: Path, root: Path, other: Counter[str]) -> Iterator[Capture | Skipped]:
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            yield _skipped(folder, f"cannot be read: {error.strerror}")
            return
        if any(SEGMENT.fullmatch(path.name) for path in inside):
            yield from self._archive(folder)
            inside = [path for path in inside if not SEGMENT.match(path.name)]  # nor its .idx and .torn
        if {"body", META} <= {path.name for path in inside}:
            yield from self._saved(folder / "body", folder / META)
            return
        for path in inside:
            if path.name.startswith(".") or path.name in _NOT_PAGES or path.name.endswith(f".{META}"):
                continue
            if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root)):
                if not path.is_dir():
                    yield _skipped(path, "a link out of the folder; give its target by name to read it")
            elif path.is_dir():
                yield from self._folder(path, root, other)
            else:
                yield from self._file(path, other)

    def _archive(self, folder: Path) -> Iterator[Capture | Skipped]:
        try:
            with Archive(folder, read_only=True) as archive:
                for capture_id in archive.ids():
                    try:
                        yield self._clean(archive.read(capture_id))
                    except (ArchiveError, CaptureMissing) as error:
                        yield _skipped(folder, str(error))
                for problem in archive.problems:
                    yield _skipped(folder, problem)
        except OSError as error:
            yield _skipped(folder, f"cannot be read: {error.strerror or error}")

    def _file(self, path: Path, other: Counter[str]) -> Iterator[Capture | Skipped]:
        try:
            if not path.is_file():
                raise ValueError("neither file nor folder")
            kind = self._kind(path)
            if kind == "warc":
                for each in self.warcs.read(path):
                    yield self._clean(each) if isinstance(each, Capture) else _skipped(path, each)
            elif kind == "har":
                for entry in har.read(unpacked(path), self.options.vantage):
                    yield self._clean(entry) if isinstance(entry, Capture) else _skipped(path, entry)
            elif kind == "tweets":
                yield from self._tweets(path)
            elif kind == "tar":
                yield from self._tar(path)
            elif kind == "zeeschuimer":
                for row in zeeschuimer.read(unpacked(path), self.options.vantage):
                    yield self._clean(row) if isinstance(row, Capture) else _skipped(path, row)
            elif kind == "page":
                yield from self._saved(path, sidecar_of(path))
            else:
                other[kind] += 1
        except (OSError, EOFError, ValueError, zlib.error) as error:
            yield _skipped(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")

    def _kind(self, path: Path) -> str:
        """warc, tweets, tar, har, page, or the ending of what is none of them."""
        name = path.name.lower().removesuffix(".gz")
        head = _head(path)
        if head.startswith(b"WARC/") or name.endswith(".warc"):
            return "warc"
        if twitterstream.is_dump(path.name) and _holds_tweets(path):
            return "tweets"
        if packed.ENDING.search(path.name):
            return "tar"
        if name.endswith(".har") or (name.endswith(".json") and re.match(rb'\s*\{\s*"log"\s*:\s*\{', head)):
            return "har"
        if zeeschuimer.is_export(head):
            return "zeeschuimer"
        if _may_be_page(name, head) or sidecar_of(path):
            return "page"
        return "".join(Path(path.name).suffixes[-2:] if path.suffix == ".gz" else [path.suffix]) or "no ending"

    def _tar(self, path: Path) -> Iterator[Capture | Skipped]:
        """Pages and tables in a tar; of the rest only its number is told."""
        other: Counter[str] = Counter()
        for member in packed.members(path, MAX_FILE_BYTES):
            if isinstance(member, str):
                yield _skipped(path, member)
                continue
            name, body = member
            if not _may_be_page(name.lower().removesuffix(".gz"), body[:HEAD_BYTES]):
                other[Path(name).suffix or "no ending"] += 1
                continue
            yield from self._page(path / name, None, body, f"{path.name}/{name}")
        for ending, n in sorted(other.items()):
            yield _skipped(path, f"holds {n} files {ending}, which are no pages")

    def _tweets(self, path: Path) -> Iterator[Capture | Skipped]:
        """Each file of lines in a dump is a capture of the newest moment that it states."""
        for member in twitterstream.members(str(path)):
            if isinstance(member, twitterstream.Damaged):
                yield _skipped(path, f"{member.name}: {member.reason}")
                continue
            block, problem = twitterstream.text_of(member)
            at = StreamPage.moment(block)
            if problem or at is None:
                yield _skipped(path, f"{member.name}: {problem or 'no tweet in it states a moment'}")
            if at is not None:
                yield self._capture(Path(member.name), Known(saved_url(member.name), at, None), block)

    def _saved(self, path: Path, sidecar: Path | None) -> Iterator[Capture | Skipped]:
        try:
            table = _cut_table(path.name, _head(path))
            if table is None or Path(path.name.lower().removesuffix(".gz")).suffix == ".json":
                yield from self._page(path, sidecar, unpacked(path))
            else:
                with _opened(path) as file:
                    yield from self._parts(path, sidecar, table, file)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            yield _skipped(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")

    def _page(
        self, path: Path, sidecar: Path | None, body: bytes, name: str | None = None
    ) -> Iterator[Capture | Skipped]:
        """*body* as one capture, or as one a moment where it is a table of many."""
        try:
            if table := _cut_table(path.name, body[:HEAD_BYTES]):
                yield from self._parts(path, sidecar, table, lines_of(body), name)
                return
            known = self.provenance.of(path, sidecar, body, name=name, rows_say=_rows_say(path, body))
        except ValueError as error:  # Unknown, or rows that contradict themselves
            yield _skipped(path, str(error))
            return
        yield self._capture(path, known, body)

    def _parts(
        self, path: Path, sidecar: Path | None, table: type[CutTable], lines: Iterable[bytes], name: str | None = None
    ) -> Iterator[Capture | Skipped]:
        known: Known | None = None
        for part in table.cut(lines):
            if not isinstance(part, Part):
                yield _skipped(path, part)
                continue
            stated = (part.at, part.at_precision)
            known = known or self.provenance.of(path, sidecar, b"", name=name, rows_say=stated)
            url = f"{known.url}#{quote(part.mark, safe='')}"
            here = replace(known, url=url, observed_at=part.at, at_precision=part.at_precision)
            yield self._capture(path, here, part.body)

    def _capture(self, path: Path, known: Known, body: bytes) -> Capture:
        place = self.options.place or known.place
        headers = {"content-type": content_type(path), **known.headers}
        return self._clean(
            Capture(
                url=known.url,
                fetched_at=known.observed_at,
                status=known.status,
                headers=headers | ({"tidemark-place": place} if place else {}),
                body=body,
                lane="replay",
                vantage=known.vantage or self.options.vantage,
                target=known.target,
                spider=None,
                at_precision=known.at_precision,
            )
        )

    def _clean(self, capture: Capture) -> Capture:
        """As the archive will keep it, so that its id is the id there."""
        place = self.options.place
        if place and "tidemark-place" not in capture.headers:
            capture = replace(capture, headers={**capture.headers, "tidemark-place": place})
        return redact.capture(capture)


def unpacked(path: Path) -> bytes:
    """The bytes of a file, of a .gz what is packed in it. Raises ValueError above MAX_FILE_BYTES."""
    large = path.stat().st_size > MAX_FILE_BYTES
    with _opened(path) as file:
        data = b"" if large else file.read(MAX_FILE_BYTES + 1)
    if large or len(data) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES >> 20} MB; split it")
    return data


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            yield raw
            return
        with gzip.open(raw) as file:
            yield cast(IO[bytes], file)


def _head(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(HEAD_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def _holds_tweets(path: Path) -> bool:
    """By the first file of lines in it."""
    first = next(twitterstream.members(str(path)), None)
    return isinstance(first, twitterstream.Packed) and StreamPage.knows("", twitterstream.head_of(first))


def _may_be_page(name: str, head: bytes) -> bool:
    suffix = Path(name).suffix
    if suffix == ".md":  # most are about the files beside them
        page = pages.choose("", head)
        return page is not None and issubclass(page, BoardPage)
    return suffix in CONTENT_TYPES


def _cut_table(name: str, head: bytes) -> type[CutTable] | None:
    """The table of many moments that this is, by the names of its columns."""
    if Path(name.lower().removesuffix(".gz")).suffix not in TABLES:
        return None
    tables = (page for page in pages.load_all().values() if issubclass(page, CutTable))
    return next((table for table in tables if table.knows("", head)), None)


def _rows_say(path: Path, body: bytes) -> Stated | None:
    """The moment that a board saved in a file states of itself, by its rows or its name."""
    name = path.as_posix()
    page = pages.choose(saved_url(name), body)
    if page is None or not issubclass(page, BoardPage):
        return None
    return page.stated(name, body)


def _skipped(path: Path, reason: str) -> Skipped:
    return Skipped(redact.printable(str(path)), redact.printable(reason))
