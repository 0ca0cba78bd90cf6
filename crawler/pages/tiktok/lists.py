"""The lists that TikTok's pages request for themselves: posts of an account, hashtag, sound, search or feed.

The list is named by the address that asked for it and by what its rows say of themselves, never by the region or
category asked for: `tiktok:search:skincare@us`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, ClassVar
from urllib.parse import parse_qs

from crawler.counts import json_count
from crawler.fields import Fields, address, dig, identifier, text
from crawler.items import Post, Profile
from crawler.outcomes import MissingField, Outcome, ShapeError
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import Hit, add_board, folded, hits_of, read_posts
from crawler.pages.tiktok.state import count, handle

ROWS = ("itemList", "items", "item_list", "itemListData", "user_list", "data")
# What an answer holds beside its rows; an answer of these alone has none to show.
AROUND = frozenset(
    (
        "statusCode",
        "status_code",
        "statusMsg",
        "status_msg",
        "statusMessage",
        "message",
        "status",
        "errMsg",
        "cursor",
        "maxCursor",
        "minCursor",
        "max_cursor",
        "min_cursor",
        "nextCursor",
        "hasMore",
        "has_more",
        "hasMorePrevious",
        "hasLocateItem",
        "total",
        "extra",
        "$extra",
        "log_pb",
        "logPb",
        "impr_id",
        "rid",
        "qc",
        "backtrace",
        "ad_info",
        "global_doodle_config",
        "cookie",
        "feedback_type",
        "pageState",
    )
)
LARGEST_OFFSET = 100_000  # larger cursors are moments in milliseconds, which tell no position
_HEAD = 4000  # bytes in which an answer names itself
_OF_ANOTHER = re.compile(rb'"(challenge|music)(Info|Data)"')  # pages of a hashtag or sound, with an empty list


class ListPage(TikTokPage):
    name: ClassVar[str] = "tiktok.list"
    urls: ClassVar[tuple[str, ...]] = (
        r"tiktok\.com/api/([a-z_]+/)?item_list/?(\?|$)",
        r"tiktok\.com/api/search/",
        r"tiktok\.com/share/item/list",
        r"api\.tikapi\.io/public/(posts|music|search/\w+|hashtag\?([^#]*&)?id=)",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        if body[:_HEAD].lstrip()[:1] != b"{":
            return False
        if re.search(rb'"(itemList|item_list|itemListData)"\s*:\s*\[', body):
            return _OF_ANOTHER.search(body[:_HEAD]) is None
        if re.search(rb'"user_list"\s*:\s*\[', body):
            return b'"user_info"' in body
        if re.search(rb'"items"\s*:\s*\[', body[:_HEAD]):
            return b'"maxCursor"' in body or b'"cursor"' in body
        return re.search(rb'"data"\s*:\s*\[', body[:_HEAD]) is not None and b'"item"' in body

    def read(self) -> None:
        answer = self.answer()
        if answer is None:
            return
        inner = answer.get("body")
        where, source = (
            ("body.body", inner) if isinstance(inner, dict) and "itemListData" in inner else ("body", answer)
        )
        name = next((each for each in ROWS if isinstance(source.get(each), list)), None)
        if name is None:
            self._without_rows(source)
            return
        rows: list[Any] = source[name]
        self.reading.got = len(rows)
        self.reading.asked = self._number("count")
        more = source.get("hasMore", source.get("has_more"))
        self.reading.more = bool(more) if more in (True, False, 0, 1) else None
        if not rows:
            self._nothing(source)
        elif name == "user_list":
            board = board_of_request(self.url, [], [])
            self._board([self._account(row, i) for i, row in enumerate(rows)], source, board)
        else:
            structs, where = self._posts_in(rows, f"{where}.{name}")
            posts = read_posts(self, structs, where)
            self._board(hits_of(posts), source, board_of_request(self.url, posts, structs))

    def _posts_in(self, rows: list[Any], where: str) -> tuple[list[Any], str]:
        """The rows' posts; a mixed list ("Top") wraps each in a card, of which some are no posts."""
        if not any(isinstance(row, dict) and "item" in row for row in rows):
            return rows, where
        posts = [dig(row, "item") for row in rows]
        for i, (row, post) in enumerate(zip(rows, posts, strict=True)):
            if post is None:
                self.reading.odd.append(f"{where}[{i}]: type {str(dig(row, 'type'))[:10]} is no post")
        return posts, where

    def _account(self, row: Any, i: int) -> Hit | None:
        """A found account; its counters of posts are 0 throughout, so they say nothing."""
        try:
            user = Fields(dig(row, "user_info"), f"body.user_list[{i}].user_info", self.reading.odd)
            name = user.need("unique_id", handle)
            followers, step = count("follower_count", user, None)
            made = self.add(
                Profile, url=f"https://www.tiktok.com/@{name}", username=name,
                user_id=user.may("uid", identifier) or user.may("id", identifier), sec_uid=user.may("sec_uid", text),
                nickname=user.may("nickname", text), bio=user.may("signature", text),
                followers=followers, followers_precision=step,
            )  # fmt: skip
        except ShapeError as error:
            self.odd_row("profile", str(error), Fields(row if isinstance(row, dict) else {}, "body.user_list"))
            return None
        return Hit(f"@{name}", name.lower(), made.key, followers, step) if made else None

    def _board(self, hits: list[Hit | None], source: dict[str, Any], name: str | None) -> None:
        if not any(hits):
            return
        first = self._first()
        if name is None or first is None:
            self.reading.parts["board"] = "unnamed; give --url" if name is None else "position unknown"
            return
        more = source.get("hasMore", source.get("has_more"))
        self.reading.ceiling = first - 1 + len(hits) if more in (False, 0) else None
        place = None if name.startswith("tiktok:creator:") else self.place()  # an account's own posts are everywhere
        add_board(
            self, name, hits, place=place, first=first, asked=self.reading.asked, ceiling=self.reading.ceiling
        )  # fmt: skip

    def _without_rows(self, source: dict[str, Any]) -> None:
        """An answer with nothing unknown in it has no rows to show; another may have them under a new name."""
        if unknown := sorted(set(source) - AROUND):
            raise MissingField(f"body: expected one of {', '.join(ROWS)}, found {', '.join(unknown[:12])}")
        self._nothing(source)

    def _nothing(self, source: dict[str, Any]) -> None:
        """No rows: the end of the list says so; without its word it is a soft block."""
        more = source.get("hasMore", source.get("has_more"))
        if more in (False, 0):
            self.reading.outcome = Outcome.EMPTY
        else:
            self.walled(Outcome.BLOCKED, "no rows, and more are said to follow")

    def _number(self, *names: str) -> int | None:
        try:
            return json_count(self.asked_for(*names))
        except ValueError:
            return None

    def _first(self) -> int | None:
        """Position of the first row; None where only a moment says how far the list was read, and nobody counted."""
        offset = self._number("offset", "cursor", "maxCursor", "max_cursor") or 0
        told = self.headers.get("tidemark-offset", "")
        if offset >= LARGEST_OFFSET and told.isdecimal():
            offset = int(told)
        return offset + 1 if 0 <= offset < LARGEST_OFFSET else None


