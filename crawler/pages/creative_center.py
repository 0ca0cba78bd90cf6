"""TikTok's Creative Center: popular hashtags, sounds and creators of a country over 7, 30 or 120 days.

The site's own requests as others describe them; no capture confirms any field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from crawler import places
from crawler.counts import json_count
from crawler.fields import Fields, flag, identifier, load_json, text
from crawler.outcomes import MissingField, Outcome
from crawler.pages.boards import BoardPage, Row, Snapshot

CEILING = 100
Reader = Callable[[Fields], Row]


class CreativeCenterPage(BoardPage):
    """`{"code": 0, "data": {"list" | "sound_list" | "creators": […]}}`; promoted rows are marked."""

    name: ClassVar[str] = "tiktok.creative_center"
    platform: ClassVar[str] = "tiktok"
    is_data: ClassVar[bool] = True
    urls: ClassVar[tuple[str, ...]] = (r"ads\.tiktok\.com/creative_radar_api/v1/popular_trend/",)

    def snapshots(self) -> Iterator[Snapshot]:
        try:
            answer = Fields(load_json(self.body), "$", self.reading.odd)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        code = answer.need("code", json_count)
        if code != 0:  # 40101 "no permission" is what a request without the site's own signature gets
            self.reading.outcome = Outcome.BLOCKED
            self.reading.problem = f"{type(self).__name__} {self.url}: code {code}"
            return
        data = answer.part("data") or Fields({}, "$.data", self.reading.odd)
        key, board, read = self._kind(data)
        asked = parse_qs(urlsplit(self.url).query)
        country = (asked.get("country_code") or [""])[0]
        place = places.of_name(country) or country.lower() or self.place_beside() or "world"
        period = (asked.get("period") or ["7"])[0]
        rows = [self.read_row(row, read) for row in data.parts(key)]
        yield Snapshot(
            f"tiktok:creative_{board}_{period}d:{place}", self.fetched_at, rows, place, "ads.tiktok.com", CEILING,
            asked=_whole(asked.get("limit")), unread=rows.count(None),
        )  # fmt: skip

    def _kind(self, data: Fields) -> tuple[str, str, Reader]:
        kinds: dict[str, tuple[str, Reader]] = {
            "list": ("hashtags", _hashtag), "sound_list": ("sounds", _sound), "creators": ("creators", _creator),
        }  # fmt: skip
        for key, (board, read) in kinds.items():
            if key in data.raw:
                return key, board, read
        raise MissingField(f"$.data: expected list, sound_list or creators, found {', '.join(data.raw) or 'nothing'}")


def _hashtag(row: Fields) -> Row:
    name = row.need("hashtag_name", text)
    industry = row.part("industry_info")
    return Row(
        f"#{name}", row.may("video_views", json_count), promoted=row.may("is_promoted", flag),
        category=industry.may("value", text) if industry else None, entity=f"tiktok:hashtag:{name.lower()}",
        shown_at=row.may("rank", json_count),
    )  # fmt: skip


def _sound(row: Fields) -> Row:
    number = row.need("song_id", identifier)
    return Row(
        row.may("title", text) or number, promoted=row.may("promoted", flag), entity=f"tiktok:sound:{number}",
        shown_at=row.may("rank", json_count),
    )  # fmt: skip


def _creator(row: Fields) -> Row:
    name = row.need("nick_name", text)
    return Row(name, row.may("follower_cnt", json_count))


def _whole(given: list[str] | None) -> int | None:
    return int(given[0]) if given and given[0].isdigit() and len(given[0]) < 6 else None
