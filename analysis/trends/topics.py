"""`topics`: which written forms were taken for one topic, and which topics of a place are the world's."""

from __future__ import annotations

import argparse

from analysis.command import GOOD, Command, Session, UsageError, file, moment, positive, until
from analysis.output import ENDINGS, clean
from analysis.trends.identity import merges, scope

ROWS = 20


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--board", required=True, help="a list, e.g. x:trends:br")
    option("--world", metavar="BOARD", help="compare with this list of the world, e.g. x:trends:world")
    option("--since", type=moment, metavar="MOMENT", help="from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="before this moment; a day is meant whole")
    option("--top", type=positive, default=ROWS, metavar="N", help=f"rows shown (default {ROWS})")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help="write all rows here instead")


def _run(args: argparse.Namespace, session: Session) -> int:
    entries = session.reader.entries(args.board, since=args.since, until=args.until)
    if entries.empty:
        raise UsageError(f"{clean(args.board)}: no row in the time asked for; see: python -m analysis boards")
    if args.world:
        world = session.reader.entries(args.world, since=args.since, until=args.until)
        if world.empty:
            raise UsageError(f"{clean(args.world)}: no row in the time asked for, so nothing can be compared")
        frame = scope(entries, world)
        order = frame.sort_values(["compared", "topic_key"], ascending=[False, True], kind="stable")
        title = f"{args.board}: local, worldwide or uncertain, by {args.world}"
    else:
        order = frame = merges(entries)
        title = f"{args.board}: written forms that were taken for one topic"
    if args.output:
        session.save(frame, args.output)
    elif frame.empty:
        session.say(f"{args.board}: every topic was written in one way")
    else:
        session.show(order.head(args.top), title)
    return GOOD


TOPICS = Command("Which spellings were taken for one topic; local, worldwide or uncertain topics.", _arguments, _run)
