"""Charts of creators and posts: a mark and its interval, or one number against another. Never queries."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.output import OutputError, clean, fit
from analysis.plot import COLORS, INK, LABEL_COLUMNS, WIDTH_PX, Chart

MOST_MARKS = 40
MOST_POINTS = 4000


def intervals(frame: pd.DataFrame, label: str, columns: tuple[str, str, str], axis: str, note: str) -> Chart:
    """A mark per row at the middle of *columns* (low, value, high) in the order of the frame, and a bar from low to
    high; without a bar the interval is not known. note: column whose text stands beside the mark."""
    low, value, high = columns
    shown = frame[frame[value].notna()].head(MOST_MARKS)
    if shown.empty:
        raise OutputError("chart: nothing to draw; ask for others or for a longer time")
    rows = [
        {
            "label": f"{i + 1}. {fit(clean(str(each[label])), LABEL_COLUMNS)}", "value": float(each[value]),
            "low": _number(each[low]), "high": _number(each[high]),
            "note": fit(clean(str(each[note])), 2 * LABEL_COLUMNS),
        }
        for i, each in enumerate(shown.to_dict("records"))
    ]  # fmt: skip
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    x = alt.X("value:Q", title=axis, scale=alt.Scale(zero=False, padding=12))
    bars = base.transform_filter("datum.low != null").mark_rule(strokeWidth=2, opacity=0.6)
    layers = [
        bars.encode(x=alt.X("low:Q", title=axis), x2="high:Q", color=alt.ColorValue(INK)),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, color=alt.ColorValue(INK)),
        base.mark_text(align="left", dx=8, dy=-8, fontSize=10).encode(x=x, text="note:N"),
    ]
    made: Chart = alt.vconcat(alt.layer(*layers, width=WIDTH_PX, height=max(120, 22 * len(rows))))
    return made


def points(frame: pd.DataFrame, x: str, y: str, color: str, *, logs: bool = True) -> Chart:
    """One mark a row; on logarithmic axes what is zero is left out. color: a column of a few names."""
    known = frame[frame[x].notna() & frame[y].notna()]
    if logs:
        known = known[(known[x] > 0) & (known[y] > 0)]
    if known.empty:
        raise OutputError(f"chart: no row has both {x} and {y}; ask for others or for a longer time")
    left_out = f" ({MOST_POINTS:,} of {len(known):,} drawn)" if len(known) > MOST_POINTS else ""
    drawn = known.sample(MOST_POINTS, random_state=1) if left_out else known
    rows = [
        {"x": float(each[x]), "y": float(each[y]), "color": clean(str(each[color]))}
        for each in drawn.to_dict("records")
    ]
    scale = alt.Scale(type="log", nice=True) if logs else alt.Scale(zero=True)
    axis = alt.Axis(format="~s", tickCount=6)
    marks = alt.Chart(alt.InlineData(values=rows)).mark_point(filled=True, opacity=0.6, size=40)
    layer = marks.encode(
        x=alt.X("x:Q", title=x.replace("_", " ") + left_out, scale=scale, axis=axis),
        y=alt.Y("y:Q", title=y.replace("_", " "), scale=scale, axis=axis),
        color=alt.Color("color:N", title=color.replace("_", " "), scale=alt.Scale(range=COLORS)),
    )
    made: Chart = alt.vconcat(alt.layer(layer, width=WIDTH_PX, height=420))
    return made


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
