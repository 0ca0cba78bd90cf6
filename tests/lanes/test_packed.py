"""Tar files and tables of many moments become one capture a page or moment, without unpacking to disk."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.archive import Capture
from crawler.lanes import sources
from crawler.lanes.sources import Options, Skipped

HEAT = b"snapshot_utc,rank_by_count,term,count\n"


def read(path: Path, options: Options | None = None) -> tuple[list[Capture], list[str]]:
    everything = list(sources.read([path], options or Options()))
    captures = [each for each in everything if isinstance(each, Capture)]
    return captures, [each.reason for each in everything if isinstance(each, Skipped)]


def tar(path: Path, files: Mapping[str, bytes], mode: str = "w:xz") -> Path:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            packed.addfile(member, io.BytesIO(body))
    return path


def trends(at: str, *names: str) -> bytes:
    rows = "".join(f"{i},{name},u,,q,12000.0,Brazil,BR,{at},{at}\n" for i, name in enumerate(names))
    return f",name,url,promoted_content,query,tweet_volume,location,country,as_of,created_at\n{rows}".encode()


@pytest.mark.parametrize(("ending", "mode"), [("tar.xz", "w:xz"), ("tgz", "w:gz"), ("tar.bz2", "w:bz2"), ("tar", "w")])
def test_each_member_of_a_tar_is_a_capture_with_the_moment_its_rows_state(
    tmp_path: Path, ending: str, mode: str
) -> None:
    files = {
        "./data/a.csv": trends("2021-01-01T00:52:56Z", "Tide"),
        "data/b.csv": trends("2021-01-01T08:52:56Z", "Gull"),
    }
    captures, skipped = read(tar(tmp_path / f"boards.{ending}", files, mode))
    assert skipped == []
    assert [each.url for each in captures] == [f"saved:boards.{ending}%2Fdata%2F{name}.csv" for name in "ab"]
    assert [each.fetched_at.hour for each in captures] == [0, 8]
    assert captures[0].body == files["./data/a.csv"]


def test_the_same_tar_gives_the_same_captures(tmp_path: Path) -> None:
    path = tar(tmp_path / "boards.tar.xz", {"a.csv": trends("2021-01-01T00:52:56Z", "Tide")})
    assert [each.id for each in read(path)[0]] == [each.id for each in read(path)[0]]


def test_what_is_no_page_in_a_tar_is_counted_and_damage_keeps_what_came_before(tmp_path: Path) -> None:
    files = {"a.csv": trends("2021-01-01T00:52:56Z", "Tide"), "x.png": b"x", "y.png": b"y", ".hidden.csv": b"x"}
    path = tar(tmp_path / "boards.tar", files, "w")
    captures, skipped = read(path)
    assert (len(captures), skipped) == (1, ["holds 2 files .png, which are no pages"])
    path.write_bytes(path.read_bytes()[:1700])
    captures, skipped = read(path)
    assert len(captures) == 1
    assert "damaged after 2 files" in skipped[0]


def test_member_names_are_only_names(tmp_path: Path) -> None:
    captures, _ = read(tar(tmp_path / "evil.tar.xz", {"../../etc/a.csv": trends("2021-01-01T00:52:56Z", "Tide")}))
    assert captures[0].url == "saved:evil.tar.xz%2F..%2F..%2Fetc%2Fa.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["evil.tar.xz"]


def test_a_table_of_many_moments_is_cut_into_one_small_capture_each(tmp_path: Path) -> None:
    rows = [
        b"2026-02-07T00:18:54Z,1,Tide,9\n",
        b"2026-02-07T00:18:54Z,2,Gull,8\n",
        b'2026-02-07T01:18:54Z,1,"A\nB",7\n',
    ]
    path = tmp_path / "heat.csv.gz"
    path.write_bytes(gzip.compress(HEAT + b"".join(rows)))
    captures, skipped = read(path)
    assert skipped == []
    assert [each.body for each in captures] == [HEAT + rows[0] + rows[1], HEAT + rows[2]]
    assert captures[0].url == "saved:heat.csv#2026-02-07T00%3A18%3A54Z"
    assert [each.fetched_at for each in captures] == [datetime(2026, 2, 7, hour, 18, 54, tzinfo=UTC) for hour in (0, 1)]


def test_json_lines_and_a_json_list_are_cut_like_csv(tmp_path: Path) -> None:
    rows = [{"snapshot_utc": f"2026-02-07T0{h}:00:00Z", "rank_by_count": 1, "term": "T", "count": h} for h in (1, 2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=1))
    for name in ("a.jsonl", "b.json"):
        captures, skipped = read(tmp_path / name)
        assert ([each.fetched_at.hour for each in captures], skipped) == ([1, 2], [])


def test_rows_of_a_moment_that_stand_apart_are_told_not_stored_as_half_a_list(tmp_path: Path) -> None:
    path = tmp_path / "heat.csv"
    path.write_bytes(HEAT + b"2026-02-07T01:00:00Z,1,T,9\n2026-02-07T02:00:00Z,1,T,9\n2026-02-07T01:00:00Z,2,G,8\n")
    captures, skipped = read(path)
    assert len(captures) == 2
    assert "sort the file by snapshot_utc" in skipped[0]


def test_rows_without_a_moment_are_counted_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "heat.csv"
    path.write_bytes(HEAT + b"soon,1,T,9\nsoon,2,G,9\n2026-02-07T02:00:00Z,1,T,9\n")
    captures, skipped = read(path)
    assert len(captures) == 1
    assert skipped[0].startswith("2 rows without a moment")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("boards_india/x.tar.xz", "in"), ("twitter_us_archive/x.tar.xz", "us"), ("BR_boards/x.tar.xz", "br"),
        ("boards_pt/x.tar.xz", None), ("in_the_news/x.tar.xz", None), ("a/united-states_1.tar.xz", "us"),
    ],
)  # fmt: skip
def test_the_place_of_a_member_is_told_by_the_names_around_it_but_never_by_a_word_or_a_language(
    tmp_path: Path, path: str, place: str | None
) -> None:
    (tmp_path / path).parent.mkdir()
    [capture], _ = read(tar(tmp_path / path, {"d/a.csv": trends("2021-01-01T00:52:56Z", "Tide")}))
    assert capture.headers.get("tidemark-place") == place


def test_a_tar_cut_between_two_files_is_said(tmp_path):
    files = {f"{n}.csv": trends(f"2021-09-2{n}T01:00:00Z", "one") for n in (4, 5)}
    path = tar(tmp_path / "boards.tar", files, "w")
    path.write_bytes(path.read_bytes()[:1024])
    captures, problems = read(path)

    assert len(captures) == 1
    assert problems == ["ends without its end marker after 1 files; it may be cut there"]
