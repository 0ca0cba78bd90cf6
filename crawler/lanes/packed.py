"""Tar files read member by member, never unpacked to disk: one member in memory at a time."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO

ENDING = re.compile(r"\.(?:tar(?:\.(?:xz|gz|bz2))?|txz|tgz|tbz2?)$", re.IGNORECASE)
DAMAGE = (OSError, EOFError, ValueError, tarfile.TarError, zlib.error, LZMAError)


NO_END = "ends without its end marker"


def has_end(tar: tarfile.TarFile) -> bool:
    """Whether a tar read to its end, as a stream, has a block of zeros there; one cut between two files has none."""
    return tar.fileobj is not None and tar.fileobj.tell() > tar.offset


def members(path: Path, most_bytes: int) -> Iterator[tuple[str, bytes] | str]:
    """Name and bytes of every file in a tar, a .gz member unpacked; a line for a person where one is not given.

    Names are only ever names: nothing is written anywhere.
    """
    done = 0
    try:
        with tarfile.open(path, "r|*") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if not member.isfile() or Path(name).name.startswith("."):
                    continue
                file = tar.extractfile(member)
                if file is None or member.size > most_bytes:
                    yield f"{name}: larger than {most_bytes >> 20} MB"
                    continue
                yield _unpacked(name, file, most_bytes)
                done += 1
            if not has_end(tar):
                yield f"{NO_END} after {done} files; it may be cut there"
    except DAMAGE as error:
        yield f"damaged after {done} files ({error}); those before it are read"


def _unpacked(name: str, file: IO[bytes], most_bytes: int) -> tuple[str, bytes] | str:
    data = file.read()
    if data[:2] != b"\x1f\x8b":
        return name, data
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            data = packed.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        return f"{name}: cannot be unpacked: {error}"
    return (name, data) if len(data) <= most_bytes else f"{name}: larger than {most_bytes >> 20} MB"
