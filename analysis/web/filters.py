"""Filters of the dashboard: they live in the address, and nothing else remembers them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from analysis.web.api import moment_of
from analysis.web.shapes import Trouble
from crawler.items import MAX_INT64

LONGEST = 300
MEDIA = ("video", "photo", "text")
DEFAULT_TOP, MOST_TOP = 10, 100


@dataclass(frozen=True)
class Filters:
    place: str | None = None
    board: str | None = None
    topic: str | None = None
    category: str | None = None
    media: str | None = None
    since: str | None = None
    until: str | None = None
    top: int = DEFAULT_TOP
    min_engagement: int | None = None
    max_engagement: int | None = None
    lang: str | None = None

    @property
    def since_at(self) -> datetime | None:
        return moment_of(self.since, "since")

    @property
    def until_at(self) -> datetime | None:
        return moment_of(self.until, "until")

    def address(self, path: str, **changed: Any) -> str:
        """*path* with these filters, some of them changed; what is not set is left out."""
        made = replace(self, **changed)
        given = {each.name: getattr(made, each.name) for each in fields(made)}
        asked = {name: value for name, value in given.items() if value is not None and (name, value) != ("top", 10)}
        return f"{path}?{urlencode(asked)}" if asked else path


def read(query: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """The filters, and the names of those that could not be used; a wrong one is left out, and said."""
    made, wrong = Filters(), []
    for each in fields(Filters):
        text = query.get(each.name, "").strip()
        if not text:
            continue
        try:
            made = replace(made, **{each.name: _value(each.name, text)})  # type: ignore[arg-type]
        except (ValueError, Trouble):
            wrong.append(each.name)
    return made, wrong


def _value(name: str, text: str) -> str | int:
    if name in ("top", "min_engagement", "max_engagement"):
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not 0 <= number <= MAX_INT64 or (name == "top" and not 1 <= number <= MOST_TOP):
            raise ValueError(name)
        return number
    if len(text) > LONGEST or (name == "media" and text not in MEDIA):
        raise ValueError(name)
    if name in ("since", "until"):
        moment_of(text, name)
    return text
