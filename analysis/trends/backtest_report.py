"""A walk-forward backtest as one table, one JSON and one reliability plot. Never queries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from analysis.plot import COLORS, INK
from analysis.trends import lead, measures
from analysis.trends.backtest import BASE_RATE, TEAM_NAME, Forecasts
from analysis.trends.baselines import LOGISTIC, PERSISTENCE
from analysis.trends.streams import Stream

SEED = 1
LEADERS = (TEAM_NAME, PERSISTENCE, LOGISTIC, "3x rule")


@dataclass(frozen=True)
class Options:
    per_day: float
    rounds: int = measures.ROUNDS


def report(found: Forecasts, truth: Sequence[Stream], options: Options) -> dict[str, Any]:
    """Plain values, for --json; NaN becomes None there."""
    label, rows = found.label, found.rows
    resampled = measures.by_day(label, found.scores, rows.day, SEED, options.rounds)
    table = [_line(name, found, resampled) for name in found.scores]
    table.sort(key=lambda each: -each["average_precision"])
    leads = {name: lead.at_budget(found, name, options.per_day, truth) for name in LEADERS}
    return {
        "question": {**asdict(found.question), "boards": [each.board for each in truth]},
        "rows": len(label), "origins": len(np.unique(rows.origin)), "days": len(np.unique(rows.day)),
        "positives": int(label.sum()), "base_rate": float(label.mean()), "dropped_origins": found.dropped_origins,
        "folds": len(np.unique(found.fold)), "note": found.note, "table": table,
        "alert_budget_per_day": options.per_day,
        "alerts": {name: asdict(alerts) for name, (alerts, _) in leads.items()},
        "visibility": asdict(leads[TEAM_NAME][1]),
        "reliability": [asdict(each) for each in measures.reliability(label, found.probabilities[TEAM_NAME])],
    }  # fmt: skip


def _line(name: str, found: Forecasts, resampled: dict[str, measures.Floats]) -> dict[str, Any]:
    label, score, chance = found.label, found.scores[name], found.probabilities[name]
    value = measures.average_precision(label, score)
    base = measures.average_precision(label, found.scores[PERSISTENCE])
    first = found.rows.first_episode
    around = measures.interval(value, resampled[name])
    ratio = measures.interval(value / base, resampled[name] / resampled[PERSISTENCE])
    reference = measures.brier(label, found.probabilities[BASE_RATE])
    # The base rate ranks nobody: what it would tell first is an accident of the order of rows.
    none = (math.nan, math.nan)
    at_1, at_5 = (none if name == BASE_RATE else measures.at_most(label, score, found.rows.origin, k) for k in (1, 5))
    return {
        "forecaster": name, "average_precision": value, "low": around.low, "high": around.high,
        "to_persistence": ratio.value, "to_persistence_low": ratio.low, "to_persistence_high": ratio.high,
        "first_episodes": measures.average_precision(label[first], score[first]),
        "precision_at_1": at_1[0], "precision_at_5": at_5[0], "recall_at_5": at_5[1],
        "recall_at_precision_half": measures.recall_at_precision(label, score, 0.5),
        "brier_skill": 1 - measures.brier(label, chance) / reference if reference else math.nan,
        "ece": measures.calibration_error(label, chance),
    }  # fmt: skip


HEADS = {
    "forecaster": "forecaster", "average_precision": "AP", "low": "AP low", "high": "AP high",
    "to_persistence": "x pers.", "to_persistence_low": "low", "to_persistence_high": "high",
    "first_episodes": "AP first", "precision_at_1": "P@1", "precision_at_5": "P@5", "recall_at_5": "R@5",
    "brier_skill": "skill", "ece": "ECE",
}  # fmt: skip
ALERT_HEADS = {
    "forecaster": "forecaster", "per_day": "a day", "precision": "came true", "lead_h_median": "lead h",
    "lead_h_low": "lead q1", "lead_h_high": "lead q3", "caught_of_visible": "caught", "false_per_week": "false a week",
}  # fmt: skip


def forecast_table(found: dict[str, Any]) -> pd.DataFrame:
    return _texts(pd.DataFrame(found["table"]), HEADS, 3)


def alert_table(found: dict[str, Any]) -> pd.DataFrame:
    rows = [{"forecaster": name, **each} for name, each in found["alerts"].items()]
    return _texts(pd.DataFrame(rows), ALERT_HEADS, 2)


def _texts(frame: pd.DataFrame, heads: dict[str, str], digits: int) -> pd.DataFrame:
    made = {
        head: [
            each if isinstance(each, str) else "·" if pd.isna(each) else f"{each:.{digits}f}" for each in frame[name]
        ]
        for name, head in heads.items()
    }
    return pd.DataFrame(made)


def plain(value: Any) -> Any:
    """For JSON: NaN is null, numbers are Python's."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def reliability_chart(found: dict[str, Any]) -> alt.VConcatChart:
    frame = pd.DataFrame(found["reliability"])
    ideal = pd.DataFrame({"promised": [0.0, 1.0], "kept": [0.0, 1.0]})
    line = alt.Chart(ideal).mark_line(strokeDash=[4, 4], color=COLORS[6]).encode(x="promised:Q", y="kept:Q")
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, color=INK)
        .encode(
            x=alt.X("promised:Q", title="probability told", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("kept:Q", title="share that came true", scale=alt.Scale(domain=[0, 1])),
            size=alt.Size("n:Q", title="forecasts"),
        )
    )
    return alt.vconcat((line + points).properties(width=420, height=420))
