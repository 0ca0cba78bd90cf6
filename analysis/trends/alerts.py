"""Alert rules on forecasts: when a topic is told, when it is left alone, and whether it came true. Pure; never queries.

A rule tells a topic when its probability (of a burst: its strength) reaches `least`. It is then on until that falls
below half of it, is not told again within its quiet time, and of one day only the first few are told. A rule carries
what it earned in the walk-forward backtest on the same history; without one it says "unproven here".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from analysis.trends.entry import Question
from analysis.trends.streams import Stream

UNPROVEN = "unproven here"
LEAST_EARNED = 20  # alerts in the backtest; fewer say too little about a rule
STILL_ON = 0.5
Z_95 = 1.96


@dataclass(frozen=True)
class Earned:
    """What the rule's alerts were worth in the backtest."""

    precision: float
    precision_low: float
    precision_high: float
    lead_h: float
    n: int
    until: datetime


@dataclass(frozen=True)
class Rule:
    board: str
    question: Question
    least: float
    """Probability from which a topic is told."""
    per_day: int
    quiet: timedelta = timedelta(hours=24)
    earned: Earned | None = None

    @property
    def name(self) -> str:
        return f"{self.board}: top {self.question.top} within {self.question.horizon_h:g} h"

    @property
    def promise(self) -> str:
        return promised(self.earned)


class Terms(Protocol):
    """What deciding asks of a rule, whatever its detector."""

    @property
    def least(self) -> float: ...
    @property
    def per_day(self) -> int: ...
    @property
    def quiet(self) -> timedelta: ...


@dataclass(frozen=True)
class Candidate:
    """Who may be told, how loudly the detector speaks for it, and by which numbers."""

    topic_key: str
    topic: str
    score: float
    """In the unit of the rule's `least`: a probability, or a burst's strength in units of the needed one."""
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """What a rule remembers between snapshots."""

    on: frozenset[str] = frozenset()
    told_at: Mapping[str, datetime] = field(default_factory=dict)
    day: str = ""
    told_today: int = 0


def promised(earned: Earned | None) -> str:
    if earned is None or earned.n < LEAST_EARNED:
        return UNPROVEN
    lead = "" if math.isnan(earned.lead_h) else f"median lead {earned.lead_h:.1f} h, "
    return (
        f"{earned.precision:.0%} came true ({earned.precision_low:.0%} to {earned.precision_high:.0%}, n {earned.n}), "
        f"{lead}backtested to {earned.until:%Y-%m-%d}"
    )


def decide(rule: Terms, state: State, at: datetime, candidates: Sequence[Candidate]) -> tuple[list[Candidate], State]:
    """Who is told at this snapshot, highest score first, and what to remember. A topic that is not there is off."""
    day = f"{at:%Y-%m-%d}"
    left = rule.per_day - (state.told_today if state.day == day else 0)
    fresh = {key: then for key, then in state.told_at.items() if at - then < rule.quiet}
    still = {each.topic_key for each in candidates if each.score >= STILL_ON * rule.least} & state.on
    ready = [
        each for each in candidates
        if each.score >= rule.least and each.topic_key not in still and each.topic_key not in fresh
    ]  # fmt: skip
    told = sorted(ready, key=lambda each: (-each.score, each.topic_key))[: max(left, 0)]
    names = {each.topic_key for each in told}
    return told, State(
        frozenset(still | names), {**fresh, **dict.fromkeys(sorted(names), at)}, day, rule.per_day - left + len(told)
    )


def document(rule: Rule, at: datetime, each: Candidate) -> dict[str, Any]:
    """An alert as the collection `alerts` keeps it."""
    return {
        "_id": f"{rule.name}@{at:%Y%m%dT%H%M%SZ}#{each.topic_key}", "rule": rule.name, "board": rule.board, "at": at,
        "topic": each.topic, "topic_key": each.topic_key, "probability": each.score,
        "until": at + timedelta(hours=rule.question.horizon_h), "top": rule.question.top,
        "evidence": dict(each.evidence), "promise": rule.promise,
        "earned": asdict(rule.earned) if rule.earned else None,
    }  # fmt: skip


def outcome(alert: Mapping[str, Any], whole: Stream) -> bool | None:
    """Whether the topic stood in the top between the alert and its end; None while nobody can know.

    Nobody can know before the end, or where no snapshot was taken in between.
    """
    between = [each for each in whole.snapshots if alert["at"] < each.at <= alert["until"]]
    if any(alert["topic_key"] in each.keys[: alert["top"]] for each in between):
        return True
    over = bool(whole.snapshots) and whole.snapshots[-1].at >= alert["until"]
    return False if between and over else None


def unanswerable(alert: Mapping[str, Any], whole: Stream) -> bool:
    """Its time is over and no snapshot was taken in it: it will never be settled."""
    over = bool(whole.snapshots) and whole.snapshots[-1].at >= alert["until"]
    return over and outcome(alert, whole) is None


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share; (0, 1) without any."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def live(alerts: Sequence[Mapping[str, Any]]) -> str:
    """How the alerts told so far did, as one line beside what was promised."""
    settled = [bool(each["came_true"]) for each in alerts if "came_true" in each]
    if not settled:
        return f"{len(alerts)} told, none settled yet"
    low, high = wilson(sum(settled), len(settled))
    few = "; too few to judge" if len(settled) < LEAST_EARNED else ""
    share = sum(settled) / len(settled)
    return f"{len(alerts)} told, {len(settled)} settled, {share:.0%} came true ({low:.0%} to {high:.0%}){few}"


def with_least(rule: Rule, least: float) -> Rule:
    """The same rule at another threshold has not earned anything."""
    return rule if least == rule.least else replace(rule, least=least, earned=None)
