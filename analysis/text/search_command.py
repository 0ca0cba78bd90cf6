"""`search`: posts by meaning, nearest first; over languages where the extra `embed` is installed."""

from __future__ import annotations

import argparse
from collections import Counter

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError
from analysis.output import clean
from analysis.text.command_parts import MOST_READ, common_arguments, finish, newest_first, posts_asked, shelf
from analysis.text.duplicates import groups
from analysis.text.nearness import nearness

SHOWN = 80  # characters of a post on the screen
HEADS = {"near": "near", "post": "post", "at": "made", "author": "author", "copies": "copies", "shown": "says"}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", metavar="TEXT", help="what posts should be about, in any language")
    common_arguments(parser)


def _run(args: argparse.Namespace, session: Session) -> int:
    question = clean(args.question).strip()
    if not question:
        raise UsageError("search: the text is empty; say what posts should be about")
    every = sorted((post for post in posts_asked(args, session) if post.said), key=newest_first)
    posts = every[:MOST_READ]
    first = groups([post.said for post in posts])
    held = Counter(first)
    kept = sorted(held)
    near, made_by = nearness(question, [posts[at].said for at in kept], shelf(session))
    order = sorted(zip(near.tolist(), kept, strict=True), key=lambda each: (-each[0], each[1]))
    frame = pd.DataFrame([
        {
            "near": round(alike, 3), "post": posts[at].key, "at": posts[at].at, "author": posts[at].author,
            "copies": held[at] - 1, "says": posts[at].said, "shown": clean(posts[at].said)[:SHOWN],
        }
        for alike, at in order if alike > 0
    ], columns=["near", "post", "at", "author", "copies", "says", "shown"])  # fmt: skip
    older = f"; {len(every) - len(posts):,} older ones were not read, see --until" if len(every) > len(posts) else ""
    title = f"{len(posts):,} posts, {len(posts) - len(kept):,} copies folded, by {made_by}{older}"
    finish(args, session, frame.drop(columns="shown") if args.output else frame, title, HEADS)
    return GOOD


SEARCH = Command("Posts nearest to a text by meaning.", _arguments, _run)
