"""Latest state of an entity from its facts: newest wins, field by field. Pure, order-free.

A document holds one value a field and, through `older`, the stamp of every value that is not
of the newest capture. Joining is a maximum over stamps (observed_at, capture, parser version),
so any order and any repetition of the same items gives the same document, byte for byte:

- what a newer page does not show keeps its last value and that value's own stamp;
- an older page never overwrites, but may fill what nobody showed since;
- a value moves together with its rounding step, a price with list price and currency;
- two values of one stamp (one page shows an entity twice) are decided by the greater bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import bson
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from pydantic import BaseModel

from crawler.items import Item, Vantage, stamp

Document = dict[str, Any]
Stamp = tuple[datetime, str, int, str, str]

SEEN = ("_id", "entity", "kind", "platform", "at", "at_precision", "url", "capture", "parser", "vantage")
HEAD = ("_id", "kind", "platform", "url", "observed_at", "at_precision", "capture", "parser", "vantage", "first_seen")


@cache
def units(model: type[Item]) -> tuple[tuple[str, ...], ...]:
    """Fields that move together, first the one that must be shown for the rest to count."""
    facts = model.facts()
    grouped = {name: group for group in model.together for name in group}
    found: dict[str, tuple[str, ...]] = {}
    for name in facts:
        if name in grouped:
            found[grouped[name][0]] = grouped[name]
        elif not (name.endswith("_precision") and name.removesuffix("_precision") in facts):
            step = f"{name}_precision"
            found[name] = (name, step) if step in facts else (name,)
    return tuple(found.values())


def value_of(value: Any) -> Any:
    """A field's value as MongoDB keeps it: int64, Decimal128, lists, plain objects."""
    kind = type(value)
    if kind is str or kind is bool or kind is float or kind is datetime:
        return value
    if kind is int:
        return Int64(value)
    if kind is Decimal:
        return Decimal128(plain(value))
    if kind is tuple:
        return [value_of(each) for each in value]
    if isinstance(value, BaseModel):
        return {name: value_of(each) for name, each in value.__dict__.items() if each is not None}
    return str(value)


def plain(amount: Decimal) -> Decimal:
    """69.950 -> 69.95 and 7E+1 -> 70: one amount, one form, so that equal prices are equal bytes."""
    short = amount.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]


def version_of(parser: str) -> int:
    """`x@3.1`, the first revision of repairs to version 3, lies between `x@3` and `x@4`."""
    version, _, revision = parser.rpartition("@")[2].partition(".")
    return int(version) * 1_000_000 + int(revision or 0)


def stamp_of(source: Mapping[str, Any]) -> Stamp:
    """observed_at and capture decide; the rest tells apart readings of one and the same capture."""
    parser = source["parser"]
    return source["observed_at"], source["capture"], version_of(parser), parser, source.get("at_precision") or ""


_AS_IT_IS = frozenset((str, bool, float, datetime))


@lru_cache(maxsize=64)
def _vantage(vantage: Vantage) -> Document:
    """Shared by documents, which are never changed inside."""
    return {name: value_of(each) for name, each in vantage.__dict__.items() if each is not None}


def document(item: Item) -> Document:
    """The item alone as a latest-state document, in canonical field order."""
    fields = item.__dict__
    made: Document = {
        "_id": fields["key"], "kind": fields["kind"], "platform": fields["platform"], "url": fields["url"],
        "observed_at": fields["observed_at"],
    }  # fmt: skip
    if fields["at_precision"]:
        made["at_precision"] = fields["at_precision"]
    made["capture"] = fields["capture"]
    made["parser"] = fields["parser"]
    made["vantage"] = _vantage(fields["vantage"])
    made["first_seen"] = fields["observed_at"]
    for group in units(type(item)):
        value = fields[group[0]]
        if value is None:
            continue
        made[group[0]] = value if type(value) in _AS_IT_IS else value_of(value)
        for name in group[1:]:
            if (value := fields[name]) is not None:
                made[name] = value_of(value)
    return made


