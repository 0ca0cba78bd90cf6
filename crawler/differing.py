"""`scrapy replay --diff`: which stored numbers the present readers, or proposed repairs, would change. Only reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Protocol

from crawler.archive import Capture
from crawler.items import Item
from crawler.lanes.redact import printable
from crawler.lanes.sources import Skipped
from crawler.outcomes import of_status
from crawler.reading import is_redirect, page_of
from crawler.repairs import Repairs
from crawler.storage.differences import Difference


class Compares(Protocol):
    def of(self, items: Iterable[Item]) -> Iterator[Difference]: ...


@dataclass
class Looked:
    """What was gone through."""

    captures: int = 0
    differing: list[str] = field(default_factory=list)
    """Captures whose stored numbers would change."""
    numbers: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    same_parser: int = 0
    """Numbers that a parser of the same version has stored."""
    unread: int = 0
    """Captures that no page object knows, or whose pages brought no items."""

    def summary(self) -> Iterator[str]:
        yield f"{self.captures} captures read anew; {self.numbers} stored values of {len(self.differing)} would differ"
        for name, n in self.fields.most_common(12):
            yield f"  {n:6} {name}"
        if self.same_parser:
            yield (f"{self.same_parser} of them were stored by a parser of the same version, so that which reading "
                   "stands is left to chance: raise the page's version first")  # fmt: skip


def differences(
    captures: Iterable[Capture | Skipped], compare: Compares, hash_key: str | None, mended: Repairs | None,
    looked: Looked,
) -> Iterator[Difference]:  # fmt: skip
    """In the order of the captures; mended: instead of the repairs that are committed."""
    for capture in captures:
        if isinstance(capture, Skipped):
            continue
        looked.captures += 1
        page = None if is_redirect(capture) else page_of(capture, None, hash_key, mended)
        items = [] if page is None or of_status(capture.status) else [
            each for each in page.items() if isinstance(each, Item)
        ]  # fmt: skip
        looked.unread += not items
        found = list(compare.of(items))
        if found:
            looked.differing.append(capture.id)
        for each in found:
            looked.numbers += 1
            looked.same_parser += each.same_parser
            looked.fields[f"{each.kind}.{each.field}"] += 1
            yield each


def line(each: Difference) -> str:
    values = [_shown(value) for value in (each.stored, each.would_be)]
    return (
        f"{each.capture[:12]}  {each.at:%Y-%m-%d %H:%M:%S}  {printable(each.key)[:60]:60}  {each.field:16} "
        f"{values[0]} -> {values[1]}"
    )


def _shown(value: object) -> str:
    return "none" if value is None else printable(str(value))[:60]


def as_json(each: Difference) -> str:
    return json.dumps(asdict(each), default=str, ensure_ascii=False)
