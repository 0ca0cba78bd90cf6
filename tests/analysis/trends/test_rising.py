"""Growth of many: bounds kept, chance sized down, and few false discoveries."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main
from analysis.trends.rising import RISING_COLUMNS, Filters, matching, rising

START = datetime(2026, 1, 1, tzinfo=UTC)


def readings(*rows):
    """rows: entity, days, followers, and perhaps its precision."""
    return pd.DataFrame({
        "entity": [row[0] for row in rows],
        "at": pd.Series([START + timedelta(days=row[1]) for row in rows], dtype="datetime64[ms, UTC]"),
        "at_precision": pd.Series([None] * len(rows), dtype="string"), "capture": "c",
        "followers": pd.Series([row[2] for row in rows], dtype="Int64"),
        "followers_precision": pd.Series([row[3] if len(row) > 3 else None for row in rows], dtype="Int64"),
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
    liked = frame.assign(likes=[9 if each == "big" else 1 for each in frame["entity"]], shares=2)
    assert rising(liked, "followers", Filters(least_engagement=11))["entity"].tolist() == ["big"]
    assert rising(liked, "followers", Filters(least_engagement=12)).empty


def test_entities_are_chosen_by_what_is_said_of_them():
    said = {"entity": ["a", "b", "c"], "language": ["pt-BR", "en", None], "region": ["BR", "BR", "BR"]}
    about = pd.DataFrame(said, dtype="string")
    assert matching(about, {"language": ["PT", "es"], "region": ["br"]}) == ["a"]
    assert matching(about, {"region": ["br"]}) == ["a", "b", "c"]
    assert matching(about, {"language": ["fr"]}) == []


def test_columns_are_always_the_same():
    assert list(rising(readings(), "followers").columns) == list(RISING_COLUMNS)


def test_the_command_filters_before_it_compares(database, capsys):
    for i, (region, gained) in enumerate([("BR", 100), ("BR", 100), ("US", 9000)]):
        key = f"tiktok:profile:p{i}"
        database["profiles"].insert_one({"_id": key, "region": region, "first_seen": START})
        database["observations"].insert_many([
            {"_id": f"{key}{day}", "entity": key, "kind": "profile", "at": START + timedelta(days=day), "capture": "c",
             "followers": 10_000 + day * gained}
            for day in (0, 1)
        ])  # fmt: skip

    def run(*more):
        arguments = ["growth", "--kind", "profile", "--counter", "followers", "--database", database.name, *more]
        return main(arguments, open_client=lambda _: nullcontext(database.client)), *capsys.readouterr()

    _, out, _ = run("--place", "Brazil")
    assert "2 of 2 profiles" in out
    assert "profile:p2" not in out
    assert "1 of 1 profiles" in run("--most-entities", "1", "--place", "us")[1]
    assert "1 of 1 profiles" in run("--above", "20")[1]
    assert "no profile with that region" in run("--place", "Chile")[2]
    assert "does not say its language" in run("--language", "pt")[2]
    assert "no likes, comments" in run("--least-engagement", "5")[2]
