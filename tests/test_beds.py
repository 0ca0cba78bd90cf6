"""Years of other people's snapshots: what their makers counted is what we read. The truths are theirs, not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler import pages
from crawler.config import load
from crawler.lanes.sources import Options, Skipped, read
from crawler.outcomes import Outcome
from crawler.pages.boards import BoardPage, Snapshot

BEDS = load().shared_dir / "beds"
pytestmark = pytest.mark.skipif(not BEDS.exists(), reason=f"the long series are not at {BEDS}")


def board_pages(path: Path) -> Iterator[BoardPage]:
    for each in read([path], Options()):
        if isinstance(each, Skipped):
            continue
        cls = pages.choose(each.url, each.body)
        if cls is not None and issubclass(cls, BoardPage):
            yield cls(
                each.url, each.body, each.fetched_at, each.headers, capture=each.id, at_precision=each.at_precision
            )


def snapshots(path: str) -> list[Snapshot]:
    return [snapshot for page in board_pages(BEDS / path) for snapshot in page.snapshots()]


def test_the_twitter_archive_has_537_843_rows_of_10_places_and_403_repeated_names_kept_apart() -> None:
    files = rows = repeated = hidden = 0
    keys: set[tuple[str, object]] = set()
    for page in board_pages(BEDS / "huevi_twitter_trends_india/huevi_trends_csv_1312_snapshots.tar.xz"):
        files += 1
        for snapshot in page.snapshots():
            key = (snapshot.board, snapshot.at)
            assert key not in keys
            keys.add(key)
            ranked = list(snapshot.ranked())
            assert [position for position, _ in ranked] == list(range(1, len(snapshot.rows) + 1))
            rows += len(ranked)
            repeated += sum(n - 1 for n in Counter(row.topic for _, row in ranked).values())
            hidden += sum(row.volume is None for _, row in ranked)
    assert (files, rows, repeated) == (1312, 537_843, 403)
    assert len({board for board, _ in keys}) == 10
    assert round(hidden / rows, 3) == 0.386


def test_the_failed_snapshot_of_the_twitter_archive_is_a_gap_not_an_empty_list() -> None:
    path = BEDS / "huevi_twitter_trends_india/empty_failed_snapshot_trends_010120220625.csv"
    [page] = board_pages(path)
    assert page.outcome is Outcome.BLOCKED
    assert list(page.items()) == []
    assert f"{page.fetched_at:%Y-%m-%dT%H:%MZ}" == "2022-01-01T00:55Z"


def test_advertising_on_the_weibo_lists_is_kept_and_has_no_rank_among_the_others() -> None:
    found = snapshots("lxw_weibo_hourly/weibo_hot_2024-06-01_2024-08-31_hourly.tar.xz")
    assert (len(found), sum(len(each.rows) for each in found)) == (2075, 107_806)
    assert {len(each.rows) for each in found} <= {50, 51, 52, 53}
    bought = 0
    for snapshot in found:
        ranked = list(snapshot.ranked())
        earned = [position for position, row in ranked if not row.promoted]
        assert earned == list(range(1, len(earned) + 1))
        shown = [row.shown_at for _, row in ranked if not row.promoted]
        assert shown[-1] is None  # the pinned topic has neither rank nor heat
        assert shown[:-1] == sorted(filter(None, shown))
        bought += len(ranked) - len(earned)
    assert 0.02 < bought / 107_806 < 0.04


def test_every_hour_of_the_discover_lists_is_read_and_a_list_that_shows_nothing_is_no_list() -> None:
    found = Counter(each.board for each in snapshots("tiktok_discover_hourly/t_2022-05-01_2022-06-15_hourly.tar.xz"))
    assert found == dict.fromkeys((f"tiktok:discover_{kind}:t" for kind in ("hashtags", "sounds", "profiles")), 1006)
    outcomes = Counter(
        page.outcome for page in board_pages(BEDS / "tiktok_discover_hourly/www_2022-05-01_2022-06-15_hourly.tar.xz")
    )
    assert outcomes == {Outcome.OK: 1003, Outcome.BLOCKED: 1}


@pytest.mark.parametrize(
    ("path", "boards", "rows"),
    [
        ("weibo_hot_2026", {"weibo:heat:cn": 2863}, 142_734),
        ("youtube_daily_jp/wasabina67_docs_daily.tar.xz", {"youtube:popular:jp": 245}, 12_250),
        ("twitter_us_archive_twitter_trending", {
            "twitter-trending:trends:us": 406, "twitter-trending:most_tweeted:us": 2544,
            "twitter-trending:longest_minutes:us": 2544,
        }, 4060 - 10 + 12_720 - 30 + 12_720),
    ],
)  # fmt: skip
def test_the_other_archives_are_read_whole(path: str, boards: dict[str, int], rows: int) -> None:
    found = snapshots(path)
    assert Counter(each.board for each in found) == boards
    assert sum(row is not None for each in found for row in each.rows) == rows


def test_518_784_with_a_dot_is_half_a_million() -> None:
    [first, *_] = snapshots("twitter_us_archive_twitter_trending/trending_1773865091.csv")
    assert {row.topic: row.volume for row in first.rows if row}["Army"] == 518_784
