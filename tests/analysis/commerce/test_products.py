"""Ratings count once, however many products show them; few ratings say little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from analysis.commerce.products import Rated, pools, ranking, velocity


def rated(name: str, rating: float, count: int, price: int = 10, host: str = "lamps.example") -> Rated:
    return Rated(f"{host}:product:{name}", host, name, rating, count, Decimal(price))


OIL = rated("oil", 4.4365, 4843, 28)
KIT = rated("kit", 4.4365, 4843, 82)
LARGER = rated("larger kit", 4.4449, 4976, 72)
LAMP = rated("lamp", 4.9, 60)


def test_ratings_that_several_products_show_count_once_for_the_cheapest():
    found = ranking([KIT, OIL, LAMP]).set_index("title")
    assert found.loc["oil", "n"] == 4843
    assert found.loc["kit", "n"] == 0
    assert found.loc["kit", "pool"] == OIL.product
    assert "the same 4,843 ratings as oil" in found.loc["kit", "why"]


def test_a_larger_pool_counts_only_what_the_one_inside_it_lacks():
    found = pools([OIL, KIT, LARGER, LAMP])
    assert sum(pool.own_count for pool in found) == 4976 + 60
    inner = next(pool.inside for pool in found if LARGER in pool.products)
    assert inner is not None and inner.owner is OIL


def test_a_mean_that_the_few_more_cannot_explain_is_another_pool():
    assert all(pool.inside is None for pool in pools([OIL, rated("other", 4.9, 4900)]))


def test_pools_of_two_stores_are_never_one():
    assert sum(pool.own_count for pool in pools([OIL, rated("oil", 4.4365, 4843, host="b.example")])) == 2 * 4843


def test_five_stars_of_three_ratings_are_alike_by_chance():
    assert len(pools([rated("a", 5.0, 3), rated("b", 5.0, 3)])) == 2


def test_few_ratings_do_not_outrank_many():
    found = ranking([rated("new", 5.0, 1), rated("proven", 4.9, 900), rated("c", 4.0, 300), rated("d", 3.1, 200)])
    assert next(iter(found["title"])) == "proven"
    new = found.set_index("title").loc["new"]
    assert new["score"] < 4.9 and new["high"] - new["low"] > 0.5


def test_nine_of_ten_stands_below_four_point_eight_of_five():
    tens = [rated(f"ten{n}", 8.0 + n / 2, 300, host="tens.example") for n in range(3)]
    found = ranking([*tens, rated("five", 4.8, 300), rated("b", 4.7, 300)])
    assert found["title"].iloc[0] == "five"
    assert dict(zip(found["title"], found["out_of"], strict=True)) | {"ten0": 10.0, "five": 5.0} == dict(
        zip(found["title"], found["out_of"], strict=True)
    )


def test_the_interval_holds_the_score_and_narrows_with_ratings():
    found = ranking([rated("few", 4.0, 10), rated("many", 4.0, 5000), rated("x", 4.8, 50), rated("y", 3.0, 50)])
    rows = found.set_index("title")
    assert ((found["low"] <= found["score"]) & (found["score"] <= found["high"])).all()
    assert rows.loc["many", "high"] - rows.loc["many", "low"] < rows.loc["few", "high"] - rows.loc["few", "low"]


def test_scales_of_ten_and_five_are_not_mixed():
    found = ranking([rated("five", 4.5, 50), rated("ten", 9.0, 50, host="b.example")]).set_index("title")
    assert found.loc["five", "high"] <= 5 < found.loc["ten", "score"]


def test_nothing_rated_is_an_empty_table():
    assert ranking([rated("a", 0.0, 0)]).empty


@pytest.mark.parametrize(
    ("counts", "expected"), [([10, 13, 20], 5.0), ([10], None), ([20, 10], None), ([None, 10, 10], 0.0)]
)
def test_new_ratings_a_day_need_two_sights_a_day_apart(counts, expected):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    frame = pd.DataFrame({"at": [at + timedelta(days=i) for i in range(len(counts))], "rating_count": counts})
    assert velocity(frame) == expected
