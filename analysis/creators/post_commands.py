"""`posts`: which posts did well among their like, and what goes with it. Asks the store, shows frames."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from analysis.command import Command, Session, UsageError
from analysis.creators.cohorts import LEAST, QUADRANTS, quadrants, with_percentiles
from analysis.creators.common import ASSOCIATION, View, arguments, counted, present, read
from analysis.creators.groups import LEAST_CREATORS, LEAST_POSTS, RELATION_COLUMNS, compare, relations
from analysis.creators.rates import SINGLE, SIZE_NAMES, UNKNOWN, floats
from analysis.creators.table import Material
from analysis.creators.times import lifts
from crawler import places

LENGTHS = ("up to 30 s", "31-60 s", "over 60 s")
HIGH = "higher"
NO_CLAIM = f"A claim needs {LEAST_POSTS} posts of {LEAST_CREATORS} creators in the group and outside it."
GROUP_HEADS = {
    "posts": "n", "creators": "creators", "median": "median %", "low": "from", "high": "to",
    "claim": "against the others",
}  # fmt: skip
SORTS = ("rate", *SINGLE, "views", "engagement")


def _arguments(parser: argparse.ArgumentParser) -> None:
    arguments(parser)
    option = parser.add_argument
    option("--show", choices=tuple(VIEWS), default="ranking")
    option("--by", choices=SORTS, default="rate", help="order of the ranking")
    option("--timezone", metavar="ZONE", help="clock of `times`: America/Sao_Paulo, or a place: br (default UTC)")
    option("--of", choices=("views", "rate"), default="views", help="what `times` compares")


def _posts(args: argparse.Namespace, session: Session) -> int:
    found = read(args, session)
    posts = found.posts
    low, high = args.min_rate, args.max_rate
    posts = posts[posts["rate"] >= low] if low is not None else posts
    posts = posts[posts["rate"] <= high] if high is not None else posts
    if posts.empty:
        raise UsageError("no post has a rate within --min-rate and --max-rate")
    return present(VIEWS[args.show](args, found._replace(posts=posts)), args, session)


def _ranking(args: argparse.Namespace, found: Material) -> View:
    made = with_percentiles(found.posts)
    order = made.sort_values([args.by, "key"], ascending=[False, True], na_position="last")
    percent = ("rate", "rate_low", "rate_high", *SINGLE)
    heads = {
        "key": "post", "author": "author", "views": "views", "rate": "rate %", "rate_low": "from", "rate_high": "to",
        **{f"{name}_pct": f"{name.replace('_', ' ')} pct" for name in SINGLE}, "cohort": "among", "cohort_n": "n",
    }  # fmt: skip
    notes = (
        f"{counted(found, args.parts)}; from and to: what rounding leaves open. pct: percentile among posts of its "
        f"platform, age and author's size; none where a cohort has under {LEAST} posts.",
    )
    frame = order.drop(columns=["hashtags", "caption"])
    bars = ("key", ("rate_low", "rate", "rate_high"), "engagement rate, % (bar: rounding)", "author")
    return View(f"Posts by {args.by}: {len(order):,}; rates in %", frame, heads, notes, percent, bars)


def _durations(args: argparse.Namespace, found: Material) -> View:
    seconds = floats(found.posts["duration_s"])
    bucket = pd.cut(seconds, [0, 30, 60, float("inf")], labels=LENGTHS).astype("object")
    return _compared(args, found, found.posts.assign(length=bucket), "length", LENGTHS, "Engagement rate by length")


def _places(args: argparse.Namespace, found: Material) -> View:
    return _market(args, found, "place", "states a place")


def _categories(args: argparse.Namespace, found: Material) -> View:
    return _market(args, found, "kept_category", "states a category")


def _market(args: argparse.Namespace, found: Material, by: str, states: str) -> View:
    """Places or categories that the pages themselves state; what a search was labelled with does not count."""
    stated = found.posts[found.posts[by].notna()]
    if stated.empty:
        raise UsageError(f"none of {len(found.posts):,} posts, nor the page of its author, {states}: no figure")
    view = _compared(args, found, stated, by, (), f"Engagement rate by {'place' if by == 'place' else 'category'}")
    usual = view.frame["posts"].sum() / len(view.frame)
    small = (view.frame["claim"] == HIGH) & (view.frame["posts"] < usual)
    flagged = view.frame.assign(flag=small.map({True: "small, high engagement", False: ""}))
    known = f"{len(stated):,} of {len(found.posts):,} posts state one; {int(small.sum())} small with high engagement."
    frame = flagged.sort_values(["median", "group"], ascending=[False, True], ignore_index=True)
    return View(
        view.title, frame, {**view.heads, "flag": "flag"}, (known, *view.notes), view.percent, view.bars
    )  # fmt: skip


def _compared(
    args: argparse.Namespace, found: Material, posts: pd.DataFrame, by: str, order: tuple[str, ...], title: str
) -> View:
    frame = compare(posts, by, "rate", order)
    if frame.empty:
        raise UsageError(f"no post has both a rate and what is asked for; {counted(found, args.parts)}")
    notes = (f"{counted(found, args.parts)}. {NO_CLAIM}", ASSOCIATION)
    bars = ("group", ("low", "median", "high"), "median engagement rate, % (bar: 95 % interval)", "claim")
    return View(
        title, frame, {"group": by.removeprefix("kept_"), **GROUP_HEADS}, notes, ("median", "low", "high"), bars
    )


def _times(args: argparse.Namespace, found: Material) -> View:
    zone = _zone(args.timezone or "UTC")
    frame = lifts(found.posts, zone, args.of)
    if frame.empty:
        raise UsageError("no creator has three posts whose hour says anything; ask for a longer time")
    told = frame[frame["claim"].isin(["higher", "lower"])]
    heads = {
        "slot": "slot", "posts": "n", "creators": "creators", "lift_pct": "lift %", "low_pct": "from", "high_pct": "to",
        "claim": "against the others",
    }  # fmt: skip
    note = f"lift: over the same creator's other posts. {len(told)} slots differ from the others. {NO_CLAIM}"
    bars = ("slot", ("low_pct", "lift_pct", "high_pct"), f"lift of {args.of}, % (bar: 95 % interval)", "claim")
    return View(
        f"When to post: lift of {args.of} by hour and day, {zone}", frame, heads, (note, ASSOCIATION), bars=bars
    )


def _zone(name: str) -> str:
    place = places.get(name)
    try:
        return str(ZoneInfo(place.zone if place else name))
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"--timezone {name}: expected a zone like America/Sao_Paulo, or a place like br") from None


def _relations(args: argparse.Namespace, found: Material) -> View:
    known = found.posts.assign(followers=found.posts["author_followers"], length_s=found.posts["duration_s"])
    pairs = [("followers", "rate"), ("length_s", "rate"), ("virality", "discussion")]
    frame = relations(known, pairs, SIZE_NAMES)
    heads = {name: name for name in RELATION_COLUMNS}
    title = "What goes with what: Spearman's rank correlation, by followers of the author"
    notes = (f"{counted(found, args.parts)}. low, high: 95 % interval. {ASSOCIATION}",)
    return View(title, frame, heads, notes, dots=("followers", "rate", "size"), drawn=known)


def _quadrants(args: argparse.Namespace, found: Material) -> View:
    placed = quadrants(with_percentiles(found.posts))
    if placed.empty:
        raise UsageError(f"no cohort (platform, age, size) has {LEAST} posts: no percentiles, no quadrants")
    groups = placed.groupby("quadrant")
    rows = [
        (name, len(part), part["creator"].nunique(), part["rate"].median())
        for name, part in ((each, groups.get_group(each)) for each in QUADRANTS if each in groups.groups)
    ]
    frame = pd.DataFrame(rows, columns=["quadrant", "posts", "creators", "median_rate"])
    heads = {"quadrant": "quadrant", "posts": "n", "creators": "creators", "median_rate": "median rate %"}
    unsized = int((placed["size"] == UNKNOWN).sum())
    note = (
        f"Against the middle of the cohort (platform, age, size); {unsized:,} authors' size is unknown. {ASSOCIATION}"
    )
    dots = ("virality", "discussion", "quadrant")
    return View("Virality and discussion", frame, heads, (note,), ("median_rate",), dots=dots, drawn=placed)


VIEWS: dict[str, Callable[[argparse.Namespace, Material], View]] = {
    "ranking": _ranking, "duration": _durations, "times": _times, "relations": _relations, "quadrants": _quadrants,
    "places": _places, "categories": _categories,
}  # fmt: skip

POSTS = Command("Which posts did well among their like, and what goes with it.", _arguments, _posts)
