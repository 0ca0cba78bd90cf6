"""Creators and what they post. Roles are fixed by place in the list, so that each oddity is always there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from demo.world import names
from demo.world.chance import dice, noise, number
from demo.world.curves import Burst, filling

HISTORY_D = 90
"""Days before the world's start over which creators had been posting."""
GONE = 10.0**9


@dataclass(frozen=True, slots=True)
class Creator:
    index: int
    handles: tuple[tuple[float, str], ...]
    """(from hour, handle): a renamed account keeps its user_id."""
    user_id: str
    sec_uid: str
    nickname: str
    bio: str
    bio_link: str | None
    verified: bool
    private: bool
    region: str
    language: str
    category: str | None
    followers: float
    """At the world's start."""
    growth_day: float
    """Share by which followers grow a day."""
    posts_day: float
    photos: float
    old_likes: int
    """Likes on posts that are no longer there."""
    removed_h: float = GONE
    tags: tuple[str, ...] = ()

    def handle(self, at_h: float) -> str:
        return [handle for from_h, handle in self.handles if from_h <= at_h][-1]


@dataclass(frozen=True, slots=True)
class Post:
    """What does not change about a post, and the curve of its counters."""

    post_id: str
    creator: int
    created_h: float
    created_s: int
    caption: str
    tags: tuple[str, ...]
    mentions: tuple[str, ...]
    sound: int
    duration_s: int
    photo: bool
    ad: bool
    removed_h: float
    final_views: float
    scale_h: float
    burst: Burst | None
    rates: tuple[float, float, float, float, float]
    """Likes, comments, shares, saves and reposts by view."""
    moderated_h: float
    """From then on a twelfth of the comments is gone: counters fall, too."""

    def counts(self, at_h: float) -> dict[str, int]:
        views = self.final_views * filling(at_h - self.created_h, self.scale_h)
        if self.burst is not None:
            views += self.burst.total(at_h)
        likes, comments, shares, saves, reposts = self.rates
        kept = 11 / 12 if at_h >= self.moderated_h else 1.0
        return {
            "views": int(views), "likes": int(views * likes), "comments": int(views * comments * kept),
            "shares": int(views * shares), "saves": int(views * saves), "reposts": int(views * reposts),
        }  # fmt: skip


