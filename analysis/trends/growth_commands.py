"""`growth`: which entities of a kind grow faster than the others. Asks the reader, shows frames."""

from __future__ import annotations

import argparse

from analysis.command import GOOD, Command, Session, UsageError, file, moment, positive, until
from analysis.output import ENDINGS
from analysis.trends.rising import ENGAGEMENT, Filters, matching, rising
from crawler.items import KINDS
from crawler.places import of_name

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
    option("--least-engagement", type=positive, default=0, metavar="N", help="likes, comments, shares, saves together")
    option("--place", action="append", metavar="PLACE", help="only of this place (br, Brazil); may be given again")
    option("--language", action="append", metavar="CODE", help="only in this language (pt); may be given again")
    option("--category", action="append", metavar="NAME", help="only of this category; may be given again")
    option("--above", type=float, metavar="PCT", help="show only those whose sized growth is above PCT % a day")
    option("--most-entities", type=positive, default=1000, metavar="N", help="the N most observed (default 1000)")
    option("--share", type=float, default=0.05, metavar="Q", help="of those told to stand out, at most Q are wrong")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=f"write a file: {', '.join(ENDINGS)}")


def _growth(args: argparse.Namespace, session: Session) -> int:
    counted = COUNTED[args.kind]
    if args.counter not in counted:
        raise UsageError(f"{args.counter}: no counter of a {args.kind}; there are {', '.join(counted)}")
    if args.least_engagement and len(set(ENGAGEMENT) & set(counted)) < 2:
        raise UsageError(f"--least-engagement: a {args.kind} has no likes, comments, shares or saves of its own")
    wanted = _wanted(args)
    among = matching(session.reader.about(args.kind, list(wanted)), wanted) if wanted else None
    entities = session.reader.entities(args.kind, args.most_entities, among)["entity"].tolist()
    seen = session.reader.observations_of(entities, since=args.since, until=args.until)
    if seen.empty:
        said = f" with that {' and '.join(wanted)}" if wanted else ""
        raise UsageError(f"no {args.kind}{said} was observed in the time asked for; try: make demo")
    found = rising(seen, args.counter, Filters(args.least, args.least_engagement), args.share)
    if args.above is not None:
        found = found[(found["shrunk_pct_day"] > args.above).fillna(False)]
    if args.output:
        session.save(found, args.output)
        return GOOD
    shown = found.head(TABLE_ROWS)
    count = f"{len(shown)} of {len(found):,} {args.kind}s, {int(found['stands_out'].sum())} stand out"
    session.show(shown[list(TABLE)].rename(columns=TABLE), f"Growth of {args.counter}: {count}; UTC")
    return GOOD


def _wanted(args: argparse.Namespace) -> dict[str, list[str]]:
    """Field of the kind: values asked for, a place also by its code. Raises UsageError where the kind says no such."""
    fields = {"place": ("region", "location"), "language": ("language",), "category": ("category",)}
    wanted = {}
    for name, choices in fields.items():
        if not (values := getattr(args, name)):
            continue
        field = next((each for each in choices if each in KINDS[args.kind].model_fields), None)
        if field is None:
            raise UsageError(f"--{name}: a {args.kind} does not say its {name}")
        wanted[field] = [*values, *(code for each in values if (code := of_name(each)))] if name == "place" else values
    return wanted


GROWTH = Command("Which entities grow faster than the others, sized down where little is known.", _arguments, _growth)
