"""`boards` and `evolution`: what is there, and how it moved. Asks the reader, shows frames."""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, file, hours, moment, positive, until
from analysis.output import ENDINGS, clean
from analysis.plot import Chart, board_chart, entity_chart, save_chart
from analysis.trends.evolution import board_evolution, changes, entity_evolution
from crawler.items import KINDS
from crawler.storage.reads import Reader

PLOTS = (".png", ".svg")
SAME_READING = ["entity", "counter", "unit", "at", "at_precision", "capture"]
MAX_GAP_HELP = "a snapshot stands at most so long (default: twice the median gap between snapshots)"
TABLE_ROWS = 20
PLOT_TOPICS = 8
NAMES_IN_AN_ERROR = 6

SORTS = {
    "peak_volume": False, "last_volume": False, "first_seen": True, "last_seen": False, "snapshots": False,
    "best_position": True, "last_position": True, "time_in_top_10_h": False, "re_entries": False,
}  # fmt: skip
"""Column: ascending. What is missing comes last either way."""

BOARD_TABLE = {
    "topic": "topic", "state": "state", "first_seen": "first seen", "first_seen_precision": "first seen_precision",
    "last_seen": "last seen", "last_seen_precision": "last seen_precision", "snapshots": "seen",
    "best_position": "best", "last_position": "last", "re_entries": "back", "hidden": "hidden", "volumes": "volumes",
    "time_in_top_10_h": "top 10 h", "speed_to_peak_h": "to peak h", "half_life_h": "half-life h",
}  # fmt: skip
"""Column of the frame: its shorter head in the table."""


def _boards_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=_endings(ENDINGS))


def _boards(args: argparse.Namespace, session: Session) -> int:
    columns = ["board", "snapshots", "first", "last"]
    frame = pd.DataFrame(session.reader.known_boards(), columns=columns)
    if args.output:
        session.save(frame, args.output)
    elif frame.empty:
        session.say("no board yet; try: make demo")
    else:
        session.show(frame, "Boards (UTC)")
    return GOOD


def _evolution_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--board", help="topics of a list, e.g. x:trends:br")
    what.add_argument("--entity", metavar="KEY", help="counters of an entity, e.g. tiktok:profile:nasa")
    option = parser.add_argument
    option("--since", type=moment, metavar="MOMENT", help="from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="before this moment, or to the end of a day")
    option("--topic", metavar="TEXT", help="only topics that hold this text")
    option("--top", type=positive, metavar="N", help="best N topics, or newest N readings of a counter")
    option("--sort", choices=SORTS, help="default: peak_volume where any is shown, else best_position")
    option("--max-gap-h", type=hours, metavar="HOURS", help=MAX_GAP_HELP)
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=_endings(ENDINGS))
    option("--plot", type=file(*PLOTS), metavar="FILE", help=_endings(PLOTS))


def _endings(endings: tuple[str, ...]) -> str:
    return f"write a file: {', '.join(endings)}"


def _evolution(args: argparse.Namespace, session: Session) -> int:
    return _of_board(args, session) if args.board else _of_entity(args, session)


def _of_board(args: argparse.Namespace, session: Session) -> int:
    boards = session.reader.boards(args.board, since=args.since, until=args.until)
    entries = session.reader.entries(args.board, since=args.since, until=args.until)
    if boards.empty and entries.empty:
        raise UsageError(_no_board(args.board, session.reader))
    topics = ranked(board_evolution(boards, entries, args.max_gap_h), args.sort)
    if args.topic:
        texts = (topics["topic"] + "\n" + topics["topic_key"]).str.casefold()
        topics = topics[texts.str.contains(args.topic.casefold(), regex=False)]
    if args.output:
        session.save(topics.head(args.top or len(topics)), args.output)
    else:
        shown = topics.head(args.top or TABLE_ROWS)
        count = f"{len(boards):,} snapshots, {len(shown):,} of {len(topics):,} topics"
        session.show(shown[list(BOARD_TABLE)].rename(columns=BOARD_TABLE), f"{args.board}: {count}; UTC")
    if args.plot:
        keys = topics["topic_key"].head(args.top or PLOT_TOPICS).tolist()
        chart = board_chart(boards, entries, keys, args.max_gap_h)
        subtitle = f"{len(keys)} of {len(topics):,} topics, {_days(entries)}"
        _save_chart(chart, args.board, subtitle, args, session)
    return GOOD


