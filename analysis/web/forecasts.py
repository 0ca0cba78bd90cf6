"""How likely each topic below the top is to enter it, by the model that `python -m analysis alerts` keeps.

A board's tracker is built once from the past that matters to its features and then fed what is new.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from analysis.trends.models import Model, ModelDoesNotFit, check, load
from analysis.trends.streams import Snapshot, Stream, stream_of_board
from analysis.trends.tracker import FORGET_H, Tracker
from analysis.web.site import Site


@dataclass
class _Followed:
    written: float
    """When the model's file was."""
    model: Model
    tracker: Tracker
    upto: datetime | None
    found: dict[str, float]


_followed: dict[tuple[str, str], _Followed] = {}
_lock = threading.Lock()


def chances(site: Site, board: str, recent: Stream) -> dict[str, float]:
    """Probability of entering the top within the model's hours, of every topic below it in the newest snapshot.

    Empty where no model was trained on the board, or it does not fit: nobody knows, and nothing is made up.
    """
    path = _model_of(site.models_dir, board)
    if path is None or not recent.snapshots:
        return {}
    with _lock:
        held = _followed.get((site.database, board))
        if held is None or held.written != path.stat().st_mtime or _later(held, recent):
            held = _begin(site, board, recent, path)
            if held is None:
                return {}
            _followed[site.database, board] = held
        for snapshot in recent.snapshots:
            if held.upto is None or snapshot.at > held.upto:
                held.found = _add(held, snapshot)
        return held.found


def _later(held: _Followed, recent: Stream) -> bool:
    """The past was asked for, or more was missed than *recent* holds."""
    return held.upto is not None and not recent.snapshots[0].at <= held.upto <= recent.snapshots[-1].at


def _model_of(folder: Path, board: str) -> Path | None:
    """The newest model of the board; what each was trained on stands in the JSON beside it."""
    told = [each for each in folder.glob("*.json") if orjson.loads(each.read_bytes()).get("board") == board]
    files = [each.with_suffix(".joblib") for each in told]
    return max((each for each in files if each.is_file()), key=lambda each: each.stat().st_mtime, default=None)


def _begin(site: Site, board: str, recent: Stream, path: Path) -> _Followed | None:
    try:
        kept = load(path)
        if kept is None:
            return None
        check(kept[0], recent)
    except ModelDoesNotFit:
        return None
    end = recent.snapshots[-1].at
    entries = site.reader.entries(board, since=end - timedelta(hours=FORGET_H), until=end + timedelta(milliseconds=1))
    held = _Followed(path.stat().st_mtime, kept[0], Tracker(kept[0].question.top), None, {})
    for snapshot in stream_of_board(board, entries).snapshots:
        held.found = _add(held, snapshot)
    return held


def _add(held: _Followed, snapshot: Snapshot) -> dict[str, float]:
    top = held.model.question.top
    rows = held.tracker.add(snapshot)[top:]
    held.upto = snapshot.at
    if not len(rows):
        return {}
    return dict(zip(snapshot.keys[top:], held.model.probability(rows).tolist(), strict=True))
