"""What the API promises: one shape, pages that neither repeat nor skip, whole lists, evidence, plain errors."""

from __future__ import annotations

import csv
import io
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from starlette.testclient import TestClient

from analysis.web.app import create_app
from analysis.web.lists import LISTS
from analysis.web.site import Kept, Site
from tests.web import world
from tests.web.world import BOARD, NASTY, START

NEEDED = {"entries": {"board": BOARD}, "snapshots": {"board": BOARD}, "observations": {"kind": "offer"}}
LONG = "?board=x%3Atrends%3Abr"


def walked(web: TestClient, name: str, limit: int, **asked: Any) -> list[dict[str, Any]]:
    """A list page by page."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {**NEEDED.get(name, {}), **asked, "limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = web.get(f"/api/{name}", params=given)
        assert answer.status_code == 200, answer.text
        page = answer.json()["page"]
        assert page["returned"] == len(answer.json()["data"]) <= limit
        rows += answer.json()["data"]
        cursor = page["next"]
        if cursor is None:
            return rows


@pytest.mark.parametrize("name", LISTS)
def test_every_list_in_every_order_gives_each_row_once_whatever_the_page(web: TestClient, site: Site, name: str):
    listing = LISTS[name]
    for order in listing.orders:
        whole = walked(web, name, 500, sort=order)
        for limit in (1, 7) if len(whole) < 60 else (7, 50):
            paged = walked(web, name, limit, sort=order)
            assert [row["key"] for row in paged] == [row["key"] for row in whole], (name, order, limit)
        assert len({row["key"] for row in whole}) == len(whole)
        field = order.removeprefix("-")
        values = [row[field] for row in whole if row.get(field) is not None]
        if not any(isinstance(value, str) and value[:1].isdigit() is False for value in values):
            exact = [float(value) if field == "price" else value for value in values]
            assert exact == sorted(exact, reverse=order.startswith("-")), (name, order)


def test_rows_that_arrive_between_two_pages_neither_repeat_nor_hide_others(
    database: Database[Any], tmp_path: Path
) -> None:
    site = world.filled(database, tmp_path)
    with TestClient(create_app(site)) as web:
        first = web.get("/api/posts", params={"limit": 10, "sort": "-views"}).json()
        newer = {**database["posts"].find_one({"_id": "tiktok:post:3"}), "_id": "tiktok:post:new", "views": 10**6}
        database["posts"].insert_one(newer, bypass_document_validation=True)
        rows = list(first["data"])
        cursor = first["page"]["next"]
        while cursor:
            answer = web.get("/api/posts", params={"limit": 10, "sort": "-views", "cursor": cursor}).json()
            rows += answer["data"]
            cursor = answer["page"]["next"]
    keys = [row["key"] for row in rows]
    assert len(keys) == len(set(keys)) == 40


def test_filters_narrow_and_a_day_alone_is_meant_whole(web: TestClient):
    rows = walked(web, "posts", 50, author="maker3")
    assert {row["author"] for row in rows} == {"maker3"}
    assert len(walked(web, "posts", 50, until="2026-03-01")) == 24
    assert {row["views"] for row in walked(web, "posts", 50, min_views=9000)} == {9000, 10_000}
    assert all(row["promoted"] for row in walked(web, "entries", 50, promoted="true"))
    assert [row["price"] for row in walked(web, "offers", 50, max_price=9)] == ["8.5"]


def test_a_list_that_came_whole_is_the_list_that_came_in_pages(web: TestClient):
    paged = walked(web, "entries", 50, sort="at")
    lines = web.get("/api/entries", params={"board": BOARD, "sort": "at", "format": "jsonl"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["key"] for line in lines.text.splitlines()] == [row["key"] for row in paged]
    table = web.get("/api/entries", params={"board": BOARD, "sort": "at", "format": "csv"})
    assert 'filename="tidemark-entries.csv"' in table.headers["content-disposition"]
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["key"] for row in read] == [row["key"] for row in paged]
    assert set(read[0]) == set(LISTS["entries"].columns)


@pytest.mark.parametrize("name", LISTS)
def test_no_cell_of_a_download_runs_in_a_spreadsheet(web: TestClient, name: str):
    table = web.get(f"/api/{name}", params={**NEEDED.get(name, {}), "format": "csv"})
    assert table.status_code == 200
    cells = [cell for row in csv.reader(io.StringIO(table.text)) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "@", "-")) and len(cell) > 12]


def test_a_simulated_database_marks_every_row(site: Site, database: Database[Any], tmp_path: Path):
    world.filled(database, tmp_path)
    with TestClient(create_app(world.site_of(database, tmp_path, simulated=True))) as web:
        table = web.get("/api/creators?format=csv")
        assert "simulated." in table.headers["content-disposition"]
        assert {row["simulated"] for row in csv.DictReader(io.StringIO(table.text))} == {"true"}
        assert web.get("/api/creators").json()["about"]["simulated"] is True


def test_an_answer_that_did_not_change_is_304(web: TestClient):
    first = web.get("/api/posts")
    again = web.get("/api/posts", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert web.get("/api/posts?limit=3", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "code", "parameter"),
    [
        ("/api/posts?author[$ne]=x", 400, "unknown_parameter", "author[$ne]"),
        ("/api/posts?$where=sleep(1)", 400, "unknown_parameter", "$where"),
        ("/api/entries", 400, "needs_parameter", "board"),
        ("/api/posts?limit=0", 400, "bad_parameter", "limit"),
        ("/api/posts?limit=501", 400, "bad_parameter", "limit"),
        ("/api/posts?since=yesterday", 400, "bad_parameter", "since"),
        ("/api/posts?until=9999-12-31", 400, "bad_parameter", "until"),
        ("/api/posts?min_views=99999999999999999999", 400, "bad_parameter", "min_views"),
        ("/api/posts?sort=password", 400, "bad_parameter", "sort"),
        ("/api/posts?cursor=AAAA", 400, "bad_cursor", "cursor"),
        ("/api/topics?board=x:trends:zz", 404, "not_found", None),
        ("/api/topic?board=x:trends:br&topic=nobody", 404, "not_found", None),
        ("/api/evolution?entity=tiktok:profile:nobody", 404, "not_found", None),
        ("/api/growth?kind=profile&counter=password", 400, "bad_parameter", "counter"),
        ("/api/explain?list=entries&key=nothing&field=volume", 404, "not_found", "key"),
        ("/api/explain?list=admin&key=nothing&field=volume", 400, "bad_parameter", "list"),
        ("/api/explain?list=runs&key=run1&field=spider", 400, "bad_parameter", "list"),
        ("/api/nothing", 404, "not_found", None),
        ("/api/../../etc/passwd", 404, "not_found", None),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why_in_one_shape(
    web: TestClient, address: str, status: int, code: str, parameter: str | None
):
    answer = web.get(address)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)
    error = answer.json()["error"]
    assert (error["code"], error["parameter"]) == (code, parameter)
    assert len(error["message"]) > 10


def test_a_cursor_fits_only_the_question_it_was_given_for(web: TestClient):
    cursor = web.get("/api/posts?limit=5").json()["page"]["next"]
    assert web.get("/api/posts", params={"limit": 5, "cursor": cursor}).status_code == 200
    for other in ({"author": "maker1"}, {"sort": "-views"}):
        assert web.get("/api/posts", params={"cursor": cursor, **other}).json()["error"]["code"] == "bad_cursor"
    assert web.get("/api/creators", params={"cursor": cursor}).json()["error"]["code"] == "bad_cursor"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(web: TestClient, method: str):
    answer = web.request(method, "/api/posts")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "read_only")


def test_the_top_of_a_board_says_what_rises_since_when_and_what_nobody_knows(web: TestClient):
    found = web.get("/api/top", params={"place": "br"}).json()["data"]
    assert (found["board"], found["place_name"], found["snapshots_48h"]) == (BOARD, "Brazil", 25)
    first = found["topics"][0]
    assert (first["topic"], first["position"], first["moved"], first["phase"]) == ("Maré Alta", 1, 0, "peak")
    # Nobody looked for six hours, so the stay may be older than it can be shown to be.
    assert (first["since"], first["since_at_least"]) == ("2026-03-01T16:00:00Z", True)
    assert first["first_seen"] == "2026-03-01T00:00:00Z"
    assert found["forecast"] is False and first["probability"] is None
    hidden = next(row for row in found["topics"] if row["topic"] == "Sem Número")
    assert hidden["volume"] is None
    earlier = web.get("/api/top", params={"place": "br", "until": "2026-03-01T03:00Z"}).json()["data"]
    assert earlier["at"] == "2026-03-01T02:00:00Z"


def test_topics_and_one_topic_carry_evolution_phases_and_every_sighting(web: TestClient):
    rows = web.get("/api/topics", params={"board": BOARD, "text": "maré"}).json()["data"]
    assert [row["topic"] for row in rows] == ["Maré Alta"]
    found = web.get("/api/topic", params={"board": BOARD, "topic": "marealta"}).json()["data"]
    assert found["evolution"]["snapshots"] == 25 == len(found["sightings"])
    assert found["phases"][0]["phase"] in ("rising", "steady", "peak")


def test_every_number_leads_to_its_capture_and_place_and_can_be_computed_again(web: TestClient):
    row = web.get("/api/entries", params={"board": BOARD, "topic_key": "marealta", "limit": 1}).json()["data"][0]
    asked = {"list": "entries", "key": row["key"], "field": "volume"}
    found = web.get("/api/explain", params=asked).json()["data"]
    assert found["value"] == row["volume"] and found["archived"] is True
    assert found["places"][0] == {"path": "$.data[0].tweet_count", "shown": str(row["volume"])}
    assert (found["outcome"], found["lane"], found["vantage"]) == ("ok", "api", {"session": "api"})
    again = web.get("/api/verify", params=asked).json()["data"]
    assert (again["agrees"], again["recomputed"]) == (True, row["volume"])


def test_a_stored_number_that_its_page_does_not_show_is_found_out(database: Database[Any], tmp_path: Path):
    site = world.filled(database, tmp_path)
    key = f"{BOARD}@20260301T000000Z#1"
    database["board_entries"].update_one({"_id": key}, {"$inc": {"volume": 1}}, bypass_document_validation=True)
    with TestClient(create_app(site)) as web:
        asked = {"list": "entries", "key": key, "field": "volume"}
        found = web.get("/api/verify", params=asked).json()["data"]
        assert (found["agrees"], found["stored"] - found["recomputed"]) == (False, 1)
        # A capture that nobody has says so instead of guessing.
        asked = {"list": "posts", "key": "tiktok:post:1", "field": "views"}
        found = web.get("/api/verify", params=asked).json()["data"]
        assert found["agrees"] is None and "not in the archive" in found["why"]


def test_an_older_value_of_a_field_is_explained_by_its_own_capture(database: Database[Any], tmp_path: Path):
    from crawler.items import Profile
    from crawler.storage.store import Store

    site = world.filled(database, tmp_path)
    common: dict[str, Any] = {
        "platform": "tiktok",
        "url": "https://t/@w",
        "parser": "tiktok.profile@2",
        "username": "w",
    }
    store = Store(database)
    store.save([
        Profile(observed_at=START, capture="old", followers=5, bio="sea", **common),
        Profile(observed_at=START + timedelta(hours=1), capture="new", followers=6, **common),
    ])  # fmt: skip
    store.close()
    with TestClient(create_app(site)) as web:

        def capture(field: str) -> str:
            asked = {"list": "creators", "key": "tiktok:profile:w", "field": field}
            return str(web.get("/api/explain", params=asked).json()["data"]["capture"])

        assert (capture("followers"), capture("bio")) == ("new", "old")


def test_coverage_tells_walls_from_answers_and_names_bad_runs(web: TestClient):
    found = web.get("/api/coverage").json()["data"]
    source = next(each for each in found["sources"] if each["spider"] == "x_trends")
    assert source["outcomes"] == {"ok": 25, "blocked": 4}
    assert (source["answered"], source["fetches"]) == (25, 29)
    assert source["low"] < 25 / 29 < source["high"]
    assert found["poor_runs"][0]["spider"] == "x_trends"


def test_the_openapi_names_every_list_filter_and_error(web: TestClient):
    schema = web.get("/api/openapi.json").json()
    for name, listing in LISTS.items():
        operation = schema["paths"][f"/api/{name}"]["get"]
        named = {each["name"] for each in operation["parameters"]}
        assert named == {*listing.filters, "since", "until", "sort", "limit", "cursor", "format"}
        assert {"200", "304", "400", "429", "503"} <= set(operation["responses"])
        assert all(each.get("description") for each in operation["parameters"])
    assert "422" not in json.dumps(schema["paths"])


def test_an_answer_is_made_once_until_its_data_moves() -> None:
    made: list[int] = []
    time = [0.0]
    kept = Kept(clock_s=lambda: time[0], most=2)

    def make() -> int:
        made.append(1)
        return len(made)

    assert [kept.get("a", mark, make) for mark in (1, 1, 2, 2)] == [1, 1, 2, 2]
    time[0] = 61.0
    assert kept.get("a", 2, make) == 3
    kept.get("b", 1, make), kept.get("c", 1, make)
    assert kept.get("a", 2, make) == 6  # forgotten, to stay small


def test_no_hostile_text_of_an_error_reaches_the_message(web: TestClient):
    answer = web.get("/api/topics", params={"board": NASTY[8]})
    assert "\u202e" not in answer.text and "\x1b" not in answer.text


def test_who_cannot_wait_is_told_so_and_finds_it_made_later() -> None:
    kept, gate = Kept(), threading.Event()

    def make() -> int:
        assert gate.wait(20)
        return 7

    assert kept.soon("a", 1, make, 0.01, 60) is None
    gate.set()
    assert kept.soon("a", 1, make, 20, 60) == 7
    assert kept.soon("a", 1, lambda: 8, 20, 60) == 7
    assert kept.soon("a", 2, lambda: 8, 20, 60) == 8
