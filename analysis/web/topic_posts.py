"""The posts around one topic: how they feel, what they say, who makes them, and products that share its name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import altair as alt
import pandas as pd

from analysis.output import clean, fit
from analysis.text.posts import PostText
from analysis.text.shares import FEW
from analysis.web import texts
from analysis.web.figure import Figure, data
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.topic import seen
from analysis.web.words import Words
from crawler.topics import topic_key

POSTS_SHOWN = 50


def _holding(site: Site, say: Words, filters: Filters) -> tuple[list[PostText], str]:
    found = seen(site, say, filters)
    return texts.holding(site, texts.Choice(), found.name), found.name


def sentiment(site: Site, say: Words, filters: Filters) -> Figure:
    posts, name = _holding(site, say, filters)
    title = say("sentiment_title")
    mood = texts.mood_of(posts)
    if mood is None or mood.shares is None:
        missing = say("sentiment_missing", n=mood.n if mood else 0, few=FEW, topic=name)
        return Figure("sentiment", title, "", missing=missing)
    rows: list[dict[str, Any]] = [
        {"feeling": say(each.label), "share": each.share, "low": each.low, "high": each.high} for each in mood.shares
    ]
    base = alt.Chart(data(rows))
    y = alt.Y("feeling:N", sort=None, title=None)
    x = alt.X("share:Q", axis=alt.Axis(format="%"), title=say("share"), scale=alt.Scale(domain=[0, 1]))
    chart = alt.layer(
        base.mark_bar(height=18, opacity=0.75).encode(x=x, y=y),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", y=y),
    ).properties(width="container", height=110)  # fmt: skip
    shown = {each.label: say.interval(each.share, each.low, each.high) for each in mood.shares}
    says = say("sentiment_says", positive=shown["positive"], negative=shown["negative"], n=mood.n)
    table = pd.DataFrame({
        say("feeling"): [row["feeling"] for row in rows], say("share"): [say.percent(row["share"]) for row in rows],
        say("low"): [say.percent(row["low"]) for row in rows], say("high"): [say.percent(row["high"]) for row in rows],
    })  # fmt: skip
    return Figure("sentiment", title, says, table, chart, height=110)


def terms(site: Site, say: Words, filters: Filters) -> Figure:
    posts, name = _holding(site, say, filters)
    title = say("topic_terms_title")
    counted = texts.words(posts, max(filters.top, 15))
    if not counted:
        return Figure("topic_terms", title, "", missing=say("topic_posts_missing", topic=name))
    table = pd.DataFrame({
        say("term"): [row["term"] for row in counted], say("posts"): [row["posts"] for row in counted]
    })  # fmt: skip
    rows = [{"term": fit(clean(row["term"]), 30) or "·", "posts": row["posts"]} for row in counted]
    chart = alt.Chart(data(rows), width="container", height=20 * len(rows)).mark_bar().encode(
        x=alt.X("posts:Q", title=say("posts"), axis=alt.Axis(format="d", tickMinStep=1)),
        y=alt.Y("term:N", sort=None, title=None),
    )  # fmt: skip
    return Figure("topic_terms", title, say("topic_terms_says", n=len(posts)), table, chart)


def posts(site: Site, say: Words, filters: Filters) -> Figure:
    held, name = _holding(site, say, filters)
    title = say("topic_posts_title")
    if not held:
        return Figure("topic_posts", title, "", missing=say("topic_posts_missing", topic=name))
    best = sorted(held, key=lambda post: -(post.engagement or -1))[:POSTS_SHOWN]
    table = pd.DataFrame({
        say("caption"): [fit(clean(post.caption), 90) for post in best], say("author"): [post.author for post in best],
        say("posted"): pd.Series([post.at for post in best], dtype="datetime64[ms, UTC]"),
        say("engagement"): pd.Series([post.engagement for post in best], dtype="Int64"),
        say("views"): pd.Series([post.views for post in best], dtype="Int64"),
    })  # fmt: skip
    links = [_post_evidence(post, say) for post in best]
    return Figure("topic_posts", title, say("topic_posts_says", n=len(held)), table, links=links)


def _post_evidence(post: PostText, say: Words) -> str | None:
    field = "views" if post.views is not None else "likes" if post.engagement is not None else "caption"
    return "/evidence?" + urlencode({"list": "posts", "key": post.key, "field": field, "lang": say.language})


def creators(site: Site, say: Words, filters: Filters) -> Figure:
    held, name = _holding(site, say, filters)
    title = say("topic_creators_title")
    by: dict[str, list[PostText]] = {}
    for post in held:
        if post.author:
            by.setdefault(post.author, []).append(post)
    if not by:
        return Figure("topic_creators", title, "", missing=say("topic_posts_missing", topic=name))
    rows = [(who, len(own), sum(post.engagement or 0 for post in own)) for who, own in by.items()]
    rows.sort(key=lambda row: (-row[2], row[0]))
    shown = rows[: max(filters.top, 20)]
    table = pd.DataFrame(shown, columns=[say("author"), say("posts"), say("engagement")])
    return Figure("topic_creators", title, say("topic_creators_says", n=len(by)), table)


def products(site: Site, say: Words, filters: Filters) -> Figure:
    name = seen(site, say, filters).name
    key = topic_key(name)
    title = say("topic_products_title")
    rows = site.kept.get("products", 0, lambda: site.views.rows(
        "products", None, ("host", "title", "tags", "rating", "rating_count"), sort="-_id", most=5000))  # fmt: skip
    held = [
        row for row in rows
        if len(key) >= 3 and any(key in topic_key(each) for each in (row.get("title") or "", *row.get("tags", ())))
    ]  # fmt: skip
    if not held:
        return Figure("topic_products", title, "", missing=say("topic_products_missing", topic=name))
    table = pd.DataFrame({
        say("product"): [row.get("title") for row in held], say("host"): [row["host"] for row in held],
        say("rating"): [row.get("rating") for row in held],
        say("ratings"): pd.Series([row.get("rating_count") for row in held], dtype="Int64"),
    })  # fmt: skip
    return Figure("topic_products", title, say("topic_products_says", n=len(held)), table)


FIGURES = {
    "sentiment": sentiment, "topic_terms": terms, "topic_posts": posts, "topic_creators": creators,
    "topic_products": products,
}  # fmt: skip
