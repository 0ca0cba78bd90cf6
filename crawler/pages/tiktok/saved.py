"""Posts that other tools saved: bare lists of item structs, of downloaders' rows, tables of them.

Such a file says what its rows say: region and category in it are often what somebody asked for, so only a post's
own statements are read. Without the address of the list it is no board.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any, ClassVar

from crawler.outcomes import MissingField, Outcome
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import read_posts

LONGEST_CELL = 1_000_000  # characters; a caption has at most 4,000
_ROW = re.compile(rb'"(authorMeta|diggCount|playCount)"')
# A table needs what a post is known by, and a counter; tables without either are nobody's.
_TABLE = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?(?=[^\n]*\b(?:id|webVideoUrl|video_id)\b)(?=[^\n]*\b(?:digg|play|video_play)[cC]ount\b)"""
    rb"""[\w,."'/ ]+\r?\n"""
)


class SavedPostsPage(TikTokPage):
    name: ClassVar[str] = "tiktok.saved_posts"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        head = body[:20_000].lstrip()
        if head[:1] == b"[" or re.match(rb'\{[^\[\]]*"(collector|posts)"\s*:\s*\[', head):
            return _ROW.search(head) is not None and b'"cid"' not in head[:3000]
        return _TABLE.match(head) is not None

    def read(self) -> None:
        rows = self._rows()
        self.reading.got = len(rows)
        if not rows:
            self.reading.outcome = Outcome.EMPTY
            return
        read_posts(self, rows, "rows", whole=False)

    def _rows(self) -> list[Any]:
        if not self.is_json:
            csv.field_size_limit(LONGEST_CELL)
            try:
                table = csv.DictReader(io.StringIO(self.body.decode("utf-8-sig", "replace"), newline=""))
                return [_nested(row) for row in table]
            except csv.Error as error:
                raise MissingField(f"table: {error}") from None
        data = self.json()
        if isinstance(data, dict):
            data = data.get("collector", data.get("posts"))
        if not isinstance(data, list):
            raise MissingField(f"body: expected a list of posts, found {type(data).__name__}")
        return data


def _nested(row: dict[str | None, Any]) -> dict[str, Any]:
    """A row of a table as the object it was flattened from: authorMeta.name -> {"authorMeta": {"name": …}}."""
    made: dict[str, Any] = {}
    for column, value in row.items():
        if column is None or value in (None, ""):
            continue
        outer, dot, inner = column.partition(".")
        if not dot:
            made.setdefault(outer, value)
        elif isinstance(made.setdefault(outer, {}), dict):
            made[outer][inner] = value
    return made
