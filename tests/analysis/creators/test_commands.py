"""`creators` and `posts` from their arguments to what they print, on a real database."""

import secrets
from contextlib import nullcontext
from datetime import timedelta

import pandas as pd
import pytest

from analysis.cli import main
from crawler.storage.store import Store

from .posts import READ, many, post, profile


@pytest.fixture(scope="module")
def filled(client):
    """One database for all that only read it, which is all but the last test."""
    name = f"test_{secrets.token_hex(6)}"
    store = Store(client[name])
    good = [post(5000 + n, "star", 0.15, views=100_000 + n) for n in range(6)]
    lengths = [post(6000 + n, f"l{n}", 0.10 + n / 1000, duration_s=20.0, location="BR") for n in range(25)]
    lengths += [post(7000 + n, f"m{n}", 0.04, duration_s=90.0, location="US") for n in range(40)]
    old = [profile("star", READ - timedelta(days=10), followers=1000), profile("star", followers=2000, verified=True)]
    evil = [post(8000, "=cmd\x1b[2J", 0.05, caption="=1+1")]
    store.save([*many(15, 4), *good, *lengths, *old, *evil])
    store.close()
    yield name
    client.drop_database(name)


@pytest.fixture
def run(filled, client, capsys):
    def call(*arguments):
        status = main([*arguments, "--database", filled], open_client=lambda _: nullcontext(client))
        return status, *capsys.readouterr()

    return call


def test_creators_are_ranked_with_interval_and_n(run, tmp_path):
    status, out, _ = run("creators", "--top", "3")
    assert status == 0
    assert "tiktok:profile:star" in out.splitlines()[3]
    assert "\x1b" not in out
    assert run("creators", "-o", str(tmp_path / "c.csv"))[0] == 0
    star = pd.read_csv(tmp_path / "c.csv").set_index("creator").loc["tiktok:profile:star"]
    assert star["rate_low"] < star["rate"] < star["rate_high"]
    assert (star["posts_counted"], star["followers_per_day"]) == (6, 100)


def test_whom_to_feature_with_reasons_and_nobody_on_one_post(run, tmp_path):
    path = tmp_path / "f.json"
    assert run("creators", "--show", "feature", "-o", str(path))[0] == 0
    found = pd.read_json(path).set_index("creator")
    assert found.index[0] == "tiktok:profile:star"
    assert found.loc["tiktok:profile:star", "advice"] == "feature"
    assert "6 posts" in found.loc["tiktok:profile:star", "why"]
    assert found.loc["tiktok:profile:l1", "advice"] == "too few posts (1 of 3)"
    assert "not what a paid post will have" in run("creators", "--show", "feature")[1]


def test_lengths_with_enough_posts_are_told_apart(run):
    status, out, _ = run("posts", "--show", "duration")
    assert status == 0
    assert [line.split()[-1] for line in out.splitlines()[3:5]] == ["higher", "lower"]
    assert "Association only" in out


def test_a_small_market_with_high_engagement_is_flagged_with_its_n_and_interval(run, tmp_path):
    assert run("posts", "--show", "places", "-o", str(tmp_path / "p.csv"))[0] == 0
    found = pd.read_csv(tmp_path / "p.csv").set_index("group")
    assert found.loc["BR", "flag"] == "small, high engagement"
    assert found.loc["BR", "posts"] == 25
    assert found.loc["BR", "low"] < found.loc["BR", "high"]
    assert pd.isna(found.loc["US", "flag"])


def test_without_geography_there_is_no_figure_by_place(run):
    status, _, error = run("posts", "--show", "places", "--until", "2020-01-01")
    assert status == 2
    assert "no post in the time" in error
    assert "no figure" in run("posts", "--show", "categories")[2]


@pytest.mark.parametrize("show", ["ranking", "relations", "quadrants", "times"])
def test_every_answer_comes_with_its_n(run, show):
    status, out, error = run("posts", "--show", show, "--timezone", "br")
    assert status == 0, error
    assert " n " in f"{out.splitlines()[1]} " or "posts" in out.splitlines()[1]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--place", "zz"), "places that their pages state: BR, US"),
        (("--min-rate", "90%"), "no post has a rate within"),
        (("--modality", "caption"), "give --keyword as well"),
        (("--show", "times", "--timezone", "Mars/Base"), "America/Sao_Paulo"),
        (("--parts", "likes,comments,reposts"), "no engagement rate"),
    ],
)
def test_asked_for_what_is_not_there_it_says_what_is(run, asked, told):
    _, out, error = run("posts", *asked)
    assert told in out + error


@pytest.mark.parametrize(
    ("command", "show"),
    [("creators", "ranking"), ("creators", "feature"), ("creators", "verified"), ("posts", "duration"),
     ("posts", "quadrants"), ("posts", "relations")],
)  # fmt: skip
def test_charts(run, tmp_path, command, show):
    path = tmp_path / "c.svg"
    status, _, error = run(command, "--show", show, "--plot", str(path))
    if (command, show) == ("posts", "relations"):  # nobody's followers are shown with these posts
        assert status == 2
        assert "no row has both" in error
    elif show == "verified":  # no likes of accounts either
        assert "no row has both" in error
    else:
        assert (status, path.stat().st_size > 2000) == (0, True)


def test_verified_accounts_and_followers_against_likes(run):
    assert "verified" in run("creators", "--show", "verified")[1]
    assert run("creators", "--show", "relations")[0] == 0


def test_the_collection_is_kept_up_to_date(run):
    assert "0 removed" in run("creators", "--update")[1]
    assert "0 with new facts; 0 documents written" in run("creators", "--update")[1]
    assert run("creators", "--update", "--known-at", "2026-01-01")[0] == 2
