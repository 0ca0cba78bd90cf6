"""End to end: the real command, a real little web site, a real mongod; the exit status is the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo.database import Database

from crawler.archive import Archive
from crawler.config import ROOT
from tests.shell import Answer, Shell, Site, good


def forbidding(path: str) -> Answer:
    return 200, {}, b"User-agent: *\nDisallow: /\n" if path == "/robots.txt" else b"never asked"


def limiting(path: str) -> Answer:
    return (404, {}, b"") if path == "/robots.txt" else (429, {"Retry-After": "0"}, b"slow down, 1234 products")


def no_catalogue(path: str) -> Answer:
    page = b'<html><a href="/shop">shop</a></html>'
    return (404, {}, b"") if path == "/robots.txt" else (200, {"Content-Type": "text/html"}, page)


def test_a_good_crawl_stores_archives_exports_and_exits_0(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any], tmp_path: Path
) -> None:
    done = shell.crawl(serve(good), "-o", str(tmp_path / "items.jsonl"))
    assert done.returncode == 0, done.stderr
    assert "6 items, 6 saved" in done.stderr
    assert database["products"].count_documents({}) == database["offers"].count_documents({}) == 3
    assert database["observations"].count_documents({}) == 6
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert sorted(row["kind"] for row in rows) == ["offer"] * 3 + ["product"] * 3
    run = database["runs"].find_one()
    assert (run["verdict"], run["items"]["saved"], run["outcomes"]) == ("good", 6, {"ok": 2})
    with Archive(shell.archive, read_only=True) as archive:
        for offer in database["offers"].find():
            kept = archive.read(offer["capture"])
            assert b"Sock" in kept.body
            assert "canary" not in str(kept.headers)
    again = shell("replay", str(shell.archive))
    assert again.returncode == 0, again.stderr
    assert "6 repeated" in again.stderr
    assert len(done.stderr.splitlines()) < 20


def test_robots_txt_is_obeyed_and_the_outcome_says_so(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any]
) -> None:
    done = shell.crawl(serve(forbidding))
    assert done.returncode == 1
    assert [row["outcome"] for row in database["fetches"].find()] == ["robots"], done.stderr
    assert "1 robots" in done.stderr


def test_a_rate_limit_is_an_outcome_never_a_number(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any]
) -> None:
    done = shell.crawl(serve(limiting))
    assert done.returncode == 1
    assert [row["outcome"] for row in database["fetches"].find()] == ["rate_limited"]
    assert database["products"].count_documents({}) == database["observations"].count_documents({}) == 0


def test_a_page_that_is_no_catalogue_makes_no_good_run(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any]
) -> None:
    done = shell.crawl(serve(no_catalogue))
    assert done.returncode == 1
    assert "at least 1 expected" in done.stderr
    assert [row["outcome"] for row in database["fetches"].find()] == ["missing"]


def test_a_store_that_is_away_stops_the_crawl_with_one_plain_line_without_the_password(
    shell: Shell, serve: Callable[[Site], str]
) -> None:
    away = "mongodb://someone:canary-password@127.0.0.1:9/?serverSelectionTimeoutMS=300"
    done = shell("crawl", "tiktok_profile", "-a", "targets=@nasa", MONGODB_URI=away)
    assert done.returncode == 1
    assert "MONGODB_URI: cannot reach" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert "someone" not in done.stderr + done.stdout


def test_a_wrong_target_is_said_before_anything_starts(shell: Shell) -> None:
    done = shell("crawl", "tiktok_profile", "-a", "targets=not a handle")
    assert (done.returncode, "expected something like @nasa" in done.stderr) == (2, True)


def test_on_a_dyno_nothing_starts_without_a_database(shell: Shell) -> None:
    done = shell("crawl", "tiktok_profile", "-a", "targets=@nasa", MONGODB_URI="", DYNO="run.1")
    assert done.returncode == 1
    assert "MONGODB_URI: not set on a dyno" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_without_a_moment_is_skipped_and_said(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text('{"statusCode": 0}')
    done = shell("replay", str(tmp_path / "page.json"))
    assert done.returncode == 1
    assert "no moment known; give --observed-at" in done.stderr


def test_a_resumed_replay_does_only_what_is_left(shell: Shell, database: Database[Any]) -> None:
    pages = ROOT / "tests" / "pages" / "x.trends_place"
    first = shell("replay", str(pages / "brazil"))
    assert first.returncode == 0, first.stderr
    rest = shell("replay", "--resume", str(pages / "brazil"), str(pages / "stored_document"))
    assert "1 pages, 1 ok" in rest.stderr
    nothing = shell("replay", "--resume", str(pages / "brazil"))
    assert (nothing.returncode, "0 pages" in nothing.stderr) == (0, True)
    assert database["boards"].count_documents({}) == 2


def test_what_was_refused_waits_in_quarantine_with_its_capture(shell: Shell, database: Database[Any]) -> None:
    done = shell("replay", str(ROOT / "tests" / "pages" / "tiktok.profile" / "next_2021"))
    kept = database["quarantine"].find_one()
    assert (kept["kind"], kept["reason"]) == ("post", "post_unreadable")
    assert "5 items, 1 refused, 4 saved" in done.stderr
    with Archive(shell.archive, read_only=True) as archive:
        assert kept["capture"] in archive
