"""A trained early-entry model: what it was trained on, what it refuses, and how it is kept. Never queries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import orjson
import sklearn

from analysis.trends import backtest, lead, team
from analysis.trends.alerts import Candidate, Earned, Rule, State, decide, document, wilson
from analysis.trends.backtest import TEAM_NAME, Forecasts
from analysis.trends.entry import REACHES, Candidates, Floats, Question, candidates
from analysis.trends.streams import EPOCH, HOUR, Snapshot, Stream
from analysis.trends.tracker import AT, FEATURES, Tracker

OTHER_CADENCE = 2.0  # a list taken so many times more or less often behaves as another list
SHOWN = ("position", "step", "rate", "episode_h", "best", "to_volume_k")
"""The numbers that go into an alert's evidence."""


class ModelDoesNotFit(ValueError):
    """A stored model and this board, or this program, do not go together; says why and what to run."""


@dataclass(frozen=True)
class Model:
    board: str
    question: Question
    fitted: team.Team
    calibration: team.Calibration
    cadence_h: float
    rows: int
    positives: int
    trained_until: datetime
    rule: Rule
    features: tuple[str, ...] = FEATURES
    made_with: str = sklearn.__version__

    def probability(self, rows: Floats) -> Floats:
        return self.calibration.probability(self.fitted.log_odds(rows.astype(np.float32)))


@dataclass(frozen=True)
class Trained:
    model: Model
    forecasts: Forecasts


def train(whole: Stream, question: Question, settings: backtest.Settings, per_day: int) -> Trained:
    """Walked forward to learn what the rule earns, then fitted on everything. Raises TooLittle."""
    rows = candidates([whole], question)
    found = backtest.walk_forward(rows, question, settings)
    if found.note:
        raise team.TooLittle(found.note)
    known = rows.where(rows.known[:, REACHES.index(1.0)])
    newest = known.where(_last(known, settings.most_rows))
    calibration = team.calibrate(found.scores[TEAM_NAME], found.label)
    if calibration is None:
        raise team.TooLittle(
            f"{int(found.label.sum())} entries in the tested past; a probability needs more to be learnt"
        )
    model = Model(
        whole.board, question, team.fit(newest, question, settings.members), calibration, whole.cadence_h,
        len(newest.at_h), int(newest.entered(question).sum()), whole.snapshots[-1].at,
        _rule(whole, found, per_day),
    )  # fmt: skip
    return Trained(model, found)


def _last(rows: Candidates, most: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kept = np.zeros(len(rows.at_h), dtype=np.bool_)
    kept[-most:] = True
    return kept


def _rule(whole: Stream, found: Forecasts, per_day: int) -> Rule:
    chance = found.probabilities[TEAM_NAME]
    least = max(lead.LEAST_CHANCE, lead.threshold_for(found.rows, chance, per_day))
    told, _ = lead.at_budget(found, TEAM_NAME, per_day, [whole])
    low, high = wilson(told.came_true, told.told)
    until = EPOCH + float(found.rows.at_h[-1]) * HOUR
    earned = Earned(told.precision, low, high, told.lead_h_median, told.told, until) if told.told else None
    return Rule(whole.board, found.question, float(least), per_day, earned=earned)


@dataclass
class Watch:
    """A board watched live: feed it new snapshots in order; each costs what it holds, not what came before."""

    tracker: Tracker
    state: State = field(default_factory=State)
    upto: datetime | None = None

    def add(self, model: Model, rule: Rule, snapshot: Snapshot, names: dict[str, str]) -> list[dict[str, Any]]:
        """Alerts of this snapshot; one that is not later than the last brings none."""
        if self.upto is not None and snapshot.at <= self.upto:
            return []
        rows = self.tracker.add(snapshot)[model.question.top :]
        self.upto = snapshot.at
        if not len(rows):
            return []
        keys = snapshot.keys[model.question.top :]
        chances = model.probability(rows).tolist()
        found = [
            Candidate(key, names.get(key, key), chance, _evidence(row, snapshot, model.board))
            for key, chance, row in zip(keys, chances, rows, strict=True)
        ]
        told, self.state = decide(rule, self.state, snapshot.at, found)
        return [document(rule, snapshot.at, each) for each in told]


def _evidence(row: Floats, snapshot: Snapshot, board: str) -> dict[str, Any]:
    """The numbers, and the key of the board's document, which names the capture they were read from."""
    shown = {name: round(float(row[AT[name]]), 4) for name in SHOWN if not np.isnan(row[AT[name]])}
    return {**shown, "snapshot": f"{board}@{snapshot.at:%Y%m%dT%H%M%SZ}"}


def check(model: Model, whole: Stream) -> None:
    """Raises ModelDoesNotFit where the model was trained on something else."""
    again = "train it anew: python -m analysis alerts --board … --train"
    if model.features != FEATURES or model.made_with != sklearn.__version__:
        raise ModelDoesNotFit(f"{whole.board}: its model was made by another version of this program; {again}")
    if model.board != whole.board:
        raise ModelDoesNotFit(f"{whole.board}: this model was trained on {model.board}; {again}")
    apart = max(model.cadence_h, whole.cadence_h) / max(min(model.cadence_h, whole.cadence_h), 1e-9)
    if apart > OTHER_CADENCE:
        raise ModelDoesNotFit(
            f"{whole.board}: trained on snapshots {model.cadence_h:.1f} h apart, these are "
            f"{whole.cadence_h:.1f} h apart; {again}"
        )


def path_of(folder: Path, board: str) -> Path:
    """Boards may hold anything; a file name may not."""
    return folder / f"{hashlib.sha256(board.encode()).hexdigest()[:24]}.joblib"


def save(path: Path, model: Model, watch: Watch) -> None:
    """The model and its watch; beside them a JSON for people: what it was trained on, and the file's digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    joblib.dump((model, watch), part)
    about = {
        "board": model.board, "top": model.question.top, "horizon_h": model.question.horizon_h,
        "rows": model.rows, "positives": model.positives, "trained_until": model.trained_until,
        "cadence_h": model.cadence_h, "promise": model.rule.promise, "made_with": f"scikit-learn {model.made_with}",
        "sha256": hashlib.sha256(part.read_bytes()).hexdigest(),
    }  # fmt: skip
    part.replace(path)
    path.with_suffix(".json").write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2) + b"\n")


def load(path: Path) -> tuple[Model, Watch] | None:
    """None where there is none. Raises ModelDoesNotFit where the file is not the one that was written."""
    about = path.with_suffix(".json")
    if not path.is_file() or not about.is_file():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != orjson.loads(about.read_bytes())["sha256"]:
        raise ModelDoesNotFit(f"{path}: not the file that was written (its digest differs); delete it and train anew")
    model, watch = joblib.load(path)
    return model, watch


def replay(
    model: Model, rule: Rule, snapshots: Sequence[Snapshot], names: dict[str, str]
) -> tuple[Watch, list[dict[str, Any]]]:
    """Everything from the beginning: what a watch that was fed one by one holds, too."""
    watch, told = Watch(Tracker(model.question.top)), []
    for each in snapshots:
        told += watch.add(model, rule, each, names)
    return watch, told


def old(model: Model, now: datetime, days: float) -> bool:
    return now - model.trained_until > timedelta(days=days)
