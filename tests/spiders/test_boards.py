"""Boards and posts by keyword from the simulated web: the documented answers, and what goes wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler import places
from crawler.config import ROOT
from demo.site import Site, running
from demo.site.boards import YOUTUBE_KEY
from demo.site.x import LIMITS, TOKEN, WINDOW_S
from demo.world import START, World
from demo.world.talkers import RECENT_H
from tests.demo.web import fetch

Run = Callable[..., "subprocess.CompletedProcess[str]"]
FAST = (
    "-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "RETRY_TIMES=0", "-s", "MANNERS_ENABLED=0",
    "-s", 'DOWNLOADER_MIDDLEWARES={"demo.lane.SimulatedMoment": 700, '
    '"crawler.lanes.http.ArchiveRedirects": 605, "crawler.lanes.http.ArchiveMiddleware": 585}',
)  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(World(7)) as opened:
        opened.clock.set(START + timedelta(days=3, hours=10))
        yield opened


@pytest.fixture
def crawl(site: Site, mongo_uri: str, database: Database[dict[str, Any]], tmp_path: Path) -> Iterator[Run]:
    def run(spider: str, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", spider, *more, *FAST], cwd=ROOT,
            env={
                **os.environ, "MONGODB_URI": mongo_uri, "MONGODB_DATABASE": database.name,
                "TIDEMARK_DATA": str(tmp_path), "X_BEARER_TOKEN": TOKEN, "YOUTUBE_API_KEY": YOUTUBE_KEY,
                **site.proxies(), **environ,
            },
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    yield run
    site.faults.clear()


def entries(database: Database[dict[str, Any]], board: str) -> list[dict[str, Any]]:
    return list(database["board_entries"].find({"board": board}).sort([("at", 1), ("position", 1)]))


BOARDS = [
    ("x_trends", "br,world", {"x:trends:br": 50, "x:trends:world": 50}),
    ("getdaytrends", "br", {"getdaytrends:trends:br": 50}),
    ("trends24", "br", {"trends24:trends:br": 24 * 50}),
    ("google_trends", "br", {"google:trends:br": None}),
    ("youtube_trending", "br", {"youtube:popular:br": 50, "youtube:popular:br:from51": None}),
]


@pytest.mark.parametrize(("spider", "place", "boards"), BOARDS, ids=[each[0] for each in BOARDS])
def test_a_board_is_taken_by_place_and_equals_the_truth(
    crawl: Run, database: Database[Any], site: Site, spider: str, place: str, boards: dict[str, int | None]
) -> None:
    done = crawl(spider, "-a", f"place={place}")
    assert done.returncode == 0, done.stderr
    for board, rows in boards.items():
        found = entries(database, board)
        assert found, (board, done.stderr)
        assert rows is None or len(found) == rows
    if spider == "x_trends":
        truth = [row.topic for row in site.world.board("br", site.clock.now()) if not row.promoted]
        shown = {row["topic"] for row in entries(database, "x:trends:br")}
        assert set(truth[:20]) <= shown
    if spider == "google_trends":
        assert all(row["volume_at_least"] and row["since"] for row in found)
    if spider == "youtube_trending":
        assert found[0]["position"] == 51
        assert database["posts"].count_documents({"platform": "youtube"}) >= 50
    for secret in (TOKEN, YOUTUBE_KEY):
        assert secret not in done.stderr + done.stdout


def test_without_a_token_x_trends_takes_the_public_board_and_says_so(crawl: Run, database: Database[Any]) -> None:
    done = crawl("x_trends", "-a", "place=br", X_BEARER_TOKEN="")
    assert done.returncode == 0, done.stderr
    assert "taking the public board" in done.stderr
    assert len(entries(database, "getdaytrends:trends:br")) == 50


def test_an_expired_token_is_a_login_wall_in_plain_words_and_is_never_printed(
    crawl: Run, database: Database[Any]
) -> None:
    done = crawl("x_trends", "-a", "place=br", X_BEARER_TOKEN="stale-canary")
    assert done.returncode == 1
    [row] = database["fetches"].find()
    assert (row["outcome"], row["lane"]) == ("login_wall", "api")
    assert "the bearer token is wrong, expired or withdrawn" in done.stderr
    assert "canary" not in done.stderr + str(row)
    assert database["board_entries"].count_documents({}) == 0


WRONG = {  # fault, outcome it must end in, words a person reads
    "unauthorized": "login_wall", "forbidden": "blocked", "rate_limited": "rate_limited", "server_error": "network",
    "dropped": "network", "empty": "blocked", "captcha": "blocked", "malformed": "shape_changed",
    "truncated": "shape_changed",
}  # fmt: skip
ELSEWHERE = ("de", "es", "fr", "it", "jp", "mx", "gb")  # the site has no such place; the fault comes first
ASKED = {  # spider: how its request for a place looks
    "x_trends": "/woeid/{woeid}[?]",
    "google_trends": "rss[?]geo={geo}$",
    "youtube_trending": "regionCode={geo}",
    "x_search": "query={code}&",
}


@pytest.mark.parametrize("spider", ASKED)
def test_whatever_goes_wrong_is_a_typed_outcome_and_never_a_number(
    crawl: Run, database: Database[Any], site: Site, spider: str
) -> None:
    meets = dict(zip(WRONG, (*ELSEWHERE, "br", "us"), strict=True))
    for fault, code in meets.items():
        place = places.get(code)
        assert place is not None
        site.faults.add(fault, ASKED[spider].format(code=code, woeid=place.woeid, geo=code.upper()))
    done = crawl(spider, "-a", f"targets={','.join(meets.values())}")
    assert done.returncode == 1
    came = {row["target"]: row["outcome"] for row in database["fetches"].find()}
    wanted = {code: WRONG[fault] for fault, code in meets.items()}
    assert came == wanted
    assert database["board_entries"].count_documents({}) == 0
    assert database["posts"].count_documents({}) == 0
    for secret in (TOKEN, YOUTUBE_KEY):
        assert secret not in done.stderr + done.stdout + str(list(database["fetches"].find()))


KEYS = [
    ("x_search", {"X_BEARER_TOKEN": "no-access"}, "blocked", "does not include the endpoint"),
    ("x_search", {"X_BEARER_TOKEN": "stale-canary"}, "login_wall", "wrong, expired or withdrawn"),
    ("youtube_trending", {"YOUTUBE_API_KEY": "stale-canary"}, "login_wall", "key"),
]


@pytest.mark.parametrize(("spider", "keys", "outcome", "words"), KEYS)
def test_a_key_that_does_not_open_is_told_in_plain_words_and_never_printed(
    crawl: Run, database: Database[Any], spider: str, keys: dict[str, str], outcome: str, words: str
) -> None:
    done = crawl(spider, "-a", "targets=br", **keys)
    assert done.returncode == 1
    assert {row["outcome"] for row in database["fetches"].find()} == {outcome}
    assert words in done.stderr
    assert "canary" not in done.stderr + done.stdout


def test_a_used_up_quota_is_no_wall(crawl: Run, database: Database[Any], site: Site) -> None:
    site.faults.add("quota", "youtube/v3")
    done = crawl("youtube_trending", "-a", "place=br")
    assert done.returncode == 1
    [row] = database["fetches"].find()
    assert row["outcome"] == "rate_limited"
    assert "quota" in done.stderr


FAULTS = [("rate_limited", "rate_limited", "429, the limit"), ("renamed", "shape_changed", "items refused")]


@pytest.mark.parametrize(("fault", "outcome", "words"), FAULTS)
def test_a_fault_is_said_in_words_on_the_screen(
    crawl: Run, database: Database[Any], site: Site, fault: str, outcome: str, words: str
) -> None:
    site.faults.add(fault, "2/trends")
    done = crawl("x_trends", "-a", "place=br")
    assert done.returncode == 1
    [row] = database["fetches"].find()
    assert row["outcome"] == outcome
    assert words in done.stderr
    assert database["board_entries"].count_documents({}) == 0


def test_a_limit_with_its_reset_is_told_with_that_moment(crawl: Run, database: Database[Any], site: Site) -> None:
    token = f"{TOKEN}-limited"
    for _ in range(LIMITS["trends"]):
        fetch(site, "https://api.x.com/2/trends/by/woeid/1", authorization=f"Bearer {token}")
    done = crawl("x_trends", "-a", "place=br", X_BEARER_TOKEN=token)
    assert done.returncode == 1
    [row] = database["fetches"].find()
    reset = datetime.fromtimestamp((int(site.clock.now().timestamp()) // WINDOW_S + 1) * WINDOW_S, UTC)
    assert (row["outcome"], row["problem"]) == (
        "rate_limited", f"X API: 429, the limit of this window is used up until {reset:%Y-%m-%dT%H:%M:%SZ}"
    )  # fmt: skip


def test_a_search_goes_on_where_a_budget_stopped_it_and_asking_again_changes_nothing(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    query = next(topic for topic in (row.topic for row in site.world.board("br", site.clock.now())) if topic.isascii())
    now_h = site.world.hour(site.clock.now())
    whole = {each.tweet_id for each in site.world.talkers.tweets(query, now_h, now_h - RECENT_H)}
    assert len(whole) > 150
    for budget in ("1", "100", "100"):
        done = crawl("x_search", "-a", f"query={query}", "-a", f"pages={budget}")
        assert done.returncode == 0, done.stderr
    stored = {each["post_id"] for each in database["posts"].find({}, {"post_id": 1})}
    assert stored == whole
    hit = database["board_entries"].find_one({"position": 1})
    assert hit is not None
    assert hit["board"] == f"x:search:{query.lower()}"
    assert hit["entity"].startswith("x:post:")


def test_what_a_search_left_behind_seven_days_ago_is_a_gap_and_the_run_is_good(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    query = next(topic for topic in (row.topic for row in site.world.board("br", site.clock.now())) if topic.isascii())
    began = site.clock.now()
    assert crawl("x_search", "-a", f"query={query}", "-a", "pages=1").returncode == 0
    try:
        site.clock.set(began + timedelta(days=8))
        again = crawl("x_search", "-a", f"query={query}", "-a", "pages=100")
        assert again.returncode == 0, again.stderr
        assert database["fetches"].count_documents({"outcome": "missing", "problem": {"$regex": "a gap"}}) >= 1
        now_h = site.world.hour(site.clock.now())
        recent = {each.tweet_id for each in site.world.talkers.tweets(query, now_h, now_h - RECENT_H)}
        stored = {each["post_id"] for each in database["posts"].find({}, {"post_id": 1})}
        assert recent <= stored
        third = crawl("x_search", "-a", f"query={query}", "-a", "pages=100")
        assert third.returncode == 0, third.stderr
        assert database["fetches"].count_documents({"outcome": "missing"}) <= 2
    finally:
        site.clock.set(began)
