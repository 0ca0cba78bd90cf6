"""The collection `creators`: step by step the same as made anew, and nothing written twice."""

from datetime import timedelta

import pytest

from analysis.creators.summary import refresh
from crawler.storage.creators import Creators

from .posts import READ, many, post, profile


@pytest.fixture
def kept(database):
    return Creators(database)


def steps():
    early = READ - timedelta(days=5)
    return [
        [*many(12, 3), profile("a0", early, followers=1000, videos=10, region="BR", verified=True)],
        [profile("a0", followers=1200, videos=12), post(900, "a0", 0.2), profile("late", followers=3)],
        [post(901, "a1", 0.3, at=early), profile("a0", early - timedelta(days=3), followers=900)],
    ]  # fmt: skip


def test_kept_up_step_by_step_is_the_same_as_made_anew_in_any_order(store, kept, database):
    for items in steps():
        store.save(items)
        refresh(kept)
    stepwise = kept.kept()
    for name in ("creators", "profiles", "posts", "observations"):
        database[name].delete_many({})
    for items in reversed(steps()):
        store.save(items)
    refresh(kept)
    assert kept.kept() == stepwise


def test_a_second_time_nothing_is_written(store, kept):
    store.save(steps()[0])
    assert refresh(kept).written == 12
    assert (refresh(kept).changed, refresh(kept).written) == (0, 0)


def test_only_creators_with_new_facts_are_read_again(store, kept):
    store.save([*many(12, 3), *many(12, 3, start=500, sound_title="b")])
    refresh(kept)
    store.save([post(900, "a0", 0.2)])
    assert refresh(kept).changed == 1


def test_a_document_says_what_is_known_flat_and_typed(store, kept):
    for items in steps()[:2]:
        store.save(items)
    refresh(kept)
    doc = kept.kept()["tiktok:profile:a0"]
    assert (doc["followers"], doc["posts_seen"], doc["posts_counted"], doc["verified"]) == (1200, 4, 4, True)
    assert doc["coverage"] == pytest.approx(4 / 12, abs=1e-4)
    assert doc["followers_per_day"] == 40
    assert doc["rate_low"] < doc["rate"] < doc["rate_high"]
    assert not any(isinstance(value, (dict, list)) for value in doc.values())


def test_a_renamed_creator_keeps_one_document(store, kept):
    store.save([profile("before", user_id="7", followers=10), post(1, "before", author_id="7")])
    refresh(kept)
    store.save([profile("after", READ + timedelta(days=1), user_id="7", followers=11)])
    assert refresh(kept).gone == 1
    [doc] = kept.kept().values()
    assert (doc["_id"], doc["names"], doc["posts_seen"]) == (
        "tiktok:profile:after", ["tiktok:profile:after", "tiktok:profile:before"], 1,
    )  # fmt: skip


def test_whoever_is_removed_from_the_database_leaves_the_summary(store, kept, database):
    store.save([profile("ana", followers=1), profile("bia", followers=2)])
    refresh(kept)
    database["profiles"].delete_one({"_id": "tiktok:profile:ana"})
    refresh(kept)
    assert list(kept.kept()) == ["tiktok:profile:bia"]
