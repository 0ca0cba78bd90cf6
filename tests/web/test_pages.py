"""What the dashboard promises without a browser: every page in three languages, honest empties, downloads, filters."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from starlette.testclient import TestClient

from analysis.web import figures
from analysis.web.app import create_app
from analysis.web.buckets import Buckets
from analysis.web.guard import Guard
from analysis.web.words import LANGUAGES, Words, catalogue
from crawler.config import load
from crawler.items import Board, BoardEntry, Offer
from crawler.storage.store import Store
from crawler.storage.web_reads import Pages
from tests.web import world
from tests.web.world import BOARD, NASTY

ASKED = {"/topic": {"board": BOARD, "topic": "marealta"}}
PATHS = [page.path for page in figures.PAGES]
SPEC = re.compile(r'<script type="application/json" id="([\w]+)-spec">(.*?)</script>', re.S)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", [*PATHS, "/api"])
def test_every_page_speaks_three_languages_and_every_chart_has_table_csv_and_png(
    web: TestClient, path: str, language: str
) -> None:
    answer = web.get(path, params={**ASKED.get(path, {}), "lang": language})
    assert answer.status_code == 200, answer.text[:300]
    assert f'<html lang="{language}">' in answer.text
    for name, spec in SPEC.findall(answer.text):
        assert json.loads(spec)["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
        assert f"/charts/{name}.csv" in answer.text and f"/charts/{name}.png" in answer.text
        assert f'id="{name}-title"' in answer.text


def test_the_languages_say_the_same_things() -> None:
    def named(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, texts in catalogue().items():
        assert set(texts) == set(LANGUAGES), key
        assert len({frozenset(named(text)) for text in texts.values()}) == 1, key
        assert all(text.strip() for text in texts.values()), key


def test_every_word_of_the_catalogue_is_used_and_every_used_word_is_there() -> None:
    root = Path(figures.__file__).parent
    text = "\n".join(path.read_text() for path in [*root.glob("*.py"), *root.glob("templates/*.html")])
    text += "\n".join(path.read_text() for path in (root.parent / "report").glob("*.*") if path.is_file())
    made = ("page_", "lead_", "phase_", "media_", "quadrant_", "verdict_", "modality_", "state_", "group_", "event_",
            "break_")  # fmt: skip
    data = {"negative", "neutral", "positive", "likes", "comments", "shares", "saves"}  # named by what is found
    unused = [key for key in catalogue() if key not in data and f'"{key}"' not in text and f"'{key}'" not in text
              and not key.startswith(made) and not key.endswith(("_title", "_missing", "_says"))]  # fmt: skip
    assert unused == []
    for key in re.findall(r'\bsay\(\s*["\'](\w+)["\'][,)]', text):
        assert key in catalogue(), key


@pytest.mark.parametrize("name", figures.FIGURES)
def test_every_figure_says_what_it_shows_or_what_is_missing(web: TestClient, site: Any, name: str) -> None:
    from analysis.web.filters import Filters
    from analysis.web.pages import made

    found = made(site, Words("en"), Filters(board=BOARD, topic="marealta"), name)
    assert found.title
    if found.missing:
        assert len(found.missing) > 30 and found.chart is None
        return
    assert len(found.says) > 15 and len(found.table.columns) >= 2 and len(found.table)
    asked = {"board": BOARD, "topic": "marealta"}
    table = web.get(f"/charts/{name}.csv", params=asked)
    rows = list(csv.reader(io.StringIO(table.text)))
    assert (table.status_code, len(rows) - 1) == (200, len(found.table))
    spec = web.get(f"/charts/{name}.json", params=asked)
    assert spec.status_code == (200 if found.chart is not None else 404)


def test_a_chart_comes_as_a_picture(web: TestClient) -> None:
    answer = web.get("/charts/topic_volume.png", params=ASKED["/topic"])
    assert (answer.headers["content-type"], answer.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")


def test_an_empty_database_says_on_every_page_what_is_missing_and_how_it_fills(
    database: Database[Any], tmp_path: Path
) -> None:
    store = Store(database)
    store.prepare()
    store.close()
    with TestClient(create_app(world.site_of(database, tmp_path), per_s=0)) as web:
        for path in PATHS:
            answer = web.get(path, headers={"accept": "text/html"})
            assert answer.status_code == (404 if path == "/topic" else 200), path
            if path not in ("/topic", "/health"):
                assert "Nothing to show yet" in answer.text
                assert re.search("make demo|scrapy |python -m analysis|docs/", answer.text), path


def test_a_list_known_by_its_day_only_shows_what_is_known_and_no_hour(database: Database[Any], tmp_path: Path) -> None:
    store = Store(database)
    store.prepare()
    seen: dict[str, Any] = {
        "platform": "x", "url": "https://x.example", "parser": "x.trends_by_woeid@1", "capture": "d" * 32,
        "board": BOARD, "at": world.START, "observed_at": world.START, "at_precision": "day",
    }  # fmt: skip
    rows = [BoardEntry(position=n, topic=f"Day {n}", topic_key=f"day{n}", volume_floor=10_000, **seen) for n in (1, 2)]
    offer = Offer(
        product="s.example:product:1",
        price=Decimal(9),
        currency="EUR",
        **{name: seen[name] for name in ("platform", "url", "parser", "capture", "observed_at", "at_precision")},
    )
    store.save([Board(place="br", source="x", size=2, got=2, **seen), *rows, offer])
    store.close()
    with TestClient(create_app(world.site_of(database, tmp_path), per_s=0)) as web:
        first = web.get("/", headers={"accept": "text/html"}).text
        topic = web.get("/topic", params={"board": BOARD, "topic": "day1"}, headers={"accept": "text/html"})
        products = web.get("/products", headers={"accept": "text/html"}).text
    assert "Its moments are known by their day only" in first and "1 min" not in first
    assert topic.status_code == 200 and "No number was shown in 1 sightings" in topic.text
    assert "1 prices were captured, known by their day only" in products


def test_a_forecast_that_nobody_learnt_says_what_there_is_and_when_it_will_do(web: TestClient) -> None:
    said = web.get("/", headers={"accept": "text/html"}).text
    assert "There are 25 snapshots over 29 h; if it goes on being taken, about 2026-03-22." in said


def test_filters_live_in_the_address_and_a_wrong_one_is_said_not_obeyed(web: TestClient) -> None:
    page = web.get("/posts", params={"media": "video", "top": "5", "since": "2026-03-01", "min_engagement": "10"}).text
    assert '<option value="video" selected>' in page and 'name="since" value="2026-03-01"' in page
    assert "/charts/top_posts.csv?media=video&amp;since=2026-03-01&amp;top=5&amp;min_engagement=10" in page
    odd = web.get("/posts", params={"top": "9999", "since": "soon", "media": "<b>"}).text
    assert "Left out, because it cannot be used: media, since, top." in odd
    nobody = web.get("/posts", params={"min_engagement": "999999999"}).text
    assert "No post passes these filters" in nobody


def test_hostile_text_stays_text_on_every_page(web: TestClient) -> None:
    for path in PATHS:
        page = web.get(path, params=ASKED.get(path, {})).text
        for script in re.findall(r"<script[^>]*>", page):
            assert re.search(r'src="/static/\w+\.js"|type="application/json"', script), (path, script)
        assert "<img src=x" not in page and 'onerror="' not in page and "\u202e" not in page
        assert 'href="javascript' not in page and "49" not in re.findall(r"\{\{7\*7\}\}|(?<=>)49(?=<)", page)
    for each in NASTY:
        for name in ("topic", "board", "place", "category"):
            answer = web.get("/topic" if name == "topic" else "/posts", params={name: each},
                             headers={"accept": "text/html"})  # fmt: skip
            assert answer.status_code in (200, 404) and each not in answer.text.replace("' or 1=1 --", "")[:0] + (
                answer.text if "<" in each else "")  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/static/../pages.py", "/static/%2e%2e%2fpages.py", "/charts/../../etc/passwd", "/charts/positions.py",
             "/static/words.toml", "/charts/.png"],
)  # fmt: skip
def test_no_address_becomes_a_path(web: TestClient, path: str) -> None:
    assert web.get(path).status_code == 404


def test_ten_megabytes_of_parameters_are_refused_before_anything_reads_them() -> None:
    sent: list[Any] = []

    async def never(*_: Any) -> None:
        raise AssertionError("reached the application")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "raw_path": b"/api/posts", "query_string": b"author=" + b"a" * 10_000_000, "headers": []}
    asyncio.run(Guard(never, None, Buckets(0, 0))(scope, never, send))
    assert sent[0]["status"] == 414 and json.loads(sent[1]["body"])["error"]["code"] == "too_long"


def test_every_answer_forbids_what_no_page_needs(web: TestClient) -> None:
    for path in ("/", "/api/posts", "/static/page.js", "/nothing"):
        policy = web.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert web.get(path).headers["x-content-type-options"] == "nosniff"


def test_without_a_token_only_this_machine_is_answered_and_with_one_only_who_shows_it(site: Any) -> None:
    with TestClient(create_app(site), base_url="http://rebound.example") as web:
        assert web.get("/").status_code == 403
    with TestClient(create_app(site, token="s3cret"), base_url="http://anywhere.example") as web:
        assert web.get("/").status_code == web.get("/", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert web.get("/", headers={"Authorization": "Bearer s3cret"}).status_code == 200
        assert web.get("/api/posts", auth=("anyone", "s3cret")).status_code == 200
        assert web.get("/api/posts", headers={"Authorization": "Basic %%%"}).status_code == 401


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    now = [0.0]
    buckets = Buckets(per_s=2, burst=3, clock_s=lambda: now[0])
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b") == 0
    now[0] = 0.5
    assert (buckets.wait_s("a"), buckets.wait_s("a")) == (0, 0.5)


def test_the_door_stays_shut_without_a_token() -> None:
    from analysis.web.__main__ import refuse_open_doors
    from crawler.config import ConfigError

    config = load({})
    for host in ("127.0.0.1", "localhost", "::1"):
        refuse_open_doors(host, config)
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        with pytest.raises(ConfigError, match="API_TOKEN"):
            refuse_open_doors(host, config)
    refuse_open_doors("0.0.0.0", load({"API_TOKEN": "x"}))


def test_a_fault_of_ours_is_a_plain_page_and_a_plain_error(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "page", lambda *_: 1 / 0)
    with TestClient(create_app(site, per_s=0), raise_server_exceptions=False) as web:
        answer = web.get("/api/comments")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_cursor")
    monkeypatch.setattr(site.views, "newest", lambda *_: {}["no"])
    with TestClient(create_app(site, per_s=0), raise_server_exceptions=False) as web:
        answer = web.get("/?board=x", headers={"accept": "text/html"})
        assert answer.status_code == 500 and "a fault of ours" in answer.text and "Traceback" not in answer.text


def test_a_database_that_went_away_is_said_plainly(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from crawler.storage.errors import StorageAway

    def gone(*_: Any) -> None:
        raise StorageAway("boards: the database went away (AutoReconnect); try: scrapy doctor")

    monkeypatch.setattr(site.views, "newest", gone)
    with TestClient(create_app(site, per_s=0)) as web:
        answer = web.get("/?board=other", headers={"accept": "text/html"})
        assert (answer.status_code, "scrapy doctor" in answer.text) == (503, True)
