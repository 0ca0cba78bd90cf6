"""Evolution on hand-made boards: every expected number below was worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from analysis.trends.evolution import (
    BOARD_EVOLUTION_COLUMNS,
    board_evolution,
    changes,
    default_max_gap,
    entity_evolution,
)

from .lists import drawn_board

NOON = datetime(2021, 9, 24, 12, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOMENT = "datetime64[ms, UTC]"


def frame(rows, types):
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=kind) for name, kind in types.items()})


def boards(*moments, by_day=(), refused=()):
    types = {"at": MOMENT, "at_precision": "string", "size": "Int64", "got": "Int64"}
    rows = [
        {"at": each, "at_precision": "day" if each in by_day else None, "size": 9, "got": 9 + (each in refused)}
        for each in moments
    ]
    return frame(rows, types)


def entries(*rows):
    """(at, position, topic, volume) and more fields by name."""
    types = {
        "at": MOMENT, "at_precision": "string", "position": "Int64", "topic": "string", "topic_key": "string",
        "volume": "Int64", "volume_floor": "Int64", "promoted": "boolean",
    }  # fmt: skip
    made = []
    for moment, position, topic, volume, *more in rows:
        row = {"at": moment, "position": position, "topic": topic, "volume": volume}
        made.append(row | {"topic_key": topic.casefold()} | (more[0] if more else {}))
    return frame(made, types)


def at(*hours):
    return [NOON + hour * HOUR for hour in hours]


def one(boards_, entries_, **more):
    (row,) = board_evolution(boards_, entries_, **more).to_dict("records")
    return row


HIDDEN = {"volume_floor": 10_000}
PROMOTED = {"promoted": True}


def test_teen_wolf_rises_over_three_boards():
    first, friday, saturday, sunday = (
        datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC), MIDNIGHT,
        datetime(2021, 9, 25, 1, 15, tzinfo=UTC), MIDNIGHT + 2 * DAY,
    )  # fmt: skip
    by_day = {"at_precision": "day"}
    row = one(
        boards(first, friday, saturday, sunday, by_day=(friday, sunday)),
        entries(
            (friday, 5, "teen wolf", 140_681, by_day), (saturday, 2, "Teen Wolf", 339_480),
            (sunday, 1, "teen wolf", 351_261, by_day),
        ),
    )  # fmt: skip
    assert row["volumes"] == "140,681 -> 339,480 -> 351,261"
    assert (row["snapshots"], row["snapshots_possible"], row["re_entries"], row["state"]) == (3, 3, 0, "on")
    assert (row["first_seen"], row["first_seen_precision"]) == (friday, "day")
    assert (row["best_position"], row["best_at"], row["best_at_precision"]) == (1, sunday, "day")
    assert (row["peak_volume"], row["first_volume"], row["last_volume"]) == (351_261, 140_681, 351_261)
    assert (row["speed_to_peak_h_low"], row["speed_to_peak_h"], row["speed_to_peak_h_high"]) == (24, 48, 72)
    assert pd.isna(row["half_life_h"])


def test_columns_and_types_are_the_same_with_and_without_rows():
    empty = board_evolution(boards(), entries())
    full = board_evolution(boards(NOON), entries((NOON, 1, "gol", None)))
    for found in (empty, full):
        assert {name: str(kind) for name, kind in found.dtypes.items()} == BOARD_EVOLUTION_COLUMNS


def test_coming_back_after_a_snapshot_without_it_is_a_re_entry():
    row = one(boards(*at(0, 1, 2)), entries((NOON, 1, "gol", None), (NOON + 2 * HOUR, 1, "gol", None)))
    assert (row["snapshots"], row["snapshots_possible"], row["re_entries"], row["streak"]) == (2, 3, 1, 1)


def test_coming_back_after_a_missed_snapshot_is_no_re_entry():
    row = one(boards(*at(0, 2)), entries((NOON, 1, "gol", None), (NOON + 2 * HOUR, 1, "gol", None)))
    assert (row["snapshots"], row["snapshots_possible"], row["re_entries"], row["streak"]) == (2, 2, 0, 2)


def test_absence_from_a_snapshot_with_refused_rows_proves_nothing():
    moments = at(0, 1, 2)
    seen = entries((moments[0], 1, "gol", None), (moments[2], 1, "gol", None))
    assert one(boards(*moments, refused=(moments[1],)), seen)["re_entries"] == 0
    only_first = entries((moments[0], 1, "gol", None))
    assert one(boards(*moments[:2], refused=(moments[1],)), only_first)["state"] == "on"
    assert one(boards(*moments[:2]), only_first)["state"] == "left"


def test_a_hidden_volume_is_a_bound_and_not_zero():
    moments = at(0, 1, 2)
    shown = [(moments[0], 1, "gol", 40_000), (moments[2], 2, "gol", 12_000)]
    row = one(boards(*moments), entries(*shown, (moments[1], 2, "gol", None, HIDDEN)))
    assert row["volumes"] == "40,000 -> <10,000 -> 12,000"
    assert row["hidden"] == 1
    assert row["half_life_h"] == 2.0, "the first shown volume of half or less"


def test_a_topic_hidden_throughout_has_no_volume_at_all():
    row = one(boards(*at(0, 1)), entries(*[(each, 3, "gol", None, HIDDEN) for each in at(0, 1)]))
    assert row["volumes"] == "<10,000"
    volumes = ("peak_volume", "peak_volume_at", "first_volume", "last_volume", "speed_to_peak_h", "half_life_h")
    assert pd.isna([row[name] for name in volumes]).all()


def test_a_board_without_volumes_has_no_path():
    row = one(boards(NOON), entries((NOON, 3, "gol", None)))
    assert pd.isna(row["volumes"])
    assert row["hidden"] == 0


def test_promoted_rows_are_seen_but_not_ranked():
    moments = at(0, 1, 2, 3)
    bought = [(moments[0], 1, "gol", None, PROMOTED), (moments[2], 1, "gol", None, PROMOTED)]
    row = one(boards(*moments), entries(*bought, (moments[1], 8, "gol", None)))
    assert (row["first_seen"], row["snapshots"], row["promoted"]) == (moments[0], 3, 2)
    assert (row["best_position"], row["best_at"], row["last_position"]) == (8, moments[1], 8)
    assert (row["time_in_top_3_h"], row["time_in_top_10_h"]) == (0.0, 1.0)


def test_a_topic_that_was_only_bought_has_no_position():
    row = one(boards(*at(0, 1)), entries((NOON, 1, "cola", None, PROMOTED)))
    assert pd.isna([row["best_position"], row["best_at"], row["last_position"]]).all()
    assert row["time_in_top_50_h"] == 0.0


def test_a_bought_return_is_no_re_entry_and_a_bought_row_between_is_no_absence():
    moments = at(0, 1, 2)
    rows = [(moments[0], 2, "gol", None), (moments[2], 1, "gol", None, PROMOTED)]
    assert one(boards(*moments), entries(*rows))["re_entries"] == 0
    earned = [(moments[0], 2, "gol", None), (moments[2], 2, "gol", None)]
    bought = (moments[1], 1, "gol", None, PROMOTED)
    assert one(boards(*moments), entries(*earned))["re_entries"] == 1
    assert one(boards(*moments), entries(*earned, bought))["re_entries"] == 0


def test_a_topic_twice_in_one_snapshot_is_listed_once_at_its_best_position():
    row = one(boards(NOON), entries((NOON, 7, "gol", 10_000), (NOON, 3, "Gol", 20_000)))
    assert (row["snapshots"], row["best_position"], row["topic"], row["peak_volume"]) == (1, 3, "Gol", 20_000)


def test_a_bought_twin_does_not_hide_the_earned_row():
    row = one(boards(NOON), entries((NOON, 1, "gol", None, PROMOTED), (NOON, 9, "gol", None)))
    assert (row["best_position"], row["promoted"]) == (9, 0)


def test_a_snapshot_stands_until_the_next_but_no_longer_than_the_gap_allowed():
    moments = at(0, 1, 2, 10, 11, 12, 13, 14)
    seen = entries(*[(each, 2, "gol", None) for each in moments])
    row = one(boards(*moments), seen, max_gap=3 * HOUR)
    assert row["time_in_top_3_h"] == 6 + 3, "eight hours count as three, the newest as none"
    assert one(boards(*moments), seen)["time_in_top_3_h"] == 6 + 2, "default: twice the median gap"


def test_the_default_gap_is_twice_the_median_and_three_hours_before_there_is_a_cadence():
    hour_ms = 3_600_000
    assert default_max_gap([each * hour_ms for each in (0, 1, 2, 3, 4, 5, 6, 90)]) == 2 * HOUR
    assert default_max_gap([each * hour_ms for each in (0, 1, 2, 3, 4, 5, 90)]) == 3 * HOUR
    assert default_max_gap([0]) == 3 * HOUR


def test_a_topic_shown_once_has_no_speed():
    assert pd.isna(one(boards(*at(0, 1)), entries((NOON, 1, "gol", 50_000)))["speed_to_peak_h"])


def test_days_in_a_row_blur_a_duration_by_one_day_and_not_by_one_each():
    days = [MIDNIGHT + i * DAY for i in range(11)]
    by_day = {"at_precision": "day"}
    row = one(boards(*days, by_day=days), entries(*[(each, 1, "gol", None, by_day) for each in days]))
    assert row["time_in_top_3_h"] == 240
    assert (row["time_in_top_3_h_low"], row["time_in_top_3_h_high"]) == (216, 264)


def test_two_snapshots_of_adjoining_days_give_bounds_and_no_duration():
    days = [MIDNIGHT, MIDNIGHT + DAY]
    by_day = {"at_precision": "day"}
    row = one(
        boards(*days, by_day=days),
        entries((days[0], 1, "gol", 10_000, by_day), (days[1], 1, "gol", 90_000, by_day)),
        max_gap=2 * DAY,
    )
    assert pd.isna(row["speed_to_peak_h"])
    assert (row["speed_to_peak_h_low"], row["speed_to_peak_h_high"]) == (0, 48)
    assert pd.isna(row["time_in_top_3_h"])
    assert (row["time_in_top_3_h_low"], row["time_in_top_3_h_high"]) == (0, 48)


def test_the_peak_is_the_first_moment_of_the_greatest_volume():
    moments = at(0, 1, 2, 3, 5)
    volumes = (10_000, 50_000, 50_000, 25_001, 25_000)
    row = one(boards(*moments), entries(*[(m, 1, "gol", v) for m, v in zip(moments, volumes, strict=True)]))
    assert (row["peak_volume_at"], row["speed_to_peak_h"], row["half_life_h"]) == (moments[1], 1.0, 4.0)
    assert row["volumes"] == "10,000 -> 50,000 -> 25,001 -> 25,000", "a number that stays is written once"


def test_the_order_of_rows_does_not_matter():
    moments = at(0, 1, 2, 5)
    rows = [(m, p, t, 1000 * p) for m in moments for p, t in enumerate(("a", "b", "c"), 1)]
    straight = board_evolution(boards(*moments), entries(*rows))
    assert board_evolution(boards(*moments[::-1]), entries(*rows[::-1])).equals(straight)


OBSERVED = {
    "entity": "string", "at": MOMENT, "at_precision": "string", "capture": "string", "currency": "string",
    "followers": "Int64", "followers_precision": "Int64", "videos": "Int64", "videos_precision": "Int64",
    "price": "object", "rating": "Float64",
}  # fmt: skip
JASON = [
    {"entity": "e", "capture": "a", "at": datetime(2025, 3, 26, tzinfo=UTC), "at_precision": "day",
     "followers": 14_000_000, "followers_precision": 100_000, "videos": 5_228},
    {"entity": "e", "capture": "b", "at": datetime(2025, 4, 3, 22, 55, tzinfo=UTC),
     "followers": 14_700_000, "followers_precision": 100_000},
]  # fmt: skip


def test_readings_carry_the_bounds_of_their_rounding():
    found = entity_evolution(frame(JASON, OBSERVED), ["followers", "videos"])
    assert found["counter"].tolist() == ["followers", "followers", "videos", "videos"]
    assert found["low"].tolist()[:3] == [13_950_000, 14_650_000, 5_228]
    assert found["high"].tolist()[:3] == [14_050_000, 14_750_000, 5_228]
    assert found["value"].isna().tolist() == [False, False, False, True], "not shown is not zero"


@pytest.mark.parametrize("rows", [JASON, JASON[::-1]])
def test_jasonmoments_grows_by_six_to_eight_hundred_thousand_in_either_order(rows):
    found = changes(entity_evolution(frame(rows, OBSERVED), ["followers", "videos"]))
    (row,) = found.to_dict("records")
    assert (row["counter"], row["sign"], row["capture"]) == ("followers", "up", "b")
    assert (row["change_low"], row["change"], row["change_high"]) == (600_000, 700_000, 800_000)
    assert row["elapsed_h_low"] == pytest.approx(7.955 * 24, abs=0.02)
    assert row["elapsed_h_high"] == pytest.approx(8.955 * 24, abs=0.02)
    assert row["per_day_low"] < row["per_day"] < row["per_day_high"]


def test_a_reading_that_hides_the_counter_is_passed_over():
    rows = [{"entity": "e", "at": m, "videos": v} for m, v in zip(at(0, 1, 2), (5, None, 9), strict=True)]
    (row,) = changes(entity_evolution(frame(rows, OBSERVED), ["videos"])).to_dict("records")
    assert (row["change"], row["elapsed_h"]) == (4, 2.0)


def test_prices_are_exact_and_currencies_are_never_compared():
    prices = (("19.90", "BRL"), ("17.80", "BRL"), ("3.50", "USD"))
    rows = [
        {"entity": "o", "at": m, "price": Decimal(p), "currency": c}
        for m, (p, c) in zip(at(0, 1, 2), prices, strict=True)
    ]
    readings = entity_evolution(frame(rows, OBSERVED), ["price"])
    assert readings["unit"].tolist() == ["BRL", "BRL", "USD"]
    assert changes(readings)["change"].tolist() == [Decimal("-2.10")]


def test_a_single_reading_makes_no_change():
    found = changes(entity_evolution(frame(JASON[:1], OBSERVED), ["followers"]))
    assert found.empty
    assert str(found.dtypes["change"]) == "Int64"
    assert changes(entity_evolution(frame([], OBSERVED), ["followers"])).empty


@pytest.mark.parametrize("seed", range(40))
def test_all_topics_at_once_is_each_topic_alone(seed):
    """Columns over all topics, against the same board with one topic at a time: nothing runs over a border."""
    boards, entries = drawn_board(seed)
    whole = board_evolution(boards, entries, timedelta(hours=2)).set_index("topic_key")
    for key, alone in entries.groupby("topic_key"):
        told = board_evolution(boards, alone, timedelta(hours=2)).set_index("topic_key").loc[key]
        # Only the entries tell that a moment without a board row was taken; here every one has a row.
        assert told.equals(whole.loc[key]) or told.compare(whole.loc[key]).empty