def join(model: type[Item], one: Document, other: Document) -> Document:
    """Both documents of one entity as one. Commutative, associative, idempotent."""
    stamps = stamp_of(one), stamp_of(other)
    if stamps[0] < stamps[1]:
        one, other, stamps = other, one, (stamps[1], stamps[0])
    if _covers(model, one, other, stamps):
        if other["first_seen"] >= one["first_seen"]:
            return one
        return {**one, "first_seen": other["first_seen"]}
    lead = max(one, other, key=_head) if stamps[0] == stamps[1] else one
    joined: Document = {name: lead[name] for name in HEAD if name in lead}
    joined["first_seen"] = min(one["first_seen"], other["first_seen"])
    marks: dict[str, Document] = {}
    for group in units(model):
        winner = _winner(group, one, other, stamps)
        if winner is None:
            continue
        for name in group:
            if name in winner:
                joined[name] = winner[name]
        own = stamps[0] if winner is one else stamps[1]
        mark = winner.get("older", {}).get(group[0]) or (None if own == stamps[0] else _mark(winner))
        if mark:
            marks[group[0]] = mark
    if marks:
        joined["older"] = marks
    return joined


def _covers(model: type[Item], newer: Document, older: Document, stamps: tuple[Stamp, Stamp]) -> bool:
    """Whether every value of *newer* beats *older*'s and none is missing: the usual case, cheaply."""
    if "older" in newer or stamps[0] == stamps[1]:
        return False
    return all(group[0] in newer or group[0] not in older for group in units(model))


def _winner(group: tuple[str, ...], one: Document, other: Document, stamps: tuple[Stamp, Stamp]) -> Document | None:
    first = group[0]
    if first not in other:
        return one if first in one else None
    if first not in one:
        return other
    mine, its = one.get("older", {}).get(first), other.get("older", {}).get(first)
    own = stamp_of(mine) if mine else stamps[0], stamp_of(its) if its else stamps[1]
    if own[0] != own[1]:
        return one if own[0] > own[1] else other
    return one if _bytes(one, group) >= _bytes(other, group) else other


def _bytes(doc: Document, names: tuple[str, ...]) -> bytes:
    """Values as bytes: a total order for ties that does not depend on how they were made."""
    return bson.encode({"": [doc.get(name) for name in names]})


def _head(doc: Document) -> bytes:
    return _bytes(doc, HEAD[:-1])  # first_seen is joined by itself


def _mark(doc: Document) -> Document:
    """Where a value came from that is not of the newest capture."""
    return {name: doc[name] for name in ("observed_at", "at_precision", "capture", "parser") if name in doc}


def etag(doc: Document) -> str:
    """Hash of a document's content: the guard of a write, and equal when nothing changed."""
    return hashlib.blake2b(bson.encode(doc), digest_size=9).hexdigest()


def observation(item: Item) -> Document:
    """The counters of an entity as one capture showed them."""
    fields = item.__dict__
    at = fields["observed_at"]
    made: Document = {
        "_id": f"{fields['key']}@{stamp(at)}~{fields['capture']}",
        "entity": fields["key"], "kind": fields["kind"], "platform": fields["platform"], "at": at,
    }  # fmt: skip
    if fields["at_precision"]:
        made["at_precision"] = fields["at_precision"]
    made["url"] = fields["url"]
    made["capture"] = fields["capture"]
    made["parser"] = fields["parser"]
    made["vantage"] = value_of(fields["vantage"])
    for group in counter_units(type(item)):
        if fields[group[0]] is not None:
            for name in group:
                if (value := fields[name]) is not None:
                    made[name] = value_of(value)
    return made


@cache
def counter_units(model: type[Item]) -> tuple[tuple[str, ...], ...]:
    return tuple(group for group in units(model) if group[0] in model.counters)


def join_observations(model: type[Item], one: Document, other: Document) -> Document:
    """One capture read twice: the newer parser's numbers; of one parser, the union, field by field."""
    ranks = [(version_of(doc["parser"]), doc["parser"]) for doc in (one, other)]
    if ranks[0] != ranks[1]:
        return one if ranks[0] > ranks[1] else other
    if one == other:
        return one
    lead = max(one, other, key=lambda doc: _bytes(doc, SEEN))
    joined = {name: lead[name] for name in SEEN if name in lead}
    for group in counter_units(model):
        holders = [doc for doc in (one, other) if group[0] in doc]
        if holders:
            winner = max(holders, key=lambda doc, names=group: _bytes(doc, names))  # type: ignore[misc]
            joined.update((name, winner[name]) for name in group if name in winner)
    return joined


def join_rows(one: Document, other: Document) -> Document:
    """Boards and their entries are never mixed: the greater stamp whole, then the greater bytes."""
    stamps = stamp_of(one), stamp_of(other)
    if stamps[0] != stamps[1]:
        return one if stamps[0] > stamps[1] else other
    return one if bson.encode(one) >= bson.encode(other) else other
