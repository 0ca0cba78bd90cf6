"""The few shapes that most figures have: bars, bars with intervals, points, lines in time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.output import clean, fit
from analysis.plot import TIME_LABEL
from analysis.web.figure import Chart, data
from analysis.web.words import Words

Row = dict[str, Any]
BAR_PX = 24
LABEL = 28  # columns of a name on an axis


def label(text: object) -> str:
    """A name as an axis or legend can hold it: one line, visible, short."""
    return fit(clean(str(text)), LABEL) or "·"


def labels(texts: Sequence[object]) -> list[str]:
    """Short, and different for different places of the list."""
    made: list[str] = []
    for each in texts:
        short = label(each)
        twins = sum(other == short or other.startswith(f"{short} (") for other in made)
        made.append(f"{short} ({twins + 1})" if twins else short)
    return made


def table(frame: pd.DataFrame, heads: Mapping[str, str]) -> pd.DataFrame:
    """Columns of *frame* under the heads that a person reads."""
    return frame[list(heads)].rename(columns=dict(heads)).reset_index(drop=True)


def bars(rows: Sequence[Row], y: str, x: str, title: str, shape: str = "~s", color: str | None = None) -> Chart:
    """Horizontal bars in the order of the rows."""
    base = alt.Chart(data(rows), width="container", height=max(2, len({row[y] for row in rows})) * BAR_PX)
    encoded: Chart = base.mark_bar(height={"band": 0.72}).encode(
        x=alt.X(f"{x}:Q", title=title, axis=alt.Axis(format=shape, tickCount=6)),
        y=alt.Y(f"{y}:N", sort=None, title=None),
        tooltip=[
            f"{y}:N",
            alt.Tooltip(f"{x}:Q", format=",.4~r" if shape != "%" else ".2%"),
            *([f"{color}:N"] if color else []),
        ],
    )
    if color is None:
        return encoded
    coloured: Chart = encoded.encode(color=alt.Color(f"{color}:N", title=None))
    return coloured


def intervals(rows: Sequence[Row], y: str, title: str, shape: str = "%", color: str | None = None) -> Chart:
    """Bars of `value` with a rule from `low` to `high` where these are known."""
    bar = bars(rows, y, "value", title, shape, color)
    known = [row for row in rows if row.get("low") is not None and row.get("high") is not None]
    if not known:
        return bar
    from_to = alt.Chart(data(known)).encode(
        x=alt.X("low:Q", title=title), x2="high:Q", y=alt.Y(f"{y}:N", sort=None, title=None)
    )
    edge = from_to.mark_rule(strokeWidth=5, color="white")  # seen on its bar, too
    return alt.layer(bar, edge, from_to.mark_rule(strokeWidth=2)).properties(
        width="container", height=len(rows) * BAR_PX
    )


def time(say: Words, field: str = "at:T") -> alt.X:
    axis = alt.Axis(labelExpr=TIME_LABEL, tickCount=7, labelOverlap=True, labelSeparation=6)
    return alt.X(field, title=say("time_utc"), scale=alt.Scale(type="utc"), axis=axis)


def lines(
    rows: Sequence[Row], say: Words, y: str, title: str, color: str, shape: str = "~s", *, step: bool = False
) -> Chart:
    """A line with points for each name; never joined to another's."""
    base = alt.Chart(data(rows), width="container", height=280).encode(
        x=time(say),
        y=alt.Y(f"{y}:Q", title=title, axis=alt.Axis(format=shape, tickCount=5), scale=alt.Scale(zero=False)),
        color=alt.Color(f"{color}:N", title=None, sort=None),
        tooltip=[f"{color}:N", alt.Tooltip(f"{y}:Q", format=",.4~r"), alt.Tooltip("at:T", format="%Y-%m-%d %H:%M")],
    )
    line = base.mark_line(strokeWidth=2, interpolate="step-after" if step else "linear")
    layered: Chart = line + base.mark_point(filled=True, size=26, opacity=1)
    return layered


def percentile(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
