"""YouTube's most popular videos by day, as two public archives keep them: markdown, and the CSV known from Kaggle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from crawler.counts import DateError
from crawler.fields import Fields
from crawler.items import Post
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Precision, Row, Snapshot
from crawler.pages.tables.base import Cells, CutTable, needed, utc_moment, whole

CEILING = 200  # the API's list; the site's page shows fewer
# As the API's videoCategories.list names them.
CATEGORIES = {
    "1": "Film & Animation", "2": "Autos & Vehicles", "10": "Music", "15": "Pets & Animals", "17": "Sports",
    "19": "Travel & Events", "20": "Gaming", "22": "People & Blogs", "23": "Comedy", "24": "Entertainment",
    "25": "News & Politics", "26": "Howto & Style", "27": "Education", "28": "Science & Technology",
    "29": "Nonprofits & Activism",
}  # fmt: skip
_DAY = re.compile(r"^## (\d{4}-\d\d-\d\d)(?: (\d\d:\d\d))?\s*$", re.MULTILINE)
_VIDEO = re.compile(r"^### (.*)$", re.MULTILINE)
_ID = re.compile(r"youtube\.com/(?:embed/|watch\?v=|shorts/)([\w-]{6,20})|youtu\.be/([\w-]{6,20})")
_COUNTS = re.compile(r"^([\d,]+) views \| ([\d,]+) likes \| ([\d,]+) comments\s*$", re.MULTILINE)


def video_url(number: str) -> str:
    return f"https://www.youtube.com/watch?v={number}"


def board_id(place: str | None) -> str:
    return f"youtube:popular:{place}" if place else "youtube:popular"


class DailyMarkdown(BoardPage):
    """`## day hour`, then `### title`, the player and `n views | n likes | n comments` for each video, in rank order.

    The zone of the hour is not stated (it is UTC or Japan's), so only the day is kept; both lie in it.
    """

    name: ClassVar[str] = "youtube.popular_markdown"
    platform: ClassVar[str] = "youtube"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body[:4000].decode("utf-8", "replace")
        return _DAY.match(head.lstrip("\ufeff \r\n")) is not None and (not _VIDEO.search(head) or "youtu" in head)

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        match = _DAY.search(body[:4000].decode("utf-8", "replace"))
        return utc_moment(match[1]) if match else None

    def snapshots(self) -> Iterator[Snapshot]:
        shown = self.body.decode("utf-8-sig", "replace")
        day = _DAY.search(shown)
        if day is None:
            raise MissingField("body: expected a line '## 2026-03-01 09:46', found none")
        titles = list(_VIDEO.finditer(shown))
        ends = [*(each.start() for each in titles), len(shown)][1:]
        rows = [self._row(each[1].strip(), shown[each.end() : end]) for each, end in zip(titles, ends, strict=True)]
        place = self.place_beside()
        yield Snapshot(
            board_id(place), utc_moment(day[1])[0], rows, place, "youtube", unread=rows.count(None)
        )  # fmt: skip

    def _row(self, title: str, section: str) -> Row | None:
        number, counts = _ID.search(section), _COUNTS.search(section)
        if number is None:
            self.odd_row("boardentry", "video: expected its address, found none", Fields({"title": title}, "video"))
            return None
        video = number[1] or number[2]
        views, likes, comments = (int(each.replace(",", "")) for each in counts.groups()) if counts else (None,) * 3
        self.add(
            Post, url=video_url(video), post_id=video, media="video", caption=title or None,
            views=views, likes=likes or None, comments=comments or None,  # written as 0 where the video hides them
        )  # fmt: skip
        return Row(title or video, views, entity=f"youtube:post:{video}")


class KaggleTable(CutTable):
    """`video_id,title,…,trending_date,…,view_count,likes,dislikes,comment_count,…`: 200 rows a day in rank order."""

    name: ClassVar[str] = "youtube.popular_table"
    platform: ClassVar[str] = "youtube"
    columns: ClassVar[frozenset[str]] = frozenset(("video_id", "trending_date", "view_count", "title"))
    moments: ClassVar[tuple[str, ...]] = ("trending_date",)
    board_columns: ClassVar[tuple[str, ...]] = ("trending_date",)

    @classmethod
    def moment(cls, cells: Cells) -> tuple[datetime, Precision]:
        at, _ = utc_moment(cells.get("trending_date", ""))
        return at, "day"  # midnight is how the file writes a day

    def board_of(self, cells: Cells, where: str) -> Snapshot:
        place = self.place_beside()
        return Snapshot(board_id(place), self.moment(cells)[0], (), place, "youtube", CEILING)

    def row(self, cells: Cells, where: str) -> Row:
        video = needed(cells, "video_id", where)
        views = whole(cells, "view_count", where, zero_is_hidden=False)
        category = CATEGORIES.get(cells.get("categoryid", ""))
        tags = cells.get("tags", "")
        self.add(
            Post, url=video_url(video), post_id=video, media="video", caption=cells.get("title") or None,
            author_id=cells.get("channelid") or None, created_at=_published(cells), category=category,
            hashtags=None if tags in ("", "[None]") else tuple(tag.lower() for tag in tags.split("|") if tag),
            views=views, likes=None if _is(cells, "ratings_disabled") else whole(cells, "likes", where),
            comments=None if _is(cells, "comments_disabled") else whole(
                cells, "comment_count", where, zero_is_hidden=False
            ),
        )  # fmt: skip
        return Row(cells.get("title") or video, views, category=category, entity=f"youtube:post:{video}")


def _is(cells: Cells, name: str) -> bool:
    return cells.get(name, "").strip().lower() == "true"


def _published(cells: Cells) -> datetime | None:
    try:
        return utc_moment(cells.get("publishedat", ""))[0]
    except DateError:
        return None
