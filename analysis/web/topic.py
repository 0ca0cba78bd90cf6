"""The page of one topic: volume and position with their gaps, floors and events, its week, posts, people, products."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import altair as alt
import pandas as pd

from analysis.command import UsageError
from analysis.output import clean
from analysis.trends.board_life import LEAST_LOOKS, week
from analysis.trends.evolution import EPOCH, Clock, board_clock, board_evolution
from analysis.trends.streams import Stream, stream_of_board
from analysis.web import boards
from analysis.web.draw import time
from analysis.web.figure import Figure, data
from analysis.web.figures_trends import PLACES, chosen_board
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words
from crawler import places
from crawler.items import stamp

Row = dict[str, Any]
DAYS = timedelta(days=7)
TOP = 10
PHASES = {
    "rising": "#2f8f4e", "returning": "#7cb342", "peak": "#0f7d91", "steady": "#8a97a3", "falling": "#cf5230",
}  # fmt: skip
MOST_GAPS, MOST_POINTS_BIG = 200, 150


class Seen(NamedTuple):
    """All that the figures of a topic are made from; read once for each page."""

    board: str
    name: str
    entries: pd.DataFrame
    mine: pd.DataFrame
    whole: Stream
    clock: Clock
    told: Row
    """Its row of board_evolution."""
    since: datetime
    until: datetime | None
    place: str | None

    @property
    def clock_end(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.clock.starts_ms[-1])


def seen(site: Site, say: Words, filters: Filters) -> Seen:
    """Raises UsageError where it was not on the board in the time asked for."""
    board = chosen_board(site, filters)
    if board is None or not filters.topic:
        raise UsageError(say("ask_topic"))
    last = boards.newest(site, board, filters.until_at)
    since = filters.since_at or last.at - DAYS

    def make() -> Seen:
        taken, entries, mine = boards.one_topic(site, board, str(filters.topic), since, filters.until_at)
        whole = stream_of_board(board, entries)
        told = board_evolution(taken, mine).to_dict("records")[0]
        name = clean(str(mine["topic"].iloc[-1]))
        return Seen(
            board, name, entries, mine.drop_duplicates("at"), whole, board_clock(taken, entries, None),
            {str(key): None if pd.isna(value) else value for key, value in told.items()}, since, filters.until_at,
            last.place,
        )  # fmt: skip

    return site.kept.get(("topic", board, filters.topic, since, filters.until_at), last, make)


def _evidence(found: Seen, row: Row, say: Words) -> str:
    field = "position" if row["volume"] is None else "volume"
    return "/evidence?" + urlencode(
        {
            "list": "entries",
            "key": f"{found.board}@{stamp(row['at'])}#{row['position']}",
            "field": field,
            "lang": say.language,
        }
    )


def _rows(found: Seen, say: Words) -> list[Row]:
    """Sightings, oldest first, each with its line: a new one after a snapshot without it, or a pause."""
    place_of = {start: at for at, start in enumerate(found.clock.starts_ms)}
    columns = ["at", "position", "volume", "volume_precision", "volume_floor"]
    rows, line, before = [], 0, None
    for at, *numbers in found.mine[columns].itertuples(index=False, name=None):
        moment = at.to_pydatetime()
        here = place_of.get(round((moment - EPOCH) / timedelta(milliseconds=1)))
        if before is not None and here is not None:
            pause_h = (found.clock.starts_ms[here] - found.clock.starts_ms[before]) / 3.6e6
            line += here != before + 1 or pause_h > found.clock.max_gap_h
        before = here
        position, volume, step, floor = (None if pd.isna(each) else int(each) for each in numbers)
        row: Row = {"at": moment, "position": position, "volume": volume, "step": step, "line": line,
                    "floor": floor if volume is None else None}  # fmt: skip
        rows.append({**row, "href": _evidence(found, row, say)})
    return rows


def _drawn(rows: list[Row], value: str) -> list[Row]:
    """As the chart wants them; lines break where *value* is not known."""
    made, breaks = [], 0
    for row in rows:
        if row[value] is None:
            breaks += 1
            continue
        made.append({"at": _iso(row["at"]), value: row[value], "line": f"{row['line']}/{breaks}", "href": row["href"]})
    return made


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _gaps(found: Seen) -> list[Row]:
    """Times longer than the list's own pace in which nobody looked."""
    starts, gaps = found.clock.starts_ms, []
    for before, after in pairwise(starts):
        if (after - before) / 3.6e6 > found.clock.max_gap_h:
            ends = [_iso(EPOCH + timedelta(milliseconds=each)) for each in (before, after)]
            gaps.append({"at": ends[0], "to": ends[1]})
    return gaps[-MOST_GAPS:]


