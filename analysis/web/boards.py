"""Figures of trending lists: what stands on top, since when, how it moved, and how likely it is to climb.

Asks the readers of a Site, computes with analysis.trends; the API, the dashboard and the report show the same rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis.command import UsageError
from analysis.output import clean
from analysis.trends.commands import ranked
from analysis.trends.evolution import board_evolution, default_max_gap
from analysis.trends.growth import Shown
from analysis.trends.phases import Stretch, phases
from analysis.trends.streams import EPOCH, HOUR, Stream, stream_of_board
from analysis.web.forecasts import chances
from analysis.web.site import STEADY_S, Site
from crawler import places
from crawler.items import stamp
from crawler.storage.web_views import Newest

Row = dict[str, Any]
WINDOW = timedelta(hours=48)  # of the sparkline, the phase and the stay
MOVE_OVER = timedelta(hours=3)
AS_FRESH = timedelta(hours=6)
TOP = 10
NEXT_LEAST = 0.05  # probability from which a topic below the top is worth a line


def known(site: Site) -> list[Row]:
    """Every board: its place, snapshots, first and newest moment; trending lists first, freshest first."""

    def make() -> list[Row]:
        rows = []
        for each in site.reader.known_boards():
            newest = site.views.newest(each.board)
            place = newest.place if newest else None
            rows.append({
                "board": each.board, "place": place, "place_name": place_name(place), "snapshots": each.snapshots,
                "first": each.first, "last": each.last, "trends": ":trends:" in each.board,
            })  # fmt: skip
        return sorted(rows, key=lambda row: (not row["trends"], -row["snapshots"], row["board"]))

    return site.kept.get("boards", 0, make)


def place_name(code: str | None) -> str:
    if not code:
        return ""
    place = places.get(code)
    return place.names[0].title() if place else code.upper() if len(code) == 2 else code.replace("-", " ").title()


def default_board(site: Site, place: str | None = None) -> str | None:
    """Of the trending lists of *place* (None: of any) that are fresh, the one with the longest past."""
    rows = [row for row in known(site) if not place or row["place"] == place]
    rows = [row for row in rows if row["trends"]] or rows
    if not rows:
        return None
    freshest = max(row["last"] for row in rows)
    chosen: str = max(
        (row for row in rows if freshest - row["last"] <= AS_FRESH), key=lambda row: int(row["snapshots"])
    )["board"]
    return chosen


def newest(site: Site, board: str, until: datetime | None = None) -> Newest:
    found = site.views.newest(board, until)
    if found is None:
        names = ", ".join(row["board"] for row in known(site)[:6])
        raise UsageError(f"{clean(board)[:80]}: no such board, or none so early. There are: {names or 'none yet'}")
    return found


def top(site: Site, board: str, until: datetime | None = None, size: int = TOP) -> Row:
    """The newest snapshot's first *size* earned topics, and those likely to join them; see `_topic_row`."""
    last = newest(site, board, until)
    return site.kept.get(("top", board, until, size), last, lambda: _top(site, board, last, size), steady_s=STEADY_S)


def _top(site: Site, board: str, last: Newest, size: int) -> Row:
    since = last.at - WINDOW
    entries = site.reader.entries(board, since=since, until=last.at + timedelta(milliseconds=1))
    whole = stream_of_board(board, entries)
    if not whole.snapshots:
        return {**_head(board, last, whole), "forecast": False, "topics": _by_day(board, entries, size), "next": []}
    now = whole.snapshots[-1]
    likely = chances(site, board, whole)
    keys = now.keys[:size]
    below = [key for key in now.keys[size:] if likely.get(key, 0.0) >= NEXT_LEAST]
    below = sorted(below, key=lambda key: -likely[key])[:size]
    first = site.views.first_seen(board, [*keys, *below])
    shown = entries[entries["at"] == entries["at"].max()].drop_duplicates("topic_key").set_index("topic_key")
    gap = _max_gap(whole)

    def row(key: str) -> Row:
        return _topic_row(whole, key, shown.loc[key], first.get(key), gap, likely.get(key))

    topics, following = [row(key) for key in keys], [row(key) for key in below]
    return {**_head(board, last, whole), "forecast": bool(likely), "topics": topics, "next": following}


def _head(board: str, last: Newest, whole: Stream) -> Row:
    return {
        "board": board, "place": last.place, "place_name": place_name(last.place), "at": last.at,
        "observed_at": last.observed_at, "capture": last.capture, "size": last.size, "got": last.got,
        "ceiling": last.ceiling, "snapshots_48h": len(whole.snapshots), "cadence_h": _finite(whole.cadence_h),
    }  # fmt: skip


