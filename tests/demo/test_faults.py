"""Every fault looks on the wire as it is said to, strikes as often as it is told, and writes no false number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from http.client import HTTPException, IncompleteRead
from typing import Any

import pytest
from pymongo.database import Database

from crawler.archive import Archive
from crawler.config import ROOT
from crawler.outcomes import Outcome
from crawler.storage.reads import Reader
from demo.check import check
from demo.lane import ADDON
from demo.site import KINDS, Fault, Look
from demo.site.app import Asked, View
from demo.site.faults import HUGE_BYTES, Faults
from demo.site.tiktok.html import COOKIE
from demo.site.tiktok.token import signed
from demo.site.x import TOKEN
from demo.world.shop import HOST
from tests.demo.web import fetch

CORAL = "https://www.tiktok.com/@coral.cooks"
TRENDS = "https://api.x.com/1.1/trends/place.json?id=1"
GONE = ("quiet.cove", "gone_overboard", "old.pier")


def first_grid(site, cursor=0):
    creator = site.world.crowd.creators[1]
    path, query = "/api/post/item_list/", f"secUid={creator.sec_uid}&cursor={cursor}"
    return fetch(site, f"https://www.tiktok.com{path}?{signed(View(site.world, site.clock.now()), path, query)}")


def test_every_kind_is_an_outcome_that_the_crawler_knows():
    assert {kind.truth for kind in KINDS.values()} <= {str(each) for each in Outcome}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("rate_limited", 429), ("forbidden", 403), ("unauthorized", 401), ("geo", 451), ("not_found", 404),
        ("server_error", 503), ("login_wall", 302), ("consent_redirect", 302), ("private_redirect", 302),
        ("redirect_loop", 302), ("broken_redirect", 302),
    ],
)  # fmt: skip
def test_faults_that_are_a_status(living_site, kind, status):
    living_site.faults.add(kind)
    page = fetch(living_site, CORAL)
    assert page.status == status
    if kind == "rate_limited":
        assert page.headers["retry-after"] == "7"
    if status == 302:
        assert page.headers["location"].startswith("http")


@pytest.mark.parametrize("kind", ["captcha", "challenge", "shell", "static_shell", "consent", "empty"])
def test_walls_are_good_answers_without_any_data(living_site, kind):
    living_site.faults.add(kind)
    page = fetch(living_site, CORAL)
    assert page.status == 200
    assert b"__UNIVERSAL_DATA_FOR_REHYDRATION__" not in page.body
    assert b"followerCount" not in page.body


def test_a_wall_names_a_login_a_captcha_and_a_question():
    site_words = {"captcha": "captcha-config", "shell": 'data-downgrade="1"', "challenge": 'id="wci"'}
    from demo.site.walls import WALLS

    assert all(word in WALLS[kind] for kind, word in site_words.items())


def test_a_connection_is_refused_or_dropped_in_the_middle(living_site):
    living_site.faults.put(Fault("refused", times=1))
    with pytest.raises((HTTPException, OSError)):
        fetch(living_site, CORAL)
    living_site.faults.clear()
    living_site.faults.put(Fault("dropped"))
    with pytest.raises((IncompleteRead, OSError)):
        fetch(living_site, CORAL)
    assert [visit.status for visit in living_site.log] == [0, 200]


def test_a_slow_body_is_whole_in_the_end(living_site):
    whole = fetch(living_site, CORAL).body
    living_site.faults.put(Fault("slow", delay_s=0.001))
    assert fetch(living_site, CORAL).body == whole


def test_a_truncated_page_ends_before_its_data_does(living_site):
    whole = fetch(living_site, CORAL).body
    living_site.faults.add("truncated")
    cut = fetch(living_site, CORAL).body
    assert whole.startswith(cut)
    assert b"</script>" not in cut
    with pytest.raises(ValueError, match=r"."):
        json.loads(first_grid(living_site).body)


def test_malformed_json_is_long_and_is_none(living_site):
    living_site.faults.add("malformed")
    page = fetch(living_site, CORAL)
    assert len(page.body) > 3000
    with pytest.raises(ValueError, match=r"."):
        page.state()


def test_only_a_crawler_that_asks_too_often_is_told_to_wait():
    seconds = iter([0.0, 0.2, 0.4, 0.6, 1.5, 1.55, 9.0])
    faults = Faults(real_s=lambda: next(seconds))
    faults.put(Fault("too_fast", per_s=2))
    struck = [bool(faults.strike(Asked("GET", "www.tiktok.com", "/@x"))) for _ in range(7)]
    assert struck == [False, False, True, True, False, True, False]


def test_a_huge_body_comes_as_a_stream_and_is_as_long_as_it_says(living_site):
    living_site.faults.put(Fault("huge", times=1))
    page = fetch(living_site, CORAL)
    assert len(page.body) == HUGE_BYTES == int(page.headers["content-length"])


def test_a_flood_does_not_say_how_long_it_is_and_a_bomb_is_small_before_it_is_unpacked(living_site):
    living_site.faults.put(Fault("flood", times=1))
    page = fetch(living_site, CORAL)
    assert (len(page.body), page.headers.get("content-length")) == (HUGE_BYTES, None)
    living_site.faults.clear()
    living_site.faults.put(Fault("bomb"))
    packed = fetch(living_site, CORAL)
    assert int(packed.headers["content-length"]) < HUGE_BYTES / 300
    assert len(packed.body) == HUGE_BYTES


def test_missing_and_private_are_said_in_the_page(living_site):
    living_site.faults.put(Fault("missing", "/@coral"))
    assert fetch(living_site, CORAL).scope("webapp.user-detail") == {
        "userInfo": {}, "shareMeta": {"title": "", "desc": ""}, "statusCode": 10221, "statusMsg": "",
    }  # fmt: skip
    living_site.faults.clear()
    living_site.faults.put(Fault("private"))
    detail = fetch(living_site, CORAL).scope("webapp.user-detail")
    assert (detail["statusCode"], detail["userInfo"]["user"]["secret"]) == (10222, True)
    assert not first_grid(living_site).json().get("itemList")


def test_a_grid_fails_with_nothing_and_never_ends(living_site):
    living_site.faults.put(Fault("grid_failed", times=1))
    assert (first_grid(living_site).status, first_grid(living_site).json()["statusCode"]) == (200, 0)
    living_site.faults.clear()
    living_site.faults.put(Fault("endless"))
    cursor, seen = 0, []
    for _ in range(8):
        body = first_grid(living_site, cursor).json()
        assert body["hasMore"] is True
        cursor = body["cursor"]
        seen += [item["id"] for item in body["itemList"]]
    assert len(set(seen)) < len(seen)


def test_counters_fall_and_keys_are_renamed(living_site):
    before = fetch(living_site, CORAL).scope("webapp.user-detail")["userInfo"]["stats"]
    living_site.faults.put(Fault("falling"))
    fallen = fetch(living_site, CORAL).scope("webapp.user-detail")["userInfo"]["stats"]
    assert fallen["followerCount"] < before["followerCount"]
    living_site.faults.clear()
    living_site.faults.put(Fault("renamed"))
    assert "followerCount" not in fetch(living_site, CORAL).scope("webapp.user-detail")["userInfo"]["stats"]
    assert "products" not in fetch(living_site, f"https://{HOST}/products.json").json()
    rows = fetch(living_site, TRENDS, authorization=f"Bearer {TOKEN}").json()[0]["trends"]
    assert "name" not in rows[0]


def test_robots_txt_forbids_when_told_and_other_faults_leave_it_alone(living_site):
    living_site.faults.put(Fault("captcha"))
    assert b"Allow: /" in fetch(living_site, "https://www.tiktok.com/robots.txt").body
    living_site.faults.put(Fault("robots", "tiktok"))
    assert fetch(living_site, "https://www.tiktok.com/robots.txt").body == b"User-agent: *\nDisallow: /\n"
    assert b"Disallow: /admin" in fetch(living_site, f"https://{HOST}/robots.txt").body


def test_faults_strike_by_path_by_number_and_by_seeded_share(living_site):
    living_site.faults.put(Fault("captcha", "/@coral", times=2, after=1))
    walls = [b"captcha-config" in fetch(living_site, CORAL).body for _ in range(5)]
    assert walls == [False, True, True, False, False]
    assert b"captcha-config" not in fetch(living_site, "https://www.tiktok.com/@tide.atlas").body
    draws = []
    for _ in range(2):
        living_site.faults.clear()
        living_site.faults.put(Fault("forbidden", share=0.4))
        draws.append([fetch(living_site, CORAL.replace("https:", "http:")).status for _ in range(40)])
    assert draws[0] == draws[1]
    assert 6 < draws[0].count(403) < 26


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("captcha", Fault("captcha")), ("rate_limited:/@nasa", Fault("rate_limited", "/@nasa")),
        ("dropped:/api/:0.3", Fault("dropped", "/api/", share=0.3)), ("refused::x2", Fault("refused", times=2)),
        ("login_wall:^www.tiktok.com/@:x1", Fault("login_wall", "^www.tiktok.com/@", times=1)),
    ],
)  # fmt: skip
def test_a_fault_is_written_on_one_line(text, fault):
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["nonsense", "captcha:("])
def test_a_fault_that_cannot_be_is_refused_with_its_reason(text):
    with pytest.raises(ValueError, match=r"there is no such kind|no regular expression"):
        Faults().put(Fault.parse(text))


def crawl(site, database, uri, data, spider, targets, *more):
    environ = {
        **os.environ, **site.proxies(), "MONGODB_URI": uri, "MONGODB_DATABASE": database.name,
        "TIDEMARK_DATA": str(data), "PYTHONWARNINGS": "default",
    }  # fmt: skip
    command = ("crawl", spider, "-a", f"targets={targets}", *more, "-s", f"ADDONS={json.dumps(ADDON)}")
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *command],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_an_unmodified_spider_meets_every_fault_and_stores_no_false_number(
    living_site, database: Database[Any], mongo_uri, tmp_path
):
    handles = [creator.handles[0][1] for creator in living_site.world.crowd.creators]
    handles = [handle for handle in handles if handle not in GONE]
    kinds = [
        kind
        for kind in KINDS
        if kind not in ("robots", "quota", "unsigned", "too_fast", "endless", "falling", "slow", "grid_failed")
    ]
    plan = {}
    for part in (kinds[:15], kinds[15:]):
        living_site.faults.clear()
        living_site.clock.advance(timedelta(hours=1))  # an empty answer and none at all are one, at one moment
        asked = dict(zip(handles, part, strict=False))
        for handle, kind in asked.items():
            living_site.faults.put(Fault(kind, rf"tiktok\.com/@{handle}$"))
        left = ",".join(f"@{handle}" for handle in handles)
        done = crawl(living_site, database, mongo_uri, tmp_path, "tiktok_profile", left)
        assert done.returncode == 1, done.stderr
        run = max(row["run"] for row in database["fetches"].find({}, {"run": 1}))
        rows = [row for row in database["fetches"].find({"run": run}) if row["target"] in asked]
        plan |= {asked[row["target"]]: row["outcome"] for row in rows}
    assert plan == {kind: KINDS[kind].truth for kind in kinds}
    verdict = check(Reader(database), living_site.world)
    assert verdict.false == ()
    assert verdict.total >= 3 * (len(handles) - 15)
    assert not [visit for visit in living_site.log if visit.host.startswith(("10.", "127.", "169.", "::"))]


def test_the_simulated_moment_is_what_is_stored(living_site, database: Database[Any], mongo_uri, tmp_path):
    living_site.look = Look(exact=False)
    done = crawl(living_site, database, mongo_uri, tmp_path, "shopify_store", HOST)
    assert done.returncode == 0, done.stderr
    moments = {row["observed_at"].isoformat() for row in database["offers"].find({}, {"observed_at": 1})}
    assert moments == {"2026-03-01T00:00:00+00:00"}
    assert {row["at"].isoformat() for row in database["fetches"].find()} == {"2026-03-01T00:00:00+00:00"}
    assert crawl(living_site, database, mongo_uri, tmp_path, "tiktok_profile", "@coral.cooks").returncode == 0
    with Archive(tmp_path / "archive" / database.name, read_only=True) as archive:
        kept = [archive.read(row["capture"]) for row in database["fetches"].find()]
    assert {each.fetched_at.isoformat() for each in kept} == {"2026-03-01T00:00:00+00:00"}
    assert COOKIE not in str([each.headers for each in kept])
    assert check(Reader(database), living_site.world).false == ()


def test_the_check_finds_a_number_that_is_not_true(living_site, database: Database[Any], mongo_uri, tmp_path):
    living_site.faults.put(Fault("falling", "@coral"))
    crawl(living_site, database, mongo_uri, tmp_path, "tiktok_profile", "@coral.cooks,@tide.atlas", "-a", "posts=0")
    verdict = check(Reader(database), living_site.world)
    assert verdict.compared == {"profile": 6}
    assert [line.split(" at ")[0] for line in verdict.false] == ["tiktok:profile:coral.cooks"] * 2