def _events(found: Seen, say: Words) -> list[Row]:
    """Moments worth a mark; those of one moment share it. `side`: to which its name is written, so that it fits."""
    told = found.told
    named: dict[datetime, list[str]] = {}
    peak = "peak_volume_at" if told["peak_volume_at"] is not None else "best_at"
    for name, word in (("first_seen", "event_first"), (peak, "event_peak")):
        if told[name] is not None:
            named.setdefault(told[name].to_pydatetime(), []).append(say(word))
    for at in _returns(found):
        named.setdefault(at, []).append(say("event_back"))
    start, end = found.told["first_seen"].to_pydatetime(), found.told["last_seen"].to_pydatetime()
    late = start + 0.85 * (end - start)
    return [
        {"at": _iso(at), "event": ", ".join(words), "side": "right" if at > late else "left"}
        for at, words in sorted(named.items())
    ]


def _returns(found: Seen) -> list[datetime]:
    """Moments at which it stood on the list again after a snapshot without it."""
    back, there, ever = [], False, False
    key = str(found.told["topic_key"])
    for snapshot in found.whole.snapshots:
        here = key in snapshot.keys
        if here and ever and not there:
            back.append(snapshot.at)
        ever, there = ever or here, here
    return back


def _layered(found: Seen, say: Words, points: list[Row], field: str, y: alt.Y, more: list[Any], height: int) -> Any:
    """Grey where nobody looked, marks of events, a broken line, and points that lead to their evidence."""
    x = time(say)
    layers: list[Any] = []
    if gaps := _gaps(found):
        grey = alt.Chart(data(gaps)).mark_rect(opacity=0.13, color="#808a8c")
        layers.append(grey.encode(x=x, x2="to:T"))
    if marked := _events(found, say):
        events = alt.Chart(data(marked))
        layers.append(events.mark_rule(strokeDash=[3, 3], opacity=0.55).encode(x=x, tooltip=["event:N"]))
        sides: tuple[tuple[Literal["left", "right"], int], ...] = (("left", 3), ("right", -3))
        for side, shift in sides:
            if named := [row for row in marked if row["side"] == side]:
                names = alt.Chart(data(named)).mark_text(align=side, dx=shift, dy=-4, fontSize=10)
                layers.append(names.encode(x=x, y=alt.value(6), text="event:N"))
    if not points:  # floors alone; of nothing, a scale has no ends
        return alt.layer(*layers, *more).properties(width="container", height=height)
    base = alt.Chart(data(points))
    size = 44 if len(points) <= MOST_POINTS_BIG else 10
    shown = [
        alt.Tooltip("at:T", format="%Y-%m-%d %H:%M", title="UTC"),
        alt.Tooltip(f"{field}:Q", format=","),
    ]
    layers.append(base.mark_line(strokeWidth=2).encode(x=x, y=y, detail="line:N"))
    layers.append(
        base.mark_point(filled=True, opacity=1, size=size, cursor="pointer").encode(
            x=x, y=y, href="href:N", tooltip=shown
        )
    )
    return alt.layer(*layers, *more).properties(width="container", height=height)