def _by_day(board: str, entries: pd.DataFrame, size: int) -> list[Row]:
    """The newest list of a board whose moments are known by their day only: no stay and no path can be told."""
    newest_rows = entries[(entries["at"] == entries["at"].max()) & ~entries["promoted"].fillna(False)]
    rows = []
    for entry in newest_rows.head(size).to_dict("records"):
        at = entry["at"].to_pydatetime()
        volume, floor, step = (_whole(entry[name]) for name in ("volume", "volume_floor", "volume_precision"))
        shown = None if volume is None else Shown(volume, at, step)
        rows.append({
            "key": f"{board}@{stamp(at)}#{entry['position']}", "topic": clean(entry["topic"]),
            "topic_key": entry["topic_key"], "position": int(entry["position"]), "moved": None, "volume": volume,
            "volume_low": shown.low if shown else None, "volume_high": shown.high if shown else floor,
            "volume_floor": floor if volume is None else None, "since": at, "since_at_least": True, "stay_h": 0.0,
            "first_seen": at, "phase": None, "probability": None, "path": [],
        })  # fmt: skip
    return rows


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _finite(hours: float) -> float | None:
    return hours if hours < 1e6 else None


def _max_gap(whole: Stream) -> timedelta:
    return default_max_gap([round((each.at - EPOCH) / timedelta(milliseconds=1)) for each in whole.snapshots])


def _topic_row(
    whole: Stream, key: str, entry: Any, first: datetime | None, gap: timedelta, likely: float | None
) -> Row:  # fmt: skip
    """moved: places climbed over about three hours, None where it was not on the list then. since: begin of the stay
    that lasts; since_at_least: that begin lies before the window or an interruption, so it may be earlier."""
    now = whole.snapshots[-1]
    volume, floor, step = (_whole(entry[name]) for name in ("volume", "volume_floor", "volume_precision"))
    shown = None if volume is None else Shown(volume, now.at, step)
    begin, open_end = _stay(whole, key, gap)
    stretches = phases(whole, key)
    return {
        "key": f"{whole.board}@{stamp(now.at)}#{int(entry['position'])}", "topic": clean(whole.names.get(key, key)),
        "topic_key": key, "position": now.keys.index(key) + 1, "moved": _moved(whole, key), "volume": volume,
        "volume_low": shown.low if shown else None, "volume_high": shown.high if shown else floor,
        "volume_floor": floor if volume is None else None, "since": begin, "since_at_least": open_end,
        "stay_h": (now.at - begin) / HOUR, "first_seen": first or begin, "phase": _phase(stretches),
        "probability": likely, "path": _path(whole, key),
    }  # fmt: skip


def _phase(stretches: list[Stretch]) -> str | None:
    return stretches[-1].phase if stretches else None


def _stay(whole: Stream, key: str, gap: timedelta) -> tuple[datetime, bool]:
    """Begin of the stay that reaches to the newest snapshot, and whether it may have begun earlier."""
    begin, after = whole.snapshots[-1].at, None
    for snapshot in reversed(whole.snapshots):
        if key not in snapshot.keys:
            return begin, False
        if after is not None and after - snapshot.at > gap:
            return begin, True
        begin = after = snapshot.at
    return begin, True


def _moved(whole: Stream, key: str) -> int | None:
    now = whole.snapshots[-1]
    before = [each for each in whole.snapshots[:-1] if now.at - each.at >= MOVE_OVER * 0.9]
    if not before or key not in before[-1].keys:
        return None
    return before[-1].keys.index(key) - now.keys.index(key)


def _path(whole: Stream, key: str) -> list[list[Any]]:
    """[hours before the newest snapshot, position or None where it was not on the list]."""
    end = whole.snapshots[-1].at_h
    return [
        [round(each.at_h - end, 3), each.keys.index(key) + 1 if key in each.keys else None] for each in whole.snapshots
    ]


def topics(site: Site, board: str, since: datetime | None, until: datetime | None, sort: str | None) -> pd.DataFrame:
    """One row per topic in the time asked for; columns of board_evolution and its newest phase."""
    last = newest(site, board, until)

    def make() -> pd.DataFrame:
        boards = site.reader.boards(board, since=since, until=until)
        entries = site.reader.entries(board, since=since, until=until)
        return board_evolution(boards, entries)

    return ranked(site.kept.get(("topics", board, since, until), last, make), sort)


def one_topic(
    site: Site, board: str, topic_key: str, since: datetime | None, until: datetime | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Snapshots of the board, all its rows in the time, and those of the topic."""
    boards = site.reader.boards(board, since=since, until=until)
    entries = site.reader.entries(board, since=since, until=until)
    mine = entries[entries["topic_key"] == topic_key]
    if mine.empty:
        raise UsageError(f"{clean(topic_key)[:80]}: not on {clean(board)[:80]} in the time asked for")
    return boards, entries, mine


def told_phases(whole: Stream, topic_key: str) -> list[Row]:
    return [
        {
            "phase": each.phase, "start": EPOCH + each.from_h * HOUR, "end": EPOCH + each.to_h * HOUR,
            "snapshots": each.snapshots,
        }
        for each in phases(whole, topic_key)
    ]  # fmt: skip
