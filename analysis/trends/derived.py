"""The collection `trends` kept up to date: a new snapshot costs the rows of the topics on it, and the documents are
the same as those made from scratch. Asks the reader and the store, computes with evolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis.trends.evolution import EPOCH, board_evolution, default_max_gap
from crawler.storage.reads import Reader
from crawler.storage.trends import Progress, Trends

VERSION = 1  # of the columns' meaning: another one makes every board anew
CADENCE_OF = 50  # oldest snapshots of a board tell how long one stands; the same from scratch as step by step


@dataclass(frozen=True)
class Done:
    """What one board cost."""

    board: str
    snapshots: int
    """That were new."""
    topics: int
    """Documents written."""
    gone: int
    """Documents of topics that are no more."""
    why: str | None
    """Made from scratch, and why; None where only what is new was added."""


def derive(board: str, reader: Reader, trends: Trends, *, afresh: bool = False) -> Done:
    """Bring the documents of *board* up to its newest snapshot."""
    before = trends.progress(board)
    why = "asked for" if afresh else _reason(board, before, trends)
    if why is not None or before is None:
        return _from_scratch(board, reader, trends, before, why or "new here")
    # The snapshot that was the newest once more: its rows may have been on their way when it was taken.
    boards = reader.boards(board, since=before.upto)
    since = _whole_before(board, before.upto, reader)
    moved = reader.entries(board, since=since)["topic_key"].dropna().unique().tolist()
    entries = reader.entries(board, topics=moved)
    begun = entries["at"].min() if len(entries) else before.upto
    topics = board_evolution(reader.boards(board, since=begun), entries, before.max_gap)
    newest = _newest(boards, entries, before.upto)
    fresh = int((boards["at"] > before.upto).sum())
    after = replace(before, upto=newest, snapshots=trends.snapshots(board, newest))
    return Done(board, fresh, len(topics), trends.keep(board, documents(topics), after, whole=False), None)


def _reason(board: str, before: Progress | None, trends: Trends) -> str | None:
    """Why the documents cannot be carried on; None where they can."""
    if before is None:
        return "new here"
    if before.version != VERSION:
        return "made by another version"
    if before.snapshots < CADENCE_OF:
        return f"fewer than {CADENCE_OF} snapshots so far"
    if trends.snapshots(board, before.upto) != before.snapshots:
        return "older snapshots came in"
    return None


def _from_scratch(board: str, reader: Reader, trends: Trends, before: Progress | None, why: str) -> Done:
    boards, entries = reader.boards(board), reader.entries(board)
    starts = boards["at"].dt.as_unit("ms").astype("int64").tolist()
    gap = default_max_gap(starts[:CADENCE_OF])
    topics = board_evolution(boards, entries, gap)
    newest = _newest(boards, entries, EPOCH)
    progress = Progress(newest, trends.snapshots(board, newest), gap, VERSION)
    gone = trends.keep(board, documents(topics), progress, whole=True)
    return Done(board, len(boards) - (before.snapshots if before else 0), len(topics), gone, why)


def _whole_before(board: str, upto: datetime, reader: Reader) -> datetime:
    """The last whole snapshot before *upto*: who stood there and no more has left since."""
    step = timedelta(days=1)
    while True:
        earlier = reader.boards(board, since=upto - step, until=upto)
        whole = earlier[~(earlier["got"] > earlier["size"]).fillna(False).to_numpy(dtype=bool)]
        if len(whole) or step > timedelta(days=10_000):
            return _plain(whole["at"].max()) if len(whole) else upto
        step *= 8


def _newest(boards: pd.DataFrame, entries: pd.DataFrame, at_least: datetime) -> datetime:
    found = [_plain(frame["at"].max()) for frame in (boards, entries) if len(frame)]
    return max(found, default=at_least)


def _plain(at: Any) -> datetime:
    moment: datetime = at.to_pydatetime()
    return moment


def documents(topics: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Rows as plain values, without what is missing."""
    columns = {str(name): _values(topics[name]) for name in topics.columns}
    rows = zip(*columns.values(), strict=True)
    return [{name: each for name, each in zip(columns, row, strict=True) if each is not None} for row in rows]


def _values(column: pd.Series[Any]) -> list[Any]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return [None if pd.isna(each) else each.to_pydatetime() for each in column]
    found: list[Any] = column.astype("object").where(column.notna(), None).tolist()
    return found
