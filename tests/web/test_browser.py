"""The dashboard in a real headless Chromium: offline, silent console, accessible, downloads, filters, hostile text."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from pymongo import MongoClient

from analysis.web import figures
from analysis.web.app import create_app
from analysis.web.site import Site
from crawler.config import ROOT, load
from crawler.health import find_browser
from tests.shell import Shell
from tests.web import world

CHROMIUM = find_browser(load().browser_path)
CAPTURES = load().shared_dir / "captures"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; see: scrapy doctor")
REPLAYED = ("trends/getdaytrends", "trends/twitter_brazil", "tiktok/profile", "tiktok/hashtag", "store/blume")
STORY = (
    "from demo import story; from demo.site import running; from demo.world import World; import os\n"
    "with running(World(7)) as site:\n"
    "    os.environ.update(site.proxies() | story.KEYS)\n"
    "    story.run(site, 1, os.environ['MONGODB_DATABASE'])\n"
)
PATHS = [page.path for page in figures.PAGES if page.listed]
SHOWN = "body[data-ready]"


@contextmanager
def served(site: Site) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(site, per_s=0), port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def hostile(site: Site) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def demo(
    client: MongoClient[dict[str, Any]], mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """What `make demo` fills, one of its days."""
    folder = tmp_path_factory.mktemp("demo")
    name = "test_web_demo"
    environ = {**os.environ, "MONGODB_URI": mongo_uri, "MONGODB_DATABASE": name, "TIDEMARK_DATA": str(folder)}
    subprocess.run([sys.executable, "-c", STORY], cwd=ROOT, env=environ, check=True, capture_output=True, timeout=300)
    with served(world.site_of(client[name], folder, simulated=True)) as address:
        yield address
    client.drop_database(name)


@pytest.fixture(scope="module")
def captured(
    client: MongoClient[dict[str, Any]], mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Real captures, replayed as a user would."""
    if not CAPTURES.exists():
        pytest.skip(f"the real captures are not at {CAPTURES}")
    folder = tmp_path_factory.mktemp("captured")
    name = "test_web_captured"
    shell = Shell(mongo_uri, name, folder)
    paths = [str(CAPTURES / each) for each in REPLAYED if (CAPTURES / each).exists()]
    shell("replay", *paths, "--observed-at", "2026-03-01", "--place", "br")
    assert client[name]["posts"].estimated_document_count() > 50
    with served(world.site_of(client[name], folder)) as address:
        yield address
    client.drop_database(name)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page that fails the test on an outside request, an error in the console or a dialog."""
    contexts, troubles = [], []

    def go(address: str, **options: Any) -> Page:
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        home = "/".join(address.split("/")[:3])
        page.on("console", lambda said: said.type in ("error", "warning") and troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda asked: asked.url.startswith((home, "data:", "blob:")) or troubles.append(asked.url))
        page.goto(address)
        page.wait_for_selector(SHOWN, timeout=60_000)
        return page

    yield go
    for context in contexts:
        context.close()
    assert troubles == []


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical, as rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]}" for each in found if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]  # fmt: skip


def charts_drawn(page: Page) -> bool:
    boxes, drawn = page.locator(".chart[data-spec]").count(), page.locator(".chart[data-drawn] svg.marks").count()
    return boxes == drawn


@pytest.mark.parametrize("path", PATHS)
def test_every_page_of_the_demo_loads_offline_draws_all_its_charts_and_is_accessible(
    demo: str, opened: Callable[..., Page], path: str
) -> None:
    page = opened(demo + path)
    assert charts_drawn(page)
    assert "Simulated data" in page.inner_text("body")
    assert serious(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_every_page_of_the_real_captures_loads_in_the_dark_on_a_phone(
    captured: str, opened: Callable[..., Page], path: str
) -> None:
    page = opened(f"{captured}{path}?lang=pt", viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert charts_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []


def test_a_topic_of_a_replayed_list_opens_on_a_phone(captured: str, opened: Callable[..., Page]) -> None:
    page = opened(f"{captured}/", viewport={"width": 390, "height": 844})
    page.locator("table.ranks th a").first.click()
    page.wait_for_url("**/topic?**")
    page.wait_for_selector(SHOWN)
    assert charts_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page) == []


@pytest.mark.parametrize("path", [*PATHS, "/topic?board=x:trends:br&topic=marealta", "/api"])
def test_hostile_text_runs_nowhere(hostile: str, opened: Callable[..., Page], path: str) -> None:
    page = opened(hostile + path)
    assert page.title() != "owned" and page.title().endswith("Tidemark")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.title() != "owned"
    links = page.eval_on_selector_all("a[href]", "all => all.map(each => each.protocol)")
    assert set(links) <= {"http:"}


def test_what_rises_leads_to_its_topic_and_each_point_to_its_evidence(
    hostile: str, opened: Callable[..., Page]
) -> None:
    page = opened(hostile + "/")
    page.get_by_role("link", name="Maré Alta", exact=True).last.click()
    page.wait_for_selector(SHOWN)
    assert page.inner_text("h1") == "Maré Alta"
    assert serious(page) == []
    page.locator("#topic_volume .mark-symbol path").last.click()
    page.wait_for_selector(".verdict.good")
    assert "$.data[0].tweet_count" in page.inner_text("main")
    assert serious(page) == []


def test_filters_live_in_the_address_and_downloads_bring_what_is_shown(
    hostile: str, opened: Callable[..., Page], tmp_path: Path
) -> None:
    page = opened(hostile + "/posts")
    page.fill("input[name=top]", "3")
    page.select_option("select[name=media]", "video")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**top=3**")
    page.wait_for_selector(SHOWN)
    assert "media=video" in page.url and "Top 3 posts" in page.inner_text("#top_posts")
    brought = {}
    for kind in ("CSV", "PNG"):
        with page.expect_download() as waited:
            page.locator("#top_posts").get_by_role("link", name=kind).click()
        brought[kind] = Path(waited.value.path()).read_bytes()
    assert len(brought["CSV"].decode().splitlines()) == 4
    assert brought["PNG"].startswith(b"\x89PNG")
    page.get_by_role("link", name="Clear").click()
    page.wait_for_selector(SHOWN)
    assert "?" not in page.url


def test_it_works_by_keyboard_and_remembers_light_or_dark(hostile: str, opened: Callable[..., Page]) -> None:
    page = opened(hostile + "/health")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").press("Enter")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.reload()
    page.wait_for_selector(SHOWN)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after
    assert serious(page) == []


def test_without_javascript_every_chart_is_a_picture(hostile: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(hostile + "/products")
    pictures = page.locator(".chart img")
    assert pictures.count() == page.locator(".chart").count() > 0
    context.close()
