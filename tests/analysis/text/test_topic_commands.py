"""`themes`, `links`, `categories` and brands, from their arguments to what they print and keep, on a real database."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.cli import main

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def post(number, hour, caption, author, **more):
    made = START + hour * HOUR
    return {
        "_id": f"tiktok:post:{number}", "kind": "post", "platform": "tiktok", "author": author, "caption": caption,
        "post_id": str(number), "created_at": made, "observed_at": made, "first_seen": made, **more,
    }  # fmt: skip


def said(rng):
    """Three words that were never said before."""
    return " ".join("".join(rng.choice(list("abcdefghijklmnoprstuvz"), 7)) for _ in range(3))


def product(key, title, **more):
    return {"_id": key, "kind": "product", "title": title, "url": f"https://{key.replace(':product:', '/products/')}",
            "host": key.split(":")[0], "first_seen": START, "observed_at": START, **more}  # fmt: skip


@pytest.fixture
def run(database, capsys):
    rng = np.random.default_rng(4)
    lamp = [post(n, 100 + n, f"{said(rng)} lumo lamp {said(rng)}", f"u{n % 3}") for n in range(8)]
    cake = [post(20 + n, n * 14, f"{said(rng)} carrot cake recipe {said(rng)}", f"c{n}") for n in range(8)]
    cake[0]["urls"] = ["https://www.shop.example/collections/new/products/tin?utm_source=x"]
    database["posts"].insert_many([*lamp, *cake])
    database["products"].insert_many([
        product("shop.example:product:lamp", "Lumo Lamp Pro 2", brand="Lumo"),
        product("shop.example:product:tin", "Big Baking Tin", vendor="Walnut"),
        product("shop.example:product:z", "Steel Pan", brand="Zorbo"),
    ])  # fmt: skip

    def call(*arguments):
        status = main([*arguments, "--database", database.name], open_client=lambda _: nullcontext(database.client))
        return status, *capsys.readouterr()

    return call


def test_themes_say_what_is_new_and_what_it_belongs_to(run):
    status, out, _ = run("themes")
    assert status == 0
    lamp = next(line for line in out.splitlines() if "lumo" in line)
    cake = next(line for line in out.splitlines() if "cake" in line)
    assert "new" in lamp.split()
    assert "food" in cake
    assert run("themes", "--state", "new")[1].count("cake") == 0


def test_links_lead_from_a_topic_to_creators_posts_and_products_and_are_kept(run, database):
    status, out, _ = run("links", "--topic", "lumo lamp", "--to", "product")
    assert status == 0
    assert "shop.example:product:lamp" in out
    kept = {each["_id"]: each for each in database["links"].find()}
    edge = next(each for each in kept.values() if each["target"] == "shop.example:product:lamp")
    assert edge["how"] == "name"
    assert set(edge["evidence"]) == {f"tiktok:post:{n}" for n in range(8)}
    assert "lead" not in edge  # no review: nothing to test
    tin = next(each for each in kept.values() if each["target"] == "shop.example:product:tin")
    assert (tin["how"], tin["evidence"]) == ("page", ["tiktok:post:20"])
    assert {each["target"] for each in kept.values() if each["kind"] == "creator"} >= {"u0", "u1", "u2"}


def test_links_made_again_are_the_same_and_old_ones_go(run, database):
    run("links")
    before = list(database["links"].find().sort("_id"))
    database["links"].insert_one({"_id": "gone>creator:x", "topic": "gone"})
    assert "1 gone" in run("links")[1]
    assert list(database["links"].find().sort("_id")) == before
    assert "not kept" in run("links", "--since", "2026-03-01")[1]


def test_a_lead_over_reviews_is_told_only_where_turned_time_does_worse(run, database):
    rng = np.random.default_rng(3)
    days = rng.poisson(4, 90)
    made = [
        post(1000 + n, 24 * day + n % 20, f"{said(rng)} zeta kettle {said(rng)}", f"z{n}")
        for n, day in enumerate(np.repeat(range(90), days))
    ]
    database["posts"].insert_many(made)
    database["products"].insert_one(product("shop.example:product:kettle", "Zeta Kettle"))
    later = np.repeat(np.arange(90) + 2, days)
    database["reviews"].insert_many([
        {"_id": f"r{n}", "product": "shop.example:product:kettle", "created_at": START + (24 * int(day) + 5) * HOUR}
        for n, day in enumerate(later)
    ])  # fmt: skip
    status, _, _ = run("links", "--topic", "zeta kettle", "--to", "product")
    assert status == 0
    edge = next(each for each in database["links"].find({"kind": "product", "topic_key": {"$regex": "kettle"}}))
    assert (edge["lead"], edge["lead_h"]) == ("leads", 48.0)
    assert edge["lead_chance"] <= 0.05


def test_a_brand_is_told_from_the_word_and_joins_handle_tag_and_name(run, database):
    database["posts"].insert_many([
        post(50, 1, "my new Zorbo arrived", "a1"), post(51, 2, "#zorbo at night", "a2"),
        post(52, 3, "thanks @zorbo", "a3"),
        post(53, 4, "a walnut in the garden", "a4"), post(54, 5, "walnut bread", "a5"),
    ])  # fmt: skip
    status, out, _ = run("keywords", "--kind", "brand", "--by", "authors")
    assert status == 0
    assert "orbo" in out
    assert "walnut" not in out.casefold()


def test_a_board_s_topics_have_a_category_and_a_homonym_is_flagged_beside_its_volume(run, database):
    at = START + 300 * HOUR
    head = {"board": "x:trends:br", "at": at, "observed_at": at, "capture": "c"}
    database["boards"].insert_one({"_id": f"x:trends:br@{at}", "size": 2, **head})
    database["board_entries"].insert_many([
        {"_id": f"b{n}", **head, "position": n, "topic": topic, "topic_key": key, "volume": 9000 * n}
        for n, topic, key in ((1, "#Alba", "alba"), (2, "Nobody Knows", "nobodyknows"))
    ])  # fmt: skip
    database["posts"].insert_many(
        [post(200 + n, n, f"a goal by Alba in the premier league {n}", f"s{n}") for n in range(9)]
        + [post(300 + n, n, f"Alba drops her new album and a music video feat her band {n}", f"m{n}") for n in range(7)]
    )
    status, out, _ = run("categories", "--board", "x:trends:br")
    assert status == 0
    alba = next(line for line in out.splitlines() if "#Alba" in line)
    assert "9,000" in alba
    assert "sports or music" in alba
    assert "unknown" in next(line for line in out.splitlines() if "Nobody" in line)
    assert run("categories", "--board", "x:none")[0] == 2


def test_an_empty_database_is_said_plainly(database, capsys):
    for command in ("themes", "links"):
        assert main([command, "--database", database.name], open_client=lambda _: nullcontext(database.client)) == 2
        assert "crawl or replay" in capsys.readouterr().err


def test_search_finds_posts_by_what_they_are_about(run, tmp_path):
    status, out, err = run("search", "carrot cake", "--top", "3")
    assert (status, err) == (0, "")
    told = [line.split()[1] for line in out.splitlines() if "tiktok:post:" in line]
    assert len(told) == 3
    assert all(int(key.rpartition(":")[2]) >= 20 for key in told), "cakes are 20 to 27"
    status, _, _ = run("search", "lumo lamp", "-o", str(tmp_path / "found.csv"))
    assert status == 0
    assert (tmp_path / "found.csv").read_text().splitlines()[1].count("lumo lamp") == 1


def test_search_for_nothing_says_what_to_give(run):
    status, _, err = run("search", "  ")
    assert status == 2
    assert "say what posts should be about" in err


def test_themes_by_meaning_tell_cakes_from_lamps(run):
    status, out, _ = run("themes", "--by", "meaning")
    assert status == 0
    told = [line for line in out.splitlines() if "cake" in line or "lamp" in line]
    assert len(told) >= 2
    assert not any("cake" in line and "lamp" in line for line in told)