class Crowd:
    """All creators of one seed and their posts. *epoch_s*: the world's start in seconds since 1970."""

    def __init__(self, seed: int, epoch_s: int) -> None:
        self.seed = seed
        self.epoch_s = epoch_s
        self.creators = tuple(_creators(seed))
        self._posts_of_day = lru_cache(maxsize=None)(self._make_posts)
        # A page asks for the same creator's posts and likes again and again, all at one moment.
        self._posts_at = lru_cache(maxsize=256)(self._find_posts)
        self._likes_at = lru_cache(maxsize=256)(self._add_likes)

    def find(self, handle: str, at_h: float) -> Creator | None:
        """The account that has this handle at a moment; None when nobody, or when it is gone."""
        for creator in self.creators:
            if creator.handle(at_h) == handle and at_h < creator.removed_h:
                return creator
        return None

    def posts(self, creator: Creator, at_h: float) -> tuple[Post, ...]:
        """Posts that are up at a moment, newest first."""
        return self._posts_at(creator.index, at_h)

    def _find_posts(self, index: int, at_h: float) -> tuple[Post, ...]:
        found = [
            post
            for day in range(int(at_h // 24), -HISTORY_D - 1, -1)
            for post in self._posts_of_day(index, day)
            if post.created_h <= at_h < post.removed_h
        ]
        return tuple(sorted(found, key=lambda post: (-post.created_s, post.post_id)))

    def everything(self, at_h: float) -> Iterator[tuple[Creator, Post]]:
        """Every public post that is up."""
        for creator in self.creators:
            if not creator.private and at_h < creator.removed_h:
                for post in self.posts(creator, at_h):
                    yield creator, post

    def followers(self, creator: Creator, at_h: float) -> int:
        grown = creator.followers * (1 + creator.growth_day) ** (at_h / 24)
        return int(grown * (1 + 0.0004 * noise(at_h, 9.0, self.seed, "followers", creator.index)))

    def likes(self, creator: Creator, at_h: float) -> int:
        return self._likes_at(creator.index, at_h)

    def _add_likes(self, index: int, at_h: float) -> int:
        creator = self.creators[index]
        return creator.old_likes + sum(post.counts(at_h)["likes"] for post in self.posts(creator, at_h))

    def _make_posts(self, index: int, day: int) -> tuple[Post, ...]:
        creator = self.creators[index]
        chance = dice(self.seed, "posts", index, day)
        if not creator.posts_day:
            return ()
        n = int(creator.posts_day) + (chance.random() < creator.posts_day % 1)
        return tuple(self._make_post(creator, day, chance, each) for each in range(n))

    def _make_post(self, creator: Creator, day: int, chance: Random, n: int) -> Post:
        created_h = (day + chance.random()) * 24
        created_s = self.epoch_s + int(created_h * 3600)
        tags = tuple(chance.sample(creator.tags, chance.randint(1, 3)))
        mentions = (chance.choice(names.HANDLES),) if chance.random() < 0.12 else ()
        caption = f"{chance.choice(names.VERBS)} {chance.choice(names.THINGS)} {chance.choice(names.ENDS)}"
        final = creator.followers * 10 ** chance.gauss(-0.5, 0.45)
        burst = None
        if chance.random() < 0.08:  # found by everybody, days after it was posted
            onset_h = created_h + chance.uniform(6, 200)
            burst = Burst(onset_h, onset_h + chance.uniform(8, 30), chance.uniform(10, 50), final * 0.4)
        return Post(
            post_id=str((created_s << 32) | (index_bits(creator.index, day, n))),
            creator=creator.index, created_h=created_h, created_s=created_s,
            caption=" ".join([caption, *(f"@{each}" for each in mentions), *(f"#{tag}" for tag in tags)]),
            tags=tags, mentions=mentions, sound=chance.randrange(len(names.SOUNDS)),
            duration_s=chance.randint(7, 180), photo=chance.random() < creator.photos, ad=chance.random() < 0.04,
            removed_h=created_h + chance.uniform(30, 900) if chance.random() < 0.03 else GONE,
            final_views=final, scale_h=chance.uniform(8, 60), burst=burst,
            rates=(
                chance.uniform(0.03, 0.16), chance.uniform(0.0005, 0.006), chance.uniform(0.001, 0.02),
                chance.uniform(0.002, 0.03), chance.uniform(0, 0.001),
            ),
            moderated_h=created_h + chance.uniform(40, 200) if chance.random() < 0.25 else GONE,
        )  # fmt: skip


def index_bits(creator: int, day: int, n: int) -> int:
    """The lower 32 bits of a post's id: whose, and which of the day."""
    return creator << 24 | (day + 4096) << 8 | n


def _creators(seed: int) -> Iterator[Creator]:
    for index, handle in enumerate(names.HANDLES):
        chance = dice(seed, "creator", index)
        small = handle == "small.fry"
        followers = 10 ** (chance.uniform(2.5, 3.9) if small else chance.uniform(4.1, 6.2))
        followers = {0: 783_427, 1: 96_207, 2: 58_300_411}.get(index, followers)
        growth = {1: 0.021, 2: 0.0004, 7: -0.013}.get(index, chance.uniform(0.0005, 0.008))
        handles = [(-GONE, handle)]
        if handle == "old.pier":
            handles.append((chance.uniform(30, 60), "new.pier"))
        yield Creator(
            index=index, handles=tuple(handles), user_id=number(19, seed, "user", index),
            sec_uid=f"MS4wLjABAAAA{number(18, seed, 'a', index)}_{number(18, seed, 'b', index)}",
            nickname=_nickname(handle), bio=chance.choice(names.BIOS),
            bio_link=chance.choice((None, f"links.example/{handle}", f"https://shop.example/?from={handle}")),
            verified=index in (0, 2) or chance.random() < 0.2, private=handle == "quiet.cove",
            region=chance.choice(("BR", "US", "PT")), language=chance.choice(("pt", "en")),
            category=chance.choice((None, None, *names.CATEGORIES)), followers=followers, growth_day=growth,
            posts_day=0.0 if handle == "empty.shell" else chance.uniform(0.25, 1.6),
            photos=0.9 if handle == "reef.photos" else 0.12,
            old_likes=9_200_000_000 if handle == "mega_marina" else int(followers * chance.uniform(1, 9)),
            removed_h=chance.uniform(40, 80) if handle == "gone_overboard" else GONE,
            tags=tuple(chance.sample(names.TAGS, 5)),
        )  # fmt: skip


def _nickname(handle: str) -> str:
    if handle == "odd_one":  # right-to-left, zero-width, entities, an end of script: what breaks naive readers
        return "عجيب\u200b ⠀&amp; </script><b>Odd</b> 奇"
    return handle.replace(".", " ").replace("_", " ").title()
