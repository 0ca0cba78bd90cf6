"""Dumps of a public tweet stream, read as they are: tars of tars of minutes, zips, files; never unpacked to disk.

A dump is a sequence of members, each a file of JSON lines packed in its own way. Members are handed on packed, so that
processes can share the work of unpacking; one that is damaged gives the lines before the damage and a line for a
person, and the others are read. Memory does not grow with the dump.
"""

from __future__ import annotations

import bz2
import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from crawler.lanes.afar import Counted, is_afar, opened, shown
from crawler.lanes.packed import NO_END, has_end

CHUNK = 1 << 18
MOST_MEMBER_BYTES = 1 << 28  # packed; a minute is 1 to 3 MB, an hour of the quiet years 100
LEAST_BYTES = 1 << 16  # packed; of less, the start of a tool costs more than it saves
_INSIDE = re.compile(r"\.jsonl?(?:\.(?:gz|bz2))?$", re.I)
_TAR = re.compile(r"\.(?:tar(?:\.(?:gz|bz2|xz))?|tgz|tbz2?|txz)$", re.I)
_DAMAGE = (OSError, EOFError, ValueError, tarfile.TarError, zlib.error, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of lines, still packed."""

    name: str
    """Source, and the way to the file inside it: `2018-05.tar!01/00/00.json.bz2`."""
    data: bytes
    at: int
    """Bytes of the source read when it was taken, for the time left."""
    problem: str = ""
    """Why it is not whole; empty where it is."""
    plain: bool = False
    """Its lines are unpacked already, whatever its name ends with."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A place in a dump that cannot be read."""

    name: str
    reason: str


def sources(given: str) -> list[str]:
    """Files of a folder in sorted order; anything else is itself. Raises FileNotFoundError."""
    if is_afar(given):
        return [given]
    path = Path(given)
    if path.is_dir():
        return [str(each) for each in sorted(path.rglob("*")) if each.is_file() and is_dump(each.name)]
    if not path.exists():
        raise FileNotFoundError(f"{given}: no such file or folder")
    return [given]


def is_dump(name: str) -> bool:
    return bool(_INSIDE.search(name) or _TAR.search(name) or name.lower().endswith(".zip"))


def size(source: str) -> int | None:
    """Bytes of the packed source; None where nobody says."""
    return None if is_afar(source) else Path(source).stat().st_size


def members(source: str, done: frozenset[str] = frozenset(), name: str = "") -> Iterator[Packed | Damaged]:
    """Every file of lines in *source*, in its order; those named in *done* are passed over.

    *name*: what the source is called in the names of its members; by default the last part of its address.
    """
    name = name or shown(source).rsplit("/", 1)[-1]
    try:
        with opened(source) as raw:
            counted = Counted(raw, is_afar(source))
            if _TAR.search(name):
                yield from _tar(counted, name, counted, done)
            elif name.lower().endswith(".zip"):
                yield from _zip(raw, name, done)
            else:
                yield from (each for each in _alone(counted, name) if each.name not in done)
            if counted.cut:
                yield Damaged(name, counted.cut)
    except _DAMAGE as error:
        yield Damaged(name, f"cannot be read: {error}")
    except Exception as error:  # object stores raise what they like: no credentials, no such bucket
        if not is_afar(source):
            raise
        yield Damaged(name, f"cannot be read: {type(error).__name__}: {error}")


def _tar(stream: Any, name: str, counted: Counted, done: frozenset[str]) -> Iterator[Packed | Damaged]:
    n = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as tar:
            for member in tar:
                inside = f"{name}!{member.name.removeprefix('./')}"
                if not member.isfile() or inside in done:
                    continue
                file = tar.extractfile(member)
                if file is None:
                    continue
                if _TAR.search(member.name):
                    yield from _tar(file, inside, counted, done)
                elif _INSIDE.search(member.name):
                    yield _member(file, member.size, inside, counted)
                    n += 1
            if not has_end(tar) and not counted.cut:
                yield Damaged(name, f"{NO_END} after {n} members: it may be cut there; those are read")
    except _DAMAGE as error:
        yield Damaged(name, f"damaged after {n} members ({error}); those before it are read")


def _member(file: IO[bytes], length: int, name: str, counted: Counted) -> Packed | Damaged:
    if length > MOST_MEMBER_BYTES:
        return Damaged(
            name, f"larger than {MOST_MEMBER_BYTES >> 20} MB packed; take it out of the tar and name it alone"
        )
    parts, problem, left = [], "", length
    while left:
        try:
            part = file.read(min(CHUNK, left))
        except _DAMAGE as error:
            part, problem = b"", str(error)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    if left:
        problem = f"cut: {length - left:,} of {length:,} bytes are there{f' ({problem})' if problem else ''}"
    return Packed(name, b"".join(parts), counted.at, problem)


def _zip(raw: IO[bytes], name: str, done: frozenset[str]) -> Iterator[Packed | Damaged]:
    try:
        file = zipfile.ZipFile(raw)
    except _DAMAGE as error:
        yield Damaged(name, f"no list of contents ({error}); a zip needs its end, and a source that can be sought")
        return
    with file:
        for info in sorted(file.infolist(), key=lambda each: each.filename):
            inside = f"{name}!{info.filename}"
            if info.is_dir() or inside in done or not (_INSIDE.search(info.filename) or _TAR.search(info.filename)):
                continue
            try:
                with file.open(info) as member:
                    if _TAR.search(info.filename):
                        yield from _tar(member, inside, Counted(member), done)
                    else:
                        yield _member(member, info.file_size, inside, Counted(member))
            except _DAMAGE as error:
                yield Damaged(inside, f"cannot be unpacked: {error}")


def _alone(counted: Counted, name: str) -> Iterator[Packed | Damaged]:
    """A file by itself; a large one in pieces that end at a line, so that any size goes through little memory."""
    if name.lower().endswith((".gz", ".bz2")):
        head = b"".join(_chunks(counted, WHOLE_BYTES))
        if len(head) < WHOLE_BYTES:
            yield Packed(f"{name}#0", head, counted.at, counted.cut)
        else:
            yield from _pieces(unpacked(_After(head, counted), name), name, counted)
    else:
        yield from _pieces(_chunks(counted), name, counted)


PIECE_BYTES = 1 << 24
WHOLE_BYTES = 1 << 25  # packed; smaller files are handed on as they are, for another process to unpack


class _After:
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: Counted) -> None:
        self.head, self.rest = io.BytesIO(head), rest

    def read(self, size: int) -> bytes:
        return self.head.read(size) or self.rest.read(size)


