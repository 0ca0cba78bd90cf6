"""A relational copy in SQLite or PostgreSQL: one transaction a batch, one more for what it is up to date with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.exports import hourly, sql
from analysis.exports.rows import Row, Value
from analysis.exports.schema import TABLES, Table, children
from analysis.exports.sync import Key
from analysis.output import OutputError

if TYPE_CHECKING:
    import psycopg


class SqlCopy:
    """What both databases share; how rows are brought in and how a transaction is opened differ."""

    dialect: sql.Dialect

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        raise NotImplementedError
        yield

    def fill(self, cursor: Any, table: Table, rows: Sequence[Row]) -> None:
        raise NotImplementedError

    def prepare(self) -> None:
        with self.transaction() as cursor:
            cursor.execute(sql.create_state(self.dialect))
            for table in TABLES:
                for statement in sql.create(table, self.dialect):
                    cursor.execute(statement)
                self._add_columns(cursor, table)

    def _add_columns(self, cursor: Any, table: Table) -> None:
        """Columns that a newer version has; the copy is then filled anew."""
        cursor.execute(f"SELECT * FROM {sql.quoted(table.name)} WHERE 1 = 0")
        present = {each[0] for each in cursor.description}
        missing = [each for each in table.columns if each.name not in present]
        for each in missing:
            kind = self.dialect.types[each.type]
            cursor.execute(f"ALTER TABLE {sql.quoted(table.name)} ADD COLUMN {sql.quoted(each.name)} {kind}")
        if missing:
            self._forget(cursor, table)
            cursor.execute(f"UPDATE {sql.quoted(table.name)} SET etag = ''")

    def fingerprints(self, table: Table) -> dict[str, str]:
        hole = self.dialect.hole
        with self.transaction() as cursor:
            cursor.execute(f"SELECT part, fingerprint FROM {sql.STATE} WHERE table_name = {hole}", (table.name,))
            return dict(cursor.fetchall())

    def merge(self, table: Table, rows: Mapping[str, Sequence[Row]]) -> int:
        with self.transaction() as cursor:
            for each in (table, *children(table)):
                cursor.execute(sql.create_stage(each, self.dialect))
                cursor.execute(f"DELETE FROM {sql.stage(each)}")
                self.fill(cursor, each, rows[each.name])
            for statement in sql.waiting(table):
                cursor.execute(statement)
            cursor.execute(sql.upsert(table, self.dialect))
            written = int(cursor.rowcount)
            for child in children(table):
                for statement in sql.replace_list(table, child):
                    cursor.execute(statement)
            return written

    def done(self, table: Table, fingerprints: Mapping[str, str]) -> None:
        hole = self.dialect.hole
        with self.transaction() as cursor:
            self._forget(cursor, table)
            cursor.executemany(
                f"INSERT INTO {sql.STATE} (table_name, part, fingerprint) VALUES ({hole}, {hole}, {hole})",
                [(table.name, part, fingerprint) for part, fingerprint in fingerprints.items()],
            )

    def _forget(self, cursor: Any, table: Table) -> None:
        cursor.execute(f"DELETE FROM {sql.STATE} WHERE table_name = {self.dialect.hole}", (table.name,))

    def count(self, table: Table) -> int:
        with self.transaction() as cursor:
            cursor.execute(f"SELECT count(*) FROM {sql.quoted(table.name)}")
            return int(cursor.fetchall()[0][0])

    def keys(self, table: Table) -> Set[Key]:
        with self.transaction() as cursor:
            cursor.execute(f"SELECT {sql.listed(table.key)} FROM {sql.quoted(table.name)}")
            return {tuple(self.read(each) for each in row) for row in cursor.fetchall()}

    def read(self, value: Any) -> Value:
        """As the source has it."""
        found: Value = value
        return found

    def delete(self, table: Table, keys: Sequence[Key]) -> None:
        with self.transaction() as cursor:
            cursor.executemany(
                sql.delete(table, self.dialect), [tuple(self.written(each) for each in key) for key in keys]
            )

    def written(self, value: Value) -> Any:
        return value

    def tidy(self) -> None:
        raise NotImplementedError


class SqliteCopy(SqlCopy):
    """Moments are text that sorts and that SQLite's date functions read; prices are numbers."""

    dialect = sql.SQLITE

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path)
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.Error as error:
            raise OutputError(f"{path}: cannot be opened as an SQLite database: {error}") from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        with self._connection:
            yield self._connection.cursor()

    def fill(self, cursor: sqlite3.Cursor, table: Table, rows: Sequence[Row]) -> None:
        holes = ", ".join("?" for _ in table.columns)
        cursor.executemany(
            f"INSERT INTO {sql.stage(table)} VALUES ({holes})", ([self.written(each) for each in row] for row in rows)
        )

    def written(self, value: Value) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        return str(value) if isinstance(value, Decimal) else value

    def keys(self, table: Table) -> Set[Key]:
        moments = {i for i, name in enumerate(table.key) if _type(table, name) == "moment"}
        return {
            tuple(_moment(each) if i in moments else each for i, each in enumerate(key)) for key in super().keys(table)
        }

    def tidy(self) -> None:
        self._connection.execute("VACUUM")

    def close(self) -> None:
        self._connection.close()


def _type(table: Table, name: str) -> str:
    return next(each.type for each in table.columns if each.name == name)


def _moment(text: Value) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)


class PostgresCopy(SqlCopy):
    """COPY into a temporary table, then INSERT … ON CONFLICT. With TimescaleDB, see analysis.exports.hourly."""

    dialect = sql.POSTGRES

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def prepare(self) -> None:
        super().prepare()
        with self._connection.cursor() as cursor:
            cursor.execute(hourly.IS_THERE)
            found = cursor.fetchone()
            for statement in hourly.TIMESCALE if found else hourly.PLAIN:
                cursor.execute(statement)  # one by one: a continuous aggregate is made outside of transactions

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            yield cursor

    def fill(self, cursor: psycopg.Cursor[tuple[Any, ...]], table: Table, rows: Sequence[Row]) -> None:
        with cursor.copy(f"COPY {sql.stage(table)} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def tidy(self) -> None:
        with self._connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"VACUUM {sql.quoted(table.name)}")

    def close(self) -> None:
        self._connection.close()
