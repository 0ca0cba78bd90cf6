"""What is done beside crawling, how often and after what; and what a day may cost. Pure: a table read from TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.schedule import Watch, duration

DEFAULT = Path(__file__).with_name("jobs.toml")
CRAWL = "crawl"
KEYS = frozenset({"every", "after", "run", "needs", "tell"})


class JobsError(ValueError):
    """A list of jobs that cannot be used; says which job and why."""


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: timedelta
    run: str
    after: tuple[str, ...] = ()
    needs: str | None = None
    tell: bool = False
    """Its output is a notice."""

    def watch(self, since: datetime) -> Watch:
        """As the slots know it."""
        return Watch("job", self.name, self.every, since)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the ledger says of a day, all spiders together, and pages by spider and host."""

    pages: int = 0
    bytes: int = 0
    browser_s: float = 0.0
    hosts: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a day (UTC); None: no limit."""

    pages: int | None = None
    megabytes: int | None = None
    browser_minutes: int | None = None
    host_pages: int | None = None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.pages, self.megabytes, self.browser_minutes, self.host_pages))

    def left(self, spent: Spent, spider: str) -> int:
        """How many pages *spider* may still load; a host that two spiders share is counted for both."""
        mine = {host for (name, host) in spent.hosts if name == spider}
        loaded = max((sum(n for (_, host), n in spent.hosts.items() if host == each) for each in mine), default=0)
        if self.megabytes is not None and spent.bytes >= self.megabytes * 1_000_000:
            return 0
        if self.browser_minutes is not None and spent.browser_s >= self.browser_minutes * 60:
            return 0
        most = [limit - used for limit, used in ((self.pages, spent.pages), (self.host_pages, loaded))
                if limit is not None]  # fmt: skip
        return max(0, min(most, default=1 << 30))


def read(path: Path | None, is_set: Mapping[str, bool]) -> list[Job]:
    """Jobs in an order in which every one comes after those it waits for. Raises JobsError.

    is_set: settings by name; a job that needs one which is not set is left out.
    """
    path = path or DEFAULT
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise JobsError(f"TIDEMARK_JOBS: {path}: {error}") from None
    jobs = {name: _job(path, name, row) for name, row in table.items()}
    for job in jobs.values():
        for each in job.after:
            if each != CRAWL and each not in jobs:
                raise JobsError(f"{path}: job {job.name}: after {each!r}, which is no job; there are {', '.join(jobs)}")
    ordered = _ordered(path, jobs)
    return [job for job in ordered if job.needs is None or is_set.get(job.needs, False)]


def _job(path: Path, name: str, row: Any) -> Job:
    where = f"{path}: job {name}"
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", name):
        raise JobsError(f"{path}: job {name[:40]!r}: expected a name of small letters, digits, - and _")
    if not isinstance(row, dict) or not {"every", "run"} <= set(row):
        raise JobsError(f"{where}: expected a table with every and run")
    if unknown := set(row) - KEYS:
        raise JobsError(f"{where}: no key {min(unknown)!r}; there are {', '.join(sorted(KEYS))}")
    after = row.get("after", [])
    if not isinstance(after, list) or not all(isinstance(each, str) for each in after):
        raise JobsError(f"{where}: after: expected a list of names")
    if row.get("tell", "output") != "output":
        raise JobsError(f"{where}: tell: expected output")
    try:
        every = duration(str(row["every"]))
    except ValueError as error:
        raise JobsError(f"{where}: every: {error}") from None
    return Job(name, every, str(row["run"]), tuple(after), row.get("needs"), "tell" in row)


def _ordered(path: Path, jobs: Mapping[str, Job]) -> list[Job]:
    done: dict[str, Job] = {}
    while len(done) < len(jobs):
        free = [job for name, job in jobs.items() if name not in done and set(job.after) - {CRAWL} <= set(done)]
        if not free:
            raise JobsError(f"{path}: jobs wait for each other: {', '.join(sorted(set(jobs) - set(done)))}")
        done.update((job.name, job) for job in free)
    return list(done.values())