def volume(site: Site, say: Words, filters: Filters) -> Figure:
    found = seen(site, say, filters)
    rows = _rows(found, say)
    points = _drawn(rows, "volume")
    title = say("topic_volume_title")
    hidden = [{"at": _iso(row["at"]), "floor": row["floor"], "href": row["href"]} for row in rows if row["floor"]]
    if not points and not hidden:
        return Figure("topic_volume", title, "", missing=say("topic_volume_missing"))
    scale = alt.Scale(zero=True, nice=True)
    y = alt.Y("volume:Q", title=say("volume"), scale=scale, axis=alt.Axis(format="~s", tickCount=5))
    more: list[Any] = []
    if hidden:
        floor = alt.Y("floor:Q", scale=scale, title=say("volume"))
        marks = alt.Chart(data(hidden))
        more = [
            marks.mark_area(opacity=0.1).encode(x=time(say), y=floor),
            marks.mark_point(shape="triangle-down", filled=False, size=60, opacity=1).encode(
                x=time(say), y=floor, href="href:N"),
        ]  # fmt: skip
    told = found.told
    peak = told["peak_volume"]
    says = say("topic_volume_says", shown=len(points), n=len(rows), peak=peak, at=told["peak_volume_at"])
    if not points:
        says = say("topic_volume_hidden", n=len(rows))
    note = say("topic_volume_floor") if hidden else say("topic_volume_note")
    chart = _layered(found, say, points, "volume", y, more, 300)
    return Figure("topic_volume", title, says, _table(rows, say), chart, note=note, links=[r["href"] for r in rows])


def position(site: Site, say: Words, filters: Filters) -> Figure:
    found = seen(site, say, filters)
    rows = _rows(found, say)
    lowest = max(row["position"] for row in rows)
    y = alt.Y("position:Q", title=say("position"), axis=alt.Axis(values=PLACES, format="d"),
              scale=alt.Scale(domain=[1, max(lowest, 10)], reverse=True, nice=False, zero=False))  # fmt: skip
    told = found.told
    says = say(
        "topic_position_says", n=told["snapshots"], possible=told["snapshots_possible"], best=told["best_position"],
        at=told["best_at"], back=told["re_entries"],
    )  # fmt: skip
    chart = _layered(found, say, _drawn(rows, "position"), "position", y, [], 220)
    links = [row["href"] for row in rows]
    return Figure(
        "topic_position", say("topic_position_title"), says, _table(rows, say), chart, links=links, height=220
    )


def _table(rows: list[Row], say: Words) -> pd.DataFrame:
    volumes = [
        say.number(row["volume"]) if row["volume"] is not None
        else say("hidden_below", floor=row["floor"]) if row["floor"] else say("hidden")
        for row in rows
    ]  # fmt: skip
    return pd.DataFrame({
        say("time_utc"): [row["at"] for row in rows], say("position"): [row["position"] for row in rows],
        say("volume"): volumes,
    })  # fmt: skip


def phases(site: Site, say: Words, filters: Filters) -> Figure:
    found = seen(site, say, filters)
    told = boards.told_phases(found.whole, str(found.told["topic_key"]))
    rows = [
        {**row, "phase": say(f"phase_{row['phase']}"), "at": _iso(row["start"]), "to": _iso(row["end"])} for row in told
    ]
    if not rows:
        return Figure("topic_phases", say("topic_phases_title"), "", missing=say("no_phases"))
    table = pd.DataFrame({
        say("phase"): [row["phase"] for row in rows], say("start"): [row["start"] for row in rows],
        say("end"): [row["end"] for row in rows], say("snapshots"): [row["snapshots"] for row in rows],
    })  # fmt: skip
    named = [{name: row[name] for name in ("phase", "at", "to", "snapshots")} for row in rows]
    chart = alt.Chart(data(named), width="container", height=46).mark_bar(height=22).encode(
        x=time(say), x2="to:T", color=alt.Color("phase:N", title=None, scale=_phase_colours(say, told)),
        tooltip=["phase:N", "snapshots:Q"],
    )  # fmt: skip
    return Figure(
        "topic_phases", say("topic_phases_title"), say("topic_phases_says", n=len(rows)), table, chart, height=90
    )


