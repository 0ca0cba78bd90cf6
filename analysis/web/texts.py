"""Figures of what posts say: keywords by rise and by engagement, words counted, sentiment, categories."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Literal, NamedTuple

import pandas as pd

from analysis.command import UsageError
from analysis.text.keywords import Keywords, keywords
from analysis.text.language import identify
from analysis.text.posts import PostText, from_row, once_each
from analysis.text.sentiment import classify, confusion
from analysis.text.shares import Mood, mood
from analysis.text.terms import terms
from analysis.web.site import Site
from crawler.topics import topic_key

Row = dict[str, Any]
MOST = 50_000  # posts or observations that one answer is computed from; the newest
FOR_KEYWORDS = 20_000
MOST_READ = 2_000
By = Literal["rise", "engagement", "authors"]


class Choice(NamedTuple):
    """Which posts: made in this time, in this language."""

    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None


def posts_of(site: Site, choice: Choice) -> pd.DataFrame:
    """The posts, newest last; columns as POST_COLUMNS and what the figures need."""
    return site.kept.get(("posts", choice.since, choice.until), _mark(site), lambda: site.reader.posts(
        since=choice.since, until=choice.until).tail(MOST))  # fmt: skip


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Plain values, None where missing; lists as they are."""
    plain = frame.astype(object)
    return [
        {
            str(name): value if isinstance(value, list) else None if pd.isna(value) else value
            for name, value in row.items()
        }
        for row in plain.to_dict("records")
    ]


def _mark(site: Site) -> int:
    return site.views.counts(["posts"])["posts"]


def keywords_of(site: Site, choice: Choice, by: By = "rise") -> Keywords:
    """Raises UsageError without a post."""

    def make() -> Keywords:
        frame = posts_of(site, choice).tail(FOR_KEYWORDS)
        if frame.empty:
            raise UsageError("no post in the time asked for; crawl or replay some first, e.g. scrapy replay FILE")
        return keywords([from_row(row) for row in rows_of(frame)], language=choice.language)

    found = site.kept.get(("keywords", choice), _mark(site), make)
    if by == "rise":
        return found
    ordered = found.frame.sort_values([by, "key"], ascending=[False, True], na_position="last", ignore_index=True)
    return Keywords(ordered, found.posts, found.copies, found.bins)


def holding(site: Site, choice: Choice, topic: str) -> list[PostText]:
    """Posts that hold the topic as a term or in their hashtags."""
    key = topic_key(topic)

    def make() -> list[PostText]:
        texts = once_each(from_row(row) for row in rows_of(posts_of(site, choice)))
        return [post for post in texts if key in {term.key for term in terms(post)}]

    return site.kept.get(("holding", choice, key), _mark(site), make)


def mood_of(posts: list[PostText]) -> Mood | None:
    """Of the newest MOST_READ; None without a post."""
    posts = posts[-MOST_READ:]
    if not posts:
        return None
    codes = [identify(post.caption, post.stated_language).code for post in posts]
    # The small model answers while a person waits; `python -m analysis sentiment` takes the best installed.
    return mood(classify([post.caption for post in posts], codes, "small"), confusion("small"))


def words(posts: list[PostText], most: int) -> list[Row]:
    """Terms by the posts that hold them."""
    counted: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for post in posts:
        for term in {term.key: term for term in terms(post)}.values():
            counted[term.key] += 1
            shown.setdefault(term.key, term.shown)
    return [{"term": shown[key], "key": key, "posts": n} for key, n in counted.most_common(most)]


def categories(site: Site) -> list[str]:
    """Those that posts themselves state, the most frequent first."""
    frame = site.kept.get("stated", _mark(site), lambda: site.views.rows("posts", None, ("category",), most=MOST))
    counted = Counter(str(row["category"]) for row in frame if row.get("category"))
    return [name for name, _ in counted.most_common(40)]
