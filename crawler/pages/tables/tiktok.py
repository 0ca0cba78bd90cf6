"""TikTok's discover page as a public archive kept it every hour: hashtags, sounds and accounts that it suggests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import unquote

from crawler.counts import json_count, rounded
from crawler.fields import Fields, identifier, load_json, text
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Precision, Row, Snapshot

_NAMED = re.compile(r"(\d{4}-\d\d-\d\dT\d{6})Z\.json(?:\.gz)?$")
_HOST = re.compile(r"(?:^|[:/_-])(t|m|www)[/_-](?:(?:t|m|www)-)?\d{4}-\d\d-\d\d")


class DiscoverPage(BoardPage):
    """`{"hashtag": […], "music": […], "user": […]}` in order of rank; three boards, for each host its own.

    Volumes (views, posts, followers) are rounded and differ between the hosts t, m and www in the same minute, so
    the host is part of the board and no hashtag, sound or profile item is made of them.
    """

    name: ClassVar[str] = "tiktok.discover_list"
    platform: ClassVar[str] = "tiktok"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body.lstrip()
        return (
            head[:1] == b"{"
            and all(f'"{key}"'.encode() in body for key in ("user", "hashtag", "music"))
            and (b'"challengeId"' in body or re.search(rb'"hashtag"\s*:\s*\[\s*\]', body) is not None)
        )

    @classmethod
    def stated(cls, name: str, body: bytes) -> tuple[datetime, Precision] | None:
        match = _NAMED.search(name)
        if match is None:
            return None
        try:
            return datetime.strptime(match[1], "%Y-%m-%dT%H%M%S").replace(tzinfo=UTC), None
        except ValueError:
            return None

    def snapshots(self) -> Iterator[Snapshot]:
        try:
            lists = Fields(load_json(self.body), "$", self.reading.odd)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        host = _HOST.search(unquote(self.url))
        suffix = f":{host[1]}" if host else ""
        kinds: tuple[tuple[str, str, Callable[[Fields], Row]], ...] = (
            ("hashtag", "discover_hashtags", _hashtag), ("music", "discover_sounds", _sound),
            ("user", "discover_profiles", _profile),
        )  # fmt: skip
        for key, board, read in kinds:
            rows = [self.read_row(row, read) for row in lists.parts(key)]
            yield Snapshot(
                f"tiktok:{board}{suffix}", self.fetched_at, rows, source="tiktok", unread=rows.count(None)
            )  # fmt: skip
        self.reading.unread += lists.unread()


def _hashtag(row: Fields) -> Row:
    name = row.need("name", text)
    row.skip("avatar", "description", "challengeId")
    volume, step = _counted(row, "views")
    return Row(name, volume, step, entity=f"tiktok:hashtag:{name.removeprefix('#').lower()}")


def _sound(row: Fields) -> Row:
    info = row.part("musicInfo")
    number = row.need("musicId", identifier)
    row.skip("avatar")
    volume, step = _counted(row, "posts")
    return Row((info and info.may("title", text)) or number, volume, step, entity=f"tiktok:sound:{number}")


def _profile(row: Fields) -> Row:
    handle = row.need("id", text)
    row.skip("avatar", "bio", "name", "secUserId", "userId", "verified")
    volume, step = _counted(row, "followers")
    return Row(handle, volume, step, entity=f"tiktok:profile:{handle.removeprefix('@').lower()}")


def _counted(row: Fields, name: str) -> tuple[int | None, int | None]:
    """The counter and its rounding step, None when exact."""
    stats = row.part("stats")
    value = stats.may(name, json_count) if stats else None
    step = 1 if value is None else rounded(value)
    return value, step if step > 1 else None
