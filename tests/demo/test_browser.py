"""A real browser, through the site as its proxy, fills a grid with the token that the page's script computes."""

from __future__ import annotations

import pytest

from crawler.config import load
from crawler.health import find_browser, why_not

BROWSER = find_browser(load().browser_path)
WITHOUT = pytest.mark.skipif(
    BROWSER is None or why_not(BROWSER) is not None, reason="no browser here; set BROWSER_PATH or install Chromium"
)


@WITHOUT
def test_a_real_browser_scrolls_a_grid_to_its_end_and_sees_it_fail(living_site):
    from playwright.sync_api import sync_playwright

    proxy = {"server": f"http://{living_site.address}"}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"], proxy=proxy)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto("https://www.tiktok.com/@tide.atlas")
        posts = living_site.world.crowd.posts(living_site.world.crowd.creators[0], 0)
        cards = page.locator('[data-e2e="user-post-item"]')
        page.wait_for_selector(f'[data-e2e="user-post-item"]:nth-of-type({min(35, len(posts))})')
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_selector(f'[data-e2e="user-post-item"]:nth-of-type({len(posts)})')
        assert cards.count() == len(posts) > 35
        living_site.faults.add("grid_failed", "/api/post/")
        page.goto("https://www.tiktok.com/@coral.cooks")
        page.wait_for_selector("text=Something went wrong")
        assert cards.count() == 0
        browser.close()
    assert {visit.status for visit in living_site.log} <= {200, 404}
