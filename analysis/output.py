"""Frames to the terminal and to files. What comes from a page is hostile text: no escape sequence,
no direction mark and no spreadsheet formula gets through. Never queries.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

ENDINGS = (".csv", ".json", ".jsonl", ".parquet")
_FORMULA = tuple("=+-@＝＋－＠")  # full-width signs start a formula in East Asian editions
_INVISIBLE = {"Cc", "Cf", "Co", "Cs"}  # control, direction and other marks without a picture
_NO_WIDTH = {"Mn", "Me"}  # drawn on the letter before
_DAY = "%Y-%m-%d"


class OutputError(ValueError):
    """A file that cannot be written as asked; one line, says what would work."""


def clean(text: str) -> str:
    """One line of visible characters: controls and direction marks gone, any white space one space."""
    spaced = (" " if char.isspace() else char for char in text)
    visible = "".join(char for char in spaced if unicodedata.category(char) not in _INVISIBLE)
    return " ".join(visible.split())


def width(text: str) -> int:
    """Columns of a terminal that *text* (cleaned) takes."""
    return sum(_char_width(char) for char in text)


def fit(text: str, columns: int) -> str:
    """*text* cut to *columns* with '…' in its middle, so that both ends of a path stay readable."""
    if width(text) <= columns and len(text) <= 4 * columns:  # more marks than that is mischief
        return text
    head = _take(text, (columns - 1) // 2)
    tail = _take(text[::-1], columns - 1 - width(head))[::-1]
    return f"{head}…{tail}"


def _take(text: str, columns: int) -> str:
    taken = ""
    for char in text[: 4 * columns]:
        columns -= _char_width(char)
        if columns < 0:
            break
        taken += char
    return taken


def _char_width(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def table(frame: pd.DataFrame, title: str, *, simulated: bool, widest: int = 44) -> str:
    """A fixed-width table: numbers to the right, text to the left, missing as '·'.

    A moment `x` with a column `x_precision` beside it is shown as its day where only that is known.
    """
    shown = moments_as_text(frame)
    heads = [clean(str(name)) for name in shown.columns]
    numeric = [_is_number(frame[name]) for name in shown.columns]
    cells = [[_cell(value, widest) for value in shown[name].tolist()] for name in shown.columns]
    widths = [max([width(head), *map(width, column)]) for head, column in zip(heads, cells, strict=True)]
    lines = [_line(heads, widths, numeric), _line(["-" * each for each in widths], widths, numeric)]
    lines += [_line(row, widths, numeric) for row in zip(*cells, strict=True)]
    return "\n".join([marked(title, simulated=simulated), *lines])


def marked(title: str, *, simulated: bool) -> str:
    return f"{clean(title)} (simulated)" if simulated else clean(title)


def moments_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Moments as `2021-09-25 01:15` (UTC), or the day alone; their precision columns are gone."""
    made: dict[str, list[object]] = {}
    for name in frame.columns:
        if str(name).endswith("_precision") and str(name).removesuffix("_precision") in frame.columns:
            continue
        values = frame[name].tolist()
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            rounding = frame.get(f"{name}_precision", pd.Series([None] * len(frame)))
            values = [_moment(at, day) for at, day in zip(values, rounding.eq("day").tolist(), strict=True)]
        made[str(name)] = values
    return pd.DataFrame(made, dtype="object")


def _moment(at: Any, day: object) -> str | None:
    if pd.isna(at):
        return None
    return str(at.strftime(_DAY if day is True else "%Y-%m-%d %H:%M"))


def _cell(value: Any, widest: int) -> str:
    match value:
        case str():
            return fit(clean(value), widest)
        case bool():
            return "yes" if value else "no"
        case _ if pd.isna(value):
            return "·"
        case float():
            return f"{value:,.1f}"
        case Decimal():
            return f"{value:,f}"
        case int():
            return f"{value:,}"
    return fit(clean(str(value)), widest)


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) or any(isinstance(each, Decimal) for each in column.head(50))


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = []
    for cell, columns, right in zip(cells, widths, numeric, strict=True):
        space = " " * (columns - width(cell))
        padded.append(space + cell if right else cell + space)
    return "  ".join(padded).rstrip()


def check_ending(path: Path, endings: Sequence[str] = ENDINGS) -> Path:
    """*path*, when it can be written; raises OutputError before any work is done."""
    if path.suffix.lower() not in endings:
        raise OutputError(f"{path}: cannot write this kind of file; use one of {', '.join(endings)}")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def write(frame: pd.DataFrame, path: Path, *, simulated: bool) -> None:
    """Whole file or none; the column `simulated` marks every row of made-up data."""
    check_ending(path)
    marked_frame = frame.assign(simulated=True) if simulated else frame
    part = path.with_name(f"{path.name}.part")
    try:
        _WRITERS[path.suffix.lower()](marked_frame, part)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _csv(frame: pd.DataFrame, path: Path) -> None:
    """UTF-8, moments as ISO 8601, text that a spreadsheet would run led by an apostrophe."""
    plain = {str(name): [csv_value(value) for value in frame[name].tolist()] for name in frame.columns}
    pd.DataFrame(plain, dtype="object").to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def csv_value(value: Any) -> object:
    if isinstance(value, str):
        led = f"'{value}" if runs_in_a_spreadsheet(value) else value
        return led.replace("\r\n", "\n").replace("\r", "\n")  # a lone \r is written unquoted, and ends a row
    if pd.isna(value):
        return None
    return _iso(value) if isinstance(value, datetime) else value


def runs_in_a_spreadsheet(text: str) -> bool:
    return text.startswith(("\t", "\r")) or text.lstrip().startswith(_FORMULA)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON holds them: None where missing, ISO moments, prices as text (exact)."""
    return [{str(name): _json_value(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _json_value(value: Any) -> object:
    if pd.isna(value):
        return None
    if isinstance(value, datetime):
        return _iso(value)
    return str(value) if isinstance(value, Decimal) else value


def _json(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(orjson.dumps(records(frame), option=orjson.OPT_INDENT_2) + b"\n")


def _jsonl(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in records(frame)))


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


_WRITERS: Mapping[str, Any] = {".csv": _csv, ".json": _json, ".jsonl": _jsonl, ".parquet": _parquet}
