"""What the Zeeschuimer extension collected while a person browsed: lines of posts or comments of one response.

The lane cuts an export into responses and tells, in a header, how many rows of the same list came before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from crawler.fields import dig, load_json
from crawler.outcomes import MissingField
from crawler.pages.tiktok.comments import read_comments
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, board_of_page, hits_of, read_posts
from crawler.pages.tiktok.lists import board_of_request

MARK = "#zeeschuimer"  # on the address of the page that the person was on
OFFSET = "tidemark-offset"


class ZeeschuimerPage(TikTokPage):
    name: ClassVar[str] = "tiktok.zeeschuimer"
    urls: ClassVar[tuple[str, ...]] = (f"{MARK}$",)

    def read(self) -> None:
        lines = [self._line(i, line) for i, line in enumerate(self.body.splitlines()) if line.strip()]
        if not lines:
            raise MissingField("body: expected lines of JSON, found none")
        rows = [line.get("data") for line in lines]
        if any(isinstance(row, dict) and "cid" in row for row in rows):
            read_comments(self, rows)
            return
        posts = read_posts(self, rows, "lines")
        self.reading.got = len(posts)
        board = self._board(str(lines[0].get("source_url") or ""), posts, rows)
        if board is not None and any(posts):
            add_board(self, board, hits_of(posts), place=self.place(), first=self._offset() + 1)

    def _line(self, i: int, line: bytes) -> dict[str, Any]:
        try:
            found = load_json(line)
        except ValueError as error:
            raise MissingField(f"line {i + 1}: {error}") from None
        if not isinstance(dig(found, "data"), dict):
            raise MissingField(f"line {i + 1}.data: expected an object, found none")
        return dict(found)

    def _board(self, request: str, posts: list[Any], rows: list[Any]) -> str | None:
        """The list that the response belongs to, else the one that the page shows; a post's own page is no list."""
        name = board_of_request(request, posts, rows) if "/api/" in request else board_of_page(self.url)
        return None if name is None or ("/api/" not in request and name.startswith("tiktok:related:")) else name

    def _offset(self) -> int:
        told = self.headers.get(OFFSET, "0")
        return int(told) if told.isdigit() else 0
