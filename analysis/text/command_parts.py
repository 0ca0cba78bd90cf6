"""What the commands on texts share: their options, the posts asked for with what was heard in them, known brands."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.command import Session, UsageError, file, moment, positive, until
from analysis.output import ENDINGS
from analysis.text.modalities import Heard, with_heard
from analysis.text.posts import PostText, from_row, once_each
from analysis.text.terms import brand_keys

ROWS = 20
MOST_READ = 4_000  # posts read by meaning in one call; one takes 10 to 25 ms the first time


def common_arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--since", type=moment, metavar="MOMENT", help="posts made from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="posts made before this moment, or to the end of a day")
    option("--top", type=positive, metavar="N", help=f"best N (default {ROWS} on the screen, all in a file)")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=f"write a file: {', '.join(ENDINGS)}")


def posts_asked(args: argparse.Namespace, session: Session) -> list[PostText]:
    """Posts of the time asked for, each once, with what was read from their files."""
    frame = session.reader.posts(since=args.since, until=args.until)
    if frame.empty:
        raise UsageError("no post in the time asked for; crawl or replay some first, e.g. scrapy replay FILE")
    heard: dict[str, list[Heard]] = {}
    for each in session.texts.heard():
        heard.setdefault(each["post"], []).append(
            Heard(each["modality"], each["text"], each["source"], each["content"])
        )
    return [with_heard(post, heard.get(post.key, ())) for post in once_each(map(from_row, rows(frame)))]


def newest(posts: Iterable[PostText]) -> list[PostText]:
    """Those that say something, newest first, undated ones last."""
    return sorted(
        (post for post in posts if post.said), key=lambda post: (-post.at.timestamp() if post.at else 0.0, post.key)
    )


def shelf_path(session: Session) -> Path:
    """Of the vectors of this database's texts, beside its models."""
    return session.models_dir / "meaning.npz"


def brands(session: Session) -> frozenset[str]:
    """Keys of the brands that stored products and deals name."""
    return brand_keys(session.texts.brands())


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Plain values, None where missing; lists as they are."""
    return [
        {
            str(name): value if isinstance(value, list) else None if pd.isna(value) else value
            for name, value in row.items()
        }
        for row in frame.astype(object).to_dict("records")
    ]


def finish(
    args: argparse.Namespace, session: Session, frame: pd.DataFrame, title: str, heads: Mapping[str, str]
) -> None:
    """All of *frame* (or the best asked for) to the file, or the columns *heads* names to the screen."""
    if args.output:
        session.save(frame.head(args.top or len(frame)), args.output)
    else:
        shown = frame[[name for name in heads if name in frame]].head(args.top or ROWS)
        session.show(shown.rename(columns=dict(heads)), title)
