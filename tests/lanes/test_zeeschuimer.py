"""A person's own browser feeds the same pages: an export becomes one capture a response, and boards stay whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import pages
from crawler.archive import Capture
from crawler.items import BoardEntry, Comment, Item, Post
from crawler.lanes import sources
from crawler.lanes.sources import Options, Skipped

START_MS = 1_772_366_400_000
SEARCH = "https://www.tiktok.com/search?q=tide%20tables"
ASKED = "https://www.tiktok.com/api/search/general/full/?keyword=tide%20tables&offset={}&msToken=abc"


def post(number, handle="tide.example"):
    return {
        "id": str(7571863205253778710 + number), "desc": f"Tide {number}", "createTime": 1762961788,
        "author": {"id": "7000000000000000001", "uniqueId": handle, "nickname": "Tide"},
        "stats": {"playCount": 100 + number, "diggCount": 2, "commentCount": 1, "shareCount": 0, "collectCount": 0},
        "textExtra": [],
    }  # fmt: skip


def line(data, ms, source_url, page=SEARCH, platform="tiktok.com", nav="1:7:0"):
    return json.dumps({
        "nav_index": nav, "item_id": data.get("id"), "timestamp_collected": START_MS + ms, "source_platform": platform,
        "source_platform_url": page, "source_url": source_url, "user_agent": "Mozilla/5.0", "data": data,
    })  # fmt: skip


def comment():
    return {
        "id": "7571900000000000001", "cid": "7571900000000000001", "aweme_id": "7571863205253778711", "text": "Nice",
        "create_time": 1762970000, "digg_count": 3, "reply_comment_total": 0,
        "user": {"uid": "7000000000000000031", "unique_id": "reader.example", "nickname": "Reader Example"},
    }  # fmt: skip


@pytest.fixture
def export(tmp_path) -> Path:
    video = "https://www.tiktok.com/@tide.example/video/7571863205253778711"
    path = tmp_path / "zeeschuimer-export.ndjson"
    path.write_text("\n".join([
        *(line(post(n), n, ASKED.format(0)) for n in range(3)),
        *(line(post(n), 9_000 + n, ASKED.format(3)) for n in range(3, 5)),
        line({"id": "1"}, 9_500, "https://www.instagram.com/x", "https://www.instagram.com/", "instagram.com"),
        line(comment(), 60_000, "https://www.tiktok.com/api/comment/list/?aweme_id=1", video, "tiktok-comments"),
        '{"nav_index": "1:7:0", "timestamp_collected": 17723',
    ]))  # fmt: skip
    return path


def read(path: Path) -> tuple[list[Capture], list[str]]:
    found = list(sources.read([path], Options()))
    return [each for each in found if isinstance(each, Capture)], [e.reason for e in found if isinstance(e, Skipped)]


def items(capture: Capture) -> list[Item]:
    cls = pages.choose(capture.url, capture.body)
    assert cls is not None
    page = cls(
        capture.url, capture.body, capture.fetched_at, capture.headers, capture=capture.id, hash_key="k" * 32
    )  # fmt: skip
    return [item for item in page.items() if isinstance(item, Item)]


def test_each_response_is_a_capture_at_its_own_moment(export):
    captures, _ = read(export)
    assert [capture.body.count(b"\n") for capture in captures] == [3, 2, 1]
    assert [capture.fetched_at for capture in captures] == [
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 0, 9, 3000, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 1, tzinfo=UTC),
    ]
    assert len({capture.id for capture in captures}) == 3


def test_later_responses_go_on_where_the_list_ended(export):
    captures, _ = read(export)
    entries = [item for capture in captures for item in items(capture) if isinstance(item, BoardEntry)]
    assert {entry.board for entry in entries} == {"tiktok:search:tide tables"}
    assert [(entry.position, entry.volume) for entry in entries] == [(n + 1, 100 + n) for n in range(5)]
    assert len([item for capture in captures for item in items(capture) if isinstance(item, Post)]) == 5


def test_comments_come_without_their_authors(export):
    captures, _ = read(export)
    [found] = [item for item in items(captures[2]) if isinstance(item, Comment)]
    assert (found.key, found.likes) == ("tiktok:comment:7571900000000000001", 3)
    told = found.model_dump_json()
    assert found.author_hash is not None
    assert "reader" not in told.lower()
    assert "7000000000000000031" not in told


def test_rows_of_other_platforms_and_damaged_lines_are_told(export):
    _, reasons = read(export)
    assert reasons == [
        "1 lines are no Zeeschuimer rows with a moment",
        "1 rows of instagram.com: no page object reads them",
    ]


def test_nothing_of_the_browser_that_collected_is_kept(export):
    captures, _ = read(export)
    kept = b"".join(capture.body for capture in captures)
    assert b"msToken=REDACTED" in kept
    assert b"abc" not in kept
    assert b"Mozilla" not in kept


def test_an_export_under_another_ending_is_known_by_what_it_holds(export, tmp_path):
    for name in ("export.json", "export.txt", "export"):
        other = tmp_path / name
        other.write_bytes(export.read_bytes())
        assert len(read(other)[0]) == 3
