"""What creators and posts say of real captures, where they are at hand."""

from contextlib import nullcontext
from datetime import UTC, datetime

import pandas as pd
import pytest

from analysis.cli import main
from analysis.creators.groups import relations
from analysis.creators.table import growths, material
from crawler import pages
from crawler.config import load
from crawler.items import Item
from crawler.lanes.sources import Options, Skipped, read
from crawler.storage.creators import Creators
from crawler.storage.store import Store

CAPTURES = load().shared_dir / "captures"
pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason=f"the real captures are not at {CAPTURES}")
SEARCH = "tiktok/search/diannebatya/tikapi_search_general_skincare_us.json"
LIST = "tiktok/dumps/tiktok_trending.json"
JASON = ("tiktok/profile/levdalba/tiktok_profile_raw.html", "tiktok/profile/levdalba/some/20250403-225530.html")


@pytest.fixture
def kept(database):
    store = Store(database)

    def save(*paths, at=None):
        for path in paths:
            sources = [CAPTURES / "MANIFEST.tsv", CAPTURES / path]
            for each in read(sources[1:], Options(observed_at=at)):
                if isinstance(each, Skipped):
                    continue
                cls = pages.choose(each.url, each.body)
                if cls is not None:
                    page = cls(each.url, each.body, each.fetched_at, each.headers, capture=each.id, hash_key="k" * 32,
                               at_precision=each.at_precision)  # fmt: skip
                    store.save([item for item in page.items() if isinstance(item, Item)])
        return Creators(database)

    yield save
    store.close()


@pytest.fixture
def run(database, capsys):
    def call(*arguments):
        status = main([*arguments, "--database", database.name], open_client=lambda _: nullcontext(database.client))
        return status, *capsys.readouterr()

    return call


def test_on_twelve_videos_lengths_are_shown_and_nothing_is_claimed(kept, run, tmp_path):
    kept(SEARCH)
    run("posts", "--show", "duration", "-o", str(tmp_path / "d.csv"))
    found = pd.read_csv(tmp_path / "d.csv").set_index("group")
    assert found["posts"].to_dict() == {"up to 30 s": 4, "31-60 s": 7, "over 60 s": 1}
    assert (found["median"] * 100).round(1).to_dict() == {"up to 30 s": 4.8, "31-60 s": 9.1, "over 60 s": 6.7}
    assert found["claim"].str.startswith("too few").all()


def test_on_twelve_videos_the_best_and_the_second_worst(kept, run, tmp_path):
    kept(SEARCH)
    run("posts", "-o", str(tmp_path / "p.csv"))
    found = pd.read_csv(tmp_path / "p.csv")
    assert (found["author"].iloc[0], round(100 * found["rate"].iloc[0], 1)) == ("ellie_thorburn2", 12.9)
    assert (found["author"].iloc[-2], round(100 * found["rate"].iloc[-2], 1)) == ("luellebrand", 2.9)


def test_on_twelve_videos_every_correlation_may_be_none(kept):
    stored = kept(SEARCH)
    found = material(stored.posts(), stored.profiles()).posts
    pairs = [("author_followers", "rate"), ("duration_s", "rate"), ("virality", "discussion")]
    told = relations(found, pairs, ())
    assert ((told["low"] < 0) & (told["high"] > 0)).all()
    assert told["claim"].str.startswith("no claim").all()


def test_a_list_that_repeats_its_posts_counts_each_once_and_its_labels_are_no_places(kept, run):
    kept(LIST, at=datetime(2025, 9, 5, 9, tzinfo=UTC))
    assert "Posts by rate: 214" in run("posts")[1]
    for show in ("places", "categories"):
        status, out, error = run("posts", "--show", show)
        assert (status, out) == (2, "")
        assert "no figure" in error


def test_jasonmoments_grew_by_a_known_number_a_day(kept):
    stored = kept(*JASON)
    found = material(stored.posts(), stored.profiles())
    row = growths(stored.histories(found.profiles["key"]), found.owner).loc["tiktok:profile:jasonmoments"]
    # 600,000 to 800,000 more, in 7.95 to 8.95 days
    assert row["followers_per_day_low"] == pytest.approx(600_000 / 8.955, rel=1e-3)
    assert row["followers_per_day_high"] == pytest.approx(800_000 / 7.955, rel=1e-3)
    assert row["followers_growth"] == "up"


def test_verified_share_and_followers_against_likes_of_all_captured_profiles(kept, run, tmp_path):
    files = [path.relative_to(CAPTURES) for path in sorted((CAPTURES / "tiktok").rglob("*")) if path.is_file()]
    kept(*map(str, files), at=datetime(2026, 3, 1, tzinfo=UTC))
    run("creators", "--show", "verified", "-o", str(tmp_path / "v.csv"))
    found = pd.read_csv(tmp_path / "v.csv").set_index("cohort").loc["verified"]
    assert found["n"] > 30
    assert found["low_pct"] < found["share_pct"] < found["high_pct"]
    run("creators", "--show", "relations", "-o", str(tmp_path / "r.csv"))
    assert pd.read_csv(tmp_path / "r.csv").iloc[0]["low"] > 0.8
