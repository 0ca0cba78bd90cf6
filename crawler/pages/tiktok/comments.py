"""TikTok's public comments: counters and text; who wrote them only as a keyed hash, even in the quarantine."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from crawler.counts import epoch
from crawler.fields import Fields, dig, text
from crawler.items import Comment
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Page
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.post import number
from crawler.pages.tiktok.state import count

# All that is ever taken of a comment; whatever else a row holds says who its author is.
KEPT = ("cid", "aweme_id", "text", "comment_language", "create_time", "digg_count", "reply_comment_total", "reply_id")
_UID_IN_PRINT = re.compile(r"'uid': '(\d{1,20})'")
_CSV = re.compile(rb"\A(?:\xef\xbb\xbf)?(?=[^\n]*\bcid\b)(?=[^\n]*\baweme_id\b)[\w,\"' ]+\r?\n")
LONGEST_CELL = 1_000_000  # characters; a printed user object has 10,000


class CommentsPage(TikTokPage):
    name: ClassVar[str] = "tiktok.comments"
    urls: ClassVar[tuple[str, ...]] = (r"tiktok\.com/api/comment/list/",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        head = body[:3000].lstrip()
        if head[:1] in (b"{", b"["):
            return b'"cid"' in head and b'"digg_count"' in head
        return _CSV.match(body[:3000]) is not None

    def read(self) -> None:
        rows = self._rows()
        if rows is not None:
            read_comments(self, rows)

    def _rows(self) -> list[Any] | None:
        """The rows of an answer, of a bare list or of a table; None where the outcome is decided."""
        if _CSV.match(self.body[:3000]):
            return self._table()
        if self.is_json and isinstance(listed := self.json(), list):
            return listed
        answer = self.answer()
        if answer is None:
            return None
        rows = answer.get("comments")
        if rows is None and (answer.get("has_more") in (0, False) or answer.get("total") == 0):
            rows = []
        if not isinstance(rows, list):
            raise MissingField(f"body.comments: expected a list, found {type(rows).__name__}")
        if not rows:
            self.reading.outcome = Outcome.EMPTY
            return None
        return rows

    def _table(self) -> list[Any]:
        csv.field_size_limit(LONGEST_CELL)
        try:
            return list(csv.DictReader(io.StringIO(self.body.decode("utf-8-sig", "replace"), newline="")))
        except csv.Error as error:
            raise MissingField(f"table: {error}") from None


def read_comments(page: Page, rows: list[Any]) -> None:
    """Each comment once, and the answers that stand in it."""
    page.reading.got = len(rows)
    found = (_known(page, row) for row in _with_replies(rows))
    named = (Fields(row, f"comments[{i}]", page.reading.odd) for i, row in enumerate(found))
    page.each("comment", named, lambda row: _one(page, row))


def _with_replies(rows: list[Any]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for row in rows:
        for each in (row, *(_objects(dig(row, "reply_comment")))):
            if isinstance(each, dict) and str(each.get("cid")) not in seen:
                seen.add(str(each.get("cid")))
                yield each


def _known(page: Page, row: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a row: its author is a hash before anything else looks at it."""
    kept = {name: row[name] for name in KEPT if row.get(name) not in (None, "")}
    return {**kept, "author_hash": page.person(_identity(row))}


def _one(page: Page, row: Fields) -> None:
    likes, likes_step = count("digg_count", row, None)
    replies, replies_step = count("reply_comment_total", row, None)
    if likes is None:
        raise MissingField(f"{row.where}.digg_count: expected a count, found none")
    post = row.may("aweme_id", number)
    page.add(
        Comment,
        url=f"https://www.tiktok.com/@/video/{post}" if post else None,
        comment_id=row.need("cid", number),
        post=f"tiktok:post:{post}" if post else None,
        text=row.may("text", text),
        language=row.may("comment_language", text),
        created_at=row.may("create_time", epoch),
        likes=likes,
        likes_precision=likes_step,
        replies=replies,
        replies_precision=replies_step,
        author_hash=row.may("author_hash", text),
    )


def _identity(row: dict[str, Any]) -> str | None:
    """What tells one author from another: the account's number, else the handle; never stored."""
    user = row.get("user")
    if isinstance(user, str):  # a table holds the object as Python prints it; it is not evaluated
        found = _UID_IN_PRINT.search(user)
        return f"id:{found[1]}" if found else None
    for name in ("uid", "unique_id"):
        value = dig(user, name) or row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return f"{'id' if name == 'uid' else 'handle'}:{str(value).strip()}"
    return None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
