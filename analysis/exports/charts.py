"""The MongoDB Charts dashboard as a file to import. Pure.

Only kinds of charts, channels and settings that dashboards exported by MongoDB Charts hold (exportVersion 6) are used.
No exported example has an axis of time, so moments are made text by the chart's query, and the axis is nominal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Aggregate = Literal["sum", "mean", "count"]
Inferred = Literal["String", "Number", "Boolean"]
ICONS = {
    "Grouped Bar": "bar-grouped", "Grouped Column": "column-grouped", "Line": "line-discrete",
    "Word Cloud": "word-cloud", "Number": "bar-grouped",
}  # fmt: skip
"""Chart type: its icon, as exports have them (a Number keeps the icon of a bar)."""
CLUSTER = "Cluster0"
WIDE, HIGH = 4, 3  # of a dashboard 12 wide
HOUR = "%Y-%m-%d %H:00"
DAY = "%Y-%m-%d"


@dataclass(frozen=True)
class Channel:
    """One field of a chart; aggregate None: a category, of which the most frequent *most* are shown."""

    field: str
    inferred: Inferred
    aggregate: Aggregate | None = None
    label: str = ""
    most: int | None = None


@dataclass(frozen=True)
class Drawing:
    title: str
    collection: str
    kind: str
    channels: Mapping[str, Channel]
    query: tuple[Mapping[str, Any], ...] = ()
    """Stages that run before the chart's own grouping."""
    lists: Mapping[str, str] = field(default_factory=dict)
    """Channel: the list that it unwinds."""
    description: str = ""


def _count(label: str) -> Channel:
    return Channel("_id", "String", "count", label)


def _text_of(moment: str, form: str) -> dict[str, Any]:
    return {"$dateToString": {"date": f"${moment}", "format": form}}


DRAWINGS = (
    Drawing("Topics over time", "board_entries", "Line", {
        "x": Channel("hour", "String", label="hour (UTC)"), "y": Channel("volume", "Number", "mean", "volume"),
        "color": Channel("topic", "String", most=8),
    }, ({"$match": {"volume": {"$gt": 0}}}, {"$set": {"hour": _text_of("at", HOUR)}}, {"$sort": {"at": 1}}),
        description="Volume as the board counts. A topic that is absent, or whose volume is hidden, is a gap, not 0."),
    Drawing("Hours in the top 10", "trends", "Grouped Bar", {
        "y": Channel("topic", "String", most=15), "x": Channel("time_in_top_10_h", "Number", "sum", "hours"),
    }, ({"$match": {"time_in_top_10_h": {"$gt": 0}}}, {"$sort": {"time_in_top_10_h": -1}}),
        description="Kept by: python -m analysis trends"),
    Drawing("Followers per creator", "creators", "Grouped Bar", {
        "y": Channel("username", "String", most=15), "x": Channel("followers", "Number", "mean", "followers"),
    }, ({"$match": {"followers": {"$gt": 0}}}, {"$sort": {"followers": -1}}, {"$limit": 15}),
        description="Kept by: python -m analysis creators --update"),
    Drawing("Engagement rate per creator, lower bound", "creators", "Grouped Bar", {
        "y": Channel("username", "String", most=15), "x": Channel("rate_low", "Number", "mean", "rate (lower bound)"),
    }, ({"$match": {"posts_counted": {"$gte": 3}}}, {"$sort": {"rate_low": -1}}, {"$limit": 15}),
        description="Lower end of the 95 % interval; creators with three posts or more."),
    Drawing("Followers gained a day", "creators", "Grouped Bar", {
        "y": Channel("username", "String", most=15),
        "x": Channel("followers_per_day_low", "Number", "mean", "followers a day (at least)"),
    }, ({"$match": {"followers_per_day_low": {"$gt": 0}}}, {"$sort": {"followers_per_day_low": -1}}, {"$limit": 15})),
    Drawing("Verified and not", "profiles", "Grouped Column", {
        "x": Channel("verified", "Boolean", label="verified"), "y": _count("accounts"),
    }, ({"$match": {"verified": {"$exists": True}}},)),
    Drawing("Most viewed posts", "posts", "Grouped Bar", {
        "y": Channel("_id", "String", label="post", most=15), "x": Channel("views", "Number", "mean", "views"),
    }, ({"$match": {"views": {"$gt": 0}}}, {"$sort": {"views": -1}}, {"$limit": 15})),
    Drawing("Hashtags of posts", "posts", "Word Cloud", {
        "text": Channel("hashtags", "String", most=80), "size": Channel("hashtags", "String", "count", "posts"),
    }, lists={"text": "hashtags", "size": "hashtags"}),
    Drawing("Prices a day", "observations", "Line", {
        "x": Channel("day", "String", label="day (UTC)"), "y": Channel("price", "Number", "mean", "price"),
        "color": Channel("entity", "String", label="offer", most=8),
    }, ({"$match": {"kind": "offer", "price": {"$exists": True}}}, {"$set": {"day": _text_of("at", DAY)}},
        {"$sort": {"at": 1}})),
    Drawing("What fetches turned out to be", "fetches", "Grouped Column", {
        "x": Channel("day", "String", label="day (UTC)"), "y": _count("fetches"), "color": Channel("outcome", "String"),
    }, ({"$match": {"at": {"$type": "date"}}}, {"$set": {"day": _text_of("at", DAY)}}, {"$sort": {"at": 1}}),
        description="Blocked is not zero: what is not ok left a gap."),
    Drawing("Posts kept", "posts", "Number", {"value": _count("posts")}),
    Drawing("Snapshots of lists", "boards", "Number", {"value": _count("snapshots")}),
)  # fmt: skip
FILTERS = {
    "platform": ("creators", "posts", "profiles", "board_entries"),
    "board": ("board_entries", "trends", "boards"),
}
"""Filter of the dashboard: the collections whose charts it narrows."""


