"""What a person brings in becomes captures with the right address and moment, or a line that says why not."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler import config
from crawler.archive import Archive, Capture
from crawler.items import Vantage
from crawler.lanes import sources
from crawler.lanes.sources import Options, Skipped

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = datetime(2026, 3, 1, tzinfo=UTC)
WHEN = Options(observed_at=NOON)


def read(*paths: Path, options: Options = WHEN) -> tuple[list[Capture], list[Skipped]]:
    everything = list(sources.read(paths, options))
    return (
        [each for each in everything if isinstance(each, Capture)],
        [each for each in everything if isinstance(each, Skipped)],
    )


def only(*paths: Path, options: Options = WHEN) -> Capture:
    captures, skipped = read(*paths, options=options)
    assert (len(captures), skipped) == (1, [])
    return captures[0]


def put(path: Path, content: str | bytes | dict | list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict | list):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_without_any_moment_a_page_is_skipped_and_the_reason_says_what_to_give(tmp_path):
    path = put(tmp_path / "page.html", "<html></html>")
    captures, [skipped] = read(path, options=Options())
    assert captures == []
    assert skipped.path == str(path)
    assert "--observed-at 2026-01-31" in skipped.reason
    assert "page.html.meta.json" in skipped.reason


def test_option_counts_before_sidecar_before_manifest_before_the_file_itself(tmp_path):
    page = put(tmp_path / "a" / "page.html", '<link rel="canonical" href="https://file.example/">')
    assert only(page).url == "https://file.example/"
    put(
        tmp_path / "MANIFEST.tsv",
        "path\turl\tobserved_at\ttime_source\na/page.html\thttps://m.example/\t2026-03-02\t\n",
    )
    found = only(page, options=Options())
    assert (found.url, found.fetched_at, found.at_precision) == (
        "https://m.example/",
        datetime(2026, 3, 2, tzinfo=UTC),
        "day",
    )
    put(tmp_path / "a" / "page.html.meta.json", {"url": "https://side.example/", "fetched_at": "2026-03-03T01:02:03Z"})
    found = only(tmp_path, options=Options())
    assert (found.url, found.fetched_at, found.at_precision) == (
        "https://side.example/",
        datetime(2026, 3, 3, 1, 2, 3, tzinfo=UTC),
        None,
    )
    found = only(tmp_path, options=Options(url="https://option.example/", observed_at=DAY, at_precision="day"))
    assert (found.url, found.fetched_at, found.at_precision) == ("https://option.example/", DAY, "day")


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("<link rel='canonical' href='https://a.example/?x=1&amp;y=2'>", "https://a.example/?x=1&y=2"),
        ("<LINK HREF=https://a.example/b REL=canonical>", "https://a.example/b"),
        ('<meta property="og:url" content="https://a.example/og">', "https://a.example/og"),
        ('<meta property="og:url" content="https://o.example/"><link rel="canonical" href="https://c.example/">',
         "https://c.example/"),
        ('<link rel="canonical" href="../up.html"><link rel="stylesheet" href="https://a.example/x.css">',
         "saved:p%20%C3%A9.html"),
        ('<link rel="canonical" href="javascript:alert(1)">', "saved:p%20%C3%A9.html"),
        ('<link rel="canonical" href="https://u:pw@a.example/?token=x">', "https://a.example/?token=REDACTED"),
    ],
)  # fmt: skip
def test_a_web_page_states_its_own_address(tmp_path, head, url):
    assert only(put(tmp_path / "p é.html", f"<html><head>{head}</head></html>")).url == url


@pytest.mark.parametrize("data", [[{"as_of": "2021-09-19T11:04:28Z", "trends": []}], {"as_of": "2021-09-19T11:04:28Z"}])
def test_json_states_its_own_moment(tmp_path, data):
    found = only(put(tmp_path / "trends.json", data), options=Options())
    assert found.fetched_at == datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC)
    assert (found.url, found.headers["content-type"]) == ("saved:trends.json", "application/json")


def test_a_lower_bound_is_known_by_its_day_only(tmp_path):
    put(tmp_path / "p.html", "<html>")
    put(
        tmp_path / "MANIFEST.tsv",
        "path\turl\tobserved_at\ttime_source\np.html\t\t2026-02-13T20:56:49Z\tfirst visit: a lower bound\n",
    )
    found = only(tmp_path, options=Options())
    assert (found.fetched_at, found.at_precision) == (datetime(2026, 2, 13, 20, 56, 49, tzinfo=UTC), "day")


def test_a_manifest_names_files_from_its_own_folder_or_the_one_above(tmp_path):
    put(tmp_path / "box" / "a.html", "1")
    put(tmp_path / "box" / "deep" / "b.html", "2")
    put(
        tmp_path / "box" / "MANIFEST.tsv",
        "path\turl\tobserved_at\nbox/a.html\t\t2026-03-01\ndeep/b.html\t\t2026-03-02\n",
    )
    captures, skipped = read(tmp_path / "box" / "deep", tmp_path / "box" / "a.html", options=Options())
    assert ([each.fetched_at.day for each in captures], skipped) == ([2, 1], [])


def test_a_given_manifest_is_used_and_an_unusable_one_is_told(tmp_path):
    page = put(tmp_path / "pages" / "a.html", "1")
    manifest = put(tmp_path / "list.tsv", "path\turl\tobserved_at\npages/a.html\thttps://a.example/\t2026-03-01\n")
    assert only(page, options=Options(manifest=manifest)).url == "https://a.example/"
    bad = put(tmp_path / "bad.tsv", "file,when\n")
    _, skipped = read(page, options=Options(manifest=bad))
    assert "no column observed_at, path, url" in skipped[-1].reason


def test_an_unreadable_moment_is_told_not_guessed(tmp_path):
    put(tmp_path / "a.html", "1")
    put(tmp_path / "a.html.meta.json", {"fetched_at": "last Tuesday"})
    put(tmp_path / "b.html", "1")
    put(tmp_path / "b.html.meta.json", "{")
    captures, skipped = read(tmp_path, options=Options())
    assert captures == []
    assert ["last Tuesday" in skipped[0].reason, "unreadable" in skipped[1].reason] == [True, True]


def test_a_case_folder_is_one_capture(tmp_path):
    case = tmp_path / "case"
    put(case / "body", "<html>tide</html>")
    put(case / "expected.json", [])
    put(case / "meta.json", {
        "url": "https://a.example/@tide", "fetched_at": "2026-03-01T12:00:00Z", "status": 404, "why": "gone",
        "headers": {"Content-Type": "text/html"}, "vantage": {"country": "br"}, "target": "@tide",
        "at_precision": "day", "place": "br",
    })  # fmt: skip
    assert only(case, options=Options()) == Capture(
        url="https://a.example/@tide", fetched_at=NOON, status=404,
        headers={"content-type": "text/html", "tidemark-place": "br"}, body=b"<html>tide</html>", lane="replay",
        vantage=Vantage(country="br"), target="@tide", spider=None, at_precision="day",
    )  # fmt: skip
    assert only(case / "body", options=Options()).status == 404


def test_packed_pages_are_unpacked(tmp_path):
    path = put(tmp_path / "p.html.gz", gzip.compress(b"<html>tide</html>"))
    found = only(path)
    assert (found.body, found.url, found.headers) == (
        b"<html>tide</html>", "saved:p.html", {"content-type": "text/html"}
    )  # fmt: skip


def test_a_place_comes_from_option_sidecar_or_name(tmp_path):
    page = put(tmp_path / "twitter_brazil" / "trends.csv", "a;1")
    assert only(page).headers["tidemark-place"] == "br"
    assert only(page, options=replace(WHEN, place="us")).headers["tidemark-place"] == "us"
    put(tmp_path / "twitter_brazil" / "trends.csv.meta.json", {"place": "pt"})
    assert only(page).headers["tidemark-place"] == "pt"
    assert "tidemark-place" not in only(put(tmp_path / "in.csv", "a;1")).headers


def test_the_vantage_is_the_persons_word(tmp_path):
    found = only(put(tmp_path / "a.html", "1"), options=replace(WHEN, vantage=Vantage(country="jp")))
    assert (found.vantage, found.lane, found.status) == (Vantage(country="jp"), "replay", 200)


def test_folders_are_walked_in_order_and_what_is_no_page_is_counted(tmp_path):
    for name in ("b.html", "a/z.json", "a/y.txt", "c.oembed"):
        put(tmp_path / name, f'"{name}"')
    for name in (".git/x.html", ".hidden.html", "MANIFEST.tsv", "x.xlsx", "y.xlsx", "pack.7z", "README.md", "LICENSE"):
        put(tmp_path / name, "x")
    captures, skipped = read(tmp_path)
    assert [each.url for each in captures] == ["saved:y.txt", "saved:z.json", "saved:b.html", "saved:c.oembed"]
    assert [each.reason for each in skipped if "not a page" in each.reason] == [
        "not a page: .7z (1 file)", "not a page: .md (1 file)", "not a page: .xlsx (2 files)",
        "not a page: no ending (1 file)",
    ]  # fmt: skip


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    put(tmp_path / "outside" / "secret.html", "x")
    put(tmp_path / "given" / "in.html", "y")
    (tmp_path / "given" / "out.html").symlink_to(tmp_path / "outside" / "secret.html")
    (tmp_path / "given" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "given" / "loop").symlink_to(tmp_path / "given")
    (tmp_path / "given" / "same.html").symlink_to(tmp_path / "given" / "in.html")
    captures, [skipped] = read(tmp_path / "given")
    assert [each.url for each in captures] == ["saved:in.html", "saved:same.html"]
    assert "link out of the folder" in skipped.reason


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1000)
    put(tmp_path / "a.html", b"x" * 1001)
    put(tmp_path / "b.html.gz", gzip.compress(b"x" * 5000))
    put(tmp_path / "c.html.gz", gzip.compress(os.urandom(500))[:300])
    put(tmp_path / "d.har", "{}")
    os.mkfifo(tmp_path / "e.html")
    put(tmp_path / "f.html", "fine")
    captures, skipped = read(tmp_path, tmp_path / "nowhere")
    assert [each.body for each in captures] == [b"fine"]
    assert [Path(each.path).name for each in skipped] == [
        "a.html",
        "b.html.gz",
        "c.html.gz",
        "d.har",
        "e.html",
        "nowhere",
    ]
    assert ["larger than" in each.reason for each in skipped[:2]] == [True, True]
    assert "no HAR" in skipped[3].reason
    assert "no such file" in skipped[5].reason


def test_hostile_names_cannot_move_the_cursor(tmp_path):
    _, [skipped] = read(put(tmp_path / "a\x1b[2J\n.html", "x"), options=Options())
    assert "\x1b" not in skipped.path + skipped.reason
    assert "\n" not in skipped.path + skipped.reason


def har_entry(**response: object) -> dict:
    content = {"mimeType": "text/html; charset=iso-8859-1", "text": "maré"}
    headers = [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]
    return {
        "startedDateTime": "2026-03-01T09:00:00.000-03:00",
        "request": {"url": "https://a.example/?token=x"},
        "response": {"status": 200, "headers": headers, "content": content} | response,
    }


def test_har_entries_become_captures(tmp_path):
    binary = {"mimeType": "application/json", "text": base64.b64encode(b'{"a":1}').decode(), "encoding": "base64"}
    entries = [
        har_entry(), har_entry(content=binary, headers=[{"name": "Content-Encoding", "value": "br"}]),
        har_entry(content={}), har_entry(status=0), {"request": None}, "no entry",
    ]  # fmt: skip
    captures, skipped = read(put(tmp_path / "s.har", {"log": {"entries": entries}}), options=Options())
    assert [(each.body, each.fetched_at, each.url) for each in captures] == [
        ("maré".encode(), NOON, "https://a.example/?token=REDACTED"), (b'{"a":1}', NOON, "https://a.example/?token=REDACTED"),
    ]  # fmt: skip
    assert captures[0].headers == {"x-a": "1, 2", "content-type": "text/html; charset=utf-8"}
    assert captures[1].headers == {"content-type": "application/json"}
    assert sorted(each.reason.partition(":")[0] for each in skipped) == [
        "1 of 6 entries", "1 of 6 entries", "2 of 6 entries"
    ]  # fmt: skip


def test_a_har_is_known_by_its_content_too(tmp_path):
    assert only(put(tmp_path / "s.json", {"log": {"entries": [har_entry()]}})).body == "maré".encode()


def kept(number: int, body: bytes | None = None) -> Capture:
    return Capture(
        url=f"https://a.example/{number}", fetched_at=NOON.replace(minute=number), status=404,
        headers={"content-type": "text/html"}, body=b"%d" % number if body is None else body, lane="browser",
        vantage=Vantage(country="br"), target="@tide", spider="s", at_precision="day",
    )  # fmt: skip


def test_our_own_archive_comes_back_as_it_was_in_order_of_time(tmp_path):
    written = [kept(n, b"same" if n % 3 == 0 else None) for n in (5, 1, 4, 0, 3, 2)] + [replace(kept(9), url="saved:x")]
    with Archive(tmp_path / "archive", segment_bytes=1500) as archive:
        for each in written:
            archive.write(each)
            archive.note(each.id, "ok", {})
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "archive").iterdir()}
    captures, skipped = read(tmp_path, options=Options())
    assert skipped == []
    assert [each.id for each in captures] == [each.id for each in sorted(written, key=lambda c: c.fetched_at)]
    assert {(c.lane, c.vantage.country, c.target, c.spider, c.at_precision, c.status) for c in captures} == {
        ("browser", "br", "@tide", "s", "day", 404)
    }
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "archive").iterdir()} == before
    # The files alone, in the wrong order: a revisit comes before the file that holds its body.
    files = sorted((tmp_path / "archive").glob("*.warc.gz"), reverse=True)
    captures, skipped = read(*files, options=Options())
    assert ({each.id for each in captures}, skipped) == ({each.id for each in written}, [])
    assert {each.body for each in captures} == {each.body for each in written}


def warc(records: list[tuple[str, bytes, dict[str, str], list[tuple[str, str]]]], *, packed: bool = True) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed, warc_version="1.0")
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "other"}))
    for kind, body, own, headers in records:
        head = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        given = {"WARC-Date": "2026-03-01T12:00:00Z", **own}
        writer.write_record(writer.create_warc_record(
            given.pop("uri", "https://a.example/"), kind, payload=io.BytesIO(body), length=len(body),
            http_headers=head, warc_headers_dict=given,
        ))  # fmt: skip
    return out.getvalue()


SHAPES = {
    "member": lambda records: warc(records),
    "whole": lambda records: gzip.compress(warc(records, packed=False)),
    "plain": lambda records: warc(records, packed=False),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_foreign_warcs_are_read_packed_or_not(tmp_path, shape):
    records = [
        ("response", b"one", {"uri": "https://a.example/?key=x", "WARC-Payload-Digest": "sha1:ONE"},
         [("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "s=1")]),
        ("request", b"", {}, []),
        ("response", gzip.compress(b"two"), {"WARC-Date": "2026-03-02T01:02:03.123456789Z"},
         [("Content-Encoding", "gzip")]),
        ("response", b"5\r\nthree\r\n0\r\n\r\n", {}, [("Transfer-Encoding", "chunked")]),
        ("revisit", b"", {"uri": "https://a.example/again", "WARC-Payload-Digest": "sha1:ONE"}, [("X-B", "3")]),
        ("response", b"four", {"WARC-Date": "2026-03-04"}, []),
    ]  # fmt: skip
    path = put(tmp_path / f"x.warc{'' if shape == 'plain' else '.gz'}", SHAPES[shape](records))
    captures, skipped = read(path, options=Options(vantage=Vantage(country="pt")))
    assert skipped == []
    assert [(each.url, each.body) for each in captures] == [
        ("https://a.example/?key=REDACTED", b"one"), ("https://a.example/", b"two"), ("https://a.example/", b"three"),
        ("https://a.example/again", b"one"), ("https://a.example/", b"four"),
    ]  # fmt: skip
    assert captures[0].headers == {"x-a": "1, 2"}
    assert captures[1].fetched_at == datetime(2026, 3, 2, 1, 2, 3, 123000, tzinfo=UTC)
    assert "content-encoding" not in captures[1].headers
    assert captures[4].at_precision == "day"
    assert {(each.lane, each.vantage.country, each.target) for each in captures} == {("replay", "pt", None)}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_torn_warc_gives_what_is_whole_and_says_so(tmp_path, shape):
    body = os.urandom(100_000)
    data = SHAPES[shape]([("response", b"one", {}, []), ("response", body, {"uri": "https://a.example/2"}, [])])
    captures, skipped = read(put(tmp_path / "x.warc.gz", data[:-1500]), options=Options())
    assert [each.body for each in captures] == [b"one"]
    assert len(skipped) == 1
    assert "cut short" in skipped[0].reason or "damaged" in skipped[0].reason


def test_records_that_give_nothing_are_counted(tmp_path):
    records = [
        ("response", b"x", {}, [("Content-Encoding", "zstd")]), ("response", b"x", {"WARC-Date": "yesterday"}, []),
        ("revisit", b"", {"WARC-Payload-Digest": "sha1:ELSEWHERE"}, []), ("response", b"fine", {}, []),
    ]  # fmt: skip
    captures, skipped = read(put(tmp_path / "x.warc.gz", warc(records)), options=Options())
    assert [each.body for each in captures] == [b"fine"]
    assert ["zstd" in skipped[0].reason, "yesterday" in skipped[1].reason] == [True, True]
    assert "none of the files given" in skipped[2].reason


def test_the_shared_captures_are_read_or_their_lack_is_told():
    folder = config.load().shared_dir / "captures"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    captures, skipped = read(folder, options=Options())
    reasons = Counter(each.reason.partition(";")[0] for each in skipped)
    assert reasons == {
        "no moment known": 167,  # the manifest states none for them; --observed-at brings them in
        "not a page: .md (1 file)": 1,
        "not a page: .xlsx (1 file)": 1,
    }
    assert (len(captures), len({each.id for each in captures})) == (147, 147)  # 21 moments of five tables; 11 minutes
    assert Counter(each.at_precision for each in captures) == {"day": 118, None: 29}
    assert Counter(each.headers.get("tidemark-place") for each in captures) == {None: 131, "br": 9, "us": 6, "world": 1}
    everything, skipped = read(folder, options=WHEN)
    assert (len(everything), len(skipped)) == (314, 2)
