"""Long videos: the chart of most popular ones by place."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache

from demo.world import names
from demo.world.chance import dice
from demo.world.curves import filling

CHART_ROWS = 120
OLDEST_D = 10
"""A video leaves the chart when it is that old."""
CATEGORIES = {"1": "Film & Animation", "10": "Music", "17": "Sports", "22": "People & Blogs", "24": "Entertainment"}


@dataclass(frozen=True, slots=True)
class Video:
    video_id: str
    channel: str
    channel_id: str
    title: str
    category: str
    tags: tuple[str, ...]
    published_h: float
    minutes: int
    final_views: float
    scale_h: float
    likes: float
    comments: float | None
    """By view; None when comments are off."""

    def counts(self, at_h: float) -> dict[str, int | None]:
        views = int(self.final_views * filling(at_h - self.published_h, self.scale_h))
        comments = None if self.comments is None else int(views * self.comments)
        return {"views": views, "likes": int(views * self.likes), "comments": comments}


class Screen:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._published = lru_cache(maxsize=None)(self._make)

    def chart(self, place: str, at_h: float) -> list[Video]:
        """Most popular first: by the views of the last twelve hours."""
        days = range(int(at_h // 24) - OLDEST_D, int(at_h // 24) + 1)
        out = [video for day in days for video in self._published(place, day) if video.published_h <= at_h]
        before_h = at_h - 12
        gained = {
            video.video_id: (video.counts(at_h)["views"] or 0) - (video.counts(before_h)["views"] or 0)
            for video in out
        }  # fmt: skip
        return sorted(out, key=lambda video: (-gained[video.video_id], video.video_id))[:CHART_ROWS]

    def _make(self, place: str, day: int) -> tuple[Video, ...]:
        chance = dice(self.seed, "videos", place, day)
        found = []
        for n in range(14):
            channel = chance.choice(names.ARTISTS)
            found.append(
                Video(
                    video_id=base64.urlsafe_b64encode(chance.randbytes(9))[:11].decode(),
                    channel=channel, channel_id="UC" + dice("channel", channel).randbytes(11).hex(),
                    title=f"{chance.choice(names.VERBS)} {chance.choice(names.THINGS)} | {place.upper()} {day}.{n}",
                    category=chance.choice(tuple(CATEGORIES)),
                    tags=tuple(chance.sample(names.TAGS, chance.randint(0, 6))),
                    published_h=(day + chance.random()) * 24, minutes=chance.randint(1, 55),
                    final_views=10 ** chance.uniform(4.5, 6.9), scale_h=chance.uniform(10, 70),
                    likes=chance.uniform(0.01, 0.11),
                    comments=chance.choice((None, *(0.0004 * k for k in range(1, 9)))),
                )
            )  # fmt: skip
        return tuple(found)
