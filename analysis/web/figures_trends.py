"""Figures of lists and topics: positions, volumes with their gaps and floors. Pure but for the readers of the Site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from analysis.output import fit
from analysis.web import boards, draw
from analysis.web.figure import Figure, data
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words

Row = dict[str, Any]
LABEL = 26  # columns of a topic's name in a legend
HOUR = timedelta(hours=1)
PLACES = [1, 5, 10, 20, 30, 40, 50]


def chosen_board(site: Site, filters: Filters) -> str | None:
    return filters.board or boards.default_board(site, filters.place)


def positions(site: Site, say: Words, filters: Filters) -> Figure:
    """Paths of today's top over the last two days, a line a topic, broken where nothing is known."""
    name = chosen_board(site, filters)
    title = say("positions_title", n=filters.top)
    if name is None:
        return Figure("positions", title, "", missing=say("no_board"))
    found = boards.top(site, name, filters.until_at, filters.top)
    key, mark = (name, say.language, filters.until_at, filters.top), (found["at"], found["capture"])
    return site.kept.get(("positions", *key), mark, lambda: _positions(found, say, title))


def _positions(found: Row, say: Words, title: str) -> Figure:
    rows = [row for topic in found["topics"] for row in _line(topic, found)]
    if not rows:
        return Figure("positions", title, "", missing=say("no_path"))
    labels = list(dict.fromkeys(row["topic"] for row in rows))
    lowest = max(row["position"] for row in rows)
    y = alt.Y("position:Q", title=say("position"), axis=alt.Axis(format="d", values=PLACES),
              scale=alt.Scale(domain=[1, max(lowest, 2)], reverse=True, nice=False, zero=False))  # fmt: skip
    color = alt.Color("topic:N", title=None, sort=labels, scale=alt.Scale(domain=labels), legend=alt.Legend(columns=3))
    shown: list[Any] = ["topic:N", "position:Q", alt.Tooltip("at:T", format="%Y-%m-%d %H:%M")]
    base = alt.Chart(data(rows), width="container", height=340).encode(
        x=draw.time(say), y=y, color=color, tooltip=shown
    )
    chart = base.mark_line(strokeWidth=2).encode(detail="line:N") + base.mark_point(filled=True, size=14, opacity=1)
    says = say("positions_says", n=len(found["topics"]), snapshots=found["snapshots_48h"])
    return Figure("positions", title, says, _positions_table(rows, say), chart, height=340)


def _line(topic: Row, found: Row) -> list[Row]:
    gap_h = 1.6 * (found["cadence_h"] or 3.0)
    label = fit(topic["topic"], LABEL) or "·"
    rows, part, before = [], 0, None
    for hours, place in topic["path"]:
        if place is None:
            part += 1
            continue
        part += before is not None and hours - before > gap_h
        before = hours
        at = found["at"] + hours * HOUR
        rows.append({"topic": label, "at": _iso(at), "position": place, "line": f"{topic['topic_key']}/{part}"})
    return rows


def _iso(at: Any) -> str:
    return str(at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def _positions_table(rows: list[Row], say: Words) -> pd.DataFrame:
    return pd.DataFrame({
        say("topic"): [row["topic"] for row in rows],
        say("time_utc"): [row["at"][:16].replace("T", " ") for row in rows],
        say("position"): [row["position"] for row in rows],
    })  # fmt: skip


FIGURES = {"positions": positions}
