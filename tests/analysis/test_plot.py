"""Charts, judged by their specification; one of each kind is really drawn."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.output import OutputError
from analysis.plot import board_chart, entity_chart, save_chart
from analysis.trends.evolution import entity_evolution
from crawler.storage.reads import BOARD_COLUMNS, ENTRY_COLUMNS, OBSERVATION_COLUMNS

NOON = datetime(2021, 9, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def frame(rows, types):
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=kind) for name, kind in types.items()})


def boards(*hours):
    return frame([{"at": NOON + hour * HOUR} for hour in hours], BOARD_COLUMNS)


def entries(*rows):
    names = ("at", "position", "topic", "topic_key", "volume", "volume_floor")
    made = [(NOON + hour * HOUR, 1, topic, topic, volume, None if volume else 10_000) for hour, topic, volume in rows]
    return frame([dict(zip(names, row, strict=True)) for row in made], ENTRY_COLUMNS)


def readings(**more):
    row = {"entity": "e", "kind": "profile", "followers": 14_000_000, "followers_precision": 100_000}
    moments = (NOON, NOON + 24 * HOUR)
    return entity_evolution(frame([{**row, "at": at, **more} for at in moments], OBSERVATION_COLUMNS), ["followers"])


def panels(chart):
    spec = chart.to_dict()
    for panel in spec["vconcat"]:
        for layer in panel["layer"]:
            data = layer.get("data") or panel.get("data") or spec["data"]  # Altair lifts what layers share
            layer["rows"] = spec["datasets"][data["name"]]
    return spec["vconcat"]


def lines(panel):
    """What each drawn line joins, in hours after noon."""
    layer = next(layer for layer in panel["layer"] if layer["mark"]["type"] == "line")
    joined = {}
    for row in layer["rows"]:
        after = datetime.strptime(row["at"], "%Y-%m-%dT%H:%M:%S.%f%z") - NOON
        joined.setdefault(row["line"], []).append(after / HOUR)
    return list(joined.values())


def marks(panel, kind):
    found = [layer for layer in panel["layer"] if layer["mark"].get("shape") == kind]
    return [row for layer in found for row in layer["rows"]]


def test_lines_are_not_drawn_over_a_missed_snapshot():
    seen = [(hour, "gol", 50_000) for hour in (0, 1, 2, 4, 5)]
    volume, position = panels(board_chart(boards(0, 1, 2, 4, 5), entries(*seen), ["gol"]))
    assert lines(volume) == [[0, 1, 2], [4, 5]]
    assert lines(position) == [[0, 1, 2], [4, 5]]


def test_lines_are_not_drawn_over_a_snapshot_without_the_topic():
    seen = [(hour, "gol", 50_000) for hour in (0, 1, 3, 4)]
    for max_gap in (None, 9 * HOUR):
        volume, _ = panels(board_chart(boards(0, 1, 2, 3, 4), entries(*seen), ["gol"], max_gap))
        assert lines(volume) == [[0, 1], [3, 4]]


def test_a_hidden_volume_is_a_hollow_mark_at_its_floor_and_breaks_the_line():
    seen = entries((0, "gol", 50_000), (1, "gol", None), (2, "gol", 30_000))
    volume, position = panels(board_chart(boards(0, 1, 2), seen, ["gol"]))
    assert lines(volume) == [[0], [2]]
    assert [row["floor"] for row in marks(volume, "triangle-down")] == [10_000]
    assert lines(position) == [[0, 1, 2]], "the place is known where the number is not"


def test_only_the_topics_asked_for_in_the_order_asked_for():
    seen = entries((0, "a", 20_000), (0, "b", 20_000), (0, "c", 20_000))
    layer = panels(board_chart(boards(0), seen, ["c", "a"]))[0]["layer"][0]
    assert layer["encoding"]["color"]["scale"]["domain"] == ["c", "a"]


def test_topics_that_look_the_same_stay_two():
    seen = entries((0, "gol", 20_000), (0, "g\u200bol", 20_000))
    layer = panels(board_chart(boards(0), seen, ["gol", "g\u200bol"]))[0]["layer"][0]
    assert layer["encoding"]["color"]["scale"]["domain"] == ["gol", "gol (2)"]


def test_a_board_without_volumes_shows_positions_only():
    seen = entries((0, "gol", None)).assign(volume_floor=pd.array([None], dtype="Int64"))
    (only,) = panels(board_chart(boards(0), seen, ["gol"]))
    assert only["title"].startswith("Position")


def test_times_are_drawn_in_utc():
    for chart in (board_chart(boards(0), entries((0, "gol", 20_000)), ["gol"]), entity_chart(readings())):
        for panel in panels(chart):
            x = [layer["encoding"]["x"] for layer in panel["layer"]]
            assert {(each["title"], each["scale"]["type"]) for each in x} == {("time (UTC)", "utc")}


def test_a_rounded_counter_has_a_band_and_an_exact_one_has_none():
    (rounded,) = panels(entity_chart(readings()))
    band = rounded["layer"][0]
    assert band["mark"]["type"] == "area"
    assert [(row["low"], row["high"]) for row in band["rows"]] == [(13_950_000, 14_050_000)] * 2
    (exact,) = panels(entity_chart(readings(followers_precision=None)))
    assert {layer["mark"]["type"] for layer in exact["layer"]} == {"line", "point"}


def test_a_day_is_drawn_as_long_as_a_day():
    (panel,) = panels(entity_chart(readings(at_precision="day")))
    bar = next(layer for layer in panel["layer"] if "x2" in layer["encoding"])["rows"][0]
    assert (bar["start"], bar["end"]) == ("2021-09-24T12:00:00.000000Z", "2021-09-25T12:00:00.000000Z")


def test_nothing_to_draw_is_said():
    with pytest.raises(OutputError, match="no topic to draw"):
        board_chart(boards(0), entries((0, "gol", 20_000)), ["other"])


def test_pictures_of_hostile_topics_are_drawn_and_marked_as_simulated(tmp_path):
    hostile = "gol\x1b[31m <script>alert(1)</script> & \u202e"
    chart = board_chart(boards(0, 1), entries((0, hostile, 20_000), (1, hostile, None)), [hostile])
    save_chart(chart, "x:trends:br", "1 topic", tmp_path / "board.svg", simulated=True)
    svg = (tmp_path / "board.svg").read_text(encoding="utf-8")
    assert "1 topic (simulated)" in svg
    assert "<script" not in svg
    assert "\x1b" not in svg
    save_chart(entity_chart(readings()), "e", "2 observations", tmp_path / "entity.png", simulated=False)
    assert (tmp_path / "entity.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"board.svg", "entity.png"}
