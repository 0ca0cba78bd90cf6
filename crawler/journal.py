"""What a run has fetched and finished, beside the archive until the run is over: one that was cut off goes on from it.

It lies on the disk where the captures lie, because it is worth as much as they are: without them, everything must be
asked for again anyway.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)
KEPT = timedelta(hours=24)
"""What was fetched longer ago is history, and a run of the same name a new one."""


@dataclass
class Past:
    """What an earlier run of the same spider and arguments left."""

    began_at: datetime | None = None
    captures: list[str] = field(default_factory=list)
    done: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Finished targets, with how far each was followed."""


class Journal:
    """Lines of JSON. Another process that runs the same has the lock, and this one then keeps none."""

    def __init__(self, folder: Path, spider: str, arguments: Mapping[str, str]) -> None:
        told = json.dumps(dict(sorted(arguments.items())))
        digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
        self.path = folder / f"{spider}-{digest}.jsonl"
        self._file: IO[str] | None = None

    def open(self, now: datetime) -> Past:
        """Begin, or go on: what is known so far. Empty where there is nothing to go on with."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            log.warning("the same crawl runs already; this one could not be resumed")
            return Past()
        self._file = file
        file.seek(0)
        past = _read(file)
        if past.began_at is None or now - past.began_at > KEPT:
            file.truncate(0)
            self._write({"began_at": now.isoformat()})
            return Past()
        self._file.write("\n")  # the last line of a killed process may lack its end
        return past

    def archived(self, capture: str) -> None:
        self._write({"capture": capture})

    def finished(self, target: str, followed: Mapping[str, Any]) -> None:
        self._write({"done": target, "followed": dict(followed)})

    def close(self, over: bool) -> None:
        """over: nothing is left to go on with."""
        if self._file is not None:
            if over:
                self.path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def _read(file: IO[str]) -> Past:
    past = Past()
    for line in file:
        try:
            row = json.loads(line)
        except ValueError:  # empty, or cut off by a kill
            continue
        if "began_at" in row:
            past.began_at = datetime.fromisoformat(row["began_at"])
        elif "capture" in row:
            past.captures.append(row["capture"])
        elif "done" in row:
            past.done[row["done"]] = row.get("followed", {})
    return past
