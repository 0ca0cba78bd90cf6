"""All figures by name, and the pages that they stand on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from analysis.web import (
    figures_creators,
    figures_health,
    figures_keywords,
    figures_posts,
    figures_products,
    figures_trends,
    topic,
    topic_alike,
    topic_posts,
)
from analysis.web.figure import Figure
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words

Maker: TypeAlias = Callable[[Site, Words, Filters], Figure]
FIGURES: dict[str, Maker] = {
    **figures_trends.FIGURES,
    **topic.FIGURES,
    **topic_posts.FIGURES,
    **topic_alike.FIGURES,
    **figures_posts.FIGURES,
    **figures_creators.FIGURES,
    **figures_keywords.FIGURES,
    **figures_products.FIGURES,
    **figures_health.FIGURES,
    **figures_health.ALERT_FIGURES,
}
TIME = ("since", "until")
POSTS = ("place", "category", "media", *TIME, "top", "min_engagement", "max_engagement")


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    figures: tuple[str, ...]
    form: tuple[str, ...] = ()
    listed: bool = True
    """Stands in the navigation."""


PAGES = (
    Page("trends", "/", ("positions",)),
    Page("keywords", "/keywords", tuple(figures_keywords.FIGURES), (*TIME, "top", "min_engagement", "max_engagement")),
    Page("posts", "/posts", tuple(figures_posts.FIGURES), POSTS),
    Page("creators", "/creators", tuple(figures_creators.FIGURES), ("place", "category", *TIME, "top")),
    Page("products", "/products", tuple(figures_products.FIGURES), ("category", *TIME, "top")),
    Page("alerts", "/alerts", tuple(figures_health.ALERT_FIGURES), ("board", "top")),
    Page("health", "/health", tuple(figures_health.FIGURES)),
    Page(
        "topic",
        "/topic",
        (*list(topic.FIGURES)[:-1], *topic_alike.FIGURES, *topic_posts.FIGURES, "topic_evidence"),
        ("topic", "board", *TIME, "top"),
        listed=False,
    ),
)