def _phase_colours(say: Words, told: list[Row]) -> alt.Scale:
    """As beside the names on the first page: what rises is green, what falls red."""
    there = {row["phase"] for row in told}
    shown = {say(f"phase_{name}"): color for name, color in PHASES.items() if name in there}
    return alt.Scale(domain=list(shown), range=list(shown.values()))


def in_week(site: Site, say: Words, filters: Filters) -> Figure:
    """Hour by weekday in the place's own clock."""
    found = seen(site, say, filters)
    place = places.get(found.place or "world")
    zone = place.zone if place else "UTC"
    gap = timedelta(hours=found.clock.max_gap_h)
    if not found.whole.snapshots:
        return Figure("topic_week", say("topic_week_title"), "", missing=say("no_path"))
    slots = week(found.whole, str(found.told["topic_key"]), zone, TOP, gap)
    names = say("weekdays").split()
    looked = slots[slots["looks"] > 0]
    rows = [
        {"weekday": names[day], "hour": hour, "share": share, "looks": looks}
        for day, hour, share, looks in looked[["weekday", "hour", "share", "looks"]].itertuples(index=False, name=None)
    ]
    chart = alt.Chart(data(rows), width="container", height=200).mark_rect().encode(
        x=alt.X("hour:O", title=f"{say('hour')} ({zone})", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("weekday:O", sort=names, title=None),
        color=alt.Color("share:Q", title=say("share"), scale=alt.Scale(scheme="teals", domain=[0, 1]),
                        legend=alt.Legend(format="%")),
        opacity=alt.Opacity("looks:Q", legend=None, scale=alt.Scale(range=[0.35, 1])),
        tooltip=["weekday:N", "hour:O", alt.Tooltip("share:Q", format=".0%"), "looks:Q"],
    )  # fmt: skip
    table = pd.DataFrame({
        say("weekday"): [row["weekday"] for row in rows], say("hour"): [row["hour"] for row in rows],
        say("share"): [say.percent(row["share"]) for row in rows], say("snapshots"): [row["looks"] for row in rows],
        say("low"): [say.percent(each) for each in looked["low"]],
        say("high"): [say.percent(each) for each in looked["high"]],
    })  # fmt: skip
    says = say("topic_week_says", top=TOP, zone=zone, looks=int(slots["looks"].sum()))
    few = say("topic_week_note", least=LEAST_LOOKS) if looked["too_few"].mean() > 0.5 else None
    return Figure("topic_week", say("topic_week_title"), says, table, chart, note=few, height=200)


def evidence(site: Site, say: Words, filters: Filters) -> Figure:
    found = seen(site, say, filters)
    rows = _rows(found, say)[::-1]
    captures = found.mine["capture"].tolist()[::-1]
    table = _table(rows, say).assign(**{say("capture"): captures})
    says = say("topic_evidence_says", n=len(rows))
    return Figure("topic_evidence", say("topic_evidence_title"), says, table, links=[row["href"] for row in rows])


def facts(site: Site, say: Words, filters: Filters) -> list[tuple[str, str]]:
    """The evolution in a few numbers, each with the bounds that unknown hours leave."""
    found = seen(site, say, filters)
    told = found.told
    if not found.whole.snapshots:  # a midnight that stands for a day would be told as an hour
        return [(say("on_since"), say.day(told["first_seen"].to_pydatetime()))]
    made = [(say("on_since"), say.moment(told["first_seen"].to_pydatetime()))]
    named = (
        ("time_in_top_10_h", say("time_in_top", n=10)),
        ("speed_to_peak_h", say("to_peak")),
        ("half_life_h", say("half_life")),
    )
    for name, label in named:
        value, low, high = told[name], told[f"{name}_low"], told[f"{name}_high"]
        if value is not None:
            exact = low is None or high is None or low == high
            made.append((label, say.span(value) if exact else say(
                "with_interval", value=say.span(value), low=say.span(low), high=say.span(high))))  # fmt: skip
    return made


FIGURES = {
    "topic_volume": volume, "topic_position": position, "topic_phases": phases,

    "topic_week": in_week, "topic_evidence": evidence,
}  # fmt: skip
