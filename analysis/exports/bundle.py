"""A bundle for researchers: tables as CSV and Parquet, what their columns mean, what was covered, versions, checksums.

`datapackage.json` follows the Data Package standard, so that other tools read types and meanings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import orjson

from analysis.exports.files import csv_bytes, parquet_bytes
from analysis.exports.folder import Folder
from analysis.exports.pseudonyms import Pseudonyms, masked
from analysis.exports.rows import Row
from analysis.exports.schema import TABLES, Table, Type, children
from analysis.exports.source import Source

SUMS = "SHA256SUMS"
_FRICTIONLESS: Mapping[Type, str] = {
    "text": "string", "integer": "integer", "double": "number", "numeric": "number", "boolean": "boolean",
    "moment": "datetime",
}  # fmt: skip
PACKAGES = ("pydantic", "pandas", "pyarrow", "scikit-learn", "pymongo")


def write_bundle(
    source: Source, folder: Folder, pseudonyms: Pseudonyms | None, *, simulated: bool, tables: Iterable[Table]
) -> dict[str, int]:
    """Rows of each table. The same database gives the same bytes, but for the versions of packages."""
    sums: dict[str, str] = {}

    def put(name: str, body: bytes) -> None:
        folder.write(name, body)
        sums[name] = hashlib.sha256(body).hexdigest()

    counts, parsers, days = {}, set(), []
    for table in tables:
        rows = read_table(source, table)
        parser = table.names().index("parser") if "parser" in table.names() else None
        if parser is not None:
            parsers |= {str(row[parser]) for row in rows[table.name]}
        days += [(table.name, day, part.rows) for day, part in source.parts(table).items()]
        for each in (table, *children(table)):
            kept = masked(each, rows[each.name], pseudonyms) if pseudonyms else rows[each.name]
            counts[each.name] = len(kept)
            put(f"data/{each.name}.csv", csv_bytes(each, kept))
            put(f"data/{each.name}.parquet", parquet_bytes(each, kept))
    put("coverage.csv", _coverage(days))
    put("versions.json", _json({
        "tidemark": "0.1.0", "database": source.name, "simulated": simulated, "pseudonymised": pseudonyms is not None,
        "parsers": sorted(parsers), "packages": {name: version(name) for name in PACKAGES},
    }))  # fmt: skip
    put("datapackage.json", _json(datapackage(counts)))
    put("README.md", _readme(source.name, counts, pseudonyms is not None, simulated).encode())
    folder.write(SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode())
    return counts


def read_table(source: Source, table: Table) -> dict[str, list[Row]]:
    """All rows of a table and of its lists, by day and key."""
    rows: dict[str, list[Row]] = {each.name: [] for each in (table, *children(table))}
    for day in source.parts(table):
        for batch in source.rows(table, day):
            for name, more in batch.items():
                rows[name] += more
    return rows


def datapackage(counts: Mapping[str, int]) -> dict[str, Any]:
    resources = []
    for table in TABLES:
        if table.name not in counts:
            continue
        schema: dict[str, Any] = {
            "fields": [
                {"name": c.name, "type": _FRICTIONLESS[c.type], "description": c.meaning} for c in table.columns
            ],
            "primaryKey": list(table.key),
            "foreignKeys": [
                {"fields": [each.column], "reference": {"resource": each.table, "fields": [_key_of(each.table)]}}
                for each in table.references
                if each.enforced
            ],
        }
        resources.append({"name": table.name.replace("_", "-"), "path": f"data/{table.name}.csv",
                          "description": table.meaning, "rows": counts[table.name], "schema": schema})  # fmt: skip
    return {"name": "tidemark", "resources": resources}


def _key_of(name: str) -> str:
    return next(table.key[0] for table in TABLES if table.name == name)


def _coverage(days: Sequence[tuple[str, str, int]]) -> bytes:
    """Rows of each table and day; a day that is not there has none, which says nothing of the world."""
    lines = ["table,day,rows", *(f"{table},{day},{rows}" for table, day, rows in sorted(days))]
    return ("\n".join(lines) + "\n").encode()


def _readme(database: str, counts: Mapping[str, int], pseudonymised: bool, simulated: bool) -> str:
    lines = [f"# Tidemark: {database}{' (simulated)' if simulated else ''}", ""]
    if simulated:
        lines += ["All numbers here are made up by the demo.", ""]
    if pseudonymised:
        lines += [
            "People are pseudonyms: one keyed hash an account, the same everywhere. Who has the key can tell who is",
            "who, nobody else from the names. Captions and comments are what people wrote, with @names replaced; treat",
            "them as personal data all the same.", "",
        ]  # fmt: skip
    lines += [
        "`datapackage.json` says what every column means, `coverage.csv` which days there are, `versions.json` who",
        "read what. `sha256sum -c SHA256SUMS` verifies the files. Moments are UTC. What a page did not show is empty,",
        "never 0. In CSV an apostrophe leads text that a spreadsheet would run or round; Parquet has all as it is.", "",
        "| table | rows |", "|---|---|", *(f"| {name} | {rows:,} |" for name, rows in counts.items()), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
