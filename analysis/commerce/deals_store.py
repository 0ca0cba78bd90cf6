"""`deals --store`: from a dump to stored posts and deals in one go; what was deleted leaves, or never enters.

A member is stored whole, then noted: one that was cut off by a kill is stored again, which changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from analysis.command import AWAY, GOOD, Session, UsageError
from analysis.commerce.deals_archive import Found, Joined, Selection, local, spark
from analysis.commerce.deals_catalogue import brands_of, crawled
from analysis.commerce.deals_live import deals_in, dumps_of
from analysis.commerce.deals_spans import Catalogue
from analysis.commerce.deals_watch import Watched, watch_list
from crawler.lanes.twitterstream import Damaged

SAID = 12  # damaged places shown by name
SAY_EVERY_S = 2.0
NO_TWEETS = "no tweet and no notice in it; a dump has a tweet a line, as JSON"


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
    joined, told = Joined(), _Told()
    for found in engine:
        joined.take(found)
        if isinstance(found, Found):
            _keep(found, session, watched, catalogue or None, told)
        told.progress(joined)
    sys.stderr.write("\r" + " " * 60 + "\r" if sys.stderr.isatty() else "")
    return _summary(joined, told, session, len(done))


class _Told:
    """What came of it, in numbers."""

    def __init__(self) -> None:
        self.posts = self.new = self.deals = self.notices = self.gone = 0
        self._said = self._began = time.monotonic()

    def progress(self, joined: Joined) -> None:
        now = time.monotonic()
        if now - self._said > SAY_EVERY_S:
            self._said = now
            rate = joined.bytes / 1e6 / (now - self._began)
            sys.stderr.write(f"\r{joined.members:,} members, {self.new:,} new posts, {rate:.0f} MB/s   ")
            sys.stderr.flush()


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
    session.say(f"{told.posts:,} posts selected, {told.new:,} of them new; {told.deals:,} deals in them")
    session.say(f"{told.notices:,} delete notices; {told.gone:,} posts that were stored are gone, with their deals")
    if account.holds_nothing:
        session.say(NO_TWEETS)
    for line in _problems(joined.problems):
        session.say(line)
    return AWAY if joined.problems or account.holds_nothing else GOOD


def _problems(damaged: list[Damaged]) -> Iterator[str]:
    yield from (f"{each.name}: {each.reason}" for each in damaged[:SAID])
    if len(damaged) > SAID:
        yield f"and {len(damaged) - SAID:,} more places"
