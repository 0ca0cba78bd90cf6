"""`themes`, `links` and `categories`: what posts are about, who and what that ties together, and what a trend is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, hours
from analysis.output import clean
from analysis.text.categories import UNKNOWN, Category, categorise_each
from analysis.text.command_parts import MOST_READ, ROWS, common_arguments, finish, newest, posts_asked, rows, shelf_path
from analysis.text.duplicates import groups
from analysis.text.linking import catalogue, documents, linked
from analysis.text.posts import PostText
from analysis.text.terms import terms
from analysis.text.topics import Topic, topics
from crawler.topics import topic_key

SEED = 12  # of the turns of time that a lead has to beat
THEMES_HEADS = {
    "topic": "topic", "state": "state", "posts": "posts", "ambiguous": "ambiguous", "authors": "authors",
    "first_at": "first", "last_at": "last", "category": "category",
}  # fmt: skip
LINKS_HEADS = {
    "topic": "topic", "topic_state": "state", "kind": "to", "target": "target", "posts": "posts", "how": "how",
    "lead": "lead", "lead_h": "by hours", "lead_chance": "chance", "evidence": "evidence",
}  # fmt: skip
CATEGORIES_HEADS = {
    "position": "position", "topic": "topic", "volume": "volume", "ambiguous": "ambiguous", "category": "category",
    "share": "share", "posts": "posts",
}  # fmt: skip
STATES = ("new", "growing", "fading", "steady", "unknown")


def _themes_arguments(parser: argparse.ArgumentParser) -> None:
    common_arguments(parser)
    parser.add_argument("--state", choices=STATES, help="only topics that do this")
    parser.add_argument(
        "--by", choices=("terms", "meaning"), default="terms",
        help=f"posts that share terms (default), or that mean alike, over languages: the newest {MOST_READ:,}",
    )  # fmt: skip


def _themes(args: argparse.Namespace, session: Session) -> int:
    posts, copies, found = _found(args, session, meaning=args.by == "meaning")
    chosen = [topic for topic in found if args.state in (None, topic.state)]
    count, chosen = len(chosen), chosen[: args.top or (len(chosen) if args.output else ROWS)]
    at = {post.key: place for place, post in enumerate(posts)}
    told = categorise_each(
        [post.said for post in posts], [[at[key] for key in topic.posts] for topic in chosen], head=False
    )
    made = [_theme(topic, category, posts, at) for topic, category in zip(chosen, told, strict=True)]
    frame = pd.DataFrame(made, columns=[*THEMES_HEADS, "terms", "sample"])
    finish(args, session, frame, f"{len(posts):,} posts, {copies:,} copies folded, {count:,} topics", THEMES_HEADS)
    return GOOD


def _theme(topic: Topic, category: Category, posts: Sequence[PostText], at: dict[str, int]) -> dict[str, object]:
    moments = sorted(moment for key in topic.posts if (moment := posts[at[key]].at) is not None)
    return {
        "topic": topic.label, "state": topic.state, "posts": len(topic.posts), "ambiguous": category.senses,
        "authors": topic.authors, "first_at": moments[0] if moments else None,
        "last_at": moments[-1] if moments else None, "category": category.name, "terms": ", ".join(topic.terms),
        "sample": " ".join(topic.posts[:3]),
    }  # fmt: skip


def _links_arguments(parser: argparse.ArgumentParser) -> None:
    common_arguments(parser)
    option = parser.add_argument
    option("--topic", metavar="TEXT", help="show only topics with this term")
    option("--to", choices=("creator", "post", "product"), help="show only edges to these")
    option("--topics", type=int, default=50, metavar="N", help="the N largest topics are linked (default 50)")
    option("--bin-h", type=hours, default=timedelta(days=1), metavar="HOURS", help="bins for leads (default 24)")


def _links(args: argparse.Namespace, session: Session) -> int:
    posts, _, found = _found(args, session)
    named = rows(session.texts.files(since=args.since, until=args.until))
    reviews: dict[str, list[datetime]] = {}
    for row in rows(session.reader.reviews()):
        if row["created_at"]:
            reviews.setdefault(row["product"], []).append(row["created_at"])
    by_key = {post.key: post for post in posts}
    edges = linked(
        found[: max(args.topics, 1)], by_key, catalogue(rows(session.texts.products())),
        {row["key"]: row["urls"] for row in named if row["urls"]}, reviews, args.bin_h, SEED,
    )  # fmt: skip
    made = documents(edges, by_key, args.bin_h)
    kept = ""
    if args.known_at or args.since or args.until:
        kept = "; not kept: the collection holds all that is known now"
    else:
        gone = session.texts.keep_links(made)
        kept = f"; kept in the collection links, {gone:,} gone"
    frame = _shown(args, pd.DataFrame(made))
    finish(args, session, frame, f"{len(made):,} links of {min(len(found), args.topics):,} topics{kept}", LINKS_HEADS)
    return GOOD


def _shown(args: argparse.Namespace, frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:
        raise UsageError("no term is in three posts or more yet, so there is no topic to link")
    if args.topic:
        key = topic_key(args.topic)
        frame = frame[[key == own or key in topic_key(label) for own, label in _names(frame)]]
        if frame.empty:
            raise UsageError(f"{clean(args.topic)}: no linked topic of this name; see: python -m analysis themes")
    if args.to:
        frame = frame[frame["kind"] == args.to]
    frame = frame.assign(evidence=[" ".join(keys) for keys in frame["evidence"]])
    order = frame["kind"].map({"product": 0, "creator": 1, "post": 2})
    return (
        frame.assign(order=order)
        .sort_values(["topic_posts", "topic", "order", "posts", "target"], ascending=[False, True, True, False, True])
        .drop(columns="order")
    )


def _names(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["topic_key"].astype(str), frame["topic"].astype(str), strict=True))


def _categories_arguments(parser: argparse.ArgumentParser) -> None:
    common_arguments(parser)
    parser.add_argument("--board", required=True, help="a list, e.g. x:trends:br; its newest snapshot is read")


def _categories(args: argparse.Namespace, session: Session) -> int:
    snapshots = session.reader.boards(args.board)
    if snapshots.empty:
        raise UsageError(f"{clean(args.board)}: no such board; see: python -m analysis boards")
    at = snapshots["at"].max()
    entries = rows(session.reader.entries(args.board, since=at.to_pydatetime()).sort_values("position"))
    posts = posts_asked(args, session)
    places: dict[str, list[int]] = {row["topic_key"]: [] for row in entries}
    for place, post in enumerate(posts):
        for key in places.keys() & {term.key for term in terms(post)}:
            places[key].append(place)
    told = dict(zip(places, categorise_each([post.said for post in posts], list(places.values())), strict=True))
    frame = pd.DataFrame([_trend(row, told[row["topic_key"]], len(places[row["topic_key"]])) for row in entries])
    unread = sum(not held for held in places.values())
    title = f"{args.board} at {at:%Y-%m-%d %H:%M}: {len(entries)} topics by their posts; {unread} have none stored"
    finish(args, session, frame, title, CATEGORIES_HEADS)
    return GOOD


def _trend(row: dict[str, object], told: Category, posts: int) -> dict[str, object]:
    return {
        "position": row["position"], "topic": row["topic"], "topic_key": row["topic_key"], "volume": row["volume"],
        "ambiguous": told.senses, "category": told.name,
        "share": None if told.name == UNKNOWN else round(told.share, 2), "posts": posts,
    }  # fmt: skip


def _found(
    args: argparse.Namespace, session: Session, *, meaning: bool = False
) -> tuple[list[PostText], int, list[Topic]]:
    """Posts without copies, how many were folded, topics."""
    each = posts_asked(args, session)
    first = groups([post.said for post in each])
    posts = [post for at, post in enumerate(each) if first[at] == at]
    copies = len(each) - len(posts)
    if not meaning:
        return posts, copies, topics(posts)
    from analysis.text.nearness import Shelf, space, themes  # its libraries take a second to load

    read = newest(posts)[:MOST_READ]
    return read, copies, themes(read, space([post.said for post in read], Shelf(shelf_path(session))), SEED)


THEMES = Command("What posts are about: clusters of terms, new, growing or fading.", _themes_arguments, _themes)
LINKS = Command("Topics tied to creators, posts and products, each tie with its posts.", _links_arguments, _links)
CATEGORIES = Command(
    "What the topics of a board belong to, by the posts around them.", _categories_arguments, _categories
)
