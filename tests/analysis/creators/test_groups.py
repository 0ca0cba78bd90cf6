"""Comparisons and correlations: claims only where there is enough, and nothing from chance."""

import numpy as np
import pandas as pd
import pytest

from analysis.creators.groups import NOTHING, compare, relations, spearman


def frame(*groups):
    """Of (name, creators, posts each, median)."""
    rng = np.random.default_rng(3)
    rows = [
        (name, f"{name}{who}", middle * np.exp(0.3 * rng.normal()))
        for name, creators, each, middle in groups
        for who in range(creators)
        for _ in range(each)
    ]
    return pd.DataFrame(rows, columns=["group", "creator", "rate"])


def claims(found):
    return dict(zip(found["group"], found["claim"], strict=True))


def test_a_group_that_is_better_is_told_so():
    found = compare(frame(("a", 20, 3, 0.10), ("b", 20, 3, 0.05)), "group", "rate")
    assert claims(found) == {"a": "higher", "b": "lower"}
    row = found.iloc[0]
    assert row["low"] < row["median"] < row["high"]


def test_nothing_is_claimed_of_few_posts_or_of_many_posts_by_few_creators():
    found = claims(compare(frame(("a", 9, 10, 0.2), ("b", 19, 1, 0.2), ("c", 40, 2, 0.05)), "group", "rate"))
    assert found["a"] == "too few: 9 of 10 creators"
    assert found["b"] == "too few: 19 of 20 posts"


def test_of_fewer_than_five_posts_there_is_not_even_an_interval():
    found = compare(frame(("a", 4, 1, 0.2), ("b", 40, 1, 0.05)), "group", "rate")
    assert found[["low", "high"]].iloc[0].isna().all()


def test_one_prolific_creator_makes_no_group_better():
    """300 posts of one creator that do well are one voice among thirteen."""
    told = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rows = [("a", "star", 0.3)] * 300 + [("a", f"a{n}", 0.05 * rng.lognormal(0, 0.3)) for n in range(12)]
        rows += [("b", f"b{n}", 0.05 * rng.lognormal(0, 0.3)) for n in range(40)]
        found = compare(pd.DataFrame(rows, columns=["group", "creator", "rate"]), "group", "rate")
        told += claims(found)["a"] != NOTHING
    assert told <= 2


def test_claims_without_a_cause_are_rare():
    """40 comparisons of groups that do not differ: at most a few claims."""
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(10):
        rows = [(str(n % 4), f"c{n}", rng.lognormal()) for n in range(120)]
        found = compare(pd.DataFrame(rows, columns=["group", "creator", "rate"]), "group", "rate")
        told += int(found["claim"].isin(["higher", "lower"]).sum())
    assert told <= 4


@pytest.mark.parametrize(("slope", "claim"), [(1, "rises with it"), (-1, "falls with it"), (0, "no direction shown")])
def test_rank_correlation_of_many_creators(slope, claim):
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    y = slope * x + rng.normal(size=200)
    found = spearman(x, y, pd.Series([f"c{n}" for n in range(200)]))
    assert found.claim == claim
    assert found.low < found.rho < found.high


def test_a_dozen_creators_have_an_interval_and_no_claim():
    x = np.arange(12.0)
    found = spearman(x, x, pd.Series([f"c{n}" for n in range(12)]))
    assert found.claim == "no claim: 12 of 20 creators"
    assert found.low < 1


def test_without_variation_there_is_no_correlation():
    x = np.arange(30.0)
    assert np.isnan(spearman(x, np.ones(30), pd.Series([f"c{n}" for n in range(30)])).rho)


def test_relations_are_told_within_bands_too():
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"x": rng.normal(size=60), "size": ["small", "large"] * 30})
    rows = rows.assign(y=rows["x"], creator=[f"c{n}" for n in range(60)])
    found = relations(rows, [("x", "y")], ("small", "large", "huge"))
    assert found["among"].tolist() == ["all", "small", "large"]
    assert found["posts"].tolist() == [60, 30, 30]
