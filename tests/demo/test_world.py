"""The invented world: pure, seeded, and with a truth for every moment."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config import ROOT
from demo.world import START, World
from demo.world.curves import Burst, label, rounded

MOMENTS = [START + timedelta(hours=hours) for hours in (-700, 0, 37.25, 100, 9000)]
PRINT_TRUTH = """
import hashlib, sys
from datetime import datetime
from demo.world import World
world = World(int(sys.argv[1]))
print(hashlib.sha256(b"".join(world.truth(datetime.fromisoformat(at)).json() for at in sys.argv[2:])).hexdigest())
"""


@pytest.fixture(scope="module")
def world():
    return World(7)


def in_another_process(seed, hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", PRINT_TRUTH, str(seed), *(at.isoformat() for at in MOMENTS)],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_same_seed_gives_the_same_bytes_in_every_process(world):
    here = hashlib.sha256(b"".join(world.truth(at).json() for at in MOMENTS)).hexdigest()
    assert here == in_another_process(7, "1") == in_another_process(7, "2")
    assert here != in_another_process(8, "1")


def test_the_truth_of_a_moment_does_not_depend_on_what_was_asked_before(world):
    backwards = World(7)
    assert [backwards.truth(at).json() for at in reversed(MOMENTS)] == [
        world.truth(at).json() for at in reversed(MOMENTS)
    ]


def test_a_month_has_a_board_every_hour_and_a_truth_every_day(world):
    for hour in range(30 * 24):
        rows = world.board("br", START + timedelta(hours=hour))
        assert [row.position for row in rows] == list(range(1, 51))
    days = [world.truth(START + timedelta(days=day)) for day in range(30)]
    assert all(set(dict(day.parts())) for day in days)
    assert len(days[29].posts) > len(days[0].posts)
    assert days[29].profiles["tiktok:profile:coral.cooks"]["followers"] > 170_000


@pytest.mark.parametrize("seed", [7, 19, 31])
def test_planted_bursts_rise_peak_and_fall_within_the_first_days(seed):
    world = World(seed)
    assert len(world.talk.planted) == 5
    for topic, burst in world.talk.planted:
        at = [world.moment(hour) for hour in (burst.onset_h, burst.peak_h, burst.peak_h + 5 * burst.half_life_h)]
        before, peak, after = (world.talk.volume(topic, "br", world.hour(each)) for each in at)
        assert peak > 3 * before
        assert peak > 3 * after
        assert topic in [row.topic for row in world.board("br", at[1])[:5]]
        assert 0 < burst.peak_h < 120
        said = [each["phase"] for each in world.truth(at[1] + timedelta(minutes=1)).bursts[topic]]
        assert "falling" in said


def test_the_search_for_a_topic_and_its_hashtag_rise_with_it(world):
    topic, burst = world.talk.planted[0]
    assert topic in [row.topic for row in world.searched("br", world.moment(burst.peak_h))]
    views = [
        world.tag("festivaldofarol", hour).views for hour in (burst.onset_h - 24, burst.onset_h, burst.peak_h + 24)
    ]
    assert views[2] - views[1] > 10 * (views[1] - views[0]) > 0


def test_volumes_are_hidden_below_the_floor_and_for_what_was_bought(world):
    rows = [row for hour in range(0, 240, 5) for row in world.board("br", START + timedelta(hours=hour))]
    assert {row.volume is None for row in rows if row.exact >= 10_000 and not row.promoted} == {False}
    assert {row.volume is None for row in rows if row.exact < 10_000 or row.promoted} == {True}
    assert 0.2 < sum(row.volume is None for row in rows) / len(rows) < 0.8
    assert any(row.promoted for row in rows)


def test_views_never_fall_and_some_other_counters_do(world):
    creator = world.crowd.creators[1]
    post = world.crowd.posts(creator, 50)[5]
    views = [post.counts(hour)["views"] for hour in range(50, 800, 10)]
    assert views == sorted(views)
    sinking = next(each for each in world.crowd.creators if each.growth_day < -0.01)
    assert world.crowd.followers(sinking, 240) < world.crowd.followers(sinking, 0)
    moderated = [post for _, post in world.crowd.everything(300) if -500 < post.moderated_h < 250]
    comments = [(each.counts(each.moderated_h - 0.01), each.counts(each.moderated_h)) for each in moderated]
    assert any(after["comments"] < before["comments"] for before, after in comments)


def test_the_moment_of_a_post_stands_in_its_id(world):
    for _, post in world.crowd.everything(100):
        assert int(post.post_id) >> 32 == post.created_s
    ids = [post.post_id for _, post in world.crowd.everything(100)]
    assert len(ids) == len(set(ids)) > 1000


def test_a_renamed_account_keeps_its_number_and_a_removed_one_goes(world):
    old, new = world.crowd.find("old.pier", 0), world.crowd.find("new.pier", 100)
    assert old is new is not None
    assert world.crowd.find("old.pier", 100) is None
    assert world.crowd.find("gone_overboard", 0) is not None
    assert world.crowd.find("gone_overboard", 100) is None


@pytest.mark.parametrize("seed", [7, 19, 31])
def test_an_honest_sale_strikes_a_price_that_was_asked_before_and_a_pretended_one_does_not(seed):
    shop = World(seed).shop
    for sale in shop.planted:
        middle, before = (sale.from_h + sale.until_h) / 2, sale.from_h - 1
        for index in sale.products:
            product = shop.products[index]
            if not product.from_h <= before < middle < product.until_h:
                continue
            for variant in product.variants:
                now, then = shop.asked(product, variant, middle), shop.asked(product, variant, before)
                assert now.was is not None and now.was > now.cents
                assert (now.cents < then.cents) is sale.honest


def test_variants_sell_out_and_come_back(world):
    lamp = next(each for each in world.shop.products if each.handle == "coral-lamp")
    sale = world.shop.planted[0]
    hours = (sale.from_h - 1, sale.from_h + 20, sale.until_h + 200)
    available = [world.shop.asked(lamp, lamp.variants[0], hour).available for hour in hours]
    assert available[1] is False
    assert True in available


@pytest.mark.parametrize(
    ("exact", "shown", "printed"),
    [
        (1053, 1053, "1053"), (9999, 9999, "9999"), (40_398, 40_400, "40.4K"), (234_997, 235_000, "235K"),
        (783_427, 783_400, "783.4K"), (3_922_256, 3_900_000, "3.9M"), (9_200_000_001, 9_200_000_000, "9.2B"),
    ],
)  # fmt: skip
def test_counters_are_rounded_as_these_sites_round(exact, shown, printed):
    assert (rounded(exact), label(exact)) == (shown, printed)


@settings(deadline=None)
@given(
    onset=st.floats(-100, 100), rise=st.floats(0.5, 30), half=st.floats(0.5, 30), height=st.floats(1, 1e6),
    at=st.floats(-150, 400),
)  # fmt: skip
def test_what_a_burst_adds_up_to_is_the_area_under_it(onset, rise, half, height, at):
    burst = Burst(onset, onset + rise, half, height)
    assert 0 <= burst.value(at) <= height
    step = 0.01
    gained = burst.total(at + step) - burst.total(at)
    assert gained == pytest.approx((burst.value(at) + burst.value(at + step)) / 2 * step, abs=height * step * 0.02)


def test_a_post_on_x_is_found_again_by_its_number(world):
    found = list(world.talkers.tweets("Maré Alta", 60, 58))
    assert found
    assert [world.talkers.tweet(each.tweet_id) for each in found] == found
    assert world.talkers.tweet("1") is None
