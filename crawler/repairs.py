"""Where a site has moved its values to, as a person has decided: a small TOML file that is applied before a page reads.

    [[repair]]
    page = "tiktok.list"                         # page object
    revision = 1                                 # raises its version: tiktok.list@2 becomes tiktok.list@2.1
    since = 2026-03-02T12:00:00Z                 # captures from this moment on (until = …: before that one)
    read = "/itemList/*/stats/diggCount"         # where the page object looks
    from = "/itemList/*/metrics/likes"           # where the value lies now
    times = "1/1000"                             # what a number there has to be multiplied with
    as = "count"                                 # "1.2K" there, a number was there before

In markup, `read` and `from` are names: `class=volume`, `data-e2e=like-count`, `<td`; `times` is for the number in the
text of such elements, and `as` leaves nothing beside it. Only a body in memory is changed: captures stay as they are.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path as File
from typing import Any

from crawler import trees
from crawler.config import ROOT, load
from crawler.counts import CountError, parse_count

FILE = ROOT / "crawler" / "repairs.toml"
KNOWN = frozenset(("page", "revision", "since", "until", "read", "from", "times", "as"))


class RepairsError(ValueError):
    """A file of repairs that cannot be taken; names the file, the entry and what was expected."""


@dataclass(frozen=True, slots=True)
class Alias:
    read: str
    source: str
    times: Fraction | None = None
    count: bool = False
    """The value there is text such as "1.2K"."""

    @property
    def in_markup(self) -> bool:
        return not self.read.startswith(("/", "#"))


@dataclass(frozen=True, slots=True)
class Repair:
    page: str
    revision: int
    since: datetime
    alias: Alias
    until: datetime | None = None


Repairs = Mapping[str, Sequence[Repair]]
"""By page object."""
NONE: Repairs = {}


def patched(body: bytes, aliases: Sequence[Alias]) -> bytes:
    """The body as the page object knew it: values are taken first, all of them, and then put, so two may change places.

    Where a source is not there, nothing is done.
    """
    if markup := [each for each in aliases if each.in_markup]:
        text = trees.renamed(body.decode("utf-8", "surrogateescape"), {each.source: each.read for each in markup})
        for each in markup:
            if each.times is not None or each.count:
                text = trees.rescaled(text, each.read, each.times)
        body = text.encode("utf-8", "surrogateescape")
    paths = [each for each in aliases if not each.in_markup]
    if not paths:
        return body
    found = {each.name: each for each in trees.documents(body)}
    puts: list[tuple[str, trees.Place, Any]] = []
    for alias in paths:
        source, target = trees.path_of(alias.source), trees.path_of(alias.read)
        if source[0] not in found:
            continue
        for place, value in trees.select(found[source[0]].data, source[1:]):
            there = trees.bound(target[1:], place, source[1:])
            read = _turned(value, alias)
            if there is not None and read is not None:
                puts.append((target[0], there, read))
    if not puts:
        return body
    changed: dict[str, trees.Document] = {}
    for name, there, value in puts:
        document = changed.setdefault(name, found.get(name) or trees.Document(name, -1, -1, {}))
        if there:
            trees.put(document.data, there, value)
        else:
            changed[name] = trees.Document(name, document.start, document.end, value)
    return trees.written(body, changed.values())


def _turned(value: Any, alias: Alias) -> Any:
    """As the page object expects it; None where it cannot be."""
    if alias.count:
        return value if isinstance(value, int) else _counted(str(value))
    if alias.times is None or value is None or isinstance(value, bool):
        return value
    try:
        number = Fraction(str(value)) * alias.times
    except ValueError:
        return None
    if number.denominator == 1:
        return str(number) if isinstance(value, str) else int(number)
    shown = f"{float(number):.8f}".rstrip("0")
    return shown if isinstance(value, str) else float(shown)


def _counted(text: str) -> int | float | None:
    plain = text.strip().replace(",", "")
    if plain.replace(".", "", 1).isdecimal():
        number = Decimal(plain)
        return int(number) if number == number.to_integral_value() else float(number)
    try:
        return parse_count(text).value
    except CountError:
        return None


def standing(repairs: Repairs, page: str, at: datetime) -> list[Alias]:
    """What holds for a capture of this page at this moment; of two for one place the newer revision."""
    found = {
        each.alias.read: each.alias
        for each in sorted(repairs.get(page, ()), key=lambda one: one.revision)
        if each.since <= at and (each.until is None or at < each.until)
    }
    return list(found.values())


def revision(repairs: Repairs, page: str) -> int:
    """0 without any: then the page's own version stands alone."""
    return max((each.revision for each in repairs.get(page, ())), default=0)


@cache
def committed() -> Repairs:
    """Those that a person has put into the file of the settings. Raises RepairsError."""
    return read(load().repairs_file or FILE)


def read(file: File) -> Repairs:
    """Raises RepairsError."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("repair", [])
    except FileNotFoundError:
        if file != FILE:
            raise RepairsError(
                f"{file}: no such file of repairs; to make one: scrapy drift --propose -o FILE"
            ) from None
        return NONE
    except (OSError, ValueError) as error:
        raise RepairsError(f"{file}: {error}") from None
    found: dict[str, list[Repair]] = defaultdict(list)
    for i, row in enumerate(rows if isinstance(rows, list) else [rows], 1):
        made = _repair(row, f"{file}: repair {i}")
        found[made.page].append(made)
    return dict(found)


def _repair(row: Any, where: str) -> Repair:
    if not isinstance(row, dict) or (unknown := sorted(set(row) - KNOWN)):
        raise RepairsError(f"{where}: unknown {', '.join(unknown) if isinstance(row, dict) else 'form'}; "
                           f"there are {', '.join(sorted(KNOWN))}")  # fmt: skip
    for name, kind in {"page": str, "revision": int, "since": datetime, "read": str, "from": str}.items():
        if not isinstance(row.get(name), kind):
            raise RepairsError(f"{where}: {name}: expected {kind.__name__}, found {type(row.get(name)).__name__}")
    times, until = row.get("times"), row.get("until")
    try:
        factor = None if times is None else Fraction(str(times))
        alias = Alias(row["read"], row["from"], factor, row.get("as") == "count")
        for each in () if alias.in_markup else (alias.read, alias.source):
            trees.path_of(each)
    except (ZeroDivisionError, ValueError) as error:
        raise RepairsError(f"{where}: {error or f'times {times!r} is no number'}") from None
    if row.get("as") not in (None, "count") or row["revision"] < 1:
        raise RepairsError(f'{where}: as: only "count" is known, and revision begins with 1')
    moments = [_aware(each) for each in (row["since"], until) if isinstance(each, datetime)]
    return Repair(row["page"], row["revision"], moments[0], alias, moments[1] if len(moments) > 1 else None)


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_toml(repairs: Iterable[Repair]) -> str:
    return "\n".join(_entry(each) for each in repairs)


def _entry(each: Repair) -> str:
    lines = [
        "[[repair]]", f"page = {_quoted(each.page)}", f"revision = {each.revision}",
        f"since = {each.since:%Y-%m-%dT%H:%M:%S.%f}Z",
    ]  # fmt: skip
    if each.until:
        lines.append(f"until = {each.until:%Y-%m-%dT%H:%M:%S.%f}Z")
    lines += [f"read = {_quoted(each.alias.read)}", f"from = {_quoted(each.alias.source)}"]
    if each.alias.times is not None:
        lines.append(f'times = "{each.alias.times}"')
    if each.alias.count:
        lines.append('as = "count"')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A name of a page may hold anything."""
    made = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in made) + '"'
