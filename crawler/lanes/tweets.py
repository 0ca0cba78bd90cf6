"""The lines of a tweet stream: what each is, tweets of all years as posts, and an exact account of what was there."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

CONTROL = ("delete", "limit", "scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning", "friends",
           "event", "for_user", "control")  # fmt: skip


@dataclass
class Account:
    """Lines by what they are. tweets + notices + other + empty + damaged = lines."""

    lines: int = 0
    tweets: int = 0
    truncated: int = 0
    """Tweets whose text is cut, with the full text beside it or without."""
    lost_text: int = 0
    """Of those, the ones without the full text."""
    duplicates: int = 0
    """Tweets whose id came before, in this member or in those shortly before it."""
    empty: int = 0
    damaged: int = 0
    notices: Counter[str] = field(default_factory=Counter)
    """Control messages by kind: delete, limit, …"""
    other: int = 0
    """JSON that is neither a tweet nor a known notice."""

    def add(self, more: Account) -> None:
        for name in ("lines", "tweets", "truncated", "lost_text", "duplicates", "empty", "damaged", "other"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.notices += more.notices

    def as_row(self) -> dict[str, int]:
        notices = {f"notices/{kind}": n for kind, n in sorted(self.notices.items())}
        names = ("lines", "tweets", "truncated", "lost_text", "duplicates", "empty", "damaged", "other")
        return {name: getattr(self, name) for name in names} | notices


def lines(block: bytes) -> Iterator[bytes]:
    """Also of one array that holds all, as the search once gave it. Line ends of all systems; none is lost."""
    if block.lstrip()[:1] == b"[":
        try:
            yield from (orjson.dumps(each) for each in orjson.loads(block))
            return
        except orjson.JSONDecodeError:
            pass  # lines, the first of which is no tweet
    yield from block.split(b"\n")[: -1 if block.endswith(b"\n") else None]


def parsed(block: bytes, account: Account) -> Iterator[dict[str, Any]]:
    """Every tweet and every notice, told apart by `id_str`; all lines go into *account*."""
    for line in lines(block):
        account.lines += 1
        if not line.strip():
            account.empty += 1
            continue
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            account.damaged += 1
            continue
        if not isinstance(found, dict):
            account.other += 1
            continue
        if "id_str" in found and ("text" in found or "full_text" in found):
            account.tweets += 1
            if found.get("truncated"):
                account.truncated += 1
                account.lost_text += "extended_tweet" not in found
        elif kind := next((each for each in CONTROL if each in found), None):
            account.notices[kind] += 1
        else:
            account.other += 1
            continue
        yield found


def original(tweet: dict[str, Any]) -> dict[str, Any]:
    """A retweet is its original: the text of the retweet itself is cut."""
    inner = tweet.get("retweeted_status")
    return inner if isinstance(inner, dict) and "id_str" in inner else tweet


def full_text(tweet: dict[str, Any]) -> str:
    """Unescaped once, as the platform shows it."""
    extended = tweet.get("extended_tweet")
    held = extended.get("full_text") if isinstance(extended, dict) else None
    return html.unescape(str(held or tweet.get("full_text") or tweet.get("text") or ""))


def entities(tweet: dict[str, Any]) -> dict[str, Any]:
    extended = tweet.get("extended_tweet")
    held = extended.get("entities") if isinstance(extended, dict) else None
    found = held or tweet.get("entities")
    return found if isinstance(found, dict) else {}


def withdrawn(notice: dict[str, Any]) -> str | None:
    """Id of the tweet that a delete notice takes back."""
    status = (notice.get("delete") or {}).get("status") if isinstance(notice.get("delete"), dict) else None
    number = status.get("id_str") if isinstance(status, dict) else None
    return str(number) if number else None


def skim(block: bytes, account: Account, found_ids: list[int], taken_back: list[str]) -> Iterator[bytes]:
    """The lines of tweets, unread; the account is as exact as that of `parsed`, at a tenth of its cost.

    Only a line whose beginning and end are those of a whole tweet or delete notice is trusted unread.
    """
    if block.lstrip()[:1] == b"[":
        yield from _slowly(block, account, found_ids, taken_back)
        return
    for line in block.split(b"\n")[: -1 if block.endswith(b"\n") else None]:
        bare = line.removesuffix(b"\r")
        if bare.startswith(b'{"delete":{') and bare.endswith(b"}}"):
            account.lines += 1
            account.notices["delete"] += 1
            since = bare.find(b'"id_str":"') + 10
            taken_back.append(bare[since : bare.find(b'"', since)].decode("ascii", "replace"))
            continue
        since = bare.find(b'"id":', 40, 80) + 5
        number = bare[since : bare.find(b",", since, since + 24)]
        if not (bare.startswith(b'{"created_at":"') and bare.endswith(b"}") and since > 4 and number.isdigit()):
            yield from _slowly(line + b"\n", account, found_ids, taken_back)
            continue
        account.lines += 1
        account.tweets += 1
        found_ids.append(int(number))
        at = bare.find(b'"truncated":')
        if at >= 0 and bare[at + 12 : at + 16] == b"true":
            account.truncated += 1
            account.lost_text += b'"extended_tweet":' not in bare
        yield bare


def _slowly(block: bytes, account: Account, found_ids: list[int], taken_back: list[str]) -> Iterator[bytes]:
    for each in parsed(block, account):
        if "id_str" in each:
            if str(each["id_str"]).isdigit():
                found_ids.append(int(each["id_str"]))
            yield orjson.dumps(each)
        elif number := withdrawn(each):
            taken_back.append(number)
