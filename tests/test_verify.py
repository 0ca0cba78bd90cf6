"""`scrapy verify`: what is missing is said, and mended where the archive can mend it."""

from __future__ import annotations

import json
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.archive.index import Loaded, load
from tests.shell import Shell, facts

PAGES = Path(__file__).parent / "pages"
CASES = [str(PAGES / name) for name in ("x.trends_place", "tiktok.profile/next_2021", "shopify.catalogue")]


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """Captures of several kinds, brought in whole; a wall and a broken page among them."""
    shell("replay", *CASES)
    return shell


def test_after_a_good_run_all_agree(filled: Shell) -> None:
    done = filled("verify", "--check", "--deep")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all agree: every number has its capture, every capture its items" in done.stdout


@pytest.mark.parametrize(
    ("collection", "says"),
    [
        ("fetches", "are not in the ledger"),
        ("observations", "lack items in the database"),
        ("board_entries", "lack items in the database"),
        ("boards", "lack items in the database"),
        ("offers", "lack items in the database"),
        ("profiles", "lack items in the database"),
    ],
)
def test_what_was_removed_is_said_and_brought_back_by_replay(
    filled: Shell, database: Database[Any], collection: str, says: str
) -> None:
    before = facts(database)
    database[collection].delete_many({"_id": {"$in": [doc["_id"] for doc in database[collection].find().limit(2)]}})
    check = filled("verify", "--check")
    assert (check.returncode, says in check.stdout) == (1, True), check.stdout
    assert facts(database) != before
    mended = filled("verify")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "all agree" in mended.stdout
    assert facts(database) == before


def test_a_number_without_its_capture_is_said_and_not_mended(filled: Shell, database: Database[Any]) -> None:
    for segment in filled.archive.glob("*.warc.gz*"):
        segment.rename(segment.with_name(f"{segment.name}.away"))
    done = filled("verify")
    assert done.returncode == 1
    assert "not in the archive; bring them in: scrapy replay PATH" in done.stdout


def test_an_older_capture_still_stands_behind_a_value_that_a_newer_page_hides(
    shell: Shell, database: Database[Any]
) -> None:
    """A value of the older page is still shown, so its capture is evidence as well."""
    shell("replay", str(PAGES / "tiktok.profile" / "next_2021"))
    database["profiles"].update_many({}, {"$set": {"older": {"bio": {"capture": "0" * 32}}}})
    done = shell("verify", "--check")
    assert done.returncode == 1
    assert "1 documents stem from 1 captures that are not in the archive" in done.stdout


def test_a_harmed_record_is_named_by_a_deep_look(filled: Shell) -> None:
    (segment,) = filled.archive.glob("*.warc.gz")
    content = bytearray(segment.read_bytes())
    bodies = [row for row in load(Loaded(segment), mend=False) if row.kind == "response"]
    largest = max(bodies, key=attrgetter("length"))
    content[largest.offset + largest.length // 2] ^= 0xFF  # inside a body: a flag in a gzip header harms nothing
    segment.write_bytes(content)
    done = filled("verify", "--check", "--deep")
    assert done.returncode == 1
    assert "archive: " in done.stdout


def test_a_newer_board_of_the_same_moment_is_no_loss(shell: Shell, database: Database[Any], tmp_path: Path) -> None:
    """Two captures of one list at one moment: the greater stands whole, the other is overruled, not missing."""
    body = [{"trends": [{"name": "Maré", "tweet_volume": 12000}], "as_of": "2021-09-19T11:04:28Z",
             "created_at": "2021-09-19T11:00:00Z", "locations": [{"name": "Brazil", "woeid": 23424768}]}]  # fmt: skip
    for n, at in enumerate(("2021-09-19T11:04:30Z", "2021-09-19T11:04:40Z")):
        if n:
            body[0]["trends"].append({"name": "Onda", "tweet_volume": None})
        file = tmp_path / f"{n}.json"
        file.write_text(json.dumps(body))
        url = "https://api.twitter.com/1.1/trends/place.json?id=23424768"
        done = shell("replay", "--url", url, "--observed-at", at, str(file))
        assert done.returncode == 0, done.stderr
    assert database["boards"].count_documents({}) == 1
    done = shell("verify", "--check")
    assert done.returncode == 0, done.stdout


def test_a_file_is_not_what_verify_takes(shell: Shell) -> None:
    done = shell("verify", "x.html")
    assert (done.returncode, "scrapy replay PATH" in done.stderr) == (2, True)
