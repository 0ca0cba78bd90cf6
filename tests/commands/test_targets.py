"""The watch list as a person keeps it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.revisit import Learned
from crawler.targets import TargetError, TargetForm, typed

HOSTS = ("www.tiktok.com",)
KNOWN = {
    "tiktok_profile": (TargetForm(r"(?:https?://www\.tiktok\.com/)?@?([\w.]{1,24})/?", "@nasa"), HOSTS),
    "tiktok_hashtag": (TargetForm(r"(?:https?://www\.tiktok\.com/tag/)?#?([^\s/?#&,]{1,100})", "#x"), HOSTS),
    "tiktok_search": (TargetForm(r"(.{1,100})", "skincare", fold=False), HOSTS),
    "shopify_store": (TargetForm(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})/?.*", "shop.example"), ("{target}",)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "spider", "value"),
    [
        ("@NASA", "tiktok_profile", "nasa"),
        ("https://www.tiktok.com/@nasa", "tiktok_profile", "nasa"),
        ("#BookTok", "tiktok_hashtag", "booktok"),
        ("https://www.tiktok.com/tag/booktok", "tiktok_hashtag", "booktok"),
        ("https://meetblume.com/products/x", "shopify_store", "meetblume.com"),
    ],
)
def test_a_sign_or_an_address_tells_whose_target_it_is(written, spider, value):
    assert typed(written, KNOWN) == (spider, value)


@pytest.mark.parametrize("written", ["skincare", "meetblume.com", "$gt", "@a b", ""])
def test_what_could_be_several_things_is_asked_about(written):
    with pytest.raises(TargetError, match="whose is it"):
        typed(written, KNOWN)


def test_the_list_is_kept_by_command_and_refuses_what_is_there(shell, database, tmp_path):
    added = shell("targets", "add", "@NASA", "#BookTok", "https://www.tiktok.com/@bbc", "--role", "competitor")
    assert added.returncode == 0, added.stderr
    assert {row["_id"] for row in database["targets"].find()} == {
        "tiktok_profile:nasa", "tiktok_profile:bbc", "tiktok_hashtag:booktok"
    }  # fmt: skip
    again = shell("targets", "add", "@nasa")
    assert (again.returncode, "already on the list" in again.stderr) == (1, True)
    file = tmp_path / "list.csv"
    file.write_text("target,spider,role\n@esa,,own\nsun cream,tiktok_search,\n")
    assert shell("targets", "import", str(file)).returncode == 0
    file.write_text("@good\n$where\n")
    bad = shell("targets", "import", str(file))
    assert (bad.returncode, "line 2" in bad.stderr) == (2, True)
    assert database["targets"].count_documents({}) == 5
    assert shell("targets", "pause", "@bbc").returncode == 0
    assert shell("targets", "remove", "@nasa").returncode == 0
    listed = shell("targets", "list").stdout
    assert "bbc" in listed and "paused" in listed and "own" in listed and "nasa" not in listed


def test_the_list_says_how_many_looks_found_a_change(shell, database):
    shell("targets", "add", "@bbc", "@esa")
    learned = Learned(datetime(2026, 3, 1, tzinfo=UTC), 60, 31, 40.0, 0.2, 100.0).document()
    database["targets"].update_one(
        {"_id": "tiktok_profile:bbc"}, {"$set": {"learned": {**learned, "pages": 1.0, "host": "h"}}}
    )
    bbc, esa = shell("targets", "list").stdout.splitlines()
    assert bbc.endswith("31 of 60 looks found a change")
    assert "looks" not in esa


def test_creators_are_picked_by_their_counters(shell, database):
    for handle, likes in (("small", 1_000), ("large", 10**10), ("unknown", None)):
        database["profiles"].insert_one({
            "_id": f"tiktok:profile:{handle}", "kind": "profile", "platform": "tiktok", "username": handle,
            "likes": likes, "url": "https://x.example", "observed_at": None,
        })  # fmt: skip
    done = shell("targets", "add", "--where", "likes<1e9", "--sample", "15")
    assert done.returncode == 0, done.stderr
    assert [row["value"] for row in database["targets"].find()] == ["small"]
    assert shell("targets", "add", "--where", "likes<$ne", "--sample", "1").returncode == 2
