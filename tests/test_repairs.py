"""Repairs: a person's small file of where values lie now, applied to a body before a page object reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from crawler import repairs, trees
from crawler.archive import Capture
from crawler.items import Item, Vantage
from crawler.reading import page_of, parsers
from crawler.repair import propose
from crawler.repairs import Alias, Repair, RepairsError, patched

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def body(data: Any) -> bytes:
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("data", "aliases", "expected"),
    [
        ({"a": {"n": 5}}, [Alias("/a/m", "/a/n")], {"a": {"n": 5, "m": 5}}),
        ({"l": [{"x": 1}, {}]}, [Alias("/l/*/s/y", "/l/*/x")], {"l": [{"x": 1, "s": {"y": 1}}, {}]}),
        ({"a": 1, "b": 2}, [Alias("/a", "/b"), Alias("/b", "/a")], {"a": 2, "b": 1}),
        ({"n": 5000}, [Alias("/n", "/n", Fraction("1/1000"))], {"n": 5}),
        ({"n": 1414.8}, [Alias("/n", "/n", Fraction("1/60"))], {"n": 23.58}),
        ({"n": "12.50"}, [Alias("/n", "/n", Fraction(100))], {"n": "1250"}),
        ({"n": "1.2M"}, [Alias("/n", "/n", count=True)], {"n": 1_200_000}),
        ({"n": "12,345"}, [Alias("/n", "/n", count=True)], {"n": 12_345}),
        ({"v": [{"x": 7}]}, [Alias("/n", "/v/0/x")], {"v": [{"x": 7}], "n": 7}),
        ({"b": 1}, [Alias("/a", "/gone")], {"b": 1}),
        ({"a": 3, "b": 1}, [Alias("/a/deep", "/b")], {"a": 3, "b": 1}),
    ],
)  # fmt: skip
def test_values_are_put_where_the_page_object_looks(data: Any, aliases: list[Alias], expected: Any) -> None:
    assert json.loads(patched(body(data), aliases)) == expected


def test_a_state_in_a_script_stays_in_its_script_whatever_its_texts_hold() -> None:
    page = b'<html><script id="S" type="application/json">{"a":{"t":"</b>\\u003C/script>","n":1}}</script><p>x</html>'
    made = patched(page, [Alias("#S/a/m", "#S/a/n")])
    assert trees.documents(made)[0].data == {"a": {"t": "</b></script>", "n": 1, "m": 1}}
    assert made.endswith(b"</script><p>x</html>")
    renamed = patched(page, [Alias("#OLD", "#S")])
    assert {each.name for each in trees.documents(renamed)} == {"#S", "#OLD"}


def test_names_of_markup_change_places_and_nothing_else_does() -> None:
    page = b'<table class="a x"><td class=\'b\'>a b</td><h3>class="a"</h3></table>'
    assert patched(page, [Alias("class=a", "class=b"), Alias("class=b", "class=a")]) == (
        b'<table class="b x"><td class=\'a\'>a b</td><h3>class="a"</h3></table>'
    )
    assert patched(b"<h3>t</h3><H3 id='1'>u</H3>", [Alias("<h2", "<h3")]) == b"<h2>t</h2><h2 id='1'>u</h2>"


def test_numbers_in_markup_are_multiplied_or_freed_of_what_stands_beside_them() -> None:
    page = b'<td class="a pos">12 b.</td><td class="n">20,000+</td><ht:n>1.5M</ht:n><td>20,000</td>'
    made = patched(page, [
        Alias("class=pos", "class=pos", count=True), Alias("class=n", "class=n", Fraction("1/1000")),
        Alias("<ht:n", "<ht:n", Fraction(10)),
    ])  # fmt: skip
    assert made == b'<td class="a pos">12</td><td class="n">20+</td><ht:n>15M</ht:n><td>20,000</td>'


def feed(at: datetime, row: str = "<li><b class='t'>Topic {n}</b><i class='v'>{v}</i></li>") -> Capture:
    rows = "".join(row.format(n=n, v=f"{n}00K") for n in range(1, 9))
    page = (
        f'<html><title>trends24</title><link rel="canonical" href="https://trends24.in/brazil/"><h3>Hours</h3>'
        f'<div class="list-container"><h3 data-timestamp="{at.timestamp():.0f}">now</h3><ol class="trend-card__list">'
        + rows
        + "</ol></div></html>"
    )
    return Capture("https://trends24.in/brazil/", at, 200, {}, page.encode(), "http", Vantage(), None, None)


ROW = "<li><a class='t'>Topic {n}</a><i class='tweet-count'>{v}</i></li>"


@pytest.mark.parametrize(
    ("row", "aliases"),
    [
        (ROW.replace("tweet-count", "amount"), (Alias("class=tweet-count", "class=amount"),)),
        ("<li><i class='t'>Topic {n}</i><a class='tweet-count'>{v}</a></li>", (Alias("<a", "<i"), Alias("<i", "<a"))),
        (ROW.replace("{v}", "soon"), ()),
    ],
    ids=["renamed", "exchanged", "unreadable"],
)  # fmt: skip
def test_names_of_markup_are_found_again(row: str, aliases: tuple[Alias, ...]) -> None:
    assert propose("trends24.trends", [feed(NOON, ROW)], [feed(NOON + HOUR, row)]).aliases == aliases


def catalogue(at: datetime, name: str = "price", cents: int = 0) -> Capture:
    products = [
        {"id": n, "title": f"Sock {n}", "handle": f"sock-{n}",
         "variants": [{"id": n * 10, "title": "S", "available": True, name: f"{n}.{cents + 10}"}]}
        for n in range(1, 9)
    ]  # fmt: skip
    return Capture("https://socks.example/products.json?page=1", at, 200, {}, body({"products": products}), "http",
                   Vantage(), None, None)  # fmt: skip


def prices(capture: Capture, mended: repairs.Repairs) -> list[str]:
    page = page_of(capture, None, None, mended)
    assert page is not None
    return [str(item.price) for item in page.items() if isinstance(item, Item) and hasattr(item, "price")]


def test_a_proposal_brings_known_values_back_and_changes_the_parser_only_where_it_holds(tmp_path: Path) -> None:
    old, new = catalogue(NOON), catalogue(NOON + HOUR, "amount", 1)
    proposal = propose("shopify.catalogue", [old], [new])
    assert proposal.aliases == (Alias("/products/*/variants/*/price", "/products/*/variants/*/amount"),)
    price = next(each for each in proposal.moved if each.field == "price")
    assert (price.agree_before, price.n) == (0.0, 8)
    assert (price.examples[0].before_in, price.examples[0].now_in) == (old.id, new.id)
    file = tmp_path / "repairs.toml"
    file.write_text(repairs.as_toml(proposal.repairs()))
    mended = repairs.read(file)
    assert prices(new, mended) == [f"{n}.11" for n in range(1, 9)]
    assert prices(old, mended) == prices(old, repairs.NONE)
    page = page_of(new, None, None, mended)
    assert page is not None and page.parser == "shopify.catalogue@2.1" and page.capture == new.id
    assert parsers(mended)["shopify.catalogue"] == "shopify.catalogue@2.1"
    assert parsers(mended)["shopify.oembed"] == "shopify.oembed@1"


def test_a_rounded_number_of_a_place_is_no_repair() -> None:
    def trends(at: datetime, woeid: Any) -> Capture:
        rows = [{"name": f"topic {n}", "query": f"topic{n}", "tweet_volume": n * 1000} for n in range(20, 50)]
        page = [{"trends": rows, "as_of": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "locations": [{"woeid": woeid}]}]
        return Capture("https://api.x.com/1.1/trends/place.json?id=1", at, 200, {}, body(page), "http", Vantage(),
                       None, None)  # fmt: skip

    old = trends(NOON, 23424768)
    assert propose("x.trends_place", [old], [trends(NOON + HOUR, "23.4M")]).aliases == ()
    assert propose("x.trends_place", [old], [trends(NOON + HOUR, "23,424,768")]).aliases == (
        Alias("/*/locations/*/woeid", "/*/locations/*/woeid", count=True),
    )


def test_a_value_that_is_nowhere_is_said_to_be_gone_and_nothing_is_proposed() -> None:
    new = catalogue(NOON + HOUR)
    emptied = Capture(new.url, new.fetched_at, 200, {}, new.body.replace(b'"available": true', b'"available": null'),
                      "http", Vantage(), None, None)  # fmt: skip
    proposal = propose("shopify.catalogue", [catalogue(NOON)], [emptied])
    assert proposal.aliases == ()
    assert ("offer", "available") in proposal.gone


def test_pages_that_did_not_change_give_no_proposal() -> None:
    proposal = propose("shopify.catalogue", [catalogue(NOON)], [catalogue(NOON + HOUR, cents=3)])
    assert (proposal.aliases, proposal.gone) == ((), ())


def test_the_newer_revision_of_one_place_holds_and_until_ends_one() -> None:
    def made(revision: int, source: str, until: datetime | None = None) -> Repair:
        return Repair("p", revision, NOON, Alias("/a", source), until)

    both = {"p": [made(2, "/new"), made(1, "/old")]}
    assert [each.source for each in repairs.standing(both, "p", NOON)] == ["/new"]
    assert repairs.revision(both, "p") == 2
    assert repairs.standing(both, "p", NOON - HOUR) == []
    assert repairs.standing({"p": [made(1, "/old", NOON + HOUR)]}, "p", NOON + HOUR) == []


ENTRY = '[[repair]]\npage="p"\nrevision=1\nsince=2026-01-01T00:00:00Z\nread="/a"\nfrom="/b"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[repair]]\npage = 1", "page: expected str, found int"),
        ("[[repair]]\nwhat = 1", "unknown what"),
        ("not toml at all", "Expected"),
        (ENTRY + '\ntimes="x"', "repair 1"),
        (ENTRY.replace("revision=1", "revision=0"), "revision begins with 1"),
        (ENTRY + '\nas="text"', 'only "count"'),
        (ENTRY.replace("2026-01-01T00:00:00Z", '"today"'), "since: expected datetime"),
        (ENTRY.replace('"/a"', '"#a/../"').replace('"/b"', '"b"'), "repair 1"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_says_where_and_why(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "repairs.toml"
    file.write_text(text)
    with pytest.raises(RepairsError, match=r"repairs\.toml") as error:
        repairs.read(file)
    assert said in str(error.value)


def test_paths_are_written_and_read_back_whatever_a_member_is_called() -> None:
    for path in (("", "a/b", "~", "*", "0"), ("#S", "x"), ("#json/0", "y", "*")):
        assert trees.path_of(trees.shown(path)) == path
