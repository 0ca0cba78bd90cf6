"""People as pseudonyms: a keyed hash of each account, the same in every table and export with the same key. Pure.

Numbers of posts and comments are hashed as well, because a post leads to its author. Addresses, names, pictures and
what an account says of itself are left out; @names in texts are replaced.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.exports.rows import Row, Value
from analysis.exports.schema import Table

LEFT_OUT = frozenset({
    "url", "nickname", "bio", "bio_link", "avatar_url", "cover_url", "image_url", "sec_uid", "sound_title", "capture",
    "etag",
})  # fmt: skip
"""Columns that lead to a person, or to the page that shows one."""
PEOPLE = frozenset({"username", "author", "user_id", "author_id"})
NUMBERS = frozenset({"post_id", "comment_id", "author_hash"})
TEXTS = frozenset({
    "caption", "text", "topic", "topic_key", "term", "also", "title", "description", "evidence",
})  # fmt: skip
_KEY = re.compile(
    r"\b(?P<head>[a-z]+:(?:profile|post|comment|creator|account):)(?P<own>[^@#~\s\"]+)(?P<tail>[@#~][^\"]*)?"
)
_NAME = re.compile(r"@[\w.]+")


@dataclass(frozen=True)
class Pseudonyms:
    key: str = field(repr=False)

    def of(self, name: str) -> str:
        """Of a handle in any case, or of a number."""
        digest = hmac.new(self.key.encode(), name.casefold().encode(), hashlib.sha256).hexdigest()
        return f"p_{digest[:20]}"

    def in_key(self, key: str) -> str:
        """`tiktok:profile:ana` and `tiktok:post:7@2026…~<capture>`: the own part hashed, the capture gone."""
        return _KEY.sub(lambda hit: hit["head"] + self.of(hit["own"]) + (hit["tail"] or "").split("~")[0], key)

    def in_text(self, text: str) -> str:
        return _NAME.sub(lambda hit: "@" + self.of(hit[0][1:].rstrip(".")), text)


def masked(table: Table, rows: Sequence[Row], names: Pseudonyms) -> list[Row]:
    """Keys stay keys: what referred to a row still does."""
    verbs = [_verb(table, name) for name in table.names()]
    return [tuple(_masked(verb, each, names) for verb, each in zip(verbs, row, strict=True)) for row in rows]


def _verb(table: Table, column: str) -> str:
    if table.name in ("post_urls", "post_subtitles") and column in ("value", "url"):
        return "drop"
    if column in LEFT_OUT:
        return "drop"
    if column in PEOPLE | NUMBERS or (table.name, column) == ("post_mentions", "value"):
        return "person"
    if column in TEXTS or (table.name, column) == ("keywords", "key"):  # a term may be a @name
        return "text"
    return "key"


def _masked(verb: str, value: Value, names: Pseudonyms) -> Value:
    if not isinstance(value, str):
        return value
    match verb:
        case "drop":
            return ""
        case "person":
            return names.of(value)
        case "text":
            return names.in_text(names.in_key(value))
    return names.in_key(value)
