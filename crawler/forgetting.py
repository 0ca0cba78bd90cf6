"""Who asked to be forgotten is known by keyed hashes only, and kept out by them. Pure; the key is an argument.

A tombstone says neither name nor number; only who has the key can ask whether a given name is among them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any

from crawler.items import Board, BoardEntry, Comment, Deal, Frozen, Hashtag, Item, Post, Profile, Sound

HANDLE = re.compile(r"[\w.-]{2,64}")
GONE = "…"
REMEMBERED = 50_000  # answers; of a long run's posts each asks once
_MENTION = re.compile(r"@([\w.]{1,64})")
_ODD = re.compile(r"(?<![\w.@])(?=[a-z.]*[\d_.])[\w.]{4,64}", re.IGNORECASE)
_OWN = frozenset({"kind", "key", "platform", "capture", "parser"})
"""Fields that are no text of a page."""


def tombstone(key: str, platform: str, who: str) -> str:
    """who: a handle, `id:` and the platform's number of the account, or `post:` and that of a post."""
    said = f"{platform}:{who.lower().lstrip('@').rstrip('.')}"
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()[:32]


def odd(name: str) -> bool:
    """Whether a handle is nobody's word, for it has a digit, a dot or an underscore: it goes without @, too."""
    return _ODD.fullmatch(name) is not None


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
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[asked] = tombstone(self.key, platform, who) in self.stones
        return self._known[asked]

    def cleaned(self, item: Item) -> Item | None:
        """The item without people who are forgotten; None where it is about one of them."""
        if not self.stones or self.key is None:
            return item
        return None if self._about(item) else self._scrubbed(item)

    def _about(self, item: Item) -> bool:
        platform = item.platform
        match item:
            case Profile(username=name, user_id=number):
                return self._is(platform, name, number)
            case Post(author=name, author_id=number, post_id=own):
                return self._is(platform, name, number) or self.forgotten(platform, f"post:{own}")
            case Comment(post=str(post)) | Deal(post=post):
                return self._is_entity(platform, post)
            case Hashtag(name=name):
                return odd(name) and self.forgotten(platform, name)
            case Board(board=board):
                return self.forgotten(platform, _owner(board))
            case BoardEntry(board=board, topic=topic, entity=entity):
                named = topic.lstrip("@#")
                return (
                    self.forgotten(platform, _owner(board))
                    or (entity is not None and self._is_entity(platform, entity))
                    or ((topic.startswith("@") or odd(named)) and self.forgotten(platform, named))
                )
        return False

    def _is(self, platform: str, name: str | None, number: str | None) -> bool:
        return self.forgotten(platform, name) or (bool(number) and self.forgotten(platform, f"id:{number}"))

    def _is_entity(self, platform: str, key: str) -> bool:
        """`tiktok:profile:ana`, `tiktok:post:7…`; of another platform, nobody's business here."""
        of, kind, own = (*key.split(":", 2), "", "")[:3]
        if of != platform or kind not in ("profile", "post"):
            return False
        return self.forgotten(platform, own if kind == "profile" else f"post:{own}")

    def _scrubbed(self, item: Item) -> Item:
        platform = item.platform
        change = {name: self._scrub(platform, name, getattr(item, name)) for name in type(item).model_fields}
        if isinstance(item, Sound) and self.forgotten(platform, item.author):
            change["author"] = None
        if isinstance(item, Post) and item.repost_of and self._is_entity(platform, item.repost_of):
            change["repost_of"] = None
        different = {name: value for name, value in change.items() if value != getattr(item, name)}
        return item.model_copy(update=different) if different else item

    def _scrub(self, platform: str, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name in _OWN else self.without(platform, value)
        if isinstance(value, tuple):
            named = name in ("mentions", "hashtags")
            kept = [each for each in value if not (named and self.forgotten(platform, each))]
            return tuple(self._scrub(platform, "", each) for each in kept)
        if isinstance(value, Frozen):
            inner = {each: self._scrub(platform, each, getattr(value, each)) for each in type(value).model_fields}
            return value.model_copy(update=inner)
        return value

    def without(self, platform: str, text: str) -> str:
        """*text* without @mentions, handles that are nobody's word, and the maker of a sound in its title."""
        if "@" in text:
            text = _MENTION.sub(lambda hit: f"@{GONE}" if self.forgotten(platform, hit[1]) else hit[0], text)
        head, dash, tail = text.rpartition(" - ")
        if dash and self.forgotten(platform, tail):
            text = f"{head} - {GONE}"
        return _ODD.sub(lambda hit: GONE if self._odd(platform, hit[0]) else hit[0], text)

    def _odd(self, platform: str, word: str) -> bool:
        """Not remembered: texts have more such words than memory has room."""
        if self.key is None:
            return False
        said = (f"id:{word}", f"post:{word}") if word.isdecimal() else (word,)
        return any(tombstone(self.key, platform, each) in self.stones for each in said)


def _owner(board: str) -> str:
    """Of `tiktok:creator:nasa@us`: nasa."""
    return board.rpartition(":")[2].partition("@")[0]
