"""`keywords` and `sentiment`, from their arguments to what they print, on a real database."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.cli import main
from analysis.text.keywords import keywords
from analysis.text.posts import PostText

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def post(number, at, caption, author, **more):
    made = START + at * HOUR
    return {
        "_id": f"tiktok:post:{number}", "kind": "post", "platform": "tiktok", "author": author, "caption": caption,
        "created_at": made, "observed_at": made, "first_seen": made, **more,
    }  # fmt: skip


WORDS = [
    "kettle",
    "window",
    "bicycle",
    "garden",
    "ladder",
    "pillow",
    "candle",
    "hammer",
    "blanket",
    "mirror",
    "basket",
    "carpet",
    "drawer",
    "engine",
    "feather",
    "guitar",
    "helmet",
    "island",
    "jacket",
    "kitchen",
    "lantern",
    "magnet",
    "needle",
    "oven",
    "pencil",
    "quilt",
    "ribbon",
    "saddle",
    "teapot",
    "umbrella",
    "violin",
    "wagon",
    "yoghurt",
    "zipper",
    "anchor",
    "button",
    "copper",
    "dolphin",
    "eagle",
    "forest",
]


def said(rng):
    return " ".join(rng.choice(WORDS, 6, replace=False))


@pytest.fixture
def run(database, capsys):
    rng = np.random.default_rng(5)
    usual = [post(n, n // 10, f"{said(rng)} #fyp", f"u{n}") for n in range(600)]
    rise = [post(5000 + n, 50, f"{said(rng)} for the new Lumo Lamp #LumoLamp", f"v{n}", likes=10) for n in range(10)]
    rise += [post(6000 + n, 50, rise[0]["caption"] + "!!", f"w{n}", likes=1) for n in range(3)]
    database["posts"].insert_many([*usual, *rise])

    def call(*arguments):
        status = main([*arguments, "--database", database.name], open_client=lambda _: nullcontext(database.client))
        return status, *capsys.readouterr()

    return call


def test_the_term_that_rose_stands_first_with_its_people_and_copies(run):
    status, out, _ = run("keywords", "--top", "3")
    assert status == 0
    first = out.splitlines()[3]
    assert first.startswith("Lumo Lamp")
    assert "new" in first
    assert "fyp" not in out.casefold()
    assert "3 copies folded" in out


def test_keywords_as_known_earlier_know_nothing_of_the_rise(run):
    _, out, _ = run("keywords", "--known-at", "2026-03-02T12:00Z")
    assert "Lumo" not in out


def test_keywords_go_to_a_file(run, tmp_path):
    status, _, _ = run("keywords", "--by", "engagement", "-o", str(tmp_path / "k.csv"))
    assert status == 0
    assert "lumolamp" in (tmp_path / "k.csv").read_text()


def test_sentiment_says_what_fed_it_and_when_it_is_too_few(run):
    status, out, _ = run("sentiment", "--topic", "#LumoLamp", "--model", "small")
    assert status == 0
    assert "13 stored posts (tiktok)" in out
    assert "too few (under 20)" in out


def test_sentiment_of_many_posts_has_an_interval(run):
    _, out, _ = run("sentiment", "--topic", "kettle", "--model", "small")
    assert "% to " in out


def test_an_unknown_topic_and_missing_reviews_are_said_plainly(run):
    status, _, err = run("sentiment", "--topic", "nothere")
    assert status == 2
    assert "no stored post holds this term" in err
    status, _, err = run("sentiment", "--products")
    assert status == 2
    assert "no review stored yet" in err


def test_one_post_alone_has_no_keyword_and_no_post_none():
    assert keywords([PostText("a:post:1", {"caption": "hello garden"}, at=START)]).frame.empty
    assert keywords([]).frame.empty
