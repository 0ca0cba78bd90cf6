"""A relational copy in BigQuery: rows are loaded beside a table, then merged into it by key.

Statements stand alone, because a warehouse has no cheap transaction: a copy that was cut off is merged again, and says
the same twice without harm. BigQuery enforces neither keys nor references; the merge by key does.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from analysis.exports.rows import Row, Value
from analysis.exports.schema import TABLES, Table, Type, children
from analysis.exports.sync import Key

if TYPE_CHECKING:
    from google.cloud import bigquery

TYPES: Mapping[Type, str] = {
    "text": "STRING", "integer": "INT64", "double": "FLOAT64", "numeric": "NUMERIC", "boolean": "BOOL",
    "moment": "TIMESTAMP",
}  # fmt: skip
STATE = "tidemark_parts"


class BigQueryCopy:
    """One dataset. *client* carries the credentials; nothing here reads or stores any."""

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        """dataset: `project.dataset` or `dataset` of the client's project."""
        self._client = client
        self._dataset = dataset if "." in dataset else f"{client.project}.{dataset}"

    def prepare(self) -> None:
        from google.cloud import bigquery

        self._client.create_dataset(self._dataset, exists_ok=True)
        present = {each.table_id for each in self._client.list_tables(self._dataset)}
        state = [bigquery.SchemaField(name, "STRING") for name in ("table_name", "part", "fingerprint")]
        if STATE not in present:
            self._client.create_table(bigquery.Table(f"{self._dataset}.{STATE}", schema=state))
        for table in TABLES:
            if table.name not in present:
                self._client.create_table(bigquery.Table(f"{self._dataset}.{table.name}", schema=_fields(table)))

    def fingerprints(self, table: Table) -> dict[str, str]:
        rows = self._run(f"SELECT part, fingerprint FROM {self._name(STATE)} WHERE table_name = '{table.name}'")
        return {row["part"]: row["fingerprint"] for row in rows}

    def merge(self, table: Table, rows: Mapping[str, Sequence[Row]]) -> int:
        for each in (table, *children(table)):
            self._load(each, rows[each.name])
        written = self._changed(self._merge(table))
        for child in children(table):
            won = (
                f"SELECT s.`key` FROM {self._stage(table)} s JOIN {self._name(table.name)} t "
                "ON s.`key` = t.`key` AND s.`etag` = t.`etag`"
            )
            first, names = child.key[0], _listed(child.names())
            self._run(f"DELETE FROM {self._name(child.name)} WHERE `{first}` IN ({won})")
            self._run(
                f"INSERT INTO {self._name(child.name)} ({names}) "
                f"SELECT {names} FROM {self._stage(child)} WHERE `{first}` IN ({won})"
            )
        return written

    def done(self, table: Table, fingerprints: Mapping[str, str]) -> None:
        self._run(f"DELETE FROM {self._name(STATE)} WHERE table_name = '{table.name}'")
        if fingerprints:
            lines = [{"table_name": table.name, "part": p, "fingerprint": f} for p, f in fingerprints.items()]
            self._load_json(f"{self._dataset}.{STATE}", lines, "WRITE_APPEND", None)

    def count(self, table: Table) -> int:
        return int(next(iter(self._run(f"SELECT COUNT(*) AS n FROM {self._name(table.name)}")))["n"])

    def keys(self, table: Table) -> Set[Key]:
        rows = self._run(f"SELECT {_listed(table.key)} FROM {self._name(table.name)}")
        return {tuple(row[name] for name in table.key) for row in rows}

    def delete(self, table: Table, keys: Sequence[Key]) -> None:
        """Through a load as well, so that a thousand keys are one statement; lists go with their parents."""
        columns = [each for name in table.key for each in table.columns if each.name == name]
        rows = [dict(zip(table.key, map(_json, key), strict=True)) for key in keys]
        gone = f"{self._dataset}.gone_{table.name}"
        self._load_json(gone, rows, "WRITE_TRUNCATE", [(each.name, TYPES[each.type]) for each in columns])
        for child in children(table):
            self._run(f"DELETE FROM {self._name(child.name)} WHERE `{child.key[0]}` IN (SELECT `key` FROM `{gone}`)")
        same = " AND ".join(f"g.`{name}` = t.`{name}`" for name in table.key)
        self._run(f"DELETE FROM {self._name(table.name)} t WHERE EXISTS (SELECT 1 FROM `{gone}` g WHERE {same})")

    def tidy(self) -> None:
        """What BigQuery itself keeps to turn back time goes after seven days."""
        for table in TABLES:
            for name in (f"stage_{table.name}", f"gone_{table.name}"):
                self._client.delete_table(f"{self._dataset}.{name}", not_found_ok=True)

    def _merge(self, table: Table) -> str:
        """A key that stands twice among the loaded rows counts once, with its newest fact."""
        names = table.names()
        order = "`observed_at` DESC, `capture` DESC" if table.newest_wins else "`etag`"
        where = "".join(
            f" AND `{each.column}` IN (SELECT `key` FROM {self._name(each.table)})"
            for each in table.references
            if each.enforced
        )
        loaded = (
            f"SELECT * FROM {self._stage(table)} WHERE TRUE{where} "
            f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {_listed(table.key)} ORDER BY {order}) = 1"
        )
        same = " AND ".join(f"t.`{name}` = s.`{name}`" for name in table.key)
        newer = "t.`etag` != s.`etag`"
        if table.newest_wins:
            newer += (
                " AND (t.`observed_at` < s.`observed_at`"
                " OR (t.`observed_at` = s.`observed_at` AND t.`capture` <= s.`capture`))"
            )
        sets = ", ".join(f"`{name}` = s.`{name}`" for name in names if name not in table.key)
        values = ", ".join(f"s.`{name}`" for name in names)
        return (
            f"MERGE {self._name(table.name)} t USING ({loaded}) s ON {same} "
            f"WHEN MATCHED AND {newer} THEN UPDATE SET {sets} "
            f"WHEN NOT MATCHED THEN INSERT ({_listed(names)}) VALUES ({values})"
        )

    def _load(self, table: Table, rows: Sequence[Row]) -> None:
        lines = [dict(zip(table.names(), map(_json, row), strict=True)) for row in rows]
        columns = [(each.name, TYPES[each.type]) for each in table.columns]
        self._load_json(f"{self._dataset}.stage_{table.name}", lines, "WRITE_TRUNCATE", columns)

    def _load_json(
        self, name: str, lines: Sequence[Mapping[str, Any]], how: str, columns: Sequence[tuple[str, str]] | None
    ) -> None:
        """One load job; an empty one empties the table, which a load of nothing would not."""
        from google.cloud import bigquery

        if not lines:
            if columns is not None:
                made = ", ".join(f"`{column}` {kind}" for column, kind in columns)
                self._run(f"CREATE OR REPLACE TABLE `{name}` ({made})")
            return
        schema = [bigquery.SchemaField(column, kind) for column, kind in columns or ()]
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON, write_disposition=how,
            **({"schema": schema} if schema else {}),
        )  # fmt: skip
        body = io.BytesIO(b"\n".join(orjson.dumps(line) for line in lines))
        self._client.load_table_from_file(body, name, job_config=config).result()

    def _changed(self, statement: str) -> int:
        job = self._client.query(statement)
        job.result()
        return int(job.num_dml_affected_rows or 0)

    def _run(self, statement: str) -> Any:
        return self._client.query(statement).result()

    def _name(self, table: str) -> str:
        return f"`{self._dataset}.{table}`"

    def _stage(self, table: Table) -> str:
        return self._name(f"stage_{table.name}")


def _fields(table: Table) -> list[bigquery.SchemaField]:
    from google.cloud import bigquery

    return [
        bigquery.SchemaField(each.name, TYPES[each.type], "REQUIRED" if each.needed else "NULLABLE", None, each.meaning)
        for each in table.columns
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _json(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value
