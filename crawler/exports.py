"""`-o FILE`: items as JSON Lines, JSON, CSV or Parquet, with the field names of the models."""

from __future__ import annotations

import csv
import io
import json
from typing import IO, Any

from scrapy.exporters import BaseItemExporter

from crawler.items import KINDS, Item, Refused

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns() -> list[str]:
    """The CSV header: every field of every model, each once, in the order of the models."""
    return list(dict.fromkeys(name for model in KINDS.values() for name in model.columns()))


def cell(value: Any) -> str:
    """A CSV cell that a spreadsheet reads as data: formulas are quoted, lists are JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


class _Exporter(BaseItemExporter):
    def __init__(self, file: IO[bytes], **kwargs: Any) -> None:
        super().__init__(dont_fail=True, **kwargs)
        self.file = file


class JsonLinesExporter(_Exporter):
    def export_item(self, item: Any) -> None:
        if isinstance(item, (Item, Refused)):
            self.file.write(item.model_dump_json().encode("utf-8", "replace") + b"\n")


class JsonExporter(_Exporter):
    def start_exporting(self) -> None:
        self.file.write(b"[")
        self.first = True

    def export_item(self, item: Any) -> None:
        if isinstance(item, (Item, Refused)):
            self.file.write(b"\n" if self.first else b",\n")
            self.first = False
            self.file.write(item.model_dump_json().encode("utf-8", "replace"))

    def finish_exporting(self) -> None:
        self.file.write(b"\n]\n")


class CsvExporter(_Exporter):
    def start_exporting(self) -> None:
        self.text = io.TextIOWrapper(self.file, "utf-8", errors="replace", newline="", write_through=True)
        self.writer = csv.DictWriter(self.text, columns())
        self.writer.writeheader()

    def export_item(self, item: Any) -> None:
        if isinstance(item, Item):
            self.writer.writerow({k: cell(v) for k, v in item.model_dump(mode="json").items()})

    def finish_exporting(self) -> None:
        self.text.detach()


class ParquetExporter(_Exporter):
    """One table, one column a field; rows are gathered in memory until the end."""

    def start_exporting(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def export_item(self, item: Any) -> None:
        if isinstance(item, Item):
            self.rows.append(item.model_dump(exclude_none=True))

    def finish_exporting(self) -> None:
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=[c for c in columns() if any(c in row for row in self.rows)])
        for name in frame.columns[frame.map(lambda v: isinstance(v, (dict, tuple, list))).any()]:
            frame[name] = frame[name].map(
                lambda v: json.dumps(v, default=str) if isinstance(v, (dict, tuple, list)) else v
            )
        frame.to_parquet(self.file, index=False)
