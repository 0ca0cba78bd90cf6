"""Posts as rates, whose they are, how they stand among their like, and when they do better. On a real database."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.creators.accounts import accounts
from analysis.creators.cohorts import quadrants, with_percentiles
from analysis.creators.filters import Filters, filtered, with_places
from analysis.creators.rates import with_rates
from analysis.creators.table import creators, growths, material
from analysis.creators.times import lifts
from crawler.storage.creators import Creators
from crawler.storage.store import Store

from .posts import READ, many, post, profile


@pytest.fixture
def saved(database):
    store = Store(database)

    def save(*items):
        store.save(items)
        return Creators(database)

    yield save
    store.close()


def one_rate(kept):
    return with_rates(kept.posts()).iloc[0]


def test_the_engagement_rate_is_all_four_parts_over_views(saved):
    row = one_rate(saved(post(1, "ana", views=1000, likes=90, comments=5, shares=3, saves=2)))
    assert (row["engagement"], row["rate"]) == (100, 0.1)


def test_a_hidden_part_is_not_zero_so_there_is_no_rate(saved):
    row = one_rate(saved(post(1, "ana", None)))
    assert np.isnan(row["rate"])
    assert row["virality"] == 1 / 10_000


def test_other_parts_can_be_asked_for(saved):
    kept = saved(post(1, "ana", None, likes=97))
    assert with_rates(kept.posts(), ("likes", "comments", "shares")).iloc[0]["engagement"] == 99


def test_the_rate_has_the_bounds_that_rounding_leaves(saved):
    row = one_rate(saved(post(1, "ana", views=1_200_000, views_precision=100_000, likes=59_997, likes_precision=None)))
    assert row["rate_low"] == pytest.approx(60_000 / 1_250_000)
    assert row["rate_high"] == pytest.approx(60_000 / 1_150_000)


def test_no_views_is_no_rate(saved):
    assert np.isnan(one_rate(saved(post(1, "ana", views=0, likes=0)))["rate"])


def test_views_and_likes_of_two_captures_make_no_rate(saved):
    """The newer page shows views only: the rate stays that of the capture that showed both."""
    later = READ + timedelta(days=9)
    grid = post(1, "ana", at=later, views=90_000, likes=None, comments=None, shares=None, saves=None)
    row = one_rate(saved(post(1, "ana", 0.05), grid))
    assert row["rate"] == pytest.approx(0.05)
    assert row["observed_at"] == READ


def test_as_known_then_the_numbers_are_those_of_then(saved, database):
    saved(post(1, "ana", 0.05), post(1, "ana", 0.10, at=READ + timedelta(days=9)))
    assert one_rate(Creators(database))["rate"] == pytest.approx(0.10)
    assert one_rate(Creators(database, READ + timedelta(days=1)))["rate"] == pytest.approx(0.05)


def test_a_renamed_creator_is_one_and_a_handle_taken_over_is_two(saved):
    kept = saved(
        post(1, "oldname", author_id="7"), profile("newname", READ + timedelta(days=1), user_id="7"),
        post(2, "shared", author_id="8"), post(3, "Shared", author_id="9", at=READ + timedelta(days=2)),
        post(4, "shared", author_id=None), post(5, "Plain", author_id=None),
    )  # fmt: skip
    found = accounts(kept.profiles(), kept.posts())
    assert found["tiktok:post:1"] == "tiktok:profile:newname"
    assert found["tiktok:post:5"] == "tiktok:profile:plain"
    assert "tiktok:post:4" not in found  # of two accounts that had this handle, nobody knows whose


def test_percentiles_are_among_posts_of_the_same_age_and_size(saved):
    young = [
        post(n, f"a{n}", created_at=READ - timedelta(hours=5), shares=n + 1, author_followers=500) for n in range(20)
    ]
    old = [post(100 + n, f"b{n}", shares=50 + n, author_followers=500) for n in range(20)]
    found = with_percentiles(with_rates(saved(*young, *old).posts())).set_index("key")
    assert found.loc["tiktok:post:19", "virality_pct"] == 97.5  # first of its cohort, far behind the old ones
    assert found.loc["tiktok:post:119", "virality_pct"] == 97.5
    assert found.loc["tiktok:post:19", "cohort"] == "tiktok, under 1 day, under 1K"
    assert found.loc["tiktok:post:19", "cohort_n"] == 20


def test_a_small_cohort_is_widened_and_a_tiny_one_has_no_percentile(saved):
    sized = [post(n, f"a{n}", author_followers=500 if n < 10 else 5_000_000) for n in range(20)]
    found = with_percentiles(with_rates(saved(*sized).posts()))
    assert set(found["cohort"]) == {"tiktok, 7-30 days"}
    hidden = with_percentiles(with_rates(saved(*sized).posts().assign(saves=pd.NA)))
    assert set(hidden["cohort"]) == {"tiktok, 7-30 days"}  # of shares, where saves are hidden
    few = with_percentiles(with_rates(saved(*sized).posts().head(19)))
    assert few["virality_pct"].isna().all()


def test_quadrants_are_against_the_middle_of_the_cohort(saved):
    made = [post(n, f"a{n}", shares=1 + 9 * (n % 2), comments=1 + 9 * (n // 2 % 2)) for n in range(40)]
    found = quadrants(with_percentiles(with_rates(saved(*made).posts())))
    assert found["quadrant"].value_counts().to_dict() == {
        "shared and discussed": 10, "shared": 10, "discussed": 10, "neither": 10,
    }  # fmt: skip


def test_the_hour_is_told_against_the_creators_own_posts_not_against_others(saved):
    """Night posts gain half again as much; a star who posts by day only does not hide it."""
    day = READ.replace(hour=0) - timedelta(days=20)
    items = [post(n, "star", views=5_000_000 + n, created_at=day + timedelta(hours=13)) for n in range(30)]
    for who in range(15):
        for n in range(4):
            night = n % 2 == 0
            at = day + timedelta(hours=22 if night else 13)
            items.append(post(1000 + 10 * who + n, f"a{who}", views=15_000 + n if night else 10_000, created_at=at))
    found = lifts(with_rates(material(saved(*items).posts(), saved().profiles()).posts), "UTC").set_index("slot")
    assert found.loc["21-24 h", "claim"] == "higher"
    assert 40 < found.loc["21-24 h", "lift_pct"] < 60


def test_the_clock_is_that_of_the_zone(saved):
    items = [post(n, "ana", created_at=READ.replace(hour=1) - timedelta(days=20)) for n in range(5)]
    posts = material(saved(*items).posts(), saved().profiles()).posts
    assert "21-24 h" in set(lifts(posts, "America/Sao_Paulo")["slot"])


def test_filters_come_before_groups_and_places_are_those_that_pages_state(saved):
    kept = saved(
        post(1, "ana", location="BR", category="Beauty"), post(2, "bia", media="photo"), post(3, "cai"),
        post(4, "dan", caption="my #SkinCare routine", hashtags=("skincare",)), profile("bia", region="PT"),
        post(5, "eva", caption="#fyp"),
    )  # fmt: skip
    found = material(kept.posts(), kept.profiles())
    placed = with_places(found.posts, found.profiles)

    def keys(**asked):
        return [key.rpartition(":")[2] for key in filtered(placed, Filters(**asked))["key"]]

    assert keys(place="br") == ["1"]
    assert keys(place="PT") == ["2"]
    assert keys(category="beauty") == ["1"]
    assert keys(media="photo") == ["2"]
    assert keys(keyword="Skincare") == keys(keyword="skincare", modality="hashtag") == ["4"]
    assert keys(keyword="skincare", modality="sound") == []
    assert keys(keyword="fyp") == ["5"]  # a term that says nothing is found all the same by who asks for it
    assert len(keys()) == 5


def test_growth_per_day_has_both_bounds_and_one_reading_is_no_growth(saved):
    rounding = {"followers_precision": 100}
    kept = saved(
        profile("ana", READ - timedelta(days=10), followers=20_000, **rounding),
        profile("ana", followers=21_000, **rounding), profile("bia", followers=5),
    )  # fmt: skip
    found = material(kept.posts(), kept.profiles())
    grown = growths(kept.histories(found.profiles["key"]), found.owner)
    row = grown.loc["tiktok:profile:ana"]
    assert (row["followers_per_day_low"], row["followers_per_day"], row["followers_per_day_high"]) == (90, 100, 110)
    assert grown.loc["tiktok:profile:bia"].isna().all()


def test_platforms_are_not_mixed_in_one_rate(saved):
    x = [item.model_copy(update={"platform": "x", "key": f"x:post:{n}"}) for n, item in enumerate(many(20, 2, 0.001))]
    kept = saved(*many(20, 2, 0.1, start=100), *x)
    table = creators(material(kept.posts(), kept.profiles()))
    assert table.groupby("platform")["expected_rate"].median().round(3).to_dict() == pytest.approx(
        {"tiktok": 0.101, "x": 0.001}, abs=0.001
    )
    assert isinstance(table, pd.DataFrame)
