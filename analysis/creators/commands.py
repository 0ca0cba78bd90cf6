"""`creators`: how creators stand, whom to feature, who is verified. Asks the store, shows frames."""

from __future__ import annotations

import argparse

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError
from analysis.creators.common import ASSOCIATION, View, arguments, counted, present, read
from analysis.creators.feature import CAVEAT, LEAST_POSTS, SURE, featured
from analysis.creators.groups import RELATION_COLUMNS
from analysis.creators.people import COHORT_COLUMNS, followers_and_likes, verified
from analysis.creators.summary import refresh
from analysis.creators.table import Material, creators, growths, material

SORTS = {
    "rate": "rate_low", "followers": "followers", "growth": "followers_per_day_low", "views": "median_views",
    "posts": "posts_counted",
}  # fmt: skip
"""What is asked for: the column it sorts by. Rates and growth by their lower bound, so that little data ranks low."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    arguments(parser)
    option = parser.add_argument
    option("--show", choices=("ranking", "feature", "verified", "relations"), default="ranking")
    option("--by", choices=SORTS, default="rate", help="order of the ranking; rate and growth by their lower bound")
    option("--update", action="store_true", help="bring the collection `creators` up to date, and nothing else")


def _creators(args: argparse.Namespace, session: Session) -> int:
    if args.update:
        return _update(args, session)
    if args.show in ("verified", "relations"):
        return present(_people(args, session), args, session)
    found = read(args, session)
    return present((_feature if args.show == "feature" else _ranking)(args, session, found), args, session)


def _update(args: argparse.Namespace, session: Session) -> int:
    if args.known_at:
        raise UsageError("--update: keeps what is known now; leave out --known-at")
    done = refresh(session.creators)
    session.say(
        f"creators: {done.creators:,}, of them {done.changed:,} with new facts; {done.written:,} documents written, "
        f"{done.gone:,} removed"
    )
    return GOOD


def _table(session: Session, found: Material, args: argparse.Namespace) -> pd.DataFrame:
    """Creators of the posts, with their growth."""
    own = set(found.posts["creator"].dropna())
    pages = found.profiles[found.profiles["creator"].isin(own)]
    table = creators(found._replace(profiles=pages), args.parts)
    grown = growths(session.creators.histories(pages["key"].tolist()), found.owner)
    joined = table.join(grown, on="creator")
    low, high = args.min_rate, args.max_rate
    joined = joined[joined["rate"].ge(low).fillna(False)] if low is not None else joined
    return joined[joined["rate"].le(high).fillna(False)] if high is not None else joined


def _ranking(args: argparse.Namespace, session: Session, found: Material) -> View:
    table = _table(session, found, args)
    order = table.sort_values([SORTS[args.by], "creator"], ascending=[False, True], na_position="last")
    return View(
        title=f"Creators by {args.by}: {len(order):,}; rates in %; UTC",
        frame=order,
        heads={
            "creator": "creator", "followers": "followers", "posts_counted": "n", "raw_rate": "raw %",
            "rate": "rate %", "rate_low": "from", "rate_high": "to", "median_views": "views",
            "followers_per_day_low": "followers/day from", "followers_per_day": "followers/day",
            "followers_per_day_high": "to ",
        },
        notes=(
            f"{counted(found, args.parts)}. rate: of a typical post, drawn towards that of all by how little is known, "
            "with its 95 % interval.",
        ),
        percent=("raw_rate", "rate", "rate_low", "rate_high"),
        bars=("creator", ("rate_low", "rate", "rate_high"), "engagement rate, % (bar: 95 % interval)", "posts_counted"),
    )  # fmt: skip


def _feature(args: argparse.Namespace, session: Session, found: Material) -> View:
    table = _table(session, found, args)
    advice = featured(table, found.posts["observed_at"].max())
    n = int((advice["advice"] == "feature").sum())
    few = int(advice["advice"].str.startswith("too few").sum())
    return View(
        title=f"Whom to feature: {n} of {len(advice)} creators; {few} have too few posts to say",
        frame=advice,
        heads={
            "creator": "creator", "advice": "advice", "sure": "sure %", "posts_counted": "n", "rate": "rate %",
            "rate_low": "from", "rate_high": "to", "expected_rate": "expected %", "median_views": "views",
            "followers_per_day": "followers/day",
        },
        notes=(
            f"feature: at least {LEAST_POSTS} posts, and with {SURE:.0%} probability a rate above what its size has.",
            counted(found, args.parts) + ".",
            CAVEAT,
        ),
        percent=("sure", "rate", "rate_low", "rate_high", "expected_rate"),
        bars=("creator", ("rate_low", "rate", "rate_high"), "engagement rate, % (bar: 95 % interval)", "advice"),
    )  # fmt: skip


def _people(args: argparse.Namespace, session: Session) -> View:
    profiles = session.creators.profiles()
    known = len(profiles)
    if args.platform:
        profiles = profiles[(profiles["platform"] == args.platform).fillna(False)]
    if args.place:
        profiles = profiles[(profiles["region"].str.casefold() == args.place.casefold()).fillna(False)]
    if profiles.empty:
        hint = "other filters" if known else "crawl or replay some first, e.g. scrapy replay FILE"
        raise UsageError(f"none of {known:,} accounts passes the filters; try {hint}")
    empty = session.creators.posts().head(0)
    table = creators(material(empty, profiles))
    drawn = table.assign(badge=table["verified"].map({True: "verified", False: "not verified"}).fillna("not shown"))
    dots = ("followers", "likes", "badge")
    if args.show == "verified":
        frame = verified(table)
        return View(
            f"Verified accounts among {int(frame['n'].sum()):,} captured whose badge is shown",
            frame, {name: name.replace("_", " ") for name in COHORT_COLUMNS},
            ("Share with Wilson's 95 % interval; of those captured, who were not drawn by lot.",),
            dots=dots, drawn=drawn,
        )  # fmt: skip
    frame = followers_and_likes(table)
    heads = {name: name for name in RELATION_COLUMNS if name != "posts"}
    return View("Followers against likes, rank correlation with 95 % interval", frame, heads, (ASSOCIATION,),
                dots=dots, drawn=drawn)  # fmt: skip


CREATORS = Command("How creators stand, whom to feature, and where too little is known to say.", _arguments, _creators)
