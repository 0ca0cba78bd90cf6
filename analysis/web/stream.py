"""Whole lists as CSV or JSON Lines, piece by piece: memory does not grow with the list. Never queries."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from analysis.output import csv_value
from analysis.web.shapes import packed

PIECE = 500  # rows written at once
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def pieces(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: str, simulated: bool) -> Iterator[bytes]:
    """The list as bytes; `simulated` marks every row of made-up data."""
    if form == "csv":
        return _csv(rows, [*columns, *(["simulated"] if simulated else [])], simulated)
    return _jsonl(rows, simulated)


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], simulated: bool) -> Iterator[bytes]:
    """UTF-8; text that a spreadsheet would run is led by an apostrophe, lists and objects are JSON."""
    text = io.StringIO(newline="")
    write = csv.writer(text, lineterminator="\n")
    write.writerow(columns)
    source = iter(rows)
    while True:
        taken = list(islice(source, PIECE))
        for row in taken:
            marked = {**row, "simulated": True} if simulated else row
            write.writerow([_cell(marked.get(name)) for name in columns])
        yield text.getvalue().encode("utf-8", "replace")
        if len(taken) < PIECE:
            return
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> object:
    if value is None:
        return ""
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is list or kind is tuple or kind is dict:
        return packed(value).decode()
    return csv_value(value)


def _jsonl(rows: Iterable[Mapping[str, Any]], simulated: bool) -> Iterator[bytes]:
    source = iter(rows)
    while taken := list(islice(source, PIECE)):
        yield b"".join(packed({**row, "simulated": True} if simulated else row) + b"\n" for row in taken)
