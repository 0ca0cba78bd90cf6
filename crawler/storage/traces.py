"""Where a person is still named, whatever the collection: what is about them goes, what others wrote is cleaned. Pure.

Collections that nobody knew of when this was written are looked through as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crawler.forgetting import GONE, odd
from crawler.items import KINDS
from crawler.storage.merge import etag

if TYPE_CHECKING:
    from crawler.storage.forgotten import Person

Document = dict[str, Any]
FACTS = frozenset(model.collection for model in KINDS.values()) | {"observations"}
"""What pages said: it is cleaned. What was made of it, and queues and logs, go as whole documents."""
CLEANED = FACTS | {"runs", "targets", "jobs", "slots"}
LEFT = frozenset({"forgotten", "to_forget", "meta", "history", "outlets"})
"""Tombstones, capture ids, and what is ours: places of files may hold any word."""
_IDENTITY = frozenset({
    "_id", "username", "user_id", "author", "author_id", "entity", "topic", "topic_key", "name", "board", "post",
    "target", "value", "watch",
})  # fmt: skip
_LONG = re.compile(r"(?<![\w-])\d{6,}(?![\w-])")


def _platform(row: Document) -> str:
    """As far as the document says."""
    if isinstance(row.get("platform"), str):
        return str(row["platform"])
    for name in ("entity", "board", "post", "watch"):
        if isinstance(said := row.get(name), str) and ":" in said:
            return said.partition(":")[0].partition("_")[0]
    return str(row.get("spider", "")).partition("_")[0]


class Traces:
    """Finds one person."""

    def __init__(self, person: Person) -> None:
        names = "|".join(map(re.escape, person.names))
        strange = "|".join(re.escape(each) for each in person.names if odd(each)) or r"(?!)"
        end = r"(?![\w-]|\.\w)"
        before = r"(?:(?<=[@\"'/=>])|(?<=%40)|(?<=u002[fF])|(?<=:profile:)|(?<=:creator:)|(?<= - ))"
        numbers = "|".join(map(re.escape, person.numbers)) or r"(?!)"
        self._platform = person.platform
        self._word = re.compile(
            rf"{before}(?:{names}){end}|(?<![\w.])(?:{strange}){end}|(?<![\w-])(?:{numbers})(?![\w-])", re.IGNORECASE
        )
        # The same handle on another platform is somebody else.
        self._afar = re.compile(
            rf"(?<={re.escape(person.platform)})((?::profile:|:creator:|\.com/@?))(?:{names}){end}", re.IGNORECASE
        )
        self._own = {name.lower() for name in person.names} | {f"@{name.lower()}" for name in person.names}
        self._ids = {each.rpartition(":")[2] for each in person.posts}
        self._numbers = {*person.numbers, *self._ids}
        self._keys = {*person.keys, *person.posts}

        self._needles = tuple(each.lower() for each in (*person.names, *person.numbers))

    def text(self, said: str) -> bool:
        if any(each in self._ids for each in _LONG.findall(said)):
            return True
        lowered = said.lower()  # looked through first: a regular expression costs ten times as much
        return any(each in lowered for each in self._needles) and self._word.search(said) is not None

    def after(self, collection: str, row: Document) -> Document | None:
        """The document as it may stay: itself where it does not name the person; None where it must go."""
        if not self.text(repr(row)):
            return row
        made: Document = self._afar_cleaned(row) if _platform(row) not in ("", self._platform) else self._cleaned(row)
        if made == row:
            return row
        if collection not in CLEANED:
            return None
        if any(made.get(name) != row.get(name) for name in _IDENTITY & row.keys()):
            return None
        if "etag" in made:
            del made["etag"]
            made["etag"] = etag(made)
        return made

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._cleaned(each) for name, each in value.items() if not self._is(name)}
        if isinstance(value, list):
            return [self._cleaned(each) for each in value if not self._is(each)]
        if isinstance(value, int) and str(value) in self._numbers:
            return None
        if not isinstance(value, str):
            return value
        if self._is(value):
            return GONE
        said = self._word.sub(GONE, value)
        return _LONG.sub(lambda hit: GONE if hit[0] in self._ids else hit[0], said)

    def _afar_cleaned(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._afar_cleaned(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._afar_cleaned(each) for each in value]
        return self._afar.sub(rf"\1{GONE}", value) if isinstance(value, str) else value

    def _is(self, value: Any) -> bool:
        return isinstance(value, str) and (value.lower() in self._own or value in self._keys or value in self._ids)
