"""What drift sees, remembers and says: runs, their entities as numbers and hashes, measures, alarms. Plain data."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from crawler.items import KINDS, Board, BoardEntry, Item, News, Subtitle

ENTITIES = 300  # remembered of a kind; the newest
Value = float | str | None
Values = dict[str, Value]
Signature = dict[str, tuple[float, float]]
"""By measure: its value in the first broken run, and what was usual."""
PARTS = {"news": tuple(News.model_fields), "subtitles": tuple(Subtitle.model_fields)}
"""Lists of objects: the first is looked at."""
UNSAID = frozenset(("topic_key", "at"))
"""Follows from other fields, or from the moment."""
PLACES = frozenset(("position",))
"""Numbers that things exchange by nature: only how large they are as a whole says anything."""
_URL = re.compile(r"(https?:)?//\S+")


@dataclass(frozen=True, slots=True)
class PageSeen:
    parser: str
    """Page object without its version."""
    outcome: str
    words: frozenset[str] = frozenset()
    """Hashes of the names it is made of (`names`); empty where nobody looked."""
    links: frozenset[str] = frozenset()
    """Hashes of which name stands within which."""
    odd: tuple[str, ...] = ()
    """Fields that were there and could not be read (`field_of`)."""
    damaged: bool = False
    """Cut or torn: it says nothing of the site's shape."""


@dataclass(slots=True)
class Run:
    """What a run gave. Groups are a page object and a kind of item: `tiktok.list post`."""

    at: datetime
    entities: dict[str, dict[str, Values]] = field(default_factory=lambda: defaultdict(dict))
    counted: Counter[str] = field(default_factory=Counter)
    pages: list[PageSeen] = field(default_factory=list)

    def take(self, item: Item) -> None:
        group = f"{item.parser.partition('@')[0]} {item.kind}"
        self.counted[group] += 1
        mine = self.entities[group]
        if len(mine) < ENTITIES:
            mine[key_of(item)] = values_of(item)


def key_of(item: Item) -> str:
    """A hash: a name is no business of this memory. Rows of a list are known by their topic, not by their moment."""
    key = item.key
    if isinstance(item, BoardEntry):
        key = f"{item.board}#{item.topic_key}"
    elif isinstance(item, Board):
        key = item.board
    return hash_of(key)


