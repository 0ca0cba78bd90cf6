"""`alerts --rule burst`: whose inflow has just left the usual, told once, with what the rule has earned here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis.command import GOOD, Session, UsageError
from analysis.output import clean
from analysis.trends import alerts, onsets
from analysis.trends.alerts import wilson
from analysis.trends.bursts import HOUR
from analysis.trends.growth_commands import COUNTED
from analysis.trends.lead import LEAST_CHANCE
from analysis.trends.onsets import BurstRule, Series, Told
from crawler.storage.reads import Reader

DEFAULT_HOURS = 24.0
SHOWN = 20
LAST_H = 2.0  # bins that a horizon holds at least: what lasts must be read again


def bursts(args: argparse.Namespace, session: Session) -> int:
    if args.known_at and not args.preview:
        raise UsageError("alerts: what was known then can be looked at only; add --preview")
    if args.least is not None:
        raise UsageError("--least: a burst is told by its strength, no probability; leave it out, or see --per-day")
    rule, series = _asked(args, session.reader)
    bin = onsets.cadence(series)
    if bin is None:
        raise UsageError(f"{clean(rule.subject)}: no two readings to tell an inflow from; collect some more first")
    if rule.horizon_h * HOUR < LAST_H * bin:
        raise UsageError(f"--hours {rule.horizon_h:g}: readings are {bin / HOUR:.1f} h apart; try --hours "
                         f"{LAST_H * bin / HOUR:.0f} or more")  # fmt: skip
    told = onsets.backtest(rule, series, bin)
    rule = onsets.proven(rule, told)
    long_enough = sum(len(each.rows) > onsets.settings_at(bin).learning / bin for each in series)
    session.say(f"{len(series):,} series, a reading every {bin / HOUR:.1f} h; {long_enough:,} are long enough to judge")
    return _preview(rule, told, series, bin, session) if args.preview else _live(rule, told, series, session)


def _asked(args: argparse.Namespace, reader: Reader) -> tuple[BurstRule, list[Series]]:
    hours = args.hours or DEFAULT_HOURS
    back = timedelta(days=args.days)
    if args.board:
        last = next((each.last for each in reader.known_boards() if each.board == args.board), None)
        if last is None:
            raise UsageError(f"{clean(args.board)}: no such board; see: python -m analysis boards")
        series = onsets.of_volume(reader.entries(args.board, since=last - back))
        return BurstRule(args.board, {"board": args.board}, hours, per_day=args.per_day), series
    counted = COUNTED[args.kind]
    if args.counter not in counted:
        raise UsageError(f"--counter: expected one of a {args.kind}: {', '.join(counted)}; found {args.counter}")
    known = reader.entities(args.kind, args.most_entities)
    if known.empty:
        raise UsageError(f"no {args.kind} was observed; try: make demo")
    seen = reader.observations_of(known["entity"].tolist(), since=known["last"].max().to_pydatetime() - back)
    about = {"kind": args.kind, "counter": args.counter}
    rule = BurstRule(f"{args.kind} {args.counter}", about, hours, per_day=args.per_day)
    return rule, onsets.of_counter(seen, args.counter)


def _live(rule: BurstRule, told: Sequence[Told], series: Sequence[Series], session: Session) -> int:
    last = max(each.rows[-1].at for each in series if each.rows)
    _settle(rule, series, last, session)
    new = _unsaid(rule, told, last, session.alerts.all(rule.name))
    session.alerts.tell(new)
    kept = session.alerts.all(rule.name)
    session.say(f"promised: {rule.promise}")
    session.say(f"live: {alerts.live(kept)}")
    session.show(_table(kept[:SHOWN]), f"{rule.name}: {len(new)} new alerts; UTC")
    return GOOD


def _unsaid(
    rule: BurstRule, told: Sequence[Told], last: datetime, kept: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Documents of what is new and young enough. What was said before counts for quiet and budget, too."""
    found: list[dict[str, Any]] = []
    for each in told:
        chance = rule.probability(each.burst.score)
        if (last - each.at) / HOUR >= rule.horizon_h or (chance is not None and chance < LEAST_CHANCE):
            continue
        said = [*kept, *found]
        again = any(_key(one) == each.burst.topic_key and abs(each.at - one["at"]) < rule.quiet for one in said)
        today = sum(one["at"].date() == each.at.date() for one in said)
        if not again and today < rule.per_day:
            found.append(onsets.document(rule, each.at, each.burst))
    return found


def _key(alert: dict[str, Any]) -> str:
    return str(alert.get("topic_key") or alert.get("entity"))


def _settle(rule: BurstRule, series: Sequence[Series], last: datetime, session: Session) -> None:
    rows = {each.key: each.rows for each in series}
    marks = {}
    for each in session.alerts.unsettled(rule.name):
        usual = each["evidence"]["usual_per_hour"]
        true, _ = onsets.outcome(each["at"], each["until"], usual, rows.get(_key(each)) or ())
        if true is not None:
            marks[each["_id"]] = (true, last)
    session.alerts.settle(marks)


def _table(kept: Sequence[dict[str, Any]]) -> pd.DataFrame:
    evidence = [each["evidence"] for each in kept]
    return pd.DataFrame({
        "at": pd.Series([each["at"] for each in kept], dtype="datetime64[ms, UTC]"),
        "what": [each["topic"] for each in kept],
        "probability": [_chance(each["probability"]) for each in kept],
        "per hour": [each["inflow_per_hour"] for each in evidence],
        "usual": [each["usual_per_hour"] for each in evidence],
        "came true": [_said(each.get("came_true")) for each in kept],
    })  # fmt: skip


def _chance(found: float | None) -> str:
    return alerts.UNPROVEN if found is None else f"{found:.2f}"


def _said(true: bool | None) -> str | None:
    return {True: "yes", False: "no", None: None}[true]


def _preview(rule: BurstRule, told: Sequence[Told], series: Sequence[Series], bin: timedelta, session: Session) -> int:
    """What the rule would have told in the past, beside the usual rule and blind chance; writes nothing."""
    plain = onsets.proven(rule, onsets.backtest(rule, series, bin, plain=True)).earned
    hits, n = onsets.by_chance(series, bin, rule.horizon_h)
    session.say(f"{rule.name}: {len(told)} alerts in the past, nothing was written")
    session.say(f"earned, told in order without knowing what came: {_earned(rule.earned)} ({rule.promise})")
    session.say(f'"three times as much as usual" instead: {_earned(plain)}')
    session.say(f"any moment, told blindly: {hits / n:.1%} of {n:,}" if n else "any moment: none could be judged")
    newest = [onsets.document(rule, each.at, each.burst) | {"came_true": each.came_true} for each in told[::-1][:SHOWN]]
    session.show(_table(newest), "newest first; UTC")
    return GOOD


def _earned(found: alerts.Earned | None) -> str:
    if found is None:
        return "none was settled"
    hits = round(found.precision * found.n)
    low, high = wilson(hits, found.n)
    lead = f", median lead {found.lead_h:.1f} h" if hits else ""
    return f"{hits} of {found.n} came true: {found.precision:.0%} ({low:.0%} to {high:.0%}){lead}"
