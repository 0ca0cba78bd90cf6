"""History from files, end to end: the real command, a real mongod, files of our own making."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT

HEAD = ",name,url,promoted_content,query,tweet_volume,location,country,as_of,created_at\n"
Count = dict[str, int]


def snapshot(at: str, volume: int) -> bytes:
    rows = [
        f"{i},{name},u,,q,{volume}.0,{place},,{at},{at}\n"
        for place in ("Brazil", "Mumbai")
        for i, name in enumerate(("Blue Tide", "Gull", "Gull"))
    ]
    return (HEAD + "".join(rows)).encode()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "boards.tar.xz"
    with tarfile.open(path, "w:xz") as tar:
        bodies = {f"trends_0101202100{n:02}.csv": snapshot(f"2021-01-01T00:{n:02}:56Z", 10_000 + n) for n in range(4)}
        for name, body in {**bodies, "trends_010120220625.csv": b'""\n'}.items():
            member = tarfile.TarInfo(f"data/{name}")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return path


@pytest.fixture
def replay(tmp_path: Path, mongo_uri: str, database: Database[dict[str, Any]]) -> Any:
    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "scrapy", "replay", *map(str, arguments), "--database", database.name]
        environ = {**os.environ, "TIDEMARK_DATA": str(tmp_path / "data"), "MONGODB_URI": mongo_uri}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        return done.stderr

    return run


def documents(database: Database[dict[str, Any]]) -> dict[str, list[Any]]:
    names = ("boards", "board_entries", "observations", "posts", "quarantine")
    return {name: sorted(database[name].find(), key=lambda each: each["_id"]) for name in names}


def test_an_archive_replayed_twice_or_resumed_is_not_one_document_more(
    archive: Path, replay: Any, database: Database[dict[str, Any]]
) -> None:
    replay(archive)
    once = documents(database)
    assert {name: len(found) for name, found in once.items() if found} == {"boards": 8, "board_entries": 24}
    assert "items: 32 items, 32 repeated" in replay(archive)
    assert documents(database) == once
    said = replay(archive, "--resume")
    assert "0 items" in said or "items:" not in said
    assert documents(database) == once


def test_a_failed_snapshot_is_a_gap_in_the_ledger_and_every_number_names_its_member(
    archive: Path, replay: Any, database: Database[dict[str, Any]]
) -> None:
    replay(archive)
    [gap] = database["fetches"].find({"outcome": "blocked"})
    assert gap["url"].endswith("trends_010120220625.csv")
    assert f"{gap['at']:%Y-%m-%dT%H:%M}" == "2022-01-01T00:55"
    for entry in database["board_entries"].find():
        fetch = database["fetches"].find_one({"_id": entry["capture"]})
        assert fetch is not None
        assert f"trends_0101202100{entry['at'].minute:02}.csv" in fetch["url"]


def test_a_run_leaves_a_profile_of_what_it_stored(
    archive: Path, replay: Any, database: Database[dict[str, Any]]
) -> None:
    replay(archive)
    [found] = database["run_profiles"].find()
    measures = {each["name"]: each["value"] for each in found["measures"]}
    assert (measures["board n"], measures["boardentry n"], measures["size x:trends:br"]) == (8, 24, 3)
    assert round(measures["boardentry distinct"], 3) == round(2 / 3, 3)  # the same name twice in each list
    assert found["alarms"] == []