def ranked(topics: pd.DataFrame, column: str | None = None) -> pd.DataFrame:
    """By *column*, best first, missing last; without one by peak_volume where any is shown."""
    by = column or ("peak_volume" if topics["peak_volume"].notna().any() else "best_position")
    order = [by, "best_position", "topic_key"]
    return topics.sort_values(order, ascending=[SORTS[by], True, True], kind="stable", ignore_index=True)


def _of_entity(args: argparse.Namespace, session: Session) -> int:
    seen = session.reader.history(args.entity, since=args.since, until=args.until)
    if seen.empty:
        raise UsageError(_no_entity(args.entity, session.reader))
    readings = entity_evolution(seen, shown_counters(seen))
    readings = readings[readings["value"].notna()]
    story = readings.merge(changes(readings), how="left", on=SAME_READING)
    if args.top:
        story = story.groupby("counter", sort=False).tail(args.top)
    if args.output:
        session.save(story, args.output)
    else:
        session.show(entity_table(story), f"{args.entity}: {len(seen):,} observations; UTC")
    if args.plot:
        chart = entity_chart(readings)
        _save_chart(chart, args.entity, f"{len(seen):,} observations, {_days(seen)}", args, session)
    return GOOD


def entity_table(story: pd.DataFrame) -> pd.DataFrame:
    """Readings and their changes as a person reads them: `700,000 (600,000 to 800,000)`."""
    rows = story.to_dict("records")
    return pd.DataFrame({
        "counter": story["counter"], "at": story["at"], "at_precision": story["at_precision"],
        "shown": [_bounded(row, "value", "low", "high") for row in rows],
        "moved": story["sign"],
        "change": [_bounded(row, "change", "change_low", "change_high") for row in rows],
        "over h": [_bounded(row, "elapsed_h", "elapsed_h_low", "elapsed_h_high", 1) for row in rows],
        "per day": [_bounded(row, "per_day", "per_day_low", "per_day_high", 1) for row in rows],
    })  # fmt: skip


def _bounded(row: dict[Any, Any], name: str, low: str, high: str, digits: int | None = None) -> str | None:
    if pd.isna(row[name]):
        return None
    shape = "," if digits is None else f",.{digits}f"
    shown, least, most = (f"{row[each]:{shape}}" for each in (name, low, high))
    return shown if least == most else f"{shown} ({least} to {most})"


def _days(frame: pd.DataFrame) -> str:
    return f"{frame['at'].min():%Y-%m-%d} to {frame['at'].max():%Y-%m-%d}, UTC"


def _save_chart(chart: Chart, title: str, subtitle: str, args: argparse.Namespace, session: Session) -> None:
    save_chart(chart, title, subtitle, args.plot, simulated=session.simulated)
    session.say(f"chart written to {args.plot}")


def shown_counters(observations: pd.DataFrame) -> list[str]:
    """Counters of the entity's kind that are numbers and were shown at least once, in the model's order."""
    kind = observations["kind"].iloc[-1]
    names = (name for name in KINDS[kind].counters if name not in ("currency", "available"))
    return [name for name in names if observations[name].notna().any()]


def _no_board(board: str, reader: Reader) -> str:
    known = [each.board for each in reader.known_boards()]
    if board in known:
        return f"{board}: no snapshot in the time asked for; see: python -m analysis boards"
    if not known:
        return f"{clean(board)}: this database holds no board; try: make demo"
    names = ", ".join(known[:NAMES_IN_AN_ERROR]) + (", …" if len(known) > NAMES_IN_AN_ERROR else "")
    return f"{clean(board)}: no such board. There are: {names}. See: python -m analysis boards"


def _no_entity(entity: str, reader: Reader) -> str:
    if not reader.observations(entity).empty:
        return f"{entity}: no observation in the time asked for"
    known = reader.entities(limit=NAMES_IN_AN_ERROR)["entity"].tolist()
    if not known:
        return f"{clean(entity)}: this database holds no observation; try: make demo"
    return f"{clean(entity)}: no such entity. Most observed: {', '.join(map(clean, known))}"


BOARDS = Command("Boards that were captured, with their first and last moment.", _boards_arguments, _boards)
EVOLUTION = Command("How topics moved on a board, or counters of an entity in time.", _evolution_arguments, _evolution)