def hash_of(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def names(words: Iterable[str]) -> frozenset[str]:
    """Hashes of a page's names; of very many, always the same sample."""
    return frozenset(sorted(hash_of(each)[:8] for each in words)[:600])


def field_of(oddity: str) -> str | None:
    """The field's name in a path such as `body.itemList[3].stats.diggCount`; None for what says something else."""
    found = re.fullmatch(r"[^\s:]{0,200}\.(\w{1,40})", oddity)
    return found[1] if found else None


def values_of(item: Item) -> Values:
    found: Values = {}
    values = item.__dict__
    for name in item.facts():
        if name.endswith("_precision"):  # whether a number is rounded; by how much follows from its size
            found[name] = f"flag {values[name] is not None}"
        elif name.endswith("_floor"):  # whether the page says anything at all, a number or below which it hides them
            found[name] = f"flag {values[name] is not None or values[name.removesuffix('_floor')] is not None}"
        elif name in PARTS:
            first = next(iter(values[name] or ()), None)
            found |= {f"{name}.{part}": _value(getattr(first, part, None)) for part in PARTS[name]}
        elif name not in UNSAID and not name.endswith("_at_least"):
            found[name] = _value(values[name])
    if isinstance(item, Board):  # how old the list says it is, in hours; a minute or an hour is all the same
        found["at"] = 1 + max((item.observed_at - item.at).total_seconds(), 0) / 3600
    return found


def _value(value: Any) -> Value:
    """Numbers as they are; of everything else its form and a hash."""
    if value is None or value == "" or value == ():
        return None
    if isinstance(value, bool):
        return f"flag {value}"
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"moment {value.timestamp():.0f}"
    text = value if isinstance(value, str) else repr(value)
    if not isinstance(value, str):
        form = "list"
    elif _URL.fullmatch(text):
        form = "address"
    elif text.strip().isdecimal():
        form = "digits"
    else:
        form = "text" if " " in text.strip() else "word"
    return f"{form} {hash_of(text)}"


def moment_of(value: Value) -> float | None:
    """Seconds since 1970 of what `_value` made of a moment."""
    form, _, seconds = value.partition(" ") if isinstance(value, str) else ("", "", "")
    return float(seconds) if form == "moment" else None


@dataclass(slots=True)
class Memory:
    """What is known of a spider from its clean runs; plain data, so that it can be kept as JSON."""

    runs: int = 0
    at: float | None = None
    """Moment of the newest run, seconds since 1970."""
    group_runs: dict[str, int] = field(default_factory=dict)
    entities: dict[str, dict[str, Values]] = field(default_factory=dict)
    charts: dict[str, list[float]] = field(default_factory=dict)
    words: dict[str, dict[str, float]] = field(default_factory=dict)
    """By page object: names, and in which share of its good pages they are."""
    links: dict[str, dict[str, float]] = field(default_factory=dict)
    """The same of which name stands within which."""
    opened: dict[str, Signature] = field(default_factory=dict)
    """By `group|field`: what has broken and does not yet read as before; nothing of it is learned."""

    def as_data(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Memory:
        kept = {name: data[name] for name in cls.__slots__ if name in data}
        known = {
            about: {what: (broken, usual) for what, (broken, usual) in signature.items()}
            for about, signature in kept.pop("opened", {}).items()
        }
        return cls(**kept, opened=known)


@dataclass(frozen=True, slots=True)
class Measure:
    group: str
    field: str
    """Empty for what concerns the group as a whole."""
    what: str
    value: float
    n: int
    """Things counted."""

    @property
    def about(self) -> str:
        return f"{self.group}|{self.field}"

    @property
    def name(self) -> str:
        return f"{self.about}|{self.what}"


def group_and_field(about: str) -> tuple[str, str]:
    """Of `Measure.about`."""
    group, _, field = about.partition("|")
    return group, field


@dataclass(frozen=True, slots=True)
class Alarm:
    measure: Measure
    usual: float
    low: float
    high: float
    runs: int
    """Clean runs it is judged by."""

    def __str__(self) -> str:
        each = self.measure
        about = f"{each.group}" + (f".{each.field}" if each.field else "")
        return f"{about}: {SAYS[each.what.partition(' ')[0]].format(what=each.what.partition(' ')[2])} " + (
            f"{_said(each, each.value)}, usually {_said(each, self.usual)} (n={each.n}, {self.runs} runs)"
        )


SAYS = {
    "broken": "pages that hold their data no longer where it was:",
    "odd": "pages on which it is there and cannot be read:",
    "gone": "items of a page:",
    "empty": "pages that say there is nothing:",
    "known": "known from earlier runs:",
    "filled": "filled:",
    "lost": "had a value before and have none now:",
    "zero": "are 0:",
    "changed": "differ from what the same thing showed before:",
    "still": "have not moved:",
    "step": "moved by the factor",
    "level": "median:",
    "ratio": "median ratio to {what}:",
    "form": "look like {what}:",
    "distinct": "differ from each other:",
    "swap": "show what {what} showed before, and the other way round:",
}
FACTORS = frozenset(("step", "level", "ratio", "gone"))
"""Measured as logarithms."""


def _said(measure: Measure, value: float) -> str:
    if measure.what.partition(" ")[0] not in FACTORS:
        return f"{value:.0%}"
    shown = math.exp(min(value, 60.0)) - (1 if measure.what in ("level", "gone") else 0)
    return f"{shown:,.0f}" if shown >= 100 else f"{shown:.3g}"


@cache
def counters_of(group: str) -> frozenset[str]:
    return frozenset(KINDS[group.rpartition(" ")[2]].counters)
