"""Tables as files: CSV, JSON Lines, Parquet, spreadsheets. No reader runs, splits or rounds what a page said."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.exports.rows import Row, Value
from analysis.exports.schema import Table, Type, children
from analysis.output import OutputError, csv_value

LONGEST_NUMBER = 15  # digits; a spreadsheet rounds a longer one
LONGEST_CELL = 32_767  # characters a spreadsheet's cell holds
MOST_ROWS = 1_048_576  # rows a spreadsheet holds, its head among them
_ARROW: dict[Type, Any] = {
    "text": pa.string(), "integer": pa.int64(), "double": pa.float64(), "numeric": pa.decimal128(38, 8),
    "boolean": pa.bool_(), "moment": pa.timestamp("ms", tz="UTC"),
}  # fmt: skip


@dataclass(frozen=True)
class Locale:
    """How a spreadsheet of a country reads a CSV."""

    separator: str = ","
    decimal: str = "."


LOCALES = {"C": Locale(), "pt-BR": Locale(";", ",")}


def csv_bytes(table: Table, rows: Iterable[Row], locale: Locale = LOCALES["C"]) -> bytes:
    """UTF-8 with its mark, which spreadsheets need and Tableau takes. Text that would run, and whole numbers too long
    for a spreadsheet, are led by an apostrophe: read them elsewhere from Parquet or JSON Lines."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=locale.separator, lineterminator="\r\n")
    writer.writerow(table.names())
    writer.writerows([[cell(each, locale) for each in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def cell(value: Value, locale: Locale) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return moment(value)
        case float() | Decimal():
            return number(value).replace(".", locale.decimal)
        case int():
            digits = str(value)
            return f"'{digits}" if len(digits) > LONGEST_NUMBER else digits
    led = str(csv_value(value))
    return f"'{led}" if _is_long_number(led) else led


def number(value: float | Decimal) -> str:
    """Never 1E+7, which not every reader takes."""
    return format(value, "f") if isinstance(value, Decimal) else format(Decimal(repr(value)), "f")


def moment(value: datetime) -> str:
    """2026-03-01 12:00:00, UTC: the form that spreadsheets of every country read as a moment."""
    utc = value.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%S") + (f".{utc.microsecond // 1000:03d}" if utc.microsecond else "")


def _is_long_number(text: str) -> bool:
    return len(text) > LONGEST_NUMBER and text.isascii() and text.isdecimal()


def jsonl_bytes(table: Table, rows: Mapping[str, Sequence[Row]]) -> bytes:
    """One item a line, its lists inside; what is not known is left out. Prices are text, exact."""
    lists: dict[str, dict[Any, list[Any]]] = {}
    for child in children(table):
        held = lists.setdefault(child.field, {})
        for row in rows[child.name]:
            held.setdefault(row[0], []).append(row[2] if child.names()[2:] == ("value",) else _said(child, row, 2))
    lines = []
    for row in rows[table.name]:
        said = _said(table, row)
        for field, held in lists.items():
            if said.get("key") in held:
                said[field] = held[said["key"]]
        lines.append(orjson.dumps(said, default=str))
    return b"".join(line + b"\n" for line in lines)


def _said(table: Table, row: Row, start: int = 0) -> dict[str, Any]:
    return {name: said for name, said in zip(table.names()[start:], row[start:], strict=True) if said is not None}


def parquet_bytes(table: Table, rows: Sequence[Row]) -> bytes:
    """Types as the schema says, also where a column is empty."""
    columns = [pa.array([row[i] for row in rows], type=_ARROW[each.type]) for i, each in enumerate(table.columns)]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(table.names())), sink, compression="zstd")
    return sink.getvalue()


def write_xlsx(path: Path, tables: Sequence[tuple[Table, Sequence[Row]]], *, simulated: bool = False) -> None:
    """One sheet a table. Nothing is a formula or a link, ids are text. Raises OutputError where rows are too many."""
    import xlsxwriter

    options = {
        "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "constant_memory": True,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }  # fmt: skip
    part = path.with_name(f"{path.name}.part")
    try:
        with xlsxwriter.Workbook(str(part), options) as book:
            head = book.add_format({"bold": True})
            if simulated:
                book.add_worksheet("simulated").write_string(0, 0, "All numbers here are made up by the demo.", head)
            for table, rows in tables:
                if len(rows) >= MOST_ROWS:
                    raise OutputError(f"{table.name}: {len(rows):,} rows, a sheet holds {MOST_ROWS:,}; use --to csv")
                sheet = book.add_worksheet(table.name[:31])
                sheet.freeze_panes(1, 0)
                for i, name in enumerate(table.names()):
                    sheet.write_string(0, i, name, head)
                for at, row in enumerate(rows, 1):
                    for i, each in enumerate(row):
                        _write_cell(sheet, at, i, each)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _write_cell(sheet: Any, row: int, column: int, value: Value) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case datetime():
            sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None))
        case int() if len(str(value)) > LONGEST_NUMBER:
            sheet.write_string(row, column, str(value))
        case int() | float() | Decimal():
            sheet.write_number(row, column, value)
        case _:
            sheet.write_string(row, column, value[:LONGEST_CELL])
