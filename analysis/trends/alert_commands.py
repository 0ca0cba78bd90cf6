"""`alerts`: what is about to enter the top of a board, told once, with what the rule has earned; later settled."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError, hours, positive
from analysis.output import clean
from analysis.trends import alerts, backtest, lead, models, team
from analysis.trends.backtest import TEAM_NAME
from analysis.trends.backtest_commands import DEFAULT_HOURS, DEFAULT_TOP, fitting
from analysis.trends.burst_commands import bursts
from analysis.trends.entry import Question
from analysis.trends.growth_commands import COUNTED
from analysis.trends.streams import EPOCH, HOUR, Snapshot, Stream, stream_of_board

SHOWN = 20
RETRAIN_DAYS = 30.0
NEAREST = 10


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--board", help="a board of the database, e.g. x:trends:br")
    what.add_argument("--kind", choices=sorted(kind for kind, names in COUNTED.items() if names), help="of burst")
    option(
        "--rule",
        choices=("entry", "burst"),
        default="entry",
        help="entry: a topic is about to enter the top; burst: an inflow has just left what is usual (default entry)",
    )
    option("--counter", help="of burst with --kind: followers, views, likes …")
    option("--top", type=positive, default=DEFAULT_TOP, metavar="K", help="the top is the first K places (default 10)")
    option("--hours", type=_hours, metavar="H", help="look H hours ahead (default 3; a burst is to last 24)")
    option("--per-day", type=positive, default=10, metavar="N", help="alerts a day at most (default 10)")
    option("--least", type=_share, metavar="P", help="tell from this probability on (default: as the budget allows)")
    option("--preview", action="store_true", help="what the rule would have told in the past; writes nothing")
    option("--train", action="store_true", help=f"learn anew (by itself when older than {RETRAIN_DAYS:g} days)")
    option("--quick", action="store_true", help="one learner instead of the team")
    option("--days", type=positive, default=90, metavar="N", help="of burst: the newest N days are read (default 90)")
    option("--most-entities", type=positive, default=1000, metavar="N", help="of burst: the N most observed (1000)")


def _hours(text: str) -> float:
    return hours(text) / HOUR


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a probability between 0 and 1")
    return found


def _alerts(args: argparse.Namespace, session: Session) -> int:
    if (args.kind is None) != (args.counter is None):
        raise UsageError("alerts: --kind and --counter go together, e.g. --kind profile --counter followers")
    if args.rule == "burst":
        return bursts(args, session)
    if args.kind:
        raise UsageError("alerts: only --rule burst knows --kind; an entry is one into the top of a --board")
    whole = _stream(args.board, session)
    question, told = fitting(Question(args.top, args.hours or DEFAULT_HOURS), [whole])
    for line in told:
        session.say(f"note: {line}")
    try:
        if args.preview:
            return _preview(whole, question, args, session)
        model, watch = _ready(whole, question, args, session)
    except team.TooLittle as error:
        return _nearest(whole, question, str(error), session)
    except models.ModelDoesNotFit as error:
        raise UsageError(str(error)) from None
    rule = alerts.with_least(model.rule, args.least) if args.least else model.rule
    _settle(rule, whole, session)
    new = _tell(model, watch, rule, whole, args, session)
    _show(new, rule, session)
    return GOOD


def _stream(board: str, session: Session) -> Stream:
    entries = session.reader.entries(board)
    if entries.empty:
        raise UsageError(f"{clean(board)}: no such board; see: python -m analysis boards")
    return stream_of_board(board, entries)


def _settings(args: argparse.Namespace) -> backtest.Settings:
    return backtest.Settings(members=backtest.Settings().members[: 1 if args.quick else None])


def _ready(
    whole: Stream, question: Question, args: argparse.Namespace, session: Session
) -> tuple[models.Model, models.Watch]:
    """The kept model where it fits the question and is young enough; else a new one, its watch at the newest snapshot.

    A new watch has seen the past, but tells nothing of it: an alert after the fact is none.
    """
    path = models.path_of(session.models_dir, f"{whole.board} {question}")
    kept = None if args.train else models.load(path)
    if kept and not models.old(kept[0], whole.snapshots[-1].at, RETRAIN_DAYS):
        models.check(kept[0], whole)
        return kept[0], kept[1]
    session.say(f"learning from {len(whole.snapshots):,} snapshots of {clean(whole.board)} …")
    model = models.train(whole, question, _settings(args), args.per_day).model
    watch, _ = models.replay(model, replace(model.rule, per_day=0), whole.snapshots[:-1], whole.names)
    models.save(path, model, watch)
    return model, watch


def _tell(
    model: models.Model, watch: models.Watch, rule: alerts.Rule, whole: Stream, args: argparse.Namespace,
    session: Session,
) -> list[dict[str, Any]]:  # fmt: skip
    """Alerts of the snapshots since the last time; of a snapshot older than its horizon nothing is told any more."""
    last = whole.snapshots[-1].at
    new: list[dict[str, Any]] = []
    for snapshot in _since(watch.upto, whole):
        fresh = (last - snapshot.at) / HOUR < rule.question.horizon_h
        new += watch.add(model, rule if fresh else replace(rule, per_day=0), snapshot, whole.names)
    session.alerts.tell(new)
    models.save(models.path_of(session.models_dir, f"{whole.board} {model.question}"), model, watch)
    return new


def _since(upto: datetime | None, whole: Stream) -> list[Snapshot]:
    return [each for each in whole.snapshots if upto is None or each.at > upto]


def _settle(rule: alerts.Rule, whole: Stream, session: Session) -> None:
    outcomes = {each["_id"]: alerts.outcome(each, whole) for each in session.alerts.unsettled(rule.name)}
    at = whole.snapshots[-1].at
    session.alerts.settle({key: (true, at) for key, true in outcomes.items() if true is not None})


def _show(new: Sequence[dict[str, Any]], rule: alerts.Rule, session: Session) -> None:
    kept = session.alerts.all(rule.name)
    session.say(f"promised: {rule.promise}")
    session.say(f"live: {alerts.live(kept)}")
    session.show(_table(kept[:SHOWN]), f"{rule.name}: {len(new)} new alerts, from probability {rule.least:.2f} on; UTC")


def _table(kept: Sequence[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({
        "at": pd.Series([each["at"] for each in kept], dtype="datetime64[ms, UTC]"),
        "topic": [each["topic"] for each in kept],
        "probability": [f"{each['probability']:.2f}" for each in kept],
        "position": [each["evidence"].get("position") for each in kept],
        "climbed": [each["evidence"].get("step") for each in kept],
        "came true": [{True: "yes", False: "no", None: None}[each.get("came_true")] for each in kept],
    })  # fmt: skip


def _preview(whole: Stream, question: Question, args: argparse.Namespace, session: Session) -> int:
    """What the rule would have told over the tested past, with what came of it."""
    trained = models.train(whole, question, _settings(args), args.per_day)
    rule, found = trained.model.rule, trained.forecasts
    chance = found.probabilities[TEAM_NAME]
    least = args.least or rule.least
    told = lead.told(found.rows, chance, least)
    hits = int(found.label[told].sum())
    low, high = alerts.wilson(hits, len(told))
    days = max(whole.days, 1e-9) if not len(told) else (found.rows.at_h[-1] - found.rows.at_h[0]) / 24
    session.say(f"{rule.name}, from probability {least:.2f} on: {len(told)} alerts in {days:.0f} days, ")
    session.say(f"{hits} came true: {hits / max(len(told), 1):.0%} ({low:.0%} to {high:.0%}); nothing was written")
    session.say(f"kept to the budget in time, without knowing the days ahead: {rule.promise}")
    newest = told[::-1][:SHOWN]
    numbers = _names(whole, question.top)
    session.show(pd.DataFrame({
        "at": pd.Series([EPOCH + float(found.rows.at_h[i]) * HOUR for i in newest], dtype="datetime64[ms, UTC]"),
        "topic": [numbers[int(found.rows.topic[i])] for i in newest],
        "probability": [f"{chance[i]:.2f}" for i in newest],
        "came true": ["yes" if found.label[i] else "no" for i in newest],
    }), "newest first; UTC")  # fmt: skip
    return GOOD


def _names(whole: Stream, top: int) -> list[str]:
    """Topics by their number in Candidates."""
    keys = dict.fromkeys(key for snapshot in whole.snapshots for key in snapshot.keys[top:])
    return [whole.names.get(key, key) for key in keys]


def _nearest(whole: Stream, question: Question, reason: str, session: Session) -> int:
    """The best baseline: who stands nearest below the top. No probability, nothing written."""
    newest = whole.snapshots[-1]
    keys = newest.keys[question.top : question.top + NEAREST]
    session.say(f"no alerts: {reason}")
    frame = pd.DataFrame({
        "position": range(question.top + 1, question.top + 1 + len(keys)),
        "topic": [whole.names.get(key, key) for key in keys],
    })  # fmt: skip
    session.show(frame, f"Nearest to the top {question.top} at {newest.at:%Y-%m-%d %H:%M} UTC ({alerts.UNPROVEN})")
    return GOOD


ALERTS = Command(
    "What is about to enter the top, or has begun to burst: told once, with what the rule earned.", _arguments, _alerts
)
