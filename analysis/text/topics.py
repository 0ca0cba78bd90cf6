"""Topics from keywords: terms that the same posts hold, with a label, who speaks of them, and whether they grow. Pure.

`links` ties a topic to creators, posts and products, each edge with its evidence. A lead of one series over
another is claimed only where shuffled time does not do as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from analysis.text.posts import PostText
from analysis.text.terms import terms

LEAST_POSTS = 3  # of a term that can make a topic
TOGETHER = 0.25  # least normalised pointwise mutual information of two terms of a topic
LABEL_TERMS = 3
GROWS, FADES = 1.5, 1 / 1.5  # times the posts of the half before
SHUFFLES = 499
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Topic:
    label: str
    terms: tuple[str, ...]
    """Keys, the most used first."""
    posts: tuple[str, ...]
    authors: int
    state: str
    """new, growing, fading or steady: posts of the later half of the time against the earlier; unknown undated."""


@dataclass(frozen=True)
class Edge:
    """One tie of a topic, and what it rests on."""

    source: str
    target: str
    kind: str
    """creator, post or product."""
    evidence: tuple[str, ...]
    """Keys of the posts that show it."""
    how: str | None = None
    """Of a product: `page` where a post links to its page, else `name`."""


@dataclass(frozen=True)
class Lead:
    bins: int
    """By how many bins the first series comes before the second."""
    correlation: float
    chance: float
    """Share of shuffles in which the best lag does as well or better."""

    @property
    def proven(self) -> bool:
        return self.bins > 0 and self.chance <= 0.05


def topics(posts: Sequence[PostText]) -> list[Topic]:
    """Largest first; a term belongs to one topic, a post to every topic of its terms."""
    held = {post.key: {term.key: term.shown for term in terms(post)} for post in posts}
    used = Counter(key for found in held.values() for key in found)
    kept = {key for key, n in used.items() if n >= LEAST_POSTS}
    groups = _joined(kept, [found.keys() & kept for found in held.values()], used, len(held))
    by_key = {post.key: post for post in posts}
    holding: dict[str, list[str]] = {key: [] for key in kept}
    for post, found in held.items():
        for key in found.keys() & kept:
            holding[key].append(post)
    moments = sorted(post.at for post in posts if post.at is not None)
    made = [_topic(group, held, holding, by_key, moments) for group in groups]
    return sorted(made, key=lambda topic: (-len(topic.posts), topic.label))


def _joined(kept: set[str], together: Sequence[set[str]], used: Counter[str], n: int) -> list[set[str]]:
    """Greedy: the strongest pairs first; a term joins where it goes with most of those already there."""
    pairs = Counter((a, b) for keys in together for a in keys for b in keys if a < b)
    strong = {pair: npmi(count, used[pair[0]], used[pair[1]], n) for pair, count in pairs.items() if count >= 2}
    strong = {pair: tie for pair, tie in strong.items() if tie >= TOGETHER}
    group_of = {key: {key} for key in kept}
    for a, b in sorted(strong, key=lambda pair: (-strong[pair], pair)):
        one, other = group_of[a], group_of[b]
        if one is other:
            continue
        ties = sum((min(x, y), max(x, y)) in strong for x in one for y in other)
        if 2 * ties >= len(one) * len(other):
            one |= other
            for key in other:
                group_of[key] = one
    return list({id(group): group for group in group_of.values()}.values())


def npmi(both: int, one: int, other: int, n: int) -> float:
    """How much more often together than by chance, from -1 to 1."""
    if both == n:
        return 1.0
    return log(both * n / (one * other)) / -log(both / n)


def _topic(
    group: set[str], held: Mapping[str, Mapping[str, str]], holding: Mapping[str, Sequence[str]],
    posts: Mapping[str, PostText], moments: Sequence[datetime],
) -> Topic:  # fmt: skip
    order = sorted(group, key=lambda key: (-len(holding[key]), -len(key), key))
    speaking = list(dict.fromkeys(post for key in order for post in holding[key]))
    label = ", ".join(held[holding[key][0]][key] for key in apart(order)[:LABEL_TERMS])
    authors = len({posts[post].author or post for post in speaking})
    state = state_of([at for at in (posts[key].at for key in speaking) if at is not None], moments)
    return Topic(label, tuple(order), tuple(speaking), authors, state)


def apart(keys: Sequence[str]) -> list[str]:
    """Without those that hold, or are held by, one before them."""
    found: list[str] = []
    for key in keys:
        if not any(key in other or other in key for other in found):
            found.append(key)
    return found


def state_of(mine: Sequence[datetime], every: Sequence[datetime]) -> str:
    """Of a topic by the moments of its posts against all moments, ascending."""
    if not mine or every[0] == every[-1]:
        return "unknown"
    middle = every[0] + (every[-1] - every[0]) / 2
    later, all_later = sum(at > middle for at in mine), len(every) - bisect_right(every, middle)
    earlier, all_earlier = len(mine) - later, len(every) - all_later
    if not earlier:
        return "new"
    times = (later / max(all_later, 1)) / (earlier / max(all_earlier, 1))  # more crawling is no growth
    return "growing" if times >= GROWS else "fading" if times <= FADES else "steady"


def links(
    topic: Topic, posts: Mapping[str, PostText], products: Mapping[str, str],
    pages: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Edge]:  # fmt: skip
    """*products*: key of a name's words (as terms have): key of the product. *pages*: products that a post links to.

    Every edge names its posts.
    """
    creators: dict[str, list[str]] = {}
    named: dict[str, dict[str, str]] = {}
    for key in topic.posts:
        if author := posts[key].author:
            creators.setdefault(author, []).append(key)
        for product in {products[term.key] for term in terms(posts[key]) if term.key in products}:
            named.setdefault(product, {})[key] = "name"
        for product in pages.get(key, ()):
            named.setdefault(product, {})[key] = "page"
    edges = [Edge(topic.label, author, "creator", tuple(keys)) for author, keys in creators.items()]
    edges += [Edge(topic.label, key, "post", (key,)) for key in topic.posts]
    return edges + [
        Edge(topic.label, product, "product", tuple(how), "page" if "page" in how.values() else "name")
        for product, how in sorted(named.items())
    ]


def lead(first: Sequence[float], second: Sequence[float], longest: int, seed: int) -> Lead | None:
    """Does *first* move before *second*? Bins alike, up to *longest* bins. None where a series is too short or flat.

    Both are taken as changes from bin to bin. The second is turned round in time by chance (its own rhythm
    stays), and the best lag of each turn is what the best lag found has to beat.
    """
    one, other = np.diff(np.log1p(np.asarray(first, float))), np.diff(np.log1p(np.asarray(second, float)))
    if len(one) != len(other) or len(one) < 4 * longest + 4 or not one.std() or not other.std():
        return None
    bins, best = _best_lags(one, other[None, :], longest)
    rng = np.random.default_rng(seed)
    turns = rng.integers(longest + 1, len(other) - longest, SHUFFLES)
    places = (np.arange(len(other))[None, :] - turns[:, None]) % len(other)
    as_good = int((_best_lags(one, other[places], longest)[1] >= best).sum())
    return Lead(int(bins[0]), float(best[0]), (as_good + 1) / (SHUFFLES + 1))


def _best_lags(one: Vector, others: Vector, longest: int) -> tuple[npt.NDArray[np.int64], Vector]:
    """For each row of *others* the lag behind *one* with the greatest correlation (negative: before), and that."""
    size = len(one)
    lags = sorted(range(-longest, longest + 1), key=abs)  # of lags alike the shortest
    found = np.zeros((len(lags), len(others)))
    for row, lag in enumerate(lags):
        a = one[max(0, -lag) : size - max(0, lag)]
        b = others[:, max(0, lag) : size - max(0, -lag)]
        spread = a.std() * b.std(axis=1)
        product = ((b - b.mean(axis=1, keepdims=True)) * (a - a.mean())).mean(axis=1)
        found[row] = np.divide(product, spread, out=np.zeros(len(others)), where=spread > 0)
    best = found.argmax(axis=0)
    return np.array(lags)[best], np.asarray(found.max(axis=0), float)


def bins_of(moments: Sequence[datetime], start: datetime, bin: timedelta, count: int) -> list[int]:
    """Posts in each of *count* bins from *start*."""
    made = [0] * count
    for at in moments:
        place = int((at - start) / bin)
        if 0 <= place < count and at >= start:
            made[place] += 1
    return made
