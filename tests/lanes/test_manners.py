"""Retry-After, robots.txt that cannot be had, and a host that turns us away."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from crawler.lanes.manners import Rests, retry_after_s
from tests.shell import crawling, good

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("7", 7.0), (" 120 ", 120.0), ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
     ("soon", None), ("-1", None), ("9" * 40, None), ("", None)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date_and_nothing_else(written, seconds):
    assert retry_after_s(written, NOW) == seconds


def test_who_is_left_alone_is_remembered_until_then(tmp_path):
    rests = Rests(tmp_path / "rests.json")
    assert rests.read(NOW) == {}
    rests.add("a.example http", NOW + timedelta(days=9999), "blocked")
    rests.path.write_text(rests.path.read_text())
    assert rests.read(NOW)["a.example http"][1] == "blocked"
    rests.path.write_text("{torn")
    assert rests.read(NOW) == {}


def test_a_site_that_says_when_is_asked_again_then_and_not_before(shell, database, serve):
    asked: list[float] = []

    def busy(path):
        if path.startswith("/products") and "page=1" in path:
            asked.append(time.monotonic())
            if len(asked) == 1:
                return 429, {"Retry-After": "1"}, b"slow down"
        return good(path)

    done = shell.crawl(serve(busy))
    assert done.returncode == 0, done.stderr
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 1.0


def test_a_site_that_asks_for_an_hour_is_left_alone_also_by_the_next_run(shell, database, serve):
    asked: list[str] = []

    def busy(path):
        asked.append(path)
        return good(path) if path == "/robots.txt" else (429, {"Retry-After": "3600"}, b"")

    site = serve(busy)
    done = shell.crawl(site)
    assert done.returncode == 1
    assert sum(path != "/robots.txt" for path in asked) == 1
    assert "left alone until" in done.stderr
    assert "scrapy replay" in done.stderr
    again = shell.crawl(site)
    assert sum(path != "/robots.txt" for path in asked) == 1
    assert [row["outcome"] for row in database["fetches"].find()] == ["rate_limited", "rate_limited"]
    assert "Traceback" not in done.stderr + again.stderr


def test_a_robots_txt_that_cannot_be_had_forbids_everything_in_one_line(shell, database, serve):
    asked: list[str] = []

    def broken(path):
        asked.append(path)
        return (503, {}, b"") if path == "/robots.txt" else good(path)

    done = shell(*crawling(serve(broken)), "-s", "RETRY_TIMES=0")
    assert done.returncode == 1
    assert set(asked) == {"/robots.txt"}
    [row] = database["fetches"].find()
    assert row["outcome"] == "robots"
    assert "robots.txt is unreachable" in done.stderr
    assert "Traceback" not in done.stderr