def _pieces(chunks: Iterator[bytes | str], name: str, counted: Counted) -> Iterator[Packed]:
    held: list[bytes] = []
    length = n = 0
    for chunk in chunks:
        if isinstance(chunk, str):
            yield Packed(_piece(name, n), b"".join(held), counted.at, chunk, plain=True)
            return
        held.append(chunk)
        length += len(chunk)
        if length > PIECE_BYTES and (end := chunk.rfind(b"\n")) >= 0:
            rest = chunk[end + 1 :]
            held[-1] = chunk[: end + 1]
            yield Packed(_piece(name, n), b"".join(held), counted.at, plain=True)
            held, length, n = [rest], len(rest), n + 1
    if length or not n:
        yield Packed(_piece(name, n), b"".join(held), counted.at, counted.cut, plain=True)


def _piece(name: str, n: int) -> str:
    return f"{name}#{n}"


def _chunks(stream: Any, most: int | None = None) -> Iterator[bytes]:
    read = 0
    while (most is None or read < most) and (chunk := stream.read(CHUNK)):
        read += len(chunk)
        yield chunk


def unpacked(stream: Any, name: str) -> Iterator[bytes | str]:
    """What is packed in *stream*, streams after one another too; at last a line for a person where it is cut."""
    make: Any = bz2.BZ2Decompressor if name.lower().endswith(".bz2") else lambda: zlib.decompressobj(31)
    one, fresh = make(), True
    try:
        for chunk in _chunks(stream):
            data: bytes = chunk
            while data:
                if one.eof:
                    if not data.strip(b"\0"):
                        return
                    one = make()
                made = one.decompress(data)
                if made:
                    yield made
                fresh = False
                data = one.unused_data if one.eof else b""
    except (OSError, EOFError, ValueError, zlib.error) as error:
        yield f"damaged: {error}"
        return
    if not one.eof and not fresh:
        yield "cut: its packing has no end"


def text_of(packed: Packed) -> tuple[bytes, str]:
    """The lines of a member as one block, and what is wrong with it; of a cut one, all that is there."""
    problem = packed.problem
    name = packed.name.lower().partition("#")[0]
    if packed.plain or not name.endswith((".gz", ".bz2")):
        return packed.data, problem
    if not problem:
        try:  # several times faster than piece by piece
            return (_bunzip2 if name.endswith(".bz2") else _gunzip)(packed.data), ""
        except (OSError, EOFError, ValueError, zlib.error):
            pass
    parts: list[bytes] = []
    for each in unpacked(io.BytesIO(packed.data), name):
        if isinstance(each, str):
            problem = problem or each
        else:
            parts.append(each)
    return b"".join(parts), problem


def head_of(packed: Packed) -> bytes:
    """The first lines of a member."""
    name = packed.name.lower().partition("#")[0]
    if packed.plain or not name.endswith((".gz", ".bz2")):
        return packed.data[:CHUNK]
    first = next(unpacked(io.BytesIO(packed.data), name), b"")
    return first if isinstance(first, bytes) else b""


def _bunzip2(data: bytes) -> bytes:
    """By lbzip2 where it is installed, an eighth quicker than the library of Python, which has the last word."""
    if (tool := _lbzip2()) and len(data) >= LEAST_BYTES:
        with suppress(OSError), os.fdopen(os.memfd_create("member"), "r+b") as packed:
            packed.write(data)
            packed.seek(0)
            with subprocess.Popen(
                [tool, "-d", "-c", "-n1"], stdin=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                pipesize=1 << 18,
            ) as process:  # fmt: skip
                assert process.stdout is not None
                made = process.stdout.read()
            if process.returncode == 0:
                return made
    return bz2.decompress(data)


@cache
def _lbzip2() -> str | None:
    return shutil.which("lbzip2") if hasattr(os, "memfd_create") else None  # Linux


def _gunzip(data: bytes) -> bytes:
    parts = []
    while data:
        one = zlib.decompressobj(31)
        parts.append(one.decompress(data))
        if not one.eof:
            raise EOFError("cut")
        data = one.unused_data.lstrip(b"\0")
    return b"".join(parts)
