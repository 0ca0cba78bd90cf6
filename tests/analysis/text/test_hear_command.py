"""`hear`: files of posts are read once, kept, and heard by the other commands; links are asked for under conditions."""

from __future__ import annotations

import http.client
import io
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib.util import find_spec

import pytest

from analysis.cli import main
from crawler.media import Fetcher, NotFetched, checked_connection, expired

NOW = datetime(2026, 3, 1, tzinfo=UTC)
VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\nbolo de cenoura da vovó\n"


@pytest.fixture
def run(database, capsys):
    database["posts"].insert_many([
        {"_id": f"tiktok:post:{n}", "kind": "post", "platform": "tiktok", "post_id": str(n), "author": f"u{n}",
         "caption": caption, "created_at": NOW, "observed_at": NOW, "first_seen": NOW}
        for n, caption in ((11, "look at this old thing"), (12, "how huge"))
    ])  # fmt: skip

    def call(*arguments):
        status = main([*map(str, arguments), "--database", database.name],
                      open_client=lambda _: nullcontext(database.client))  # fmt: skip
        return status, *capsys.readouterr()

    return call


def test_subtitles_in_a_folder_are_read_once_and_every_command_hears_them(run, database, tmp_path):
    for n in (11, 12):
        (tmp_path / f"{n}.pt.vtt").write_text(VTT)
    (tmp_path / "99.vtt").write_text(VTT)
    status, out, _ = run("hear", tmp_path)
    assert status == 0
    assert "2 files read anew" in out
    assert "no stored post of this id" in out
    assert {each["text"] for each in database["heard"].find()} == {"bolo de cenoura da vovó"}
    assert "0 files read anew; 2 were known before" in run("hear", tmp_path)[1]
    _, out, _ = run("keywords")
    assert "speech 2" in next(line for line in out.splitlines() if "cenoura" in line)


def test_what_cannot_be_read_is_counted_and_a_mistake_is_said(run, tmp_path):
    (tmp_path / "11.vtt").write_text("<html>")
    (tmp_path / "12.mp4").write_bytes(b"no sound")
    status, out, _ = run("hear", tmp_path)
    assert status == 0
    assert "not read: unreadable" in out
    assert "speech" in out
    for arguments, told in (((), "name files or folders"), ((tmp_path / "none",), "no such file"),
                            ((tmp_path, "--whisper", tmp_path), "no model.bin")):  # fmt: skip
        status, _, err = run("hear", *arguments)
        assert status == 2
        assert told in err


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="the extra `screen` is not installed")
def test_a_picture_s_text_is_read(run, database, tmp_path):
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (640, 200), "white")
    ImageDraw.Draw(picture).text((40, 60), "PROMO LAMP 49", fill="black", font=ImageFont.load_default(56))
    held = io.BytesIO()
    picture.save(held, "PNG")
    (tmp_path / "11.png").write_bytes(held.getvalue())
    assert run("hear", tmp_path)[0] == 0
    assert "LAMP" in database["heard"].find_one()["text"]


@pytest.mark.parametrize(
    ("url", "gone"),
    [
        ("https://v16.tiktokcdn.com/a.vtt?x-expires=1772323199&x-signature=q", True),
        ("https://v16.tiktokcdn.com/a.vtt?x-expires=1772409600", False),
        (f"https://v16.tiktokcdn.com/{'0' * 32}/69a37f7f/video/a.vtt", True),
        ("https://v16.tiktokcdn.com/a.vtt", False),
    ],
)
def test_a_signed_link_says_when_it_ends(url, gone):
    assert expired(url, NOW) is gone


def plainly(host_port):
    """Asks the little site for whatever listed host."""

    def connect(host):
        return http.client.HTTPConnection(host_port)

    return Fetcher("Tidemark/0.1", lambda host: None, connect, (".cdn.example",))


def test_a_file_is_fetched_where_robots_allow_and_nowhere_else(serve):
    asked = []

    def site(path):
        asked.append(path)
        if path == "/robots.txt":
            return 200, {}, b"User-agent: *\nDisallow: /private/"
        return (200, {}, VTT.encode()) if path == "/a.vtt?k=1" else (404, {}, b"")

    fetch = plainly(serve(site))
    assert fetch("https://x.cdn.example/a.vtt?k=1", NOW).decode() == VTT
    for url, why in (
        ("https://x.cdn.example/private/a", "robots"), ("https://x.cdn.example/none", "status 404"),
        ("http://x.cdn.example/a", "host"), ("https://evil.example/a", "host"),
        ("https://x.cdn.example:8443/a", "host"),
        ("https://x.cdn.example/a?x-expires=1000000000", "expired"), ("https://[", "host"),
    ):  # fmt: skip
        with pytest.raises(NotFetched, match=why):
            fetch(url, NOW)
    assert asked.count("/robots.txt") == 1


def test_a_name_that_leads_into_this_machine_is_refused():
    with pytest.raises(NotFetched, match="private"):
        checked_connection("localhost")
