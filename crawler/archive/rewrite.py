"""An archive without some of its captures: segments that hold them are written anew, the rest stays as it is.

The new segments are whole on disk before an old one goes; cut off in between, both are there until the next call.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from crawler.archive.expiry import CAPTURES, FORGOTTEN, written
from crawler.archive.index import PATTERN, Loaded, index_path, load
from crawler.archive.model import ArchiveError, Capture
from crawler.archive.records import Row
from crawler.archive.store import Archive


def without(directory: Path, unwanted: Callable[[Capture], bool]) -> tuple[list[str], list[str], list[str]]:
    """Ids of the captures that went; names of the segments that were removed, and of those that came instead.

    Reads every body once. Raises ArchiveError while another process writes there.
    """
    with Archive(directory) as archive:
        ids = [capture.id for capture in archive.captures() if unwanted(capture)]
    old, new = remove(directory, ids)
    return ids, old, new


def remove(directory: Path, ids: Collection[str]) -> tuple[list[str], list[str]]:
    """Names of the segments that were removed, and of those that came instead."""
    gone = set(ids)
    rows = {path: [row for row in load(Loaded(path), mend=True) if row.kind in CAPTURES]
            for path in sorted(directory.glob(PATTERN))}  # fmt: skip
    old = _touched(rows, gone)
    if not old:
        return [], []
    free(directory)
    with Archive(directory) as archive, tempfile.TemporaryDirectory(dir=directory, prefix=".anew-") as folder:
        with Archive(Path(folder)) as anew:
            for path in old:
                for row in rows[path]:
                    if row.id not in gone and row.id in archive:
                        anew.write(archive.read(row.id))
                        if (outcome := archive.outcome(row.id)) is not None:
                            anew.note(row.id, outcome, {})
        note(directory, ids)
        new = []
        for path in sorted(Path(folder).glob(f"{PATTERN}*")):
            shutil.move(path, _free(directory, path.name))
            new += [path.name] if path.name.endswith(".gz") else []
        for path in old:
            path.unlink()
            index_path(path).unlink(missing_ok=True)
    return [path.name for path in old], new


def free(directory: Path) -> None:
    """Raises ArchiveError while another process writes there."""
    for path in directory.glob(PATTERN):
        if written(path):
            raise ArchiveError(f"{path} is being written; end the crawl first, then say this again")


def _touched(rows: dict[Path, list[Row]], gone: set[str]) -> list[Path]:
    """Segments with such a capture, and those that share a body with one."""
    bodies = {row.digest for of_one in rows.values() for row in of_one if row.id in gone}
    return [path for path, of_one in rows.items() if any(row.id in gone or row.digest in bodies for row in of_one)]


def _free(directory: Path, name: str) -> Path:
    path = directory / name
    if path.exists():  # the same process, in the same second
        raise ArchiveError(f"{path} is there already; say this again")
    return path


def note(directory: Path, ids: Collection[str]) -> None:
    """Ids only, so that a check knows them from lost ones."""
    path = directory / FORGOTTEN
    known = set(path.read_text().split()) if path.exists() else set()
    path.write_text("".join(f"{each}\n" for each in sorted(known | set(ids))))
