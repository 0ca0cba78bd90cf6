"""The statements of a relational copy, for SQLite and PostgreSQL. Names are quoted, values never in a text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.exports.schema import TABLES, Column, Table, Type

STATE = "tidemark_parts"


@dataclass(frozen=True)
class Dialect:
    name: str
    types: Mapping[Type, str]
    hole: str
    """What stands for a value."""
    distinct: str
    """Operator that tells two values apart, where either may be missing."""


SQLITE = Dialect(
    "sqlite", {"text": "TEXT", "integer": "INTEGER", "double": "REAL", "numeric": "NUMERIC", "boolean": "BOOLEAN",
               "moment": "TIMESTAMP"}, "?", "IS NOT",
)  # fmt: skip
POSTGRES = Dialect(
    "postgres", {"text": "text", "integer": "bigint", "double": "double precision", "numeric": "numeric",
                 "boolean": "boolean", "moment": "timestamptz"}, "%s", "IS DISTINCT FROM",
)  # fmt: skip


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(names: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def column(each: Column, dialect: Dialect) -> str:
    return f"{quoted(each.name)} {dialect.types[each.type]}{' NOT NULL' if each.needed else ''}"


def create(table: Table, dialect: Dialect) -> list[str]:
    """The table with its key and enforced references, then its indexes; nothing where they are there."""
    parts = [column(each, dialect) for each in table.columns]
    parts.append(f"PRIMARY KEY ({listed(table.key)})")
    for each in table.references:
        if each.enforced:
            parent = next(other for other in TABLES if other.name == each.table)
            parts.append(
                f"FOREIGN KEY ({quoted(each.column)}) REFERENCES {quoted(parent.name)} ({listed(parent.key)}) "
                "ON DELETE CASCADE"
            )
    body = ",\n  ".join(parts)
    made = [f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} (\n  {body}\n)"]
    for names in table.indexes:
        index = quoted(f"{table.name}_{'_'.join(names)}")
        made.append(f"CREATE INDEX IF NOT EXISTS {index} ON {quoted(table.name)} ({listed(names)})")
    return made


def create_state(dialect: Dialect) -> str:
    text = dialect.types["text"]
    return (
        f"CREATE TABLE IF NOT EXISTS {STATE} (table_name {text} NOT NULL, part {text} NOT NULL, "
        f"fingerprint {text} NOT NULL, PRIMARY KEY (table_name, part))"
    )


def stage(table: Table) -> str:
    return quoted(f"stage_{table.name}")


def create_stage(table: Table, dialect: Dialect) -> str:
    columns = ", ".join(f"{quoted(each.name)} {dialect.types[each.type]}" for each in table.columns)
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage(table)} ({columns})"


def waiting(table: Table) -> list[str]:
    """Staged rows whose parent has not come yet are left for the next time."""
    return [
        f'DELETE FROM {stage(table)} WHERE {quoted(each.column)} NOT IN (SELECT "key" FROM {quoted(each.table)})'
        for each in table.references
        if each.enforced and table.parent is None  # lists come with their parents
    ]


def upsert(table: Table, dialect: Dialect) -> str:
    """Insert or replace by key; a row that is older than the copy's, or the same, changes nothing."""
    names = table.names()
    own = quoted(table.name)
    sets = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names if name not in table.key)
    guard = f'{own}."etag" {dialect.distinct} excluded."etag"'
    if table.newest_wins:
        guard += f' AND ({own}."observed_at", {own}."capture") <= (excluded."observed_at", excluded."capture")'
    return (
        f"INSERT INTO {own} ({listed(names)}) SELECT {listed(names)} FROM {stage(table)} WHERE true "
        f"ON CONFLICT ({listed(table.key)}) DO UPDATE SET {sets} WHERE {guard}"
    )


def replace_list(parent: Table, child: Table) -> list[str]:
    """Lists of those parents whose staged row is now the copy's."""
    first = quoted(child.key[0])
    same = 's."key" = p."key" AND s."etag" = p."etag"'
    won = f'SELECT s."key" FROM {stage(parent)} s JOIN {quoted(parent.name)} p ON {same}'
    return [
        f"DELETE FROM {quoted(child.name)} WHERE {first} IN ({won})",
        f"INSERT INTO {quoted(child.name)} ({listed(child.names())}) "
        f"SELECT {listed(child.names())} FROM {stage(child)} WHERE {first} IN ({won})",
    ]


def delete(table: Table, dialect: Dialect) -> str:
    where = " AND ".join(f"{quoted(name)} = {dialect.hole}" for name in table.key)
    return f"DELETE FROM {quoted(table.name)} WHERE {where}"
