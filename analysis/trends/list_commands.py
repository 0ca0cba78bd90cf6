"""`events`, `phases`, `life` and `programme`: a list looked back at. Asks the reader, shows frames."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, file, hours, moment, positive, until
from analysis.output import ENDINGS, clean
from analysis.trends import board_life, events, occasions
from analysis.trends.calendars import CalendarError, read_calendar
from analysis.trends.evolution import DEFAULT_MAX_GAP
from analysis.trends.phases import Stretch, phases
from analysis.trends.streams import EPOCH, HOUR, Stream, stream_of_board
from crawler.places import get

ROWS = 20
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
STRETCH_COLUMNS = {
    "topic": "string", "phase": "string", "from": "datetime64[ms, UTC]", "to": "datetime64[ms, UTC]",
    "hours": "Float64", "level": "Float64", "of": "string", "snapshots": "Int64",
}  # fmt: skip


def _common(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--board", required=True, help="a list, e.g. x:trends:br")
    option("--since", type=moment, metavar="MOMENT", help="from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="before this moment; a day is meant whole")
    option("--top", type=positive, default=ROWS, metavar="N", help=f"rows shown (default {ROWS})")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help="write all rows here instead")


def _max_gap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-gap-h", type=hours, metavar="HOURS", help="a longer pause hides what came and went "
                        "(default: twice the median gap)")  # fmt: skip


def _zone_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--zone", type=_zone, help="clock, e.g. America/Sao_Paulo (default: of the board's place)")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r}: no time zone; write one like America/Sao_Paulo") from None
    return text


def _list(args: argparse.Namespace, session: Session) -> Stream:
    entries = session.reader.entries(args.board, since=args.since, until=args.until)
    whole = stream_of_board(args.board, entries)
    if not whole.snapshots:
        raise UsageError(
            f"{clean(args.board)}: no snapshot with a known hour in the time asked for; see: python -m analysis boards"
        )
    return whole


def _gap_of(args: argparse.Namespace, whole: Stream) -> timedelta:
    if args.max_gap_h:
        return timedelta(seconds=args.max_gap_h.total_seconds())
    return timedelta(hours=2 * whole.cadence_h) if len(whole.snapshots) > 2 else DEFAULT_MAX_GAP


def _clock_of(args: argparse.Namespace, session: Session) -> str:
    if args.zone:
        return str(args.zone)
    told = session.reader.boards(args.board, since=args.since, until=args.until)["place"].dropna()
    place = get(str(told.iloc[-1])) if len(told) else None
    return place.zone if place else "UTC"


def _give(frame: pd.DataFrame, title: str, args: argparse.Namespace, session: Session, *, most: bool = True) -> None:
    if args.output:
        session.save(frame, args.output)
    else:
        session.show(frame.head(args.top) if most else frame, title)


def _events(args: argparse.Namespace, session: Session) -> int:
    whole = _list(args, session)
    told = events.events(whole)
    frame, members = events.event_frames(whole, told)
    if args.topic:
        held = members[members["topic_key"].str.contains(args.topic.casefold(), regex=False)
                       | members["topic"].str.casefold().str.contains(args.topic.casefold(), regex=False)]  # fmt: skip
        frame = frame[frame["event"].isin(held["event"])]
    if args.output:
        session.save(members[members["event"].isin(frame["event"])], args.output)
        return GOOD
    if frame.empty:
        session.say(
            f"{clean(args.board)}: no events in {len(whole.snapshots):,} snapshots; a topic needs "
            f"{events.LEAST_SIGHTS} beside another to belong to one"
        )
        return GOOD
    shown = frame[["event", "topics", "names", "first_seen", "last_seen", "best_position", "why", "together", "moved"]]
    shown = shown.assign(**{name: shown[name].map("{:.2f}".format, na_action="ignore")
                            for name in ("together", "moved")})  # fmt: skip
    session.show(
        shown.head(args.top),
        f"{args.board}: {len(frame):,} events of {len(whole.snapshots):,} snapshots; {len(told.links):,} links, "
        f"{told.judged:,} pairs judged by their steps; UTC",
    )
    return GOOD


def _events_arguments(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--topic", metavar="TEXT", help="only events with a topic that holds this text")


def _phases_arguments(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _max_gap(parser)
    option = parser.add_argument
    option("--topic", metavar="TEXT", help="phases of the topics that hold this text: rising, peak, falling, returning")
    option("--at", type=moment, metavar="MOMENT", help="the list before, during and after an event that begins here")
    option("--lasts-h", type=hours, default=timedelta(hours=2), metavar="HOURS", help="the event lasts (default 2)")
    option("--around-h", type=hours, default=timedelta(hours=24), metavar="HOURS",
           help="look so long before and after it (default 24)")  # fmt: skip


def _phases(args: argparse.Namespace, session: Session) -> int:
    if not args.topic and not args.at:
        raise UsageError("phases: give --topic TEXT for phases of topics, or --at MOMENT for those of an event")
    whole = _list(args, session)
    wanted = args.topic.casefold() if args.topic else ""
    keys = [key for key, name in whole.names.items() if wanted in key or wanted in name.casefold()]
    if not keys:
        raise UsageError(f"{clean(args.board)}: no topic holds {clean(args.topic)!r}")
    if args.at:
        return _around(whole, set(keys), args, session)
    rows = [_stretch(whole.names[key], each) for key in keys[: args.top] for each in phases(whole, key)]
    if len(keys) > args.top:
        session.say(f"note: {args.top} of {len(keys)} topics; --top shows more")
    frame = pd.DataFrame(rows, columns=list(STRETCH_COLUMNS)).astype(STRETCH_COLUMNS)
    _give(frame, f"{args.board}: phases, by change points in the whole path; UTC", args, session, most=False)
    return GOOD


def _stretch(topic: str, each: Stretch) -> dict[str, object]:
    return {
        "topic": topic, "phase": each.phase, "from": EPOCH + each.from_h * HOUR, "to": EPOCH + each.to_h * HOUR,
        "hours": each.to_h - each.from_h, "level": each.typical, "of": each.of, "snapshots": each.snapshots,
    }  # fmt: skip


def _around(whole: Stream, keys: set[str], args: argparse.Namespace, session: Session) -> int:
    parts, topics = occasions.around(whole, args.at, args.at + args.lasts_h, args.around_h, _gap_of(args, whole))
    if not parts["snapshots"].sum():
        first, last = whole.snapshots[0].at, whole.snapshots[-1].at
        raise UsageError(
            f"{clean(args.board)}: no snapshot around {args.at:%Y-%m-%d %H:%M}; there are some from "
            f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        )
    topics = topics[topics["topic_key"].isin(keys)]
    if args.output:
        session.save(topics, args.output)
        return GOOD
    session.show(parts, f"{args.board} around {args.at:%Y-%m-%d %H:%M}; UTC")
    session.say("")
    shares = [name for name in topics.columns if str(name).startswith("share_")]
    shown = topics.drop(columns=["topic_key"]).assign(
        **{name: topics[name].map("{:.0%}".format, na_action="ignore") for name in shares}
    )
    session.show(shown.head(args.top), f"{len(topics):,} topics; those that came during and after it first")
    return GOOD


def _life_arguments(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _max_gap(parser)
    _zone_argument(parser)
    option = parser.add_argument
    option("--what", choices=("turnover", "survival", "week", "inflow"), default="survival",
           help="comings and goings; how long topics stay (default); a topic's week, new posts")  # fmt: skip
    option("--topic", metavar="TEXT", help="of week and inflow: the topic, as shown or as its key")
    option("--places", type=positive, default=10, metavar="K", help="of --what week: within the first K (default 10)")


def _life(args: argparse.Namespace, session: Session) -> int:
    whole = _list(args, session)
    gap = _gap_of(args, whole)
    if args.what == "turnover":
        frame = board_life.comings_and_goings(whole, gap)
        came = frame["came"].sum()
        watched = frame.loc[frame["came"].notna(), "gap_h"].sum()
        rate = f"{came / watched:.1f} an hour" if watched else "nobody knows how fast"
        _give(frame.iloc[::-1], f"{args.board}: {came:,} came in {watched:,.0f} watched h, {rate}; newest first; UTC",
              args, session)  # fmt: skip
    elif args.what == "survival":
        frame = board_life.survival(whole, gap)
        half = frame.loc[frame["still_on"] <= 0.5, "hours"]
        told = f"half are gone after {half.iloc[0]:.1f} h" if len(half) else "more than half outlast what was watched"
        shown = frame if args.output else _thinned(frame, args.top)
        shown = shown if args.output else shown.assign(still_on=shown["still_on"].map("{:.1%}".format))
        _give(shown, f"{args.board}: stays that last longer (Kaplan and Meier); {told}", args, session)
    elif args.what == "inflow":
        key = _topic(whole, args)
        entries = session.reader.entries(args.board, since=args.since, until=args.until, topics=[key])
        if len(entries) < 2:
            raise UsageError(f"{clean(args.topic)}: one reading; inflow lies between two whose hours are known")
        title = f"{whole.names[key]} on {args.board}: new posts behind counts of the last 24 h, at least and at most"
        _give(board_life.inflows(entries).iloc[::-1], f"{title}; newest first; UTC", args, session)
    else:
        _week(whole, gap, args, session)
    return GOOD


def _thinned(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Evenly spread over the shares, first and last row among them."""
    wanted = {round(i * (len(frame) - 1) / max(rows - 1, 1)) for i in range(rows)} if len(frame) else set()
    return frame.iloc[sorted(wanted)]


