"""What is heard and shown: subtitles are read as spoken, each file once, and a missing package is said once."""

from __future__ import annotations

import pytest

from analysis.text.modalities import READERS, FileReader, UnreadableError, hear, subtitles, with_heard
from analysis.text.posts import PostText
from analysis.text.terms import terms

VTT = """\ufeffWEBVTT

STYLE
::cue { color: white }

NOTE made by hand

1
00:00:00.000 --> 00:00:01.500 align:start
<c>Hoje tem</c> bolo &amp; café

00:01.500 --> 00:03.000
Hoje tem bolo & café
na casa da avó

00:00:03.000 --> 00:00:04.000
[Música]
""".encode()

SRT = "\r\n".join([
    "1", "00:00:00,000 --> 00:00:01,000", "Hello there", "", "2", "00:00:01,000 --> 00:00:02,000", "Hello there",
    "friend",
]).encode()  # fmt: skip


def test_subtitles_are_read_as_they_were_spoken():
    assert subtitles(VTT) == "Hoje tem bolo & café na casa da avó"
    assert subtitles(SRT) == "Hello there friend"


def test_subtitles_without_a_word_are_empty_and_another_file_is_refused():
    assert subtitles(b"WEBVTT\n\n") == ""
    assert subtitles(b"") == ""
    with pytest.raises(UnreadableError, match="found none"):
        subtitles(b"<html>not subtitles</html>")


def test_a_file_is_read_once_by_its_content():
    known = {}
    first = hear(VTT, READERS["subtitles"], "pt", known)
    assert hear(bytes(VTT), READERS["subtitles"], "pt", known) is first
    assert len(known) == 1


def test_a_missing_package_is_said_once_and_costs_nothing(caplog):
    reader = FileReader("odours", "visual", "no_such_package_for_odours", lambda body, _: "never")
    assert hear(b"x", reader) is None
    assert hear(b"y", reader) is None
    assert caplog.text.count("no-such-package-for-odours is not installed") == 1


def test_a_term_both_said_and_written_is_one_vote_of_two_modalities():
    heard = hear(VTT, READERS["subtitles"])
    post = with_heard(PostText("p", {"caption": "bolo da avó"}), [heard, heard])
    assert post.parts["speech"].count("bolo") == 1
    bolo = next(term for term in terms(post) if term.key == "bolo")
    assert bolo.modalities == ("caption", "speech")
