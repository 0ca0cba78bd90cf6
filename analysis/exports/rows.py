"""Documents as rows of the relational schema. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson
import pandas as pd

from analysis.exports.schema import Table, children
from crawler.items import stamp

Value: TypeAlias = str | int | float | bool | Decimal | datetime | None
Row: TypeAlias = tuple[Value, ...]


def rows_of(table: Table, documents: Iterable[Mapping[str, Any]]) -> dict[str, list[Row]]:
    """Rows of *table* and of the tables of its lists, by table name; one row a document."""
    made: dict[str, list[Row]] = {table.name: [], **{child.name: [] for child in children(table)}}
    for document in documents:
        flat = flattened(table, document)
        made[table.name].append(tuple(value(flat.get(name)) for name in table.names()))
        for child in children(table):
            made[child.name].extend(_elements(child, flat["key"], document.get(child.field) or ()))
    return made


def flattened(table: Table, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what its table has beside it: key, vantage by parts, keys of what it refers to, a hash."""
    flat = {**document, "key": document.get("_id", document.get("key"))}
    for name, said in (document.get("vantage") or {}).items():
        flat[f"vantage_{name}"] = said
    match table.name:
        case "posts" if document.get("author"):
            flat["author_key"] = f"{document['platform']}:profile:{document['author'].lower()}"
        case "board_entries":
            flat["snapshot"] = f"{document['board']}@{stamp(document['at'])}"
        case "alerts":
            flat["evidence"] = orjson.dumps(document.get("evidence"), default=str).decode()
    if "etag" not in flat:
        plain = [str(flat.get(name)) for name in table.names() if name != "etag"]
        flat["etag"] = hashlib.blake2b("\x1f".join(plain).encode(), digest_size=9).hexdigest()
    return flat


def _elements(child: Table, key: str, elements: Iterable[Any]) -> Iterator[Row]:
    for position, element in enumerate(elements, 1):
        own = element if isinstance(element, Mapping) else {"value": element}
        yield (key, position, *(value(own.get(name)) for name in child.names()[2:]))


def value(found: Any) -> Value:
    """As every database takes it: no NUL in text, nothing that is neither a number nor text."""
    if found is None or isinstance(found, (bool, Decimal)):
        return found
    if isinstance(found, str):
        return found.replace("\x00", "\ufffd")
    if found is pd.NA or found is pd.NaT or found != found:
        return None
    if isinstance(found, pd.Timestamp):
        return datetime.fromisoformat(found.isoformat())
    if isinstance(found, (int, float, datetime)):
        return found
    return orjson.dumps(found, default=str).decode()
