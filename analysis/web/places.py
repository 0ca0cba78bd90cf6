"""Where in a page a value stands: paths of JSON values and of elements that read as it. Pure; never queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from parsel import Selector

from crawler.counts import CountError, parse_count
from crawler.fields import load_json

SEARCHED = 4_000_000  # bytes of a page that are looked through
SHORT = 24  # characters; a shown number is no longer
LONGEST = 120  # characters of a text that are given back
_NAME = re.compile(r"^[A-Za-z_][\w-]*$")
_STATE = re.compile(r"^\s*(?:window\S*\s*=|var\s+\S+\s*=|self\S*\s*=)?\s*([\[{])")


class Place(NamedTuple):
    path: str
    """`$.stats.followerCount`, after the script's id where there are several; or elements, `table > tr > td`."""
    shown: str
    """As it stands there."""


def places(body: bytes, value: Any, identity: str, most: int = 5) -> list[Place]:
    """Where *value* stands, those nearest to the text *identity* (an id, a handle, a topic) first."""
    text = body[:SEARCHED].decode("utf-8", "replace")
    found: list[tuple[int, Place]] = []
    for where, data in _data(text):
        walked = list(_walk(data, ()))
        near = [path for path, each in walked if str(each).casefold() == identity.casefold()]
        near += [path for path, _ in walked if path and str(path[-1]).casefold() == identity.casefold()]
        for path, each in walked:
            if _reads_as(each, value):
                close = max((_shared(path, other) for other in near), default=0)
                found.append((close, Place(where + _path(path), str(each)[:LONGEST])))
    if not found and text.lstrip()[:1] == "<":
        found = [(0, place) for place in _elements(text, value)]
    return [place for _, place in sorted(found, key=lambda pair: -pair[0])[:most]]


def _data(text: str) -> Iterator[tuple[str, Any]]:
    """The JSON of a body: the body itself, or what stands in its scripts."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield "", load_json(text)
        except ValueError:
            return
        return
    if "<script" not in text:
        return
    for script in Selector(text=text).css("script"):
        inner = script.css("::text").get() or ""
        begins = _STATE.match(inner)
        if begins:
            try:
                data = load_json(inner[begins.start(1) :].rstrip().rstrip(";"))
            except ValueError:
                continue
            name = script.attrib.get("id") or script.attrib.get("type") or ""
            yield f"script#{name[:60]} ", data


def _walk(data: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every plain value with its path; without recursion, for pages nest as deep as they like."""
    left = [(data, path)]
    while left:
        each, at = left.pop()
        if isinstance(each, dict):
            left += [(inner, (*at, str(name))) for name, inner in reversed(each.items())]
        elif isinstance(each, list):
            left += [(inner, (*at, i)) for i, inner in reversed(list(enumerate(each)))]
        elif each is not None:
            yield at, each


def _reads_as(shown: Any, value: Any) -> bool:
    if isinstance(shown, bool) or isinstance(value, bool):
        return shown is value
    if isinstance(value, int):
        return shown == value if isinstance(shown, int) else _count(shown) == value
    if isinstance(value, Decimal | float):
        return _amount(shown) == Decimal(str(value))
    if isinstance(value, datetime):
        return isinstance(shown, int) and shown in (int(value.timestamp()), int(value.timestamp() * 1000))
    return isinstance(shown, str) and isinstance(value, str) and shown == value


def _count(shown: Any) -> int | None:
    if not isinstance(shown, str) or len(shown) > SHORT or not any(char.isdigit() for char in shown):
        return None
    try:
        found = parse_count(shown)
    except CountError:
        return None
    return None if found is None else found.value


def _amount(shown: Any) -> Decimal | None:
    if isinstance(shown, bool) or not isinstance(shown, int | float | str) or len(str(shown)) > SHORT:
        return None
    try:
        return Decimal(str(shown).strip())
    except InvalidOperation:
        return None


def _shared(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> int:
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n


def _path(path: tuple[str | int, ...]) -> str:
    steps = (
        f"[{each}]" if isinstance(each, int) else f".{each}" if _NAME.match(each) else f"[{each!r}]" for each in path
    )
    return "$" + "".join(steps)


def _elements(text: str, value: Any) -> Iterator[Place]:
    """Elements that hold nothing but the value, by the names of those around them."""
    for node in Selector(text=text).xpath("//body//*[not(self::script or self::style)]/text()[normalize-space()]"):
        shown = node.get().strip()
        if _reads_as(shown, value):
            around = [each.root.tag for each in node.xpath("ancestor::*")][-4:]
            yield Place(" > ".join(around), shown[:LONGEST])
