"""The whole invented world, and the truth about it at any moment. Pure: seed and start decide everything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from demo.world import names
from demo.world.chance import number, share
from demo.world.curves import Burst
from demo.world.people import Creator, Crowd, Post
from demo.world.shop import Shop
from demo.world.talkers import Talkers
from demo.world.topics import PLACES, Row, Talk
from demo.world.videos import Screen

START = datetime(2026, 3, 1, tzinfo=UTC)
"""A Sunday. Moments before it exist, too: creators had been posting for three months."""
BURST_AREA = 6_000_000
"""Area of a burst (posts times hours) that doubles its hashtag."""
TRAFFIC = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    tag_id: str
    description: str
    views: int
    posts: int


@dataclass(frozen=True, slots=True)
class Track:
    sound_id: str
    title: str
    author: str
    original: bool
    posts: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Searched:
    """One row of the search engine's list."""

    topic: str
    traffic: int
    """Lower end of the class it shows ('20,000+')."""
    since_h: float


class World:
    """Ask it in moments (aware datetimes) or, inside, in hours since its start."""

    def __init__(self, seed: int = 7, start: datetime = START) -> None:
        self.seed = seed
        self.start = start
        epoch_s = int(start.timestamp())
        self.talk = Talk(seed)
        self.crowd = Crowd(seed, epoch_s)
        self.shop = Shop(seed)
        self.screen = Screen(seed)
        self.talkers = Talkers(seed, epoch_s, self.talk, self.shop)

    def hour(self, at: datetime) -> float:
        """Hours since the start, negative before it."""
        return (at - self.start) / timedelta(hours=1)

    def moment(self, at_h: float) -> datetime:
        return self.start + timedelta(hours=at_h)

    def truth(self, at: datetime) -> Truth:
        """Everything that is so at a moment; each part is worked out when it is asked for."""
        return Truth(self, at)

    def board(self, place: str, at: datetime) -> tuple[Row, ...]:
        """The list of a place, made anew every five minutes. Raises KeyError for an unknown place."""
        # Whole minutes, so that no rounding of hours moves a list to the next slot.
        return self.talk.board(PLACES[place].code, int((at - self.start) / timedelta(minutes=5) // 1))

    def tags(self, at_h: float) -> list[Tag]:
        return [self.tag(name, at_h) for name in names.TAGS]

    def tag(self, name: str, at_h: float) -> Tag:
        """Counters far above what our own creators bring: the rest of the world uses the tag, too."""
        old = 10 ** (6.5 + 4 * share(self.seed, "tag", name))
        daily = old * (0.002 + 0.01 * share(self.seed, "daily", name))
        gained = old * sum(burst.total(at_h) for burst in self.tag_bursts(name)) / BURST_AREA
        views = int(max(0.0, old + daily * at_h / 24) + gained)
        return Tag(name, number(14, self.seed, "tag", name), f"All about {name}.", views, views // 5200)

    def tag_bursts(self, name: str) -> tuple[Burst, ...]:
        """A tag that is a topic in one word grows when the topic is talked about."""
        return tuple(
            burst
            for topic, burst in self.talk.planted
            if topic.lstrip("#").replace(" ", "").casefold() == name.casefold()
        )

    def track(self, index: int, at_h: float) -> Track:
        old = 10 ** (2.5 + 3.5 * share(self.seed, "sound", index))
        return Track(
            sound_id=number(19, self.seed, "sound", index), title=names.SOUNDS[index],
            author=names.ARTISTS[index % len(names.ARTISTS)], original="origin" in names.SOUNDS[index],
            posts=int(max(0.0, old * (1 + 0.013 * at_h / 24))), duration_s=7 + index * 5,
        )  # fmt: skip

    def searched(self, place: str, at: datetime) -> list[Searched]:
        """Topics that set in within two days, by searches: the search engine lists no steady interest."""
        at_h, found = self.hour(at), []
        for topic in self.talk.topics:
            fresh = [burst for burst in self.talk.bursts_near(topic, at_h) if at_h - burst.onset_h < 48]
            searches = int(self.talk.volume(topic, place, at_h) * (0.1 + 0.6 * share(self.seed, "seek", topic)))
            if fresh and searches >= TRAFFIC[0]:
                traffic = max(step for step in TRAFFIC if step <= searches)
                found.append(Searched(topic, traffic, min(burst.onset_h for burst in fresh)))
        return sorted(found, key=lambda row: (-row.traffic, row.topic))[:20]

    def tagged(self, tag: str, at_h: float) -> list[tuple[Creator, Post]]:
        """The grid of a hashtag: most viewed first."""
        return self._by_views(((c, p) for c, p in self.crowd.everything(at_h) if tag.casefold() in _folded(p)), at_h)

    def with_sound(self, index: int, at_h: float) -> list[tuple[Creator, Post]]:
        return self._by_views(((c, p) for c, p in self.crowd.everything(at_h) if p.sound == index), at_h)

    def hits(self, query: str, at_h: float) -> list[tuple[Creator, Post]]:
        """Posts whose caption holds every word of a query, most viewed first."""
        words = query.casefold().replace("#", " ").split()
        if not words:
            return []
        found = ((c, p) for c, p in self.crowd.everything(at_h) if all(word in p.caption.casefold() for word in words))
        return self._by_views(found, at_h)

    def popular(self, at_h: float) -> list[tuple[Creator, Post]]:
        """What the front page recommends: most viewed of the last ten days."""
        recent = ((c, p) for c, p in self.crowd.everything(at_h) if at_h - p.created_h < 240)
        return self._by_views(recent, at_h)

    def _by_views(self, found: Iterable[tuple[Creator, Post]], at_h: float) -> list[tuple[Creator, Post]]:
        ranked = [(-post.counts(at_h)["views"], post.post_id, creator, post) for creator, post in found]
        return [(creator, post) for _, _, creator, post in sorted(ranked, key=lambda each: each[:2])]

    def post(self, post_id: str, at_h: float) -> tuple[Creator, Post] | None:
        """The post of that id, while it is up and its author is."""
        for creator in self.crowd.creators:
            if at_h < creator.removed_h:
                for post in self.crowd.posts(creator, at_h):
                    if post.post_id == post_id:
                        return creator, post
        return None


def _folded(post: Post) -> tuple[str, ...]:
    return tuple(tag.casefold() for tag in post.tags)


class Truth:
    """What is so at one moment: plain values, keyed as Tidemark keys its items."""

    def __init__(self, world: World, at: datetime) -> None:
        self.world = world
        self.at = at
        self.at_h = world.hour(at)

    @cached_property
    def boards(self) -> dict[str, list[dict[str, object]]]:
        """`x:trends:<place>` -> rows with exact and shown volume."""
        return {
            f"x:trends:{place}": [{**asdict(row), "volume": row.volume} for row in self.world.board(place, self.at)]
            for place in PLACES
        }

    @cached_property
    def searches(self) -> dict[str, list[dict[str, object]]]:
        return {place: [asdict(row) for row in self.world.searched(place, self.at)] for place in PLACES}

    @cached_property
    def videos(self) -> dict[str, list[dict[str, object]]]:
        charts = {place: self.world.screen.chart(place, self.at_h) for place in PLACES if place != "world"}
        return {
            place: [{"video_id": each.video_id, **each.counts(self.at_h)} for each in chart]
            for place, chart in charts.items()
        }

    @cached_property
    def profiles(self) -> dict[str, dict[str, object]]:
        """`tiktok:profile:<handle>` -> exact counters; accounts that are gone are not there."""
        crowd, at_h = self.world.crowd, self.at_h
        return {
            f"tiktok:profile:{creator.handle(at_h).lower()}": {
                "user_id": creator.user_id, "private": creator.private, "followers": crowd.followers(creator, at_h),
                "likes": crowd.likes(creator, at_h), "videos": len(crowd.posts(creator, at_h)),
            }
            for creator in crowd.creators if at_h < creator.removed_h
        }  # fmt: skip

    @cached_property
    def posts(self) -> dict[str, dict[str, object]]:
        """`tiktok:post:<id>` -> author and exact counters of every public post."""
        return {
            f"tiktok:post:{post.post_id}": {"author": creator.handle(self.at_h), **post.counts(self.at_h)}
            for creator, post in self.world.crowd.everything(self.at_h)
        }

    @cached_property
    def hashtags(self) -> dict[str, dict[str, object]]:
        return {f"tiktok:hashtag:{tag.name.lower()}": asdict(tag) for tag in self.world.tags(self.at_h)}

    @cached_property
    def sounds(self) -> dict[str, dict[str, object]]:
        tracks = [self.world.track(index, self.at_h) for index in range(len(names.SOUNDS))]
        return {f"tiktok:sound:{track.sound_id}": asdict(track) for track in tracks}

    @cached_property
    def offers(self) -> dict[str, dict[str, object]]:
        """`<product id>:<variant id>` -> cents asked, cents before, available."""
        shop = self.world.shop
        return {
            f"{product.product_id}:{variant.variant_id}": asdict(shop.asked(product, variant, self.at_h))
            for product in shop.listed(self.at_h)
            for variant in product.variants
        }

    @cached_property
    def products(self) -> dict[str, dict[str, object]]:
        shop, found = self.world.shop, {}
        for product in shop.listed(self.at_h):
            rating, count = shop.rating(product, self.at_h)
            found[product.product_id] = {"handle": product.handle, "rating": rating, "rating_count": count}
        return found

    @cached_property
    def bursts(self) -> dict[str, list[dict[str, object]]]:
        """Topics that are in a burst now: its hours, its height, and whether it rises or falls."""
        talk = self.world.talk
        found = {
            topic: [{**asdict(burst), "phase": burst.phase(self.at_h)} for burst in talk.bursts_near(topic, self.at_h)]
            for topic in talk.topics
        }
        return {topic: bursts for topic, bursts in found.items() if bursts}

    def parts(self) -> Iterator[tuple[str, object]]:
        for name in (
            "boards", "searches", "videos", "profiles", "posts", "hashtags", "sounds", "offers", "products", "bursts",
        ):  # fmt: skip
            yield name, getattr(self, name)

    def json(self) -> bytes:
        """All of it, the same bytes for the same world and moment."""
        whole = {"simulated": True, "seed": self.world.seed, "at": self.at.isoformat(), **dict(self.parts())}
        return json.dumps(whole, ensure_ascii=False, sort_keys=True).encode()