def _topic(whole: Stream, args: argparse.Namespace) -> str:
    if not args.topic:
        raise UsageError(f"life --what {args.what}: give the topic by --topic")
    wanted = args.topic.casefold()
    found = next((key for key, name in whole.names.items() if wanted in (key, name.casefold())), None)
    if found is None:
        raise UsageError(f"{clean(args.board)}: no topic is called {clean(args.topic)!r}; see: evolution --topic")
    return found


def _week(whole: Stream, gap: timedelta, args: argparse.Namespace, session: Session) -> None:
    key = _topic(whole, args)
    zone = _clock_of(args, session)
    frame = board_life.week(whole, key, zone, args.places, gap)
    frame = frame.assign(weekday=frame["weekday"].map(dict(enumerate(WEEKDAYS))))
    if not args.output:
        frame = frame[frame["looks"] > 0].sort_values(["share", "looks"], ascending=False, kind="stable")
        numbers = ("share", "low", "high")
        frame = frame.assign(**{name: frame[name].map("{:.0%}".format, na_action="ignore") for name in numbers})
    _give(frame, f"{whole.names[key]} in the first {args.places} of {args.board}, clock of {zone}", args, session)


def _programme_arguments(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    _max_gap(parser)
    _zone_argument(parser)
    parser.add_argument("--calendar", required=True, type=Path, metavar="FILE",
                        help="CSV (start, end or minutes, title, words) or ICS")  # fmt: skip


def _programme(args: argparse.Namespace, session: Session) -> int:
    whole = _list(args, session)
    zone = _clock_of(args, session)
    try:
        showings = read_calendar(args.calendar, zone, whole.snapshots[0].at, whole.snapshots[-1].at)
    except CalendarError as error:
        raise UsageError(str(error)) from None
    frame = occasions.shares(whole, showings, zone, _gap_of(args, whole))
    if args.output:
        session.save(frame, args.output)
        return GOOD
    shown = frame.head(args.top)
    session.show(pd.DataFrame({
        "title": shown["title"], "times": shown["showings"], "days": shown["days"], "watched h": shown["watched_h"],
        "came": shown["came"], "of all that came": _intervals(shown, "of_all", ".1%"), "an hour": shown["per_hour"],
        "same hours without": shown["per_hour_beside"], "ratio": _intervals(shown, "ratio", ".2f"),
        "named after it": _intervals(shown.rename(columns={"named_share": "named", "named": "count"}), "named", ".1%"),
        "named else": shown["named_beside"].map("{:.1%}".format, na_action="ignore"),
        "too few": shown["too_few"],
    }), f"{args.board}: topics that came while a programme was on; clock of {zone}, intervals of 95 %")  # fmt: skip
    return GOOD


def _intervals(frame: pd.DataFrame, name: str, shape: str) -> list[str | None]:
    """`12.0% (9.1% to 15.2%)`; without the interval where it is unknown."""
    columns = (frame[column].tolist() for column in (name, f"{name}_low", f"{name}_high"))
    shown: list[str | None] = []
    for value, low, high in zip(*columns, strict=True):
        bounds = "" if pd.isna(low) else f" ({low:{shape}} to {high:{shape}})"
        shown.append(None if pd.isna(value) else f"{value:{shape}}{bounds}")
    return shown


EVENTS = Command("Topics of a list that belong together, grouped into events.", _events_arguments, _events)
PHASES = Command("Phases of a topic, or of a list around an event.", _phases_arguments, _phases)
LIFE = Command("How a list lives: turnover, how long topics stay, a topic's week.", _life_arguments, _life)
PROGRAMME = Command("Share of trends while programmes of a calendar are on.", _programme_arguments, _programme)
