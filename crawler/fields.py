"""Reading hostile JSON by name: the only place where untyped data becomes typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import orjson

from crawler.outcomes import MissingField

T = TypeVar("T")


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
            return json.loads(json.dumps(tolerant, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise ValueError(f"not JSON: {error}") from None


def dig(data: Any, *path: str | int) -> Any:
    """The value at *path*, or None as soon as a step is not there."""
    for step in path:
        if isinstance(step, str):
            data = data.get(step) if isinstance(data, Mapping) else None
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
        if not isinstance(data, Mapping):
            raise MissingField(f"{where}: expected an object, found {type(data).__name__}")
        self._data: Mapping[str, Any] = data
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
        if isinstance(value, Mapping):
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
            if isinstance(each, Mapping):
                yield Fields(each, f"{self.where}.{name}[{i}]", self.odd)
            else:
                self.odd.append(f"{self.where}.{name}[{i}]")

    def skip(self, *names: str) -> None:
        self._read.update(names)

    def unread(self) -> list[str]:
        return [f"{self.where}.{name}" for name in self._data if name not in self._read]


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
