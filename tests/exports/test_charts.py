"""The MongoDB Charts dashboard: shape of real exports, fields of the models, pipelines that run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args, get_origin

import pytest

from analysis.creators.summary import refresh
from analysis.creators.table import ACCOUNT_COLUMNS, GROWTH_COLUMNS, RATE_COLUMNS
from analysis.exports.charts import DRAWINGS, FILTERS, as_file, dashboard, pipeline
from analysis.exports.schema import type_of
from analysis.trends.evolution import BOARD_EVOLUTION_COLUMNS
from crawler.config import ROOT
from crawler.items import KINDS
from crawler.storage.creators import Creators
from crawler.storage.exports import Exports
from crawler.storage.store import Store

from .scene import FIRST, NEWER

MODELS = {model.collection: model for model in KINDS.values()}
DERIVED = {
    "creators": {**ACCOUNT_COLUMNS, **RATE_COLUMNS, **GROWTH_COLUMNS},
    "trends": {"board": "string", **BOARD_EVOLUTION_COLUMNS},
    "fetches": {"outcome": "string", "at": "datetime64[ms, UTC]"}, "observations": {"entity": "string"},
}  # fmt: skip
OF_TYPE = {"text": "String", "integer": "Number", "double": "Number", "numeric": "Number", "boolean": "Boolean"}
OF_FRAME = {"string": "String", "Int64": "Number", "Float64": "Number", "boolean": "Boolean"}

# Keys of an exported dashboard (exportVersion 6), read in files that MongoDB Charts wrote.
TOP = {"exportVersion", "dashboards", "items", "dataSources", "queries"}
DASHBOARD = {"title", "description", "embedding", "filters", "layout"}
ITEM = {
    "itemType": str, "title": str, "description": str, "dashboardId": str, "dataSourceId": str, "chartType": str,
    "iconValue": str, "query": (str, type(None)), "queryId": type(None), "sample": bool, "interactiveFiltering": str,
    "calculatedFields": list, "channels": dict, "convertedFields": list, "lookupFields": list, "missedFields": list,
    "reductions": dict, "filters": list, "meta": dict, "customisations": dict, "embedding": dict,
}  # fmt: skip
CHANNELS = {
    "Line": ({"x", "y"}, {"color"}), "Grouped Column": ({"x", "y"}, {"color"}), "Grouped Bar": ({"x", "y"}, {"color"}),
    "Word Cloud": ({"text", "size"}, set()), "Number": ({"value"}, set()),
}  # fmt: skip
CATEGORY = {"channelType", "inferredType", "field", "type", "isBinning"}
LIMITED = {*CATEGORY, "isLimiting", "limitingSize"}
AGGREGATION = {"channelType", "inferredType", "field", "type", "aggregate"}


@pytest.fixture
def file():
    return json.loads((ROOT / "charts" / "tidemark.charts").read_text())


def test_the_file_is_what_the_code_makes():
    """Made anew by: python -m analysis export --to charts charts/tidemark.charts"""
    assert (ROOT / "charts" / "tidemark.charts").read_bytes() == as_file("tidemark")


def test_the_frame_has_the_shape_of_real_exports(file):
    assert set(file) == TOP
    assert file["exportVersion"] == 6
    [board] = file["dashboards"].values()
    assert set(board) == DASHBOARD
    assert [set(each) for each in board["layout"]] == [{"i", "w", "h", "x", "y"}] * len(file["items"])
    assert {each["i"] for each in board["layout"]} == set(file["items"])
    for each in board["filters"]:
        assert set(each) == {"type", "disabled", "name", "settings", "linkedFields"}
        assert set(each["settings"]) == {"allOthers", "values"}
    for source in file["dataSources"].values():
        assert set(source) == {"alias", "collection", "database", "deployment", "sourceType"}


def test_every_chart_has_the_shape_of_real_exports(file):
    for item in file["items"].values():
        assert set(item) == set(ITEM)
        for name, kind in ITEM.items():
            assert isinstance(item[name], kind), name
        needed, may = CHANNELS[item["chartType"]]
        assert needed <= set(item["channels"]) <= needed | may
        for channel in item["channels"].values():
            if channel["channelType"] == "aggregation":
                assert (set(channel), channel["type"]) == (AGGREGATION, "quantitative")
                assert channel["aggregate"] in ("sum", "mean", "count")
            else:
                assert set(channel) in (CATEGORY, LIMITED)
                assert (channel["channelType"], channel["type"]) == ("category", "nominal")
                assert isinstance(channel.get("limitingSize", ""), str)
        assert set(item["customisations"]) == {"options", "conditionalFormatting", "axes", "channels"}
        assert set(item["customisations"]["channels"]) == set(item["channels"])
        assert item["dataSourceId"] in file["dataSources"]


def test_charts_do_not_lie_on_one_another(file):
    [board] = file["dashboards"].values()
    cells = [
        (x, y)
        for each in board["layout"]
        for x in range(each["x"], each["x"] + each["w"])
        for y in range(each["y"], each["y"] + each["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 12


def field_type(collection, name):
    """As Charts would infer it from the stored documents; None where no such field is stored."""
    if name == "_id":
        return "String"
    if collection in MODELS and name in MODELS[collection].model_fields:
        annotation = MODELS[collection].model_fields[name].annotation
        kind = type_of(annotation)
        if kind is None:  # a list of texts, which the chart unwinds
            kinds = [each for each in get_args(annotation) if get_origin(each) is tuple]
            kind = "text" if kinds and get_args(kinds[0])[0] is str else None
        return OF_TYPE.get(kind or "")
    if collection == "observations" and name in {c for model in KINDS.values() for c in model.counters}:
        return "Number"
    return OF_FRAME.get(DERIVED.get(collection, {}).get(name, ""))


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda each: each.title)
def test_every_field_is_one_of_the_models_with_its_type(drawing):
    made = {name for stage in drawing.query for name in stage.get("$set", {})}
    for channel in drawing.channels.values():
        if channel.field in made:
            assert channel.inferred == "String"
        else:
            assert field_type(drawing.collection, channel.field) == channel.inferred, channel.field


def test_filters_are_fields_of_every_collection_they_narrow():
    for name, collections in FILTERS.items():
        assert {field_type(each, name) for each in collections} == {"String"}


@pytest.fixture
def filled(database):
    store = Store(database)
    store.save([*FIRST, *NEWER])
    store.close()
    refresh(Creators(database))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    database["fetches"].insert_one({"_id": "f", "at": at, "outcome": "ok"})
    database["trends"].insert_one({"_id": "t", "topic": "Sol", "time_in_top_10_h": 3.0})
    database["creators"].update_one(
        {"_id": "tiktok:profile:ana"}, {"$set": {"posts_counted": 3, "rate_low": 0.1, "followers_per_day_low": 2.0}}
    )
    database["profiles"].update_one({}, {"$set": {"verified": True}})
    database["board_entries"].update_many({}, {"$set": {"volume": 20_000}})
    return Exports(database)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda each: each.title)
def test_the_aggregation_behind_every_chart_runs_and_finds_what_it_draws(filled, drawing):
    rows = filled.aggregate(drawing.collection, pipeline(drawing))
    assert rows
    for row in rows:
        for name, channel in drawing.channels.items():
            value = row[name] if channel.aggregate else row["_id"][name]
            assert value is not None
            if channel.aggregate:
                assert isinstance(value, (int, float, Decimal)) or hasattr(value, "to_decimal")


def test_the_query_in_the_file_is_the_one_that_was_run():
    items = dashboard("any")["items"].values()
    for drawing, item in zip(DRAWINGS, items, strict=True):
        assert (json.loads(item["query"]) if item["query"] else []) == [dict(each) for each in drawing.query]
