"""`deals --store`: from a dump to stored posts and deals in one go; what was deleted leaves, or never enters.

A member is stored whole, then noted: one that was cut off by a kill is stored again, which changes nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime

from analysis.command import AWAY, GOOD, Session, UsageError
from analysis.commerce.deals_archive import Found, Joined, Selection, local, spark
from analysis.commerce.deals_catalogue import brands_of, crawled
from analysis.commerce.deals_live import deals_in, dumps_of
from analysis.commerce.deals_progress import Pace, troubles
from analysis.commerce.deals_spans import Catalogue
from analysis.commerce.deals_watch import Watched, watch_list


def store(args: argparse.Namespace, session: Session) -> int:
    for name in ("output", "withdraw", "kafka"):
        if getattr(args, name):
            raise UsageError(f"--store writes to the database; leave --{name} out")
    sources = dumps_of(args, "--store")
    watched = watch_list(args.watch) if args.watch else Watched({})
    if args.only_watched and not watched:
        raise UsageError("--only-watched needs --watch FILE with at least one account")
    brands = brands_of(args)
    catalogue = Catalogue(brands) if args.no_catalogue else crawled(session.reader.about, brands)
    done = session.deals.members_read() if args.resume else frozenset()
    selection = Selection(
        brands, args.keep or "deals", watched.names, args.only_watched, catalogue or None, withdrawn=True, posts=True
    )
    engine = (
        spark(sources, selection, done) if args.engine == "spark" else local(sources, selection, args.processes, done)
    )
    joined, told, pace = Joined(), _Told(), Pace(sources)
    for found in engine:
        joined.take(found)
        if isinstance(found, Found):
            _keep(found, session, watched, catalogue or None, told)
        pace.after(found, joined)
    pace.end()
    return _summary(joined, told, session, len(done))


@dataclass
class _Told:
    """What came of it."""

    posts: int = 0
    new: int = 0
    deals: int = 0
    notices: int = 0
    gone: int = 0


def _keep(found: Found, session: Session, watched: Watched, catalogue: Catalogue | None, told: _Told) -> None:
    told.gone += session.deals.take_back(found.withdrawn)
    told.notices += len(found.withdrawn)
    new, documents = session.deals.keep(found.posts)
    deals = deals_in(documents, watched, catalogue)
    session.deals.replace([str(each["_id"]) for each in documents], deals)
    told.posts, told.new, told.deals = told.posts + len(documents), told.new + new, told.deals + len(deals)
    if not found.problem:  # a member that is cut is read again by --resume
        session.deals.note_member(found.name, datetime.now(UTC))


def _summary(joined: Joined, told: _Told, session: Session, before: int) -> int:
    account = joined.account
    again = f", {before:,} were read before" if before else ""
    session.say(f"{joined.members:,} members read{again}: {account.lines:,} lines, {account.tweets:,} tweets")
    session.say(f"{told.posts:,} posts selected, {told.new:,} of them new or newer; {told.deals:,} deals in them")
    session.say(f"{told.notices:,} delete notices; {told.gone:,} posts that were stored are gone, with their deals")
    wrong = list(troubles(joined))
    for line in wrong:
        session.say(line)
    return AWAY if wrong else GOOD