def board_of_request(url: str, posts: list[Post | None], rows: list[Any]) -> str | None:
    """The list that an address of JSON asks for; None where neither it nor the rows say which."""
    parts = address(url)
    path, query = parts.path.rstrip("/"), parse_qs(parts.query)

    def asked(*names: str) -> str | None:
        return next((folded(query[name][0]) for name in names if query.get(name)), None)

    if found := re.search(r"/(?:api|public)/search/(general|item|videos|user|photo)/", path + "/"):
        kind = {"general": "search", "item": "search_video", "videos": "search_video"}.get(
            found[1], f"search_{found[1]}"
        )
        return _named(kind, asked("keyword", "q", "query"))
    match path.rpartition("/public/")[2]:  # the same lists by TikAPI
        case "hashtag":
            return _named("hashtag", _hashtag(asked("id"), rows))
        case "music":
            return _named("sound", asked("id"))
    match path.rpartition("/api/")[2]:
        case "challenge/item_list":
            return _named("hashtag", _hashtag(asked("challengeID", "challengeId"), rows))
        case "music/item_list":
            return _named("sound", asked("musicID", "musicId"))
        case "related/item_list":
            return _named("related", asked("itemID", "itemId"))
        case "recommend/item_list":
            return "tiktok:foryou"
        case "explore/item_list":
            return "tiktok:explore"
        case "preload/item_list":
            return None
        case _:
            return None if "/api/search/" in path else _named("creator", _creator(posts))


def _named(kind: str, name: str | None) -> str | None:
    return f"tiktok:{kind}:{name}" if name else None


def _hashtag(asked: str | None, rows: list[Any]) -> str | None:
    """By the name that the rows give the number asked for."""
    names: Counter[str] = Counter()
    for row in rows:
        tags = dig(row, "challenges")
        for tag in tags if asked and isinstance(tags, list) else ():
            if dig(tag, "id") == asked and isinstance(dig(tag, "title"), str):
                names[folded(tag["title"])] += 1
    return names.most_common(1)[0][0] if names else None


def _creator(posts: list[Post | None]) -> str | None:
    """An account's own posts: two or more, and all by one author."""
    authors = [post.author for post in posts if post is not None]
    if len(authors) < 2 or len(set(authors)) > 1 or not authors[0]:
        return None
    return authors[0].lower()
