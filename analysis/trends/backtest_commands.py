"""`backtest`: how good the forecasts would have been, on a board of the database or on an archive of files."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from analysis.command import GOOD, Command, Screen, Session, UsageError, file, moment, positive
from analysis.output import clean
from analysis.plot import save_chart
from analysis.trends import backtest, nextvalue, peak, trials
from analysis.trends.archives import ArchiveError, read_archive
from analysis.trends.backtest_report import (
    Options,
    alert_table,
    forecast_table,
    plain,
    reliability_chart,
    report,
)
from analysis.trends.entry import Question, candidates
from analysis.trends.streams import Stream, stream_of_board
from analysis.trends.team import TooLittle

PLOTS = (".png", ".svg")
LEAST_SNAPSHOTS = 50
SEED = 7
DEFAULT_TOP, DEFAULT_HOURS = 10, 3.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--board", help="a board of the database, e.g. x:trends:br")
    what.add_argument("--from", dest="path", type=Path, metavar="PATH", help="an archive of lists: folder, csv, tar")
    option = parser.add_argument
    option("--only", metavar="TEXT", help="of an archive, only boards whose name holds this text")
    option("--until", type=moment, metavar="MOMENT", help="leave out what was taken later")
    option("--top", type=positive, default=DEFAULT_TOP, metavar="K", help="the top is the first K places (default 10)")
    option("--hours", type=float, default=DEFAULT_HOURS, metavar="H", help="look H hours ahead (default 3)")
    option("--budget", type=float, default=10.0, metavar="N", help="alerts a day (default 10)")
    option("--refit-days", type=float, default=30.0, metavar="D", help="learn anew every D days (default 30)")
    option("--quick", action="store_true", help="one learner instead of the team; about a fifth of the time")
    option("--no-volumes", action="store_true", help="leave out the forecast of volumes (T2)")
    option("--peaks", action="store_true", help="also forecast the hours left to each topic's peak (T4)")
    option("--trials", action="store_true", help="hidden volumes, lost snapshots, shuffled answers, planted climbs")
    option("--json", action="store_true", help="print one JSON object instead of tables")
    option("--plot", type=file(*PLOTS), metavar="FILE", help=f"reliability: {', '.join(PLOTS)}")


def _of_board(args: argparse.Namespace, session: Session) -> int:
    if args.path:
        return _of_archive(args, session)
    entries = session.reader.entries(args.board, until=args.until)
    if entries.empty:
        raise UsageError(f"{clean(args.board)}: no such board, or nothing in that time; see: python -m analysis boards")
    return _show([stream_of_board(args.board, entries)], args, session)


def _of_archive(args: argparse.Namespace, screen: Screen) -> int:
    try:
        streams = read_archive(args.path)
    except (ArchiveError, OSError) as error:
        raise UsageError(str(error)) from None
    chosen = [each for each in streams if not args.only or args.only in each.board]
    if args.until:
        chosen = [
            Stream(each.board, [one for one in each.snapshots if one.at <= args.until], each.names) for each in chosen
        ]
    usable = [each for each in chosen if len(each.snapshots) >= LEAST_SNAPSHOTS]
    if not usable:
        counts = ", ".join(f"{clean(each.board)}: {len(each.snapshots)}" for each in streams)
        raise UsageError(f"{args.path}: no board of at least {LEAST_SNAPSHOTS} snapshots; there are {counts}")
    return _show(usable, args, screen)


def fitting(question: Question, streams: Sequence[Stream]) -> tuple[Question, list[str]]:
    """The question, made askable: a top that leaves someone below, and a horizon longer than the usual gap."""
    told = []
    size = max(len(snapshot.keys) for stream in streams for snapshot in stream.snapshots)
    cadence = max(stream.cadence_h for stream in streams)
    top, hours = question.top, question.horizon_h
    if size < 2 * top:
        top = max(1, size // 3)
        told.append(f"lists have at most {size} topics: the top is the first {top}")
    if hours < 1.25 * cadence:
        hours = math.ceil(1.25 * cadence)
        told.append(f"snapshots are {cadence:.1f} h apart: looking {hours:g} h ahead")
    return Question(top, hours), told


def measured(streams: Sequence[Stream], args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    question, told = fitting(Question(args.top, args.hours), streams)
    members = backtest.Settings().members[: 1 if args.quick else None]
    settings = backtest.Settings(refit_days=args.refit_days, members=members)
    rows = candidates(streams, question)
    found = backtest.walk_forward(rows, question, settings)
    made = report(found, streams, Options(args.budget))
    if found.note:
        told.append(found.note)
    if not args.no_volumes:
        made["volumes"] = _volumes(streams, question, told)
    if args.peaks:
        made["peak"] = asdict(peak.judged(peak.stays(streams, question.top)))
    if args.trials:
        made["trials"] = {
            "stress": [asdict(each) for each in trials.stress(streams, question, settings, SEED)],
            "shuffled": asdict(trials.shuffled(rows, question, settings, SEED)),
            "planted_told": trials.planted(streams, question, settings, args.budget, SEED),
        }
    made["told"] = told
    return made, told


def _volumes(streams: Sequence[Stream], question: Question, told: list[str]) -> dict[str, Any] | None:
    try:
        found = nextvalue.walk_forward(nextvalue.steps(streams, question.top))
    except TooLittle as error:
        told.append(f"volumes: {error}")
        return None
    return {**asdict(found), "ratio": found.ratio}


def _show(streams: Sequence[Stream], args: argparse.Namespace, screen: Screen) -> int:
    try:
        made, told = measured(streams, args)
    except TooLittle as error:
        raise UsageError(f"too little history: {error}") from None
    if args.json:
        screen.say(orjson.dumps(plain(made), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in told:
            screen.say(f"note: {line}")
        _tables(made, screen)
    if args.plot:
        title = f"Promised and kept: {', '.join(clean(each.board) for each in streams[:3])}"
        subtitle = f"{made['rows']:,} forecasts on {made['days']} days; ideal is the dashed line"
        save_chart(reliability_chart(made), title, subtitle, args.plot, simulated=screen.simulated)
        if not args.json:
            screen.say(f"chart written to {args.plot}")
    return GOOD


def _tables(made: dict[str, Any], screen: Screen) -> None:
    asked = made["question"]
    title = (
        f"Will it enter the top {asked['top']} within {asked['horizon_h']:g} h? {made['rows']:,} forecasts at "
        f"{made['origins']:,} snapshots on {made['days']} days, {made['folds']} folds; "
        f"{made['base_rate']:.1%} did; {made['dropped_origins']:,} snapshots dropped (answer not observed)"
    )
    screen.show(forecast_table(made), title)
    seen = made["visibility"]
    screen.say("")
    screen.show(
        alert_table(made),
        f"Alerts at a budget of {made['alert_budget_per_day']:g} a day; of {seen['entries']:,} topics that first "
        f"reached the top {seen['never_visible']:.0%} were never seen below it before, the others a median "
        f"{_hours(seen['lead_h_possible'])} before",
    )
    if volumes := made.get("volumes"):
        rows = [{"forecaster": name, "MAE of log": each} for name, each in volumes["mae"].items()]
        screen.say("")
        frame = pd.DataFrame(rows).assign(**{"MAE of log": lambda each: each["MAE of log"].map("{:.3f}".format)})
        screen.show(
            frame,
            f"Next volume: {volumes['n']:,} forecasts, {volumes['ratio']:.3f} of the error of persistence; "
            f"{volumes['inside_80']:.0%} inside the 80 % interval",
        )
    if left := made.get("peak"):
        screen.say("")
        screen.say(
            f"Hours left to the peak: {left['n']:,} forecasts ({left['censored']:,} stays still running left out), "
            f"pinball loss {left['pinball']:.3f} h beside {left['pinball_survival']:.3f} of the survival table; "
            f"{left['inside_80']:.0%} and {left['inside_80_survival']:.0%} inside the 80 % interval"
        )
    if tried := made.get("trials"):
        _trial_table(tried, screen)


def _trial_table(tried: dict[str, Any], screen: Screen) -> None:
    frame = pd.DataFrame([*tried["stress"], tried["shuffled"]])
    numbers = ("average_precision", "persistence", "base_rate")
    frame = frame.assign(**{name: frame[name].map("{:.3f}".format) for name in numbers})
    screen.say("")
    screen.show(frame, f"Trials (one learner); {tried['planted_told']:.0%} of planted climbs were told before the top")


def _hours(value: float) -> str:
    return "·" if math.isnan(value) else f"{value:.1f} h"


BACKTEST = Command(
    "How good forecasts and alerts would have been, beside every simple rule.",
    _arguments, _of_board, _of_archive, lambda args: args.path is not None,
)  # fmt: skip
