"""`search`: posts by meaning, nearest first; over languages where the extra `embed` is installed."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError
from analysis.output import clean
from analysis.text.command_parts import MOST_READ, common_arguments, finish, newest, posts_asked, shelf_path
from analysis.text.duplicates import groups
from analysis.text.nearness import Shelf, nearness
from analysis.text.posts import PostText

SHOWN = 80  # characters of a post on the screen
HEADS = {"told": "near", "post": "post", "at": "made", "author": "author", "copies": "copies", "shown": "says"}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", metavar="TEXT", help="what posts should be about, in any language")
    common_arguments(parser)


def _run(args: argparse.Namespace, session: Session) -> int:
    question = clean(args.question).strip()
    if not question:
        raise UsageError("search: the text is empty; say what posts should be about")
    every = newest(posts_asked(args, session))
    posts = every[:MOST_READ]
    first = groups([post.said for post in posts])
    held = Counter(first)
    kept = sorted(held)
    near, made_by = nearness(question, [posts[at].said for at in kept], Shelf(shelf_path(session)))
    frame = _table(near.tolist(), [(posts[at], held[at] - 1) for at in kept])
    older = f"; {len(every) - len(posts):,} older ones were not read, see --until" if len(every) > len(posts) else ""
    title = f"{len(posts):,} posts, {len(posts) - len(kept):,} copies folded, by {made_by}{older}"
    finish(args, session, frame.drop(columns=["told", "shown"]) if args.output else frame, title, HEADS)
    return GOOD


def _table(near: Sequence[float], posts: Sequence[tuple[PostText, int]]) -> pd.DataFrame:
    """Nearest first; what has nothing in common with the question is left out. *posts*: each with its copies."""
    order = sorted(range(len(posts)), key=lambda at: (-near[at], at))
    rows = [
        {
            "near": round(near[at], 3), "told": f"{near[at]:.2f}", "post": post.key, "at": post.at,
            "author": post.author, "copies": copies, "says": post.said, "shown": clean(post.said)[:SHOWN],
        }
        for at, (post, copies) in ((at, posts[at]) for at in order) if near[at] > 0
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["near", "told", "post", "at", "author", "copies", "says", "shown"])


SEARCH = Command("Posts nearest to a text by meaning.", _arguments, _run)
