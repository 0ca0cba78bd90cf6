"""Posts and accounts for tests, as frames: only what a test is about is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.items import Item, Post, Profile

READ = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _base(at: datetime, capture: str | None = None) -> dict[str, Any]:
    return {"platform": "tiktok", "url": "https://www.tiktok.com/", "observed_at": at, "parser": "tiktok.test@1",
            "capture": capture or f"c{at.timestamp():.0f}"}  # fmt: skip


def post(number: int, author: str, rate: float | None = 0.05, views: int = 10_000, **other: Any) -> Post:
    """Engagement is all likes, except one comment, one share and one save; rate None: a page that hides the saves."""
    at = other.pop("at", READ)
    likes = max(0, round(views * (rate or 0.05)) - 3)
    said: dict[str, Any] = {
        "views": views, "likes": likes, "comments": 1, "shares": 1, "saves": None if rate is None else 1,
        "created_at": READ - timedelta(days=20, hours=number % 24), "author_id": f"id-{author.lower()}",
    }  # fmt: skip
    return Post(**_base(at, other.pop("capture", None)), post_id=str(number), author=author, **{**said, **other})


def profile(username: str, at: datetime = READ, **other: Any) -> Profile:
    return Profile(**_base(at), username=username, **{"user_id": f"id-{username.lower()}", **other})


def many(creators: int, each: int, rate: float = 0.05, **other: Any) -> list[Item]:
    """Posts of *creators* with *each* posts; numbers from `start` on."""
    start = other.pop("start", 0)
    return [
        post(start + who * each + n, f"{other.get('sound_title', 'a')}{who}", rate * (1 + 0.02 * n), **other)
        for who in range(creators)
        for n in range(each)
    ]
