"""`growth`: which entities of a kind grow faster than the others. Asks the reader, shows frames."""

from __future__ import annotations

import argparse

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, file, moment, positive, until
from analysis.output import ENDINGS
from analysis.trends.rising import Filters, rising
from crawler.items import KINDS

TABLE_ROWS = 20
TABLE = {
    "entity": "entity", "state": "state", "n": "n", "last": "last", "change": "change", "change_low": "from",
    "change_high": "to", "elapsed_h": "over h", "growth_pct_day": "% a day", "shrunk_pct_day": "sized % a day",
    "stands_out": "stands out",
}  # fmt: skip
_NOT_COUNTED = ("price", "list_price", "currency", "available", "rating")
COUNTED = {kind: [name for name in model.counters if name not in _NOT_COUNTED] for kind, model in KINDS.items()}


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--kind", required=True, choices=sorted(kind for kind, names in COUNTED.items() if names))
    option("--counter", required=True, help="followers, views, likes …: a counter of that kind")
    option("--since", type=moment, metavar="MOMENT", help="from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="before this moment, or to the end of a day")
    option("--least", type=positive, default=1, metavar="N", help="leave out entities whose last value is smaller")
    option("--most-entities", type=positive, default=1000, metavar="N", help="the N most observed (default 1000)")
    option("--share", type=float, default=0.05, metavar="Q", help="of those told to stand out, at most Q are wrong")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=f"write a file: {', '.join(ENDINGS)}")


def _growth(args: argparse.Namespace, session: Session) -> int:
    if args.counter not in COUNTED[args.kind]:
        raise UsageError(f"{args.counter}: no counter of a {args.kind}; there are {', '.join(COUNTED[args.kind])}")
    entities = session.reader.entities(args.kind, args.most_entities)["entity"].tolist()
    frames = [session.reader.observations(each, since=args.since, until=args.until) for each in entities]
    if not frames or all(each.empty for each in frames):
        raise UsageError(f"no observation of a {args.kind} in the time asked for; try: make demo")
    found = rising(pd.concat(frames, ignore_index=True), args.counter, Filters(least=args.least), args.share)
    if args.output:
        session.save(found, args.output)
        return GOOD
    shown = found.head(TABLE_ROWS)
    count = f"{len(shown)} of {len(found):,} {args.kind}s, {int(found['stands_out'].sum())} stand out"
    session.show(shown[list(TABLE)].rename(columns=TABLE), f"Growth of {args.counter}: {count}; UTC")
    return GOOD


GROWTH = Command("Which entities grow faster than the others, sized down where little is known.", _arguments, _growth)
