"""Reading hostile JSON by name: the only place where untyped data becomes typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import orjson

from crawler.outcomes import MissingField

T = TypeVar("T")
_tolerant = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def load_json(body: bytes | str) -> Any:
    """Decode JSON as pages really send it.

    orjson first. Where it refuses (lone surrogates, raw control characters, NaN),
    the tolerant decoder: lone surrogates become '?', NaN and Infinity become null.
    Raises ValueError when neither can read it, RecursionError never.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        try:
            tolerant = json.loads(text, strict=False, parse_constant=lambda _: None)
            return _mended(tolerant)
        except (ValueError, RecursionError):
            raise ValueError(f"not JSON: {error}") from None


def dig(data: Any, *path: str | int) -> Any:
    """The value at *path*, or None as soon as a step is not there."""
    for step in path:
        if isinstance(step, str):
            data = data.get(step) if isinstance(data, dict) else None
        else:
            data = data[step] if isinstance(data, list) and -len(data) <= step < len(data) else None
        if data is None:
            return None
    return data


class Fields:
    """One JSON object, read by name; remembers what was read and what was odd.

    need    mandatory: absent or unreadable raises MissingField
    may     optional: absent gives None; unreadable gives None and is listed in `odd`
    skip    seen, not collected
    unread  what nobody asked for: the place where a site's news shows first
    """

    __slots__ = ("_data", "_read", "odd", "where")

    def __init__(self, data: Any, where: str, odd: list[str] | None = None) -> None:
        if not isinstance(data, dict):
            raise MissingField(f"{where}: expected an object, found {type(data).__name__}")
        self._data: dict[str, Any] = data
        self._read: set[str] = set()
        self.where = where
        self.odd: list[str] = [] if odd is None else odd

    def need(self, name: str, read: Callable[[Any], T]) -> T:
        self._read.add(name)
        value = self._data.get(name)
        if value is None:
            keys = ", ".join(sorted(map(str, self._data))[:12])
            raise MissingField(f"{self.where}.{name}: expected a value, found none; keys: {keys}")
        try:
            return read(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise MissingField(f"{self.where}.{name}: {error}") from None

    def may(self, name: str, read: Callable[[Any], T]) -> T | None:
        self._read.add(name)
        value = self._data.get(name)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except (ValueError, TypeError, ArithmeticError):
            self.odd.append(f"{self.where}.{name}")
            return None

    def part(self, name: str) -> Fields | None:
        """The object under *name*, sharing this reader's list of oddities."""
        self._read.add(name)
        value = self._data.get(name)
        if isinstance(value, dict):
            return Fields(value, f"{self.where}.{name}", self.odd)
        if value is not None:
            self.odd.append(f"{self.where}.{name}")
        return None

    def parts(self, name: str) -> Iterator[Fields]:
        """The objects of the list under *name*; what is no object is listed as odd."""
        self._read.add(name)
        value = self._data.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.odd.append(f"{self.where}.{name}")
            return
        for i, each in enumerate(value):
            if isinstance(each, dict):
                yield Fields(each, f"{self.where}.{name}[{i}]", self.odd)
            else:
                self.odd.append(f"{self.where}.{name}[{i}]")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The objects of the list under *name*, bare: for long lists of which few fields are read."""
        self._read.add(name)
        value = self._data.get(name)
        if isinstance(value, list):
            return [each for each in value if isinstance(each, dict)]
        if value is not None:
            self.odd.append(f"{self.where}.{name}")
        return []

    def skip(self, *names: str) -> None:
        self._read.update(names)

    @property
    def raw(self) -> dict[str, Any]:
        return self._data

    def unread(self) -> list[str]:
        return [f"{self.where}.{name}" for name in self._data if name not in self._read]


def member(body: bytes, key: str, start: int, end: int) -> Any:
    """The value of the first member *key* in the JSON text body[start:end]; None when it has none.

    Decodes that value alone: a profile is 3 KB of 300, and damage elsewhere does no harm. Within
    a JSON string the key's closing quote would be escaped, so text of a page cannot pose as a key.
    Raises ValueError when the value is cut or damaged.
    """
    at = body.find(b'"' + key.encode() + b'":', start, end)
    if at < 0:
        spaced = re.compile(b'"' + re.escape(key.encode()) + rb'"\s+:').search(body, start, end)
        if spaced is None:
            return None
        at = spaced.end()
    else:
        at += len(key.encode()) + 3
    # The value's own length is unknown: decode a little, and all of it only when that was not enough.
    for size in (16_384, end - at):
        rest = body[at : min(at + size, end)].decode("utf-8", "replace").lstrip()
        try:
            value, used = _tolerant.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            if at + size >= end:
                raise ValueError(f"not JSON: {error}") from None
        else:
            if used < len(rest) or at + size >= end:
                return _mended(value) if "\\ud" in rest[:used].lower() else value
    return None


def _mended(value: Any) -> Any:
    """Without the lone surrogates that JSON escapes may carry."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def address(url: str) -> SplitResult:
    """urlsplit for text from outside: what cannot be an address, or names no host that can be, is an empty one."""
    try:
        parts = urlsplit(url)
        _ = parts.hostname
    except ValueError:  # e.g. http://[1
        return SplitResult("", "", "", "", "")
    return parts


def text_at(row: dict[str, Any], name: str) -> str | None:
    """The non-empty string under *name* of a bare row, else None."""
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def text(value: Any) -> str:
    """A string as sent; refuses other types rather than printing them."""
    if isinstance(value, str):
        return value
    raise TypeError(f"expected text, found {type(value).__name__}")


def identifier(value: Any) -> str:
    """An id as text: strings and whole numbers only (ids exceed 2^53, so never through float)."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"expected an id, found {type(value).__name__}")


def flag(value: Any) -> bool:
    """True, False, and the 0 and 1 that some sources send for them."""
    if isinstance(value, bool):
        return value
    if value in (0, 1) and isinstance(value, int):
        return bool(value)
    raise TypeError(f"expected true or false, found {type(value).__name__}")
