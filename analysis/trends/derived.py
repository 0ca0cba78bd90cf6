"""The collection `trends` kept up to date: a new snapshot costs its own rows, however long the board's past, and the
documents are the same as those made from scratch. Asks the reader and the store, computes with carried.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from analysis.trends.carried import carry_on
from analysis.trends.evolution import EPOCH, board_clock, default_max_gap
from analysis.trends.life import Window
from crawler.storage.reads import Reader
from crawler.storage.trends import Progress, Trends

VERSION = 2  # of the columns' meaning and of carry: another one makes every board anew
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
    boards, entries = reader.boards(board, since=before.upto), reader.entries(board, since=before.upto)
    if fingerprint(boards, entries, before.upto) != before.rows:
        return _from_scratch(board, reader, trends, before, "rows of the newest snapshot came later")
    window = _window(boards, entries, before)
    if window.newest == before.number:
        return Done(board, 0, 0, 0, None)
    fresh = entries[entries["at"] > before.upto]
    stored = trends.topics(board, fresh["topic_key"].dropna().unique().tolist(), before.standing_since)
    documents = carry_on(stored, fresh, window)
    trends.keep(board, documents, _after(board, window, boards, entries, trends, before), whole=False)
    return Done(board, window.newest - before.number, len(documents), 0, None)


def _reason(board: str, before: Progress | None, trends: Trends) -> str | None:
    """Why the documents cannot be carried on; None where they can."""
    if before is None:
        return "new here"
    if before.version != VERSION:
        return "made by another version"
    if before.cut_off:
        return "the last run was cut off"
    if before.snapshots < CADENCE_OF:
        return f"fewer than {CADENCE_OF} snapshots so far"
    if trends.snapshots(board, before.upto) != before.snapshots:
        return "older snapshots came in"
    return None


def _from_scratch(board: str, reader: Reader, trends: Trends, before: Progress | None, why: str) -> Done:
    boards, entries = reader.boards(board), reader.entries(board)
    starts = boards["at"].dt.as_unit("ms").astype("int64").tolist()
    window = Window(board_clock(boards, entries, default_max_gap(starts[:CADENCE_OF])))
    documents = carry_on((), entries, window)
    gone = trends.keep(board, documents, _after(board, window, boards, entries, trends, None), whole=True)
    return Done(board, len(boards) - (before.snapshots if before else 0), len(documents), gone, why)


def _window(boards: pd.DataFrame, entries: pd.DataFrame, before: Progress) -> Window:
    """What is new, behind the newest snapshot known."""
    clock = board_clock(boards, entries, before.max_gap)
    return Window(clock, before.number, before.whole - clock.whole[0], before.last_whole)


def _after(
    board: str, window: Window, boards: pd.DataFrame, entries: pd.DataFrame, trends: Trends, before: Progress | None
) -> Progress:
    newest, since = EPOCH, EPOCH if before is None else before.standing_since
    if window.moments:
        newest = EPOCH + timedelta(milliseconds=window.moments[-1].ms)
    if window.clock.last_whole >= 0:
        since = EPOCH + timedelta(milliseconds=window.moments[window.clock.last_whole].ms)
    return Progress(
        newest, trends.snapshots(board, newest), timedelta(milliseconds=window.max_gap_ms), VERSION,
        number=window.newest, whole=window.whole[-1] if window.whole else 0, last_whole=window.last_whole,
        standing_since=since, rows=fingerprint(boards, entries, newest),
    )  # fmt: skip


def fingerprint(boards: pd.DataFrame, entries: pd.DataFrame, at: datetime) -> str:
    """Of the snapshot taken at a moment: its rows may have been on their way when it was looked at."""
    columns = ("at_precision", "position", "topic", "topic_key", "volume", "volume_floor", "promoted")
    rows = entries.loc[entries["at"] == at, list(columns)].to_csv(index=False)
    head = boards.loc[boards["at"] == at, ["at_precision", "size", "got"]].to_csv(index=False)
    return hashlib.blake2b((head + rows).encode(), digest_size=12).hexdigest()
