"""A folder of files by kind and day, `posts/day=2026-03-01/posts.parquet`, of which only changed days are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson

from analysis.exports.files import jsonl_bytes, parquet_bytes
from analysis.exports.folder import Folder
from analysis.exports.rows import Row
from analysis.exports.schema import Table, children
from analysis.exports.source import Source
from analysis.exports.sync import OWNER, Synced, check_owner

STATE = "_tidemark.json"
"""Of each table and day: the fingerprint and the rows written."""


def write_partitions(
    source: Source, folder: Folder, ending: str, tables: Sequence[Table] = (),
    say: Callable[[str], None] = lambda line: None, *, anew: bool = False,
) -> list[Synced]:  # fmt: skip
    """ending: jsonl (an item a line, lists inside) or parquet (lists in files of their own)."""
    known: dict[str, dict[str, str]] = orjson.loads(folder.read(STATE) or b"{}").get(ending, {})
    check_owner(source, set(known.get(OWNER.name, {})), may_be_empty=anew)
    known[OWNER.name] = {source.name: "source"}
    told = []
    for table in tables or source.tables():
        parts = source.parts(table)
        before = known.get(table.name, {})
        changed = [day for day, part in parts.items() if anew or before.get(day) != part.fingerprint]
        gone = sorted(before.keys() - parts.keys())
        written = sum(_write_day(table, day, source, folder, ending) for day in changed)
        for day in gone:
            for each in (table, *children(table)):
                folder.delete(_name(table, each, day, ending))
        known[table.name] = {day: part.fingerprint for day, part in parts.items()}
        folder.write(STATE, _state(folder, ending, known))
        kept = sum(part.rows for part in parts.values())
        copied = kept - sum(parts[day].rows for day in changed) + written
        told.append(Synced(table.name, kept, copied, written, written, len(gone)))
        if changed:
            say(f"{table.name}: {len(changed)} of {len(parts)} days written")
    return told


def _write_day(table: Table, day: str, source: Source, folder: Folder, ending: str) -> int:
    rows: dict[str, list[Row]] = {each.name: [] for each in (table, *children(table))}
    for batch in source.rows(table, day):
        for name, more in batch.items():
            rows[name] += more
    for name, body in _files(table, rows, ending).items():
        each = next(one for one in (table, *children(table)) if one.name == name)
        folder.write(_name(table, each, day, ending), body)
    return len(rows[table.name])


def _files(table: Table, rows: Mapping[str, Sequence[Row]], ending: str) -> dict[str, bytes]:
    if ending == "jsonl":
        return {table.name: jsonl_bytes(table, rows)}
    return {each.name: parquet_bytes(each, rows[each.name]) for each in (table, *children(table))}


def _name(table: Table, each: Table, day: str, ending: str) -> str:
    """Of a derived table, which has no days, without one. Names come from the schema and the calendar only."""
    folder = f"{each.name}/day={day}" if table.moment else each.name
    return f"{folder}/{each.name}.{ending}"


def _state(folder: Folder, ending: str, known: Mapping[str, Mapping[str, str]]) -> bytes:
    whole = orjson.loads(folder.read(STATE) or b"{}")
    return orjson.dumps({**whole, ending: known}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
