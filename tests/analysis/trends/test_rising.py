"""Growth of many: bounds kept, chance sized down, and few false discoveries."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.trends.rising import RISING_COLUMNS, Filters, rising

START = datetime(2026, 1, 1, tzinfo=UTC)


def readings(*rows):
    """rows: entity, days, followers, and perhaps its precision."""
    return pd.DataFrame({
        "entity": [row[0] for row in rows],
        "at": pd.Series([START + timedelta(days=row[1]) for row in rows], dtype="datetime64[ms, UTC]"),
        "at_precision": pd.Series([None] * len(rows), dtype="string"), "capture": "c",
        "followers": pd.Series([row[2] for row in rows], dtype="Int64"),
        "followers_precision": pd.Series([row[3] if len(row) > 3 else None for row in rows], dtype="Int64"),
        "language": "pt",
    })  # fmt: skip


def crowd(n=60, seed=1):
    """Entities of 10,000 that grow by 1 % a day, give or take a half."""
    rng = np.random.default_rng(seed)
    pairs = [(f"e{i:03}", 10_000, round(10_000 * np.exp(rng.normal(0.02, 0.01)))) for i in range(n)]
    return [row for name, a, b in pairs for row in ((name, 0, a), (name, 2, b))]


def test_one_reading_is_new_not_growth():
    found = rising(readings(("a", 0, 100)), "followers").iloc[0]
    assert found["state"] == "new"
    assert pd.isna(found["change"])
    assert pd.isna(found["shrunk_pct_day"])


def test_bounds_of_rounding_are_kept():
    found = rising(readings(("a", 0, 14_000_000, 100_000), ("a", 10, 14_700_000, 100_000)), "followers").iloc[0]
    assert (found["change_low"], found["change"], found["change_high"]) == (600_000, 700_000, 800_000)
    assert found["per_hour"] == pytest.approx(700_000 / 240)
    assert pd.isna(found["stands_out"])  # nobody to compare with


def test_the_star_stands_out_and_the_crowd_does_not():
    found = rising(readings(*crowd(), ("star", 0, 10_000), ("star", 2, 20_000)), "followers")
    assert found.iloc[0]["entity"] == "star"
    assert found[found["stands_out"]]["entity"].tolist() == ["star"]


def test_in_a_crowd_without_a_star_hardly_anyone_stands_out():
    told = sum(int(rising(readings(*crowd(seed=seed)), "followers")["stands_out"].sum()) for seed in range(20))
    assert told <= 20 * 60 * 0.01


def test_a_tiny_entity_that_doubled_by_chance_is_sized_down():
    found = rising(readings(*crowd(), ("tiny", 0, 3), ("tiny", 2, 7)), "followers").set_index("entity")
    assert found.loc["tiny", "growth_pct_day"] > 30
    assert found.loc["tiny", "shrunk_pct_day"] < 5
    assert not found.loc["tiny", "stands_out"]


def test_what_is_filtered_out_sets_no_standard():
    frame = readings(*crowd(), ("big", 0, 10**6), ("big", 2, 10**6))
    assert rising(frame, "followers", Filters(least=100_000))["entity"].tolist() == ["big"]
    assert rising(frame, "followers", Filters(about={"language": ["en"]})).empty
    with pytest.raises(ValueError, match="colour"):
        rising(frame, "followers", Filters(about={"colour": ["red"]}))


def test_columns_are_always_the_same():
    assert list(rising(readings(), "followers").columns) == list(RISING_COLUMNS)