def dashboard(database: str, drawings: Sequence[Drawing] = DRAWINGS) -> dict[str, Any]:
    """What MongoDB Charts exports; the deployment is chosen anew at the import."""
    names = list(dict.fromkeys(each.collection for each in drawings))
    sources = {name: f"data-source-{i}" for i, name in enumerate(names, 1)}
    return {
        "exportVersion": 6,
        "dashboards": {"dashboard-1": {
            "description": "Trends, creators, products; made by Tidemark.", "embedding": {},
            "filters": [
                {"type": "String", "disabled": False, "name": name, "settings": {"allOthers": True, "values": []},
                 "linkedFields": [{"dataSourceId": sources[each], "fieldPath": name} for each in of]}
                for name, of in FILTERS.items()
            ],
            "layout": [
                {"i": f"item-{i}", "w": WIDE, "h": HIGH, "x": (i - 1) % 3 * WIDE, "y": (i - 1) // 3 * HIGH}
                for i in range(1, len(drawings) + 1)
            ],
            "title": "Tidemark",
        }},
        "items": {f"item-{i}": _item(each, sources[each.collection]) for i, each in enumerate(drawings, 1)},
        "dataSources": {
            source: {"alias": name, "collection": name, "database": database, "deployment": CLUSTER,
                     "sourceType": "cluster"}
            for name, source in sources.items()
        },
        "queries": {},
    }  # fmt: skip


def _item(drawing: Drawing, source: str) -> dict[str, Any]:
    query = orjson.dumps(list(drawing.query), option=orjson.OPT_INDENT_2).decode() if drawing.query else None
    axes: dict[str, dict[str, Any]] = {
        name: {} for name in drawing.channels if name in ("x", "y") and drawing.kind != "Word Cloud"
    }
    return {
        "calculatedFields": [],
        "channels": {name: _channel(each) for name, each in drawing.channels.items()},
        "chartType": drawing.kind, "convertedFields": [],
        "customisations": {
            "options": {}, "conditionalFormatting": [], "axes": axes,
            "channels": {name: _custom(each) for name, each in drawing.channels.items()},
        },
        "dashboardId": "dashboard-1", "dataSourceId": source, "description": drawing.description, "filters": [],
        "iconValue": ICONS[drawing.kind], "interactiveFiltering": "highlight", "itemType": "chart", "lookupFields": [],
        "meta": {}, "missedFields": [], "query": query, "queryId": None,
        "reductions": {
            name: [{"dimensionality": 1, "field": of, "type": "Unwind array", "arguments": []}]
            for name, of in drawing.lists.items()
        },
        "sample": False, "title": drawing.title, "embedding": {},
    }  # fmt: skip


def _channel(channel: Channel) -> dict[str, Any]:
    head = {"inferredType": channel.inferred, "field": channel.field}
    if channel.aggregate:
        return {"channelType": "aggregation", **head, "type": "quantitative", "aggregate": channel.aggregate}
    made = {"channelType": "category", **head, "type": "nominal", "isBinning": False}
    return {**made, "isLimiting": True, "limitingSize": str(channel.most)} if channel.most else made


def _custom(channel: Channel) -> dict[str, Any]:
    made: dict[str, Any] = {"labelOverride": {"enabled": True, "value": channel.label}} if channel.label else {}
    return {**made, "numberFormatting": {"enabled": True, "value": "Default"}} if channel.aggregate else made


def pipeline(drawing: Drawing) -> list[dict[str, Any]]:
    """What MongoDB Charts runs for a drawing: its query, its lists unwound, its own grouping."""
    stages = [dict(each) for each in drawing.query]
    stages += [{"$unwind": f"${of}"} for of in dict.fromkeys(drawing.lists.values())]
    groups = {name: f"${each.field}" for name, each in drawing.channels.items() if not each.aggregate}
    values = {name: _value(each) for name, each in drawing.channels.items() if each.aggregate}
    return [*stages, {"$group": {"_id": groups or None, **values}}]


def _value(channel: Channel) -> dict[str, Any]:
    if channel.aggregate == "count":
        return {"$sum": 1}
    return {"$sum" if channel.aggregate == "sum" else "$avg": f"${channel.field}"}


def as_file(database: str) -> bytes:
    return orjson.dumps(dashboard(database)) + b"\n"
