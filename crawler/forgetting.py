"""Who asked to be forgotten is known by keyed hashes only, and kept out by them. Pure; the key is an argument.

A tombstone says neither name nor number; only who has the key can ask whether a given name is among them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any

from crawler.items import Board, BoardEntry, Comment, Deal, Item, Post, Profile, Sound

HANDLE = re.compile(r"[\w.-]{2,64}")
_MENTION = re.compile(r"@([\w.]{1,64})")
GONE = "@…"


def tombstone(key: str, platform: str, who: str) -> str:
    """who: a handle, or `id:` and the platform's number of the account."""
    said = f"{platform}:{who.lower().lstrip('@').rstrip('.')}"
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()[:32]


@dataclass
class Keeper:
    """Looks at every item on its way into the database."""

    key: str | None
    stones: frozenset[str]
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def forgotten(self, platform: str, who: str | None) -> bool:
        if not who or not self.stones or self.key is None:
            return False
        asked = (platform, who)
        if asked not in self._known:
            self._known[asked] = tombstone(self.key, platform, who) in self.stones
        return self._known[asked]

    def cleaned(self, item: Item) -> Item | None:
        """The item without people who are forgotten; None where it is about one of them."""
        if not self.stones or self.key is None:
            return item
        platform = item.platform
        match item:
            case Profile(username=name, user_id=number):
                return None if self._is(platform, name, number) else item
            case Post(author=name, author_id=number):
                return None if self._is(platform, name, number) else self._post(item)
            case Sound(author=name):
                return item.model_copy(update={"author": None}) if self.forgotten(platform, name) else item
            case Board(board=board) | BoardEntry(board=board) if self.forgotten(platform, _owner(board)):
                return None
            case BoardEntry(entity=str(entity)) if entity.startswith(f"{platform}:profile:"):
                return None if self.forgotten(platform, entity.rpartition(":")[2]) else item
            case BoardEntry(topic=topic):
                return None if self.forgotten(platform, topic.lstrip("@")) and topic.startswith("@") else item
            case Comment(text=str(text)):
                return self._with(item, {"text": self.without_mentions(platform, text)})
            case Deal():
                return item
        return item

    def _is(self, platform: str, name: str | None, number: str | None) -> bool:
        return self.forgotten(platform, name) or (bool(number) and self.forgotten(platform, f"id:{number}"))

    def _post(self, post: Post) -> Post:
        change: dict[str, Any] = {}
        if post.caption:
            change["caption"] = self.without_mentions(post.platform, post.caption)
        if post.mentions:
            change["mentions"] = tuple(each for each in post.mentions if not self.forgotten(post.platform, each))
        made = self._with(post, change)
        assert isinstance(made, Post)
        return made

    def _with(self, item: Item, change: dict[str, Any]) -> Item:
        return item if all(getattr(item, name) == value for name, value in change.items()) else item.model_copy(
            update=change)  # fmt: skip

    def without_mentions(self, platform: str, text: str) -> str:
        return _MENTION.sub(lambda found: GONE if self.forgotten(platform, found[1]) else found[0], text)


def _owner(board: str) -> str:
    """Of `tiktok:creator:nasa@us`: nasa."""
    return board.rpartition(":")[2].partition("@")[0]
