"""What every chart of dashboard and report is: a picture, the sentence it supports, its table, or what is missing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import altair as alt
import pandas as pd
import vl_convert

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart
COLORS = (
    "#0b7285", "#d9480f", "#5f3dc4", "#2b8a3e", "#e67700", "#c2255c", "#495057", "#1971c2", "#845c3b", "#12b886",
)  # fmt: skip
"""Told apart by the colour-blind in this order; 4.5:1 and more on white but for the orange, which is never text."""
FONT = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"
_one_at_a_time = threading.Lock()  # the converter holds one JavaScript engine


@dataclass(frozen=True)
class Figure:
    name: str
    title: str
    says: str
    """One or two sentences, with n, and the interval where there is one."""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Heads and cells as a person reads them; moments and numbers keep their type."""
    chart: Chart | None = None
    missing: str | None = None
    """Where there is nothing to draw: what is missing, and when or by which command it will fill."""
    note: str | None = None
    """Small n, shares that are estimates, what the figure does not say."""
    links: Sequence[str | None] = ()
    """Address of each row's first cell."""
    height: int = 300

    @cached_property
    def spec(self) -> dict[str, Any] | None:
        if self.chart is None:
            return None
        made: dict[str, Any] = self.chart.to_dict(validate=False)
        made.pop("config", None)
        return made

    def png(self, title: str | None = None) -> bytes:
        """Light, twice the size for sharp screens. Raises ValueError where there is nothing to draw."""
        with _one_at_a_time:
            return bytes(vl_convert.vegalite_to_png(self._fixed(title or self.title), scale=2, config=config()))

    def svg(self) -> str:
        """Light, without a title. Raises ValueError where there is nothing to draw."""
        with _one_at_a_time:
            return str(vl_convert.vegalite_to_svg(self._fixed(None), config=config()))

    def _fixed(self, title: str | None) -> dict[str, Any]:
        """The specification in a width of its own."""
        spec = self.spec
        if spec is None:
            raise ValueError(f"{self.name}: nothing to draw")
        head = {"title": {"text": title, "anchor": "start", "fontSize": 15, "offset": 12}} if title else {}
        return {**spec, **head, "background": "white", "padding": 16, "width": 760}


def config() -> dict[str, Any]:
    """Light; the browser puts the page's own colours in their place."""
    ink, faint = "#1b2b30", "#dfe5e6"
    return {
        "font": "DejaVu Sans, sans-serif", "view": {"stroke": None},
        "mark": {"color": COLORS[0]}, "range": {"category": list(COLORS)},
        "axis": {
            "labelColor": ink, "titleColor": ink, "gridColor": faint, "domainColor": faint, "tickColor": faint,
            "titleFontWeight": "normal", "labelFontSize": 11, "titleFontSize": 11,
        },
        "legend": {"labelColor": ink, "titleColor": ink, "titleFontWeight": "normal", "orient": "top"},
        "title": {"color": ink, "fontWeight": 600},
    }  # fmt: skip


def data(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """As plain data: altair's own wrapper would try every row against the schema, half of what a chart costs."""
    return {"values": list(rows)}
