"""Bring a relational copy up to date: only the days that changed, merged by key, and counted at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from analysis.exports.rows import Row, Value
from analysis.exports.schema import Table
from analysis.exports.source import Source
from analysis.output import OutputError

Key = tuple[Value, ...]
OWNER = Table("_database", "Of which database this is a copy.", ())
"""Stands among the tables in the copy's state, and has no rows."""


class Target(Protocol):
    """A copy that is written table by table. Every verb may be said again without harm."""

    def prepare(self) -> None:
        """Tables, keys, references and indexes, where they are missing."""

    def fingerprints(self, table: Table) -> dict[str, str]:
        """Part: fingerprint at its last whole merge."""

    def merge(self, table: Table, rows: Mapping[str, Sequence[Row]]) -> int:
        """Insert or replace by key, lists with their parents; never an older fact over a newer. Rows written."""

    def done(self, table: Table, fingerprints: Mapping[str, str]) -> None:
        """These parts are merged whole; parts not named are gone."""

    def count(self, table: Table) -> int: ...

    def keys(self, table: Table) -> Set[Key]: ...

    def delete(self, table: Table, keys: Sequence[Key]) -> None: ...

    def tidy(self) -> None:
        """Nothing of what was deleted or replaced is left in free space or beside the tables."""


@dataclass(frozen=True)
class Synced:
    table: str
    kept: int
    """Rows in the database."""
    copied: int
    """Rows in the copy afterwards."""
    read: int
    """Rows read again, of the days that changed."""
    written: int
    deleted: int

    @property
    def agrees(self) -> bool:
        return self.kept == self.copied


def sync(
    source: Source, target: Target, tables: Sequence[Table] = (), say: Callable[[str], None] = lambda line: None,
    *, anew: bool = False,
) -> list[Synced]:  # fmt: skip
    """One line a table (none given: all); counts that do not agree are told, never hidden.

    anew: every day is read again, every key compared, and nothing deleted is left behind.
    Raises OutputError where the copy is one of another database, or the database is empty: what it lacks would be
    removed from the copy.
    """
    target.prepare()
    held = target.fingerprints(OWNER)
    check_owner(source, set(held), may_be_empty=anew)
    if not held:
        target.done(OWNER, {source.name: "source"})
    told = [_table(table, source, target, say, anew=anew) for table in tables or source.tables()]
    if anew:
        target.tidy()
    return told


def check_owner(source: Source, held: Set[str], *, may_be_empty: bool) -> None:
    if held and source.name not in held:
        raise OutputError(f"this copy holds database {min(held)}, not {source.name}; give each a copy of its own")
    if held and not may_be_empty and source.is_empty():
        raise OutputError(f"database {source.name} is empty, its copy is not: nothing was changed; the right server?")


def _table(table: Table, source: Source, target: Target, say: Callable[[str], None], *, anew: bool) -> Synced:
    parts, known = source.parts(table), {} if anew else target.fingerprints(table)
    read = written = 0
    changed = [day for day, part in parts.items() if known.get(day) != part.fingerprint]
    for i, day in enumerate(changed):
        for batch in source.rows(table, day):
            read += len(batch[table.name])
            written += target.merge(table, batch)
        if i % 20 == 19:
            say(f"{table.name}: {i + 1} of {len(changed)} days")
    kept, copied, deleted = sum(part.rows for part in parts.values()), target.count(table), 0
    if copied > kept or anew:  # removed from the database since: forgotten people, spoilt boards
        gone = sorted(target.keys(table) - source.keys(table), key=str)
        target.delete(table, gone)
        deleted, copied = len(gone), target.count(table)
    target.done(table, {day: part.fingerprint for day, part in parts.items()} if copied == kept else {})
    return Synced(table.name, kept, copied, read, written, deleted)
