"""`keywords` and `sentiment`: what posts say, and how. Asks the reader, shows frames."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, hours
from analysis.output import clean
from analysis.text import embedding
from analysis.text.categories import categorise_each
from analysis.text.command_parts import ROWS, brands, common_arguments, finish, posts_asked, rows
from analysis.text.keywords import keywords
from analysis.text.language import identify
from analysis.text.posts import PostText
from analysis.text.rising import DEFAULT
from analysis.text.sentiment import LABELS, LANGUAGES, Model, classify, confusion
from analysis.text.shares import FEW, Mood, mood
from analysis.text.terms import KINDS, terms
from crawler.topics import topic_key

HEADS = {
    "term": "term", "kind": "kind", "state": "state", "times": "times usual", "confidence": "confidence",
    "authors": "authors", "posts": "posts", "ambiguous": "ambiguous", "copies": "copies", "engagement": "engagement",
    "modalities": "where", "category": "category",
}  # fmt: skip
"""Column of the frame: its head in the table."""


def _keywords_arguments(parser: argparse.ArgumentParser) -> None:
    common_arguments(parser)
    option = parser.add_argument
    option("--language", metavar="CODE", help="only posts in this language (en, pt, es, …)")
    option("--kind", choices=KINDS, help="only terms of this kind")
    option("--bin-h", type=hours, default=DEFAULT.bin, metavar="HOURS", help="width of the bins counted (default 1)")
    option("--categories", action="store_true", help="say what each shown term belongs to, by its posts")
    option("--by", choices=("rise", "engagement", "authors"), default="rise", help="order (default: rise)")


def _keywords(args: argparse.Namespace, session: Session) -> int:
    posts = posts_asked(args, session)
    settings = replace(DEFAULT, bin=max(args.bin_h, timedelta(minutes=1)))
    names = brands(session)
    found = keywords(posts, brands=names, language=args.language, settings=settings)
    frame = found.frame[found.frame["kind"] == args.kind] if args.kind else found.frame
    count = len(frame)
    if args.by != "rise":
        frame = frame.sort_values([args.by, "key"], ascending=[False, True], na_position="last")
    frame = frame.head(args.top or (len(frame) if args.output else ROWS))
    frame = _with_senses(frame, posts, names, categories=args.categories)
    finish(args, session, frame, f"{found.posts:,} posts, {found.copies:,} copies folded, {count:,} terms", HEADS)
    if not args.output and found.bins < settings.least_bins:
        session.say(
            f"too little past to say what rises: {found.bins} bins with posts, {settings.least_bins} are needed"
        )
    return GOOD


def _with_senses(
    frame: pd.DataFrame, posts: Sequence[PostText], names: Collection[str], *, categories: bool
) -> pd.DataFrame:
    """`ambiguous`: both senses where the posts of a term split into two; `category` where it is asked for."""
    places: dict[str, list[int]] = {str(key): [] for key in frame["key"]}
    for at, post in enumerate(posts):
        for key in places.keys() & {term.key for term in terms(post, names)}:
            places[key].append(at)
    texts = [post.said for post in posts]
    found = categorise_each(texts, list(places.values()), head=categories)
    senses = [each.senses for each in found]
    frame = frame.assign(ambiguous=pd.Series(senses, index=frame.index, dtype="string"))
    return frame.assign(category=[each.name for each in found]) if categories else frame


def _sentiment_arguments(parser: argparse.ArgumentParser) -> None:
    common_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--topic", metavar="TEXT", help="only posts that hold this term")
    what.add_argument("--products", action="store_true", help="products, by their reviews")
    parser.add_argument("--model", choices=("small", "embed"), help="default: the best installed")


def _sentiment(args: argparse.Namespace, session: Session) -> int:
    texts, source = _fed_by(args, session)
    model: Model = args.model or ("embed" if embedding.is_there() else "small")
    codes = [identify(text, stated).code for _, text, stated in texts]
    said = classify([text for _, text, _ in texts], codes, model)
    table = confusion(model)
    groups: dict[str, list[int]] = {}
    for at, (topics, _, _) in enumerate(texts):
        for topic in topics:
            groups.setdefault(topic, []).append(at)
    moods = {topic: mood([said[at] for at in rows], table) for topic, rows in groups.items()}
    order = sorted(moods, key=lambda topic: (-moods[topic].n, topic))
    frame = pd.DataFrame([_mood_row(topic, len(groups[topic]), moods[topic]) for topic in order])
    heads = {str(name): str(name) for name in frame.columns}
    finish(args, session, frame, f"Sentiment of {source}, model {model}; {', '.join(LANGUAGES)} only", heads)
    return GOOD


def _fed_by(args: argparse.Namespace, session: Session) -> tuple[list[tuple[list[str], str, str | None]], str]:
    """Topics, text and stated language of everything that feeds the answer; and what that is."""
    if args.products:
        reviews = rows(session.reader.reviews())
        if not reviews:
            raise UsageError("no review stored yet, so products have no sentiment")
        told = [
            ([row["product"]], " ".join(filter(None, (row["title"], row["text"]))), row["language"]) for row in reviews
        ]
        return told, f"{len(told):,} reviews"
    posts = posts_asked(args, session)
    held = [(post, {term.key: term.shown for term in terms(post)}) for post in posts]
    if args.topic:
        key = topic_key(args.topic)
        told = [([clean(args.topic)], post.caption, post.stated_language) for post, found in held if key in found]
        if not told:
            raise UsageError(f"{clean(args.topic)}: no stored post holds this term; see: python -m analysis keywords")
    else:
        told = [(sorted(set(found.values())), post.caption, post.stated_language) for post, found in held]
    platforms = sorted({post.key.split(":", 1)[0] for post in posts})
    return told, f"{len(told):,} stored posts ({', '.join(platforms)})"


def _mood_row(topic: str, texts: int, found: Mood) -> dict[str, object]:
    row: dict[str, object] = {"topic": topic, "texts": texts, "read": found.n}
    if found.shares is None:
        return {**row, **dict.fromkeys(LABELS), "note": f"too few (under {FEW})"}
    for each in found.shares:
        row[each.label] = f"{each.share:.0%} ({each.low:.0%} to {each.high:.0%})"
    return {**row, "note": None}


KEYWORDS = Command("Terms that posts hold, ranked by the rise over their own past.", _keywords_arguments, _keywords)
SENTIMENT = Command("How posts on a topic feel, or reviews of a product.", _sentiment_arguments, _sentiment)
