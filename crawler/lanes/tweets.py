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

    @property
    def holds_nothing(self) -> bool:
        """Lines, and none of them of a tweet stream."""
        return self.lines > self.empty and not (self.tweets or self.notices)

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
    if block:
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


def skim(
    block: bytes, account: Account, found_ids: list[int], taken_back: list[str] | None = None, must_hold: bytes = b""
) -> Iterator[bytes]:
    """The lines of tweets, unread; the account is as exact as that of `parsed`, at a tenth of its cost.

    Only lines that hold the bytes *must_hold* are given. Only a line laid out as the stream lays out whole tweets and
    delete notices is trusted unread; nothing is copied but what is given.
    """
    if block.lstrip()[:1] == b"[":
        yield from _slowly(block, account, found_ids, taken_back, must_hold)
        return
    find, starts = block.find, block.startswith
    at, size = 0, len(block)
    tweets = deletes = truncated = lost_text = 0
    while at < size:
        end = find(b"\n", at)
        end = size if end < 0 else end
        last = end - 1 if block[end - 1] == 13 else end  # CRLF
        if starts(b'{"delete":{"status":{"id":', at) and starts(b"}}", last - 2):
            deletes += 1
            if taken_back is not None:
                since = find(b'"id_str":"', at, end) + 10
                taken_back.append(block[since : find(b'"', since, end)].decode("ascii", "replace"))
        elif (number := _number(block, at, last)) is not None and (cut := _is_cut(block, at, end)) is not None:
            tweets += 1
            found_ids.append(number)
            if cut:
                truncated += 1
                lost_text += find(b'"extended_tweet":', at, end) < 0
            if not must_hold or find(must_hold, at, end) >= 0:
                yield block[at:last]
        else:
            yield from _slowly(block[at : end + 1], account, found_ids, taken_back, must_hold)
        at = end + 1
    account.lines += tweets + deletes
    account.tweets += tweets
    account.truncated += truncated
    account.lost_text += lost_text
    if deletes:
        account.notices["delete"] += deletes


_MOMENT = len('{"created_at":"Wed Jul 03 06:29:00 +0000 2019')


def _number(block: bytes, at: int, last: int) -> int | None:
    """The id of the tweet that the line is; None where it is anything else, or laid out in another way."""
    since = at + _MOMENT + 7
    if not (block.startswith(b'{"created_at":"', at) and block.startswith(b'","id":', since - 7)):
        return None
    if last < since + 22 or block[last - 1] != 125:  # '}'
        return None
    number = block[since : block.find(b",", since, since + 20)]
    return int(number) if number.isdigit() else None


def _is_cut(block: bytes, at: int, end: int) -> bool | None:
    """Whether the platform cut the tweet's text; None where only reading it all would tell."""
    place = block.find(b'"truncated":', at, end)
    if place < 0:
        return False
    if block.find(b"{", at + 1, place) >= 0:  # perhaps that of a tweet inside
        return None
    if not block.startswith(b"true", place + 12):
        return False
    return None if block.find(b'_status":{', place, end) >= 0 else True  # the full text may be that of a tweet inside


def _slowly(
    block: bytes, account: Account, found_ids: list[int], taken_back: list[str] | None, must_hold: bytes
) -> Iterator[bytes]:
    for each in parsed(block, account):
        if "id_str" in each:
            if str(each["id_str"]).isdigit():
                found_ids.append(int(each["id_str"]))
            line = orjson.dumps(each)
            if must_hold in line:
                yield line
        elif taken_back is not None and (number := withdrawn(each)):
            taken_back.append(number)
