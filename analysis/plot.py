"""Charts as Altair specifications, written to PNG or SVG without a browser. Never queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from analysis.output import OutputError, clean, fit, marked
from analysis.trends.evolution import EPOCH, Clock, Sighting, best_rows, board_clock, median_gap

Chart: TypeAlias = alt.VConcatChart
Layer: TypeAlias = alt.LayerChart | alt.FacetChart
Paint: TypeAlias = alt.Color | alt.ColorValue
Row: TypeAlias = dict[str, Any]

WIDTH_PX = 760
AXIS_PX = 48  # room for numbers, the same in every panel
LABEL_COLUMNS = 28
FEW_POINTS = 200  # more on one chart are drawn small
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b", "#8c6d31"]
INK = COLORS[0]
VOLUME = "volume (as the board counts)"
TIME_LABEL = (
    "utchours(datum.value) || utcminutes(datum.value)"
    " ? utcFormat(datum.value, '%H:%M') : utcFormat(datum.value, '%Y-%m-%d')"
)
BARS = "; bars: only the day is known"
DAY = timedelta(hours=24)


def board_chart(
    boards: pd.DataFrame, entries: pd.DataFrame, topic_keys: Sequence[str], max_gap: timedelta | None = None
) -> Chart:
    """Volumes of *topic_keys* over time, positions below; colours in the order given.

    Lines join successive snapshots only: never across one without the topic or without its number, nor
    over a missed one, which is a gap above max_gap (None: 1.5 median gaps, 3 h where there is no median).
    Hidden volumes are hollow marks at their floor. A moment known by its day is drawn at noon, with a bar
    as long as the day.
    """
    clock = board_clock(boards, entries, max_gap)
    if max_gap is None and (typical := median_gap(clock.starts_ms)):
        clock = replace(clock, max_gap_h=1.5 * typical / timedelta(hours=1))
    rows = list(_board_rows(entries[entries["topic_key"].isin(list(topic_keys))], clock))
    if not rows:
        raise OutputError("chart: no topic to draw; ask for others or for a longer time")
    labels = _labels({row["key"]: row["topic"] for row in rows}, topic_keys)
    rows = [{**row, "topic": labels[row.pop("key")]} for row in rows]  # a raw key must not reach the picture
    colors = {"range": COLORS} if len(labels) <= len(COLORS) else {"scheme": "tableau20"}
    scale = alt.Scale(domain=list(labels.values()), **colors)
    color = alt.Color("topic:N", title="topic", scale=scale, legend=alt.Legend(symbolType="circle"))
    panels = [_position_panel(rows, color)]
    if any(row["volume"] is not None or row["floor"] is not None for row in rows):
        panels.insert(0, _volume_panel(rows, color))
    return _stack(panels)


def _board_rows(entries: pd.DataFrame, clock: Clock) -> Iterator[Row]:
    snapshot_of = {start: i for i, start in enumerate(clock.starts_ms)}
    for key, group in groupby(best_rows(entries), key=itemgetter(0)):
        line, before = 0, None
        for row in group:
            seen = Sighting(snapshot_of[row[1]], *row[2:])
            line += before is None or not _joined(before, seen.snapshot, clock)
            before = seen.snapshot
            start = EPOCH + timedelta(milliseconds=clock.starts_ms[seen.snapshot])
            yield {
                "key": key, "topic": seen.topic, "line": line, **_when(start, clock.by_day[seen.snapshot]),
                "volume": seen.volume, "floor": seen.floor if seen.volume is None else None,
                "position": None if seen.promoted else seen.position,
            }  # fmt: skip


def _joined(before: int, now: int, clock: Clock) -> bool:
    gap_h = (clock.starts_ms[now] - clock.starts_ms[before]) / 3_600_000
    return now == before + 1 and gap_h <= clock.max_gap_h


def _when(start: Any, by_day: bool) -> Row:
    if by_day:
        return {"at": _iso(start + DAY / 2), "start": _iso(start), "end": _iso(start + DAY)}
    return {"at": _iso(start), "start": None, "end": None}


def _iso(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def _labels(topics: dict[str, str], order: Sequence[str]) -> dict[str, str]:
    """Topic shown for each key: short, clean, and different for different keys."""
    made: dict[str, str] = {}
    for key in order:
        if key in topics:
            label = fit(clean(topics[key]), LABEL_COLUMNS) or "(no visible text)"
            twins = sum(other == label for other in made.values())
            made[key] = f"{label} ({twins + 1})" if twins else label
    return made


def _volume_panel(rows: Sequence[Row], color: alt.Color) -> Layer:
    shown = _broken_at(rows, "volume")
    hidden = [row for row in rows if row["floor"] is not None]
    numbers = [row["volume"] for row in shown] + [row["floor"] for row in hidden]
    wide = min(numbers) > 0 and max(numbers) > 20 * min(numbers)
    scale = alt.Scale(type="log", nice=False, padding=12) if wide else alt.Scale(zero=True)
    axis = alt.Axis(format=_number_format(max(numbers)), minExtent=AXIS_PX)
    y = alt.Y("volume:Q", title=VOLUME, scale=scale, axis=axis)
    floor = alt.Y("floor:Q", title=VOLUME, scale=scale, axis=axis)
    layers = _line_layers(shown, y, color)
    if hidden:
        marks = alt.Chart(_data(hidden)).mark_point(shape="triangle-down", filled=False, size=70, opacity=1)
        layers += [marks.encode(x=_time(), y=floor, color=color), *_day_bars(hidden, floor, color)]
    title = "Volume; hollow: hidden, somewhere below the mark" if hidden else "Volume"
    return alt.layer(*layers, title=title + _bars_note(rows), width=WIDTH_PX, height=300)


def _position_panel(rows: Sequence[Row], color: alt.Color) -> Layer:
    shown = _broken_at(rows, "position")
    lowest = max([row["position"] for row in shown], default=1)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100_000) if lowest <= 8 * step)
    axis = alt.Axis(values=[1, *range(max(step, 2), lowest + 1, step)], format="d", minExtent=AXIS_PX)
    scale = alt.Scale(domain=[1, max(lowest, 2)], reverse=True, nice=False, zero=False, padding=8)
    y = alt.Y("position:Q", title="position (1 = top)", scale=scale, axis=axis)
    return alt.layer(*_line_layers(shown, y, color), title="Position" + _bars_note(rows), width=WIDTH_PX, height=170)


def _broken_at(rows: Sequence[Row], name: str) -> list[Row]:
    """Rows that have *name*, with a new line after each that has not."""
    breaks, kept = 0, []
    for row in rows:
        breaks += row[name] is None
        if row[name] is not None:
            kept.append({**row, "line": f"{row['topic']}/{row['line']}/{breaks}"})
    return kept


def _line_layers(rows: Sequence[Row], y: alt.Y, color: Paint) -> list[alt.Chart]:
    chart = alt.Chart(_data(rows))
    size = 45 if len(rows) <= FEW_POINTS else 8
    line = chart.mark_line(strokeWidth=2).encode(x=_time(), y=y, color=color, detail="line:N")
    points = chart.mark_point(filled=True, opacity=1, size=size).encode(x=_time(), y=y, color=color)
    return [line, points, *_day_bars(rows, y, color)]


def _day_bars(rows: Sequence[Row], y: alt.Y, color: Paint) -> list[alt.Chart]:
    days = [row for row in rows if row["start"]]
    if not days:
        return []
    bars = alt.Chart(_data(days)).mark_rule(strokeWidth=1.5, opacity=0.8)
    return [bars.encode(x=_time("start:T"), x2="end:T", y=y, color=color)]


def entity_chart(readings: pd.DataFrame) -> Chart:
    """One panel per counter of *readings* (as entity_evolution gives them), with the band of its rounding."""
    rows = readings[readings["value"].notna()].to_dict("records")
    if not rows:
        raise OutputError("chart: no counter was shown; ask for a longer time")
    return _stack([_counter_panel(list(group)) for _, group in groupby(rows, key=itemgetter("counter"))])


def _counter_panel(readings: Sequence[dict[Any, Any]]) -> Layer:
    rows = [
        {
            **_when(each["at"], each["at_precision"] == "day"), "value": float(each["value"]),
            "low": float(each["low"]), "high": float(each["high"]), "line": "1",
        }
        for each in readings
    ]  # fmt: skip
    counter, unit = str(readings[0]["counter"]), readings[0]["unit"]
    title = f"{counter} ({unit if pd.notna(unit) else 'count'})".replace("_", " ")
    number = _number_format(max(row["high"] for row in rows))
    scale = alt.Scale(zero=False, padding=10)
    axis = alt.Axis(format=number, tickCount=5, minExtent=AXIS_PX)
    y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
    low, high = alt.Y("low:Q", title=title, scale=scale, axis=axis), alt.Y2("high:Q")
    ink = alt.ColorValue(INK)
    rounded = [row for row in rows if row["low"] < row["high"]]
    band = alt.Chart(_data(rows)).mark_area(opacity=0.15).encode(x=_time(), y=low, y2=high, color=ink)
    bars = alt.Chart(_data(rounded)).mark_rule(strokeWidth=2, opacity=0.6)
    layers = [band, bars.encode(x=_time(), y=low, y2=high, color=ink)] if rounded else []
    name = counter.replace("_", " ").capitalize()
    panel = f"{name}; band: what its rounding leaves open" if rounded else f"{name}, exact"
    layers += _line_layers(rows, y, ink)
    return alt.layer(*layers, title=panel + _bars_note(rows), width=WIDTH_PX, height=150)


def _bars_note(rows: Sequence[Row]) -> str:
    return BARS if any(row["start"] for row in rows) else ""


def _number_format(largest: float) -> str:
    return "~s" if largest >= 10_000 else ",~r"


def _time(field: str = "at:T") -> alt.X:
    axis = alt.Axis(labelExpr=TIME_LABEL, labelOverlap=True, tickCount=8)
    return alt.X(field, title="time (UTC)", scale=alt.Scale(type="utc", padding=12), axis=axis)


def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _stack(panels: Sequence[Layer]) -> Chart:
    stacked: Chart = alt.vconcat(*panels, spacing=24).resolve_scale(x="shared", color="shared")
    return stacked


def save_chart(chart: Chart, title: str, subtitle: str, path: Path, *, simulated: bool) -> None:
    """PNG (twice the size, for sharp screens) or SVG, whole or not at all."""
    head = alt.TitleParams(clean(title), subtitle=marked(subtitle, simulated=simulated), anchor="start", offset=14)
    ready = chart.properties(title=head, background="white").configure_title(fontSize=13, anchor="start", frame="group")
    part = path.with_name(f"{path.name}.part")
    try:
        ready.save(str(part), format=path.suffix.lower().removeprefix("."), scale_factor=2)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
