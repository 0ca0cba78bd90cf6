"""What people write: posts on X about a topic, comments under a post, reviews of a product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from demo.world import names
from demo.world.chance import dice, number, share
from demo.world.people import Post
from demo.world.shop import Product, Shop
from demo.world.topics import Talk

SLOT_H = 0.25
MOST_A_SLOT = 12
TWITTER_EPOCH_MS = 1_288_834_974_657  # from which the ids of posts count
RECENT_H = 7 * 24.0  # the recent search looks seven days back


@dataclass(frozen=True, slots=True)
class Tweet:
    tweet_id: str
    author_id: str
    text: str
    language: str
    created_h: float
    created_ms: int
    final_views: int

    def counts(self, at_h: float) -> dict[str, int]:
        age_h = max(0.0, at_h - self.created_h)
        views = int(self.final_views * age_h / (age_h + 3))
        return {
            "impression_count": views, "like_count": views // 31, "retweet_count": views // 140,
            "reply_count": views // 210, "quote_count": views // 900, "bookmark_count": views // 400,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment under a post; *author* is a number, never a person."""

    comment_id: str
    author: str
    text: str
    language: str
    created_s: int
    likes: int
    replies: int


@dataclass(frozen=True, slots=True)
class Opinion:
    review_id: int
    stars: int
    title: str
    text: str
    created_h: float
    verified: bool
    author: str


class Talkers:
    def __init__(self, seed: int, epoch_s: int, talk: Talk, shop: Shop) -> None:
        self.seed = seed
        self.epoch_s = epoch_s
        self.talk = talk
        self.shop = shop
        self._slot = lru_cache(maxsize=20_000)(self._make_slot)

    def tweets(self, query: str, until_h: float, from_h: float) -> Iterator[Tweet]:
        """Posts that name a topic, newest first; nothing for a query that is no topic."""
        wanted = query.strip().strip('"').casefold()
        topic = next((name for name in self.talk.topics if name.casefold() == wanted), None)
        if topic is None:
            return
        for slot in range(int(until_h // SLOT_H), int(from_h // SLOT_H) - 1, -1):
            yield from (each for each in self._slot(topic, slot) if from_h <= each.created_h <= until_h)

    def tweet(self, tweet_id: str) -> Tweet | None:
        """The post of that id: the moment stands in it, the topic is looked for."""
        created_ms = (int(tweet_id) >> 22) + TWITTER_EPOCH_MS
        slot = int((created_ms / 1000 - self.epoch_s) / 3600 // SLOT_H)
        slots = (self._slot(topic, slot) for topic in self.talk.topics)
        return next((each for slot in slots for each in slot if each.tweet_id == tweet_id), None)

    def _make_slot(self, topic: str, slot: int) -> tuple[Tweet, ...]:
        volume = self.talk.volume(topic, "world", slot * SLOT_H)
        chance = dice(self.seed, "tweets", topic, slot)
        found = []
        for _ in range(min(MOST_A_SLOT, 1 + volume // 8000)):
            created_h = (slot + chance.random()) * SLOT_H
            created_ms = int((self.epoch_s + created_h * 3600) * 1000)
            text = chance.choice(names.TWEETS).format(topic=topic)
            found.append(
                Tweet(
                    tweet_id=str(((created_ms - TWITTER_EPOCH_MS) << 22) | chance.getrandbits(22)),
                    author_id=str(chance.randrange(10**9, 10**10)), text=text,
                    language=chance.choice(("pt", "pt", "en")), created_h=created_h, created_ms=created_ms,
                    final_views=int(10 ** chance.uniform(1.5, 5)),
                )
            )  # fmt: skip
        return tuple(sorted(found, key=lambda each: (-each.created_ms, each.tweet_id)))

    def remarks(self, post: Post, at_h: float) -> list[Remark]:
        """Comments that are there at a moment, most liked first. As many as the counter says."""
        n = post.counts(at_h)["comments"]
        found = [self._remark(post, each, at_h) for each in range(n)]
        return sorted(found, key=lambda each: (-each.likes, each.comment_id))

    def _remark(self, post: Post, n: int, at_h: float) -> Remark:
        name = (self.seed, "remark", post.post_id, n)
        # Early comments come quickly, late ones slowly; all of them between the post and now.
        age_h = max(0.0, at_h - post.created_h)
        created_h = post.created_h + min(age_h, post.scale_h * share(*name, "when") * (n + 1) / (n + 9))
        created_s = self.epoch_s + int(created_h * 3600)
        return Remark(
            comment_id=str(created_s << 32 | int(share(*name, "id") * 2**31)), author=number(19, *name, "author"),
            text=names.REMARKS[int(share(*name, "text") * len(names.REMARKS))],
            language="pt" if share(*name, "text") > 0.5 else "en", created_s=created_s,
            likes=int(900 * share(*name, "likes") ** 9), replies=int(7 * share(*name, "replies") ** 6),
        )  # fmt: skip

    def opinions(self, product: Product, at_h: float) -> list[Opinion]:
        """Reviews of a product, newest first; as many as its rating counts."""
        _, n = self.shop.rating(product, at_h)
        return [self._opinion(product, each) for each in range(n - 1, -1, -1)]

    def _opinion(self, product: Product, n: int) -> Opinion:
        name = (self.seed, "opinion", product.index, n)
        title, text = names.PRAISE[int(share(*name) * len(names.PRAISE))]
        late = n - product.reviews  # the first ones are older than the world
        created_h = (late + 1) * 24 / product.reviews_day
        stars = min(5, max(1, round(product.stars + 2.4 * (share(*name, "stars") - 0.5))))
        return Opinion(
            100_000 * (product.index + 1) + n, stars, title, text, created_h, share(*name, "verified") < 0.8,
            number(9, *name, "author"),
        )  # fmt: skip
