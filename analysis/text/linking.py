"""From topics to creators, posts and products: one document an edge, with its evidence, and leads that hold. Pure.

A product is tied to a post that links to its page or names it; names that two products share tie nothing. Leads are
tested against turned time (`topics.lead`), all together: chances are put right for the number of tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from scipy.stats import false_discovery_control

from analysis.text.posts import PostText
from analysis.text.terms import stop_words
from analysis.text.topics import Edge, Lead, Topic, bins_of, lead, links
from analysis.text.words import joined, plain, word_key, words

NAME_WORDS = 3  # as long as the terms of a post
SHORTEST_NAME = 5  # characters of a name of one word; shorter ones are words of every day
LEAST_EVENTS = 10  # on both sides of a lead
LONGEST_LEAD = 7  # bins
MOST_TESTS = 100
EVIDENCE = 200  # post keys kept with an edge
SURE = 0.05


@dataclass(frozen=True)
class Catalogue:
    """What posts can point at."""

    names: Mapping[str, str]
    """Key of a name's words (as terms have): key of the one product of that name."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """`page_key`: key of the product."""


@dataclass(frozen=True)
class Linked:
    edge: Edge
    topic: Topic
    lead: Lead | None = None
    chance: float | None = None
    """Of the lead, put right for the number of leads tested."""

    @property
    def verdict(self) -> str | None:
        """leads, follows or open; None where there was too little to test."""
        if self.lead is None or self.chance is None:
            return None
        if self.chance > SURE or not self.lead.bins:
            return "open"
        return "leads" if self.lead.bins > 0 else "follows"


def catalogue(products: Iterable[Mapping[str, Any]]) -> Catalogue:
    """*products*: key, title, url."""
    owners: dict[str, set[str]] = {}
    pages: dict[str, str] = {}
    for product in products:
        for name in _names(product.get("title") or ""):
            owners.setdefault(name, set()).add(product["key"])
        if product.get("url"):
            pages[page_key(product["url"])] = product["key"]
    return Catalogue({name: min(keys) for name, keys in owners.items() if len(keys) == 1}, pages)


def _names(title: str) -> list[str]:
    """Whole short titles, and the first two or three words of longer ones."""
    found = words(plain(title))
    if not found or found[0].key in stop_words():
        return []
    if len(found) == 1:
        return [found[0].key] if len(found[0].key) >= SHORTEST_NAME else []
    runs = range(2, min(NAME_WORDS, len(found)) + 1)
    return [word_key(joined(found[:size])) for size in runs if found[size - 1].key not in stop_words()]


def page_key(url: str) -> str:
    """Host and path of a product's page, without what shops put around them."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # no address
        return url
    return f"{host}/{parts.path.rpartition('/products/')[2].strip('/')}".lower()


def linked(
    found: Sequence[Topic], posts: Mapping[str, PostText], shop: Catalogue, urls: Mapping[str, Sequence[str]],
    reviews: Mapping[str, Sequence[datetime]], bin: timedelta, seed: int,
) -> list[Linked]:  # fmt: skip
    """Every edge of *found*. *urls*: of a post. *reviews*: moments at which a product was reviewed."""
    pointing = {
        key: sorted({shop.pages[page] for page in map(page_key, each) if page in shop.pages})
        for key, each in urls.items()
    }
    edges = [
        Linked(edge, topic) for topic in found
        for edge in links(topic, posts, shop.names, pointing) if edge.target != topic.label
    ]  # fmt: skip
    tested = _tests(edges, posts, reviews, bin, seed)
    if not tested:
        return edges
    chances = false_discovery_control([each.chance for each in tested.values()]).tolist()
    told = {at: (each, chance) for (at, each), chance in zip(tested.items(), chances, strict=True)}
    return [Linked(each.edge, each.topic, *told.get(at, (None, None))) for at, each in enumerate(edges)]


def _tests(
    edges: Sequence[Linked], posts: Mapping[str, PostText], reviews: Mapping[str, Sequence[datetime]],
    bin: timedelta, seed: int,
) -> dict[int, Lead]:  # fmt: skip
    """Place of the edge: the lead of its topic over reviews of a product, or of a creator over the others' posts."""
    moments = [at for at in (post.at for post in posts.values()) if at is not None]
    if not moments:
        return {}
    start = min(moments)
    count = int((max(moments) - start) / bin) + 1
    order = sorted(range(len(edges)), key=lambda at: -len(edges[at].edge.evidence))
    made: dict[int, Lead] = {}
    for at in order:
        edge = edges[at].edge
        if edge.kind not in ("creator", "product") or len(edge.evidence) < LEAST_EVENTS:
            continue
        one, other = _sides(edges[at], posts, reviews)
        counted = [bins_of(side, start, bin, count) for side in (one, other)]
        if min(map(sum, counted)) < LEAST_EVENTS:
            continue
        told = lead(counted[0], counted[1], LONGEST_LEAD, seed)
        if told is not None:
            made[at] = told
        if len(made) == MOST_TESTS:
            break
    return made


def _sides(
    each: Linked, posts: Mapping[str, PostText], reviews: Mapping[str, Sequence[datetime]]
) -> tuple[list[datetime], list[datetime]]:
    speaking = {key: at for key in each.topic.posts if (at := posts[key].at) is not None}
    if each.edge.kind == "product":
        return list(speaking.values()), list(reviews.get(each.edge.target, ()))
    own = set(each.edge.evidence)
    return [at for key, at in speaking.items() if key in own], [at for key, at in speaking.items() if key not in own]


def documents(found: Sequence[Linked], posts: Mapping[str, PostText], bin: timedelta) -> list[dict[str, Any]]:
    """As the collection `links` keeps them; None where it does not apply."""
    made = []
    seen = Counter[str]()
    for each in found:
        edge, topic = each.edge, each.topic
        moments = sorted(at for at in (posts[key].at for key in edge.evidence) if at is not None)
        key = f"{topic.terms[0]}>{edge.kind}:{edge.target}"
        seen[key] += 1
        if seen[key] > 1:  # two topics never share a term, so this is one edge told twice
            continue
        made.append({
            "_id": key, "topic": topic.label, "topic_key": topic.terms[0], "topic_state": topic.state,
            "topic_posts": len(topic.posts), "kind": edge.kind, "target": edge.target, "how": edge.how,
            "author": posts[edge.target].author if edge.kind == "post" else None,
            "posts": len(edge.evidence), "evidence": list(edge.evidence[:EVIDENCE]),
            "first_at": moments[0] if moments else None, "last_at": moments[-1] if moments else None,
            "lead": each.verdict, "lead_h": _hours(each.lead, bin), "lead_chance": each.chance,
            "lead_correlation": each.lead.correlation if each.lead else None,
        })  # fmt: skip
    return made


def _hours(told: Lead | None, bin: timedelta) -> float | None:
    """By how much the topic (or the creator) comes first; negative where it comes after."""
    return None if told is None else told.bins * (bin / timedelta(hours=1))
