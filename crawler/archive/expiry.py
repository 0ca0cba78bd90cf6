"""Old segments out of an archive, by age and by size; only where that was asked for, as numbers are proved by them.

Of a segment that is gone its index stays as `.gone`: ids, moments and outcomes, so that a check knows a capture that
has expired from one that was lost. A segment whose bodies later captures share stays until those go.
"""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from crawler.archive.index import PATTERN, Loaded, index_path, load
from crawler.archive.model import to_ms

CAPTURES = ("response", "revisit")
FORGOTTEN = "forgotten.ids"


@dataclass
class _Segment:
    path: Path
    bytes: int
    newest_ms: int = 0
    own: set[str] = field(default_factory=set)
    """Digests of bodies it holds."""
    shared: set[str] = field(default_factory=set)
    """Digests of bodies that its captures share with others."""


@dataclass(frozen=True, slots=True)
class Expired:
    segments: tuple[str, ...] = ()
    bytes: int = 0
    kept_for_others: int = 0
    """Segments that were due and hold bodies which younger captures share."""


def expire(
    directory: Path, *, before: datetime | None, most_bytes: int | None, only: Collection[str] | None = None
) -> Expired:
    """Remove segments all of whose captures are older than *before*, then the oldest until *most_bytes* are left.

    only: names of those that may go for their size, as they lie in the object store; None: any.
    """
    segments = sorted((_read(path) for path in directory.glob(PATTERN)), key=lambda each: (each.newest_ms, each.path))
    holders: dict[str, set[Path]] = defaultdict(set)
    users: dict[str, set[Path]] = defaultdict(set)
    for each in segments:
        for digest in each.own:
            holders[digest].add(each.path)
        for digest in each.shared:
            users[digest].add(each.path)
    left = sum(each.bytes for each in segments)
    gone, freed, kept = [], 0, 0
    for each in segments:
        old = before is not None and each.newest_ms < to_ms(before)
        large = most_bytes is not None and left > most_bytes and (only is None or each.path.name in only)
        if not (old or large) or written(each.path):
            continue
        if any(users[digest] - {each.path} and not holders[digest] - {each.path} for digest in each.own):
            kept += 1
            continue
        index_path(each.path).replace(gone_path(each.path))
        each.path.unlink()
        for digest in each.own:
            holders[digest].discard(each.path)
        for digest in each.shared:
            users[digest].discard(each.path)
        gone.append(each.path.name)
        freed, left = freed + each.bytes, left - each.bytes
    return Expired(tuple(gone), freed, kept)


def gone_path(segment: Path) -> Path:
    return segment.with_name(f"{segment.name}.gone")


def gone(directory: Path) -> set[str]:
    """Ids of captures that have expired, or were removed for a person's sake."""
    forgotten = directory / FORGOTTEN
    found = set(forgotten.read_text().split()) if forgotten.exists() else set()
    for path in directory.glob(f"{PATTERN}.gone"):
        for line in path.read_bytes().splitlines():
            kind, capture_id, *_ = orjson.loads(line[9:])
            if kind in CAPTURES:
                found.add(str(capture_id))
    return found


def _read(path: Path) -> _Segment:
    made = _Segment(path, path.stat().st_size)
    for row in load(Loaded(path), mend=True):
        if row.kind in CAPTURES:
            made.newest_ms = max(made.newest_ms, row.at_ms)
            (made.own if row.kind == "response" else made.shared).add(row.digest)
    return made


def written(path: Path) -> bool:
    """Whether a living process still writes it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
