"""The archive keeps every response, once, and gives it back byte for byte."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator

from crawler.archive import Archive, CaptureMissing, capture_id

NOON = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


def warc_headers(segment: Path) -> list[dict[str, str]]:
    with segment.open("rb") as file:
        return [dict(record.headers) for record in ArchiveIterator(file, parse_http=False)]


def test_a_capture_id_is_the_hash_of_address_moment_and_body(page):
    assert capture_id("https://a.example/", datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC), b"x") == (
        "6a046a9b89e143f601ca50fb021dc21b"
    )
    here = timezone(timedelta(hours=-3))
    assert page().id == replace(page(), fetched_at=NOON.astimezone(here)).id
    assert page().id != replace(page(), fetched_at=NOON + timedelta(milliseconds=1)).id
    assert page().id == replace(page(), fetched_at=NOON + timedelta(microseconds=999)).id


def test_a_moment_without_zone_is_refused(page):
    with pytest.raises(ValueError, match="time zone"):
        page(fetched_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_what_was_written_reads_back_whole(tmp_path, page, assert_sound):
    written = page(
        status=404,
        at_precision="day",
        target="maré & 波 100%",
        headers={"content-type": "text/html", "x-note": "one", "server": "s"},
        lane="browser",
    )
    with Archive(tmp_path) as archive:
        assert archive.write(written)
        kept = archive.read(written.id)
    expected = replace(written, headers={**written.headers, "content-length": str(len(written.body))})
    assert kept == expected
    with Archive(tmp_path) as archive:
        assert archive.read(written.id) == expected
    assert_sound(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "saved:page%20one.html", "https://waves.example/praia do sol?q=maré", "https://waves.example/%E6?a=%zz",
        "HTTPS://Waves.example/", "https://waves.example/\r\nWARC-Type: warcinfo", "https://a.example/\ud800",
    ],
)  # fmt: skip
def test_any_address_is_kept_exactly(tmp_path, url, page, assert_sound):
    with Archive(tmp_path) as archive:
        archive.write(page(url=url))
        assert archive.read(page(url=url).id).url == url
    assert_sound(tmp_path)


def test_hostile_headers_cannot_forge_records(tmp_path, page, assert_sound):
    hostile = page(
        target="x\r\nWARC-Type: warcinfo\r\n\r\n",
        spider="s\nTidemark-Lane: api",
        headers={"x-a": "1\r\n\r\nHTTP/1.1 500 No", "bad name\r\n": "x", "x-ü": "y", "x-b": "café\x00"},
    )
    with Archive(tmp_path) as archive:
        archive.write(hostile)
        kept = archive.read(hostile.id)
    assert (kept.status, kept.lane, kept.body, kept.target) == (200, "http", hostile.body, hostile.target)
    assert kept.headers == {"x-a": "1 HTTP/1.1 500 No", "x-b": "caf%C3%A9", "content-length": "14"}
    assert_sound(tmp_path)


def test_headers_of_packing_are_dropped_because_the_body_is_unpacked(tmp_path, page, assert_sound):
    packed = page(headers={"Content-Encoding": "gzip", "transfer-encoding": "chunked", "content-length": "3"})
    with Archive(tmp_path) as archive:
        archive.write(packed)
        assert archive.read(packed.id).headers == {"content-length": str(len(packed.body))}
    assert_sound(tmp_path)


def test_writing_the_same_capture_again_changes_nothing(tmp_path, page):
    with Archive(tmp_path) as archive:
        assert [archive.write(page(1)), archive.write(page(1)), len(archive)] == [True, False, 1]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with Archive(tmp_path) as archive:
        assert not archive.write(page(1))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_same_captures_give_the_same_records_byte_for_byte(tmp_path, page, segments):
    for folder in ("a", "b"):
        with Archive(tmp_path / folder, clock=lambda: NOON) as archive:
            for number in range(5):
                archive.write(page(number))
                archive.note(page(number).id, "ok", {"posts": "blocked"})
    one, two = (segments(tmp_path / folder)[0].read_bytes() for folder in ("a", "b"))
    assert one == two


def test_identical_bodies_are_stored_once_and_read_back_whole(tmp_path, page, segments, assert_sound):
    body = random.Random(7).randbytes(50_000)
    with Archive(tmp_path) as archive:
        for number in range(20):
            archive.write(page(number, body))
    with Archive(tmp_path) as archive:  # the body is known from the index too
        archive.write(page(20, body))
        assert all(archive.read(page(number, body).id).body == body for number in range(21))
        assert archive.read(page(20, body).id).url == page(20).url
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 90_000
    kinds = [
        (headers["WARC-Type"], headers.get("WARC-Refers-To-Target-URI"))
        for segment in segments(tmp_path)
        for headers in warc_headers(segment)
        if headers["WARC-Type"] != "warcinfo"
    ]
    assert kinds == [("response", None)] + [("revisit", page(0).url)] * 20
    assert_sound(tmp_path)


def test_empty_bodies_read_back_empty(tmp_path, page, assert_sound):
    with Archive(tmp_path) as archive:
        for number in range(3):
            archive.write(page(number, b""))
        assert [capture.body for capture in archive.captures()] == [b""] * 3
    assert_sound(tmp_path)


def test_captures_come_in_order_of_time_and_by_target(tmp_path, page):
    numbers = list(range(30))
    random.Random(1).shuffle(numbers)
    with Archive(tmp_path, segment_bytes=4000) as archive:
        for number in numbers:
            archive.write(page(number, target=f"@t{number % 3}"))
        in_time = [capture.fetched_at for capture in archive.captures()]
        assert in_time == sorted(in_time)
        assert [c.url for c in archive.captures(target="@t1")] == [page(n).url for n in range(1, 30, 3)]
        some = archive.captures(since=page(3).fetched_at, until=page(6).fetched_at)
        assert [capture.url for capture in some] == [page(number).url for number in (3, 4, 5)]
        assert list(archive.ids(target="@t2", until=page(6).fetched_at)) == [
            page(2, target="@t2").id, page(5, target="@t2").id
        ]  # fmt: skip


def test_captures_of_one_moment_are_ordered_by_id(tmp_path, page):
    same = [page(fetched_at=NOON, body=b"%d" % number) for number in range(9)]
    with Archive(tmp_path) as archive:
        for each in same:
            archive.write(each)
        assert list(archive.ids()) == sorted(each.id for each in same)


def test_segments_rotate_by_size(tmp_path, page, segments, assert_sound):
    with Archive(tmp_path, segment_bytes=2000, clock=lambda: NOON) as archive:
        for number in range(20):
            archive.write(page(number, random.Random(number).randbytes(900)))
    assert [path.name.rpartition("-")[2] for path in segments(tmp_path)][:2] == [
        "0001.warc.gz",
        "0002.warc.gz",
    ]
    assert all(path.stat().st_size < 4000 for path in segments(tmp_path))
    assert segments(tmp_path)[0].name.startswith("20260301T120000Z-")
    with Archive(tmp_path) as archive:
        assert len(archive) == 20
        assert [capture.url for capture in archive.captures()] == [page(number).url for number in range(20)]
    assert_sound(tmp_path)


def test_an_outcome_is_noted_and_the_last_word_counts(tmp_path, page, segments, assert_sound):
    with Archive(tmp_path) as archive:
        archive.write(page(1))
        assert archive.outcome(page(1).id) is None
        archive.note(page(1).id, "shape_changed", {})
        archive.note(page(1).id, "ok", {"posts": "blocked", "got": 3})
    size = segments(tmp_path)[0].stat().st_size
    with Archive(tmp_path) as archive:
        assert archive.outcome(page(1).id) == "ok"
        archive.note(page(1).id, "ok", {"got": 3, "posts": "blocked"})  # nothing new: nothing written
        assert [path.stat().st_size for path in segments(tmp_path)] == [size]
        archive.note(page(1).id, "ok", {"got": 4})
        assert len(segments(tmp_path)) == 2
    assert_sound(tmp_path)


def test_a_note_refers_to_its_response(tmp_path, page, segments):
    with Archive(tmp_path) as archive:
        archive.write(page(1))
        archive.note(page(1).id, "ok", {"posts": "blocked"})
    _, response, note = warc_headers(segments(tmp_path)[0])
    assert note["WARC-Type"] == "metadata"
    assert note["WARC-Refers-To"] == response["WARC-Record-ID"]
    assert note["WARC-Target-URI"] == response["WARC-Target-URI"] == page(1).url


def test_a_missing_capture_says_what_to_try(tmp_path):
    with Archive(tmp_path) as archive:
        for wrong in ("0" * 32, "no id at all\x1b[2J"):
            assert wrong not in archive
            with pytest.raises(CaptureMissing, match="scrapy replay") as told:
                archive.read(wrong)
            assert "\x1b" not in str(told.value)
        with pytest.raises(CaptureMissing):
            archive.note("0" * 32, "ok", {})
        assert archive.outcome("0" * 32) is None
