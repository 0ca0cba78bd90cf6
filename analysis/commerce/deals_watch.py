"""Which accounts are retailers: a list kept by the user, by handle or by the platform's number, with a category."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from analysis.command import UsageError
from analysis.commerce.deals import Told

_NAME = re.compile(r"@?(\w{1,50})")


@dataclass(frozen=True)
class Watched:
    categories: Mapping[str, str | None]
    """Handle without '@' in lower case, or number: category."""

    def __bool__(self) -> bool:
        return bool(self.categories)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.categories)

    def category_of(self, post: Told) -> dict[str, str]:
        """For a row: the category of a watched author, else nothing."""
        found = self.categories.get((post.author or "").lower()) if post.author_sells else None
        return {"category": found} if found else {}


def watch_list(path: Path) -> Watched:
    """A line each: `@shop,electronics`, `shop`, `783214,phones`; '#' begins a comment. Raises UsageError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'no UTF-8'})") from None
    found: dict[str, str | None] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        if not row or not row[0].strip() or row[0].lstrip().startswith("#"):
            continue
        name = _NAME.fullmatch(row[0].strip())
        if name is None:
            raise UsageError(
                f"{path}, line {number}: expected a handle or a number, then a category; found {row[0][:40]!r}"
            )
        found[name[1].lower()] = row[1].strip() or None if len(row) > 1 else None
    return Watched(found)
