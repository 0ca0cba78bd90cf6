"""What a user would take instead, each as its documentation shows it; run by benchmarks/crawl.py, a process each.

`python benchmarks/crawl_others.py NAME html|posts URLS_FILE PROXY BROWSER CONCURRENCY`. Each gets addresses and gives
the number of those from which it got what was wanted: the page's text, or the first list of posts that the page
requests itself. None of them parses, archives or stores anything. Imports nothing of Tidemark, so that it runs in
an environment that holds crawlee alone.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

LIST = "/api/post/item_list/"
FLAGS = ["--blink-settings=imagesEnabled=false", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--renderer-process-limit=2"]  # fmt: skip
UNPAINTED = """{
    const style = new CSSStyleSheet();
    style.replaceSync('html{visibility:hidden!important}');
    document.adoptedStyleSheets = [style];
}"""
"""As our lane: what nobody looks at is not painted."""


def crawlee(task: str, urls: list[str], proxy: str, browser: str, at_once: int, *, ours: bool) -> int:
    """PlaywrightCrawler; ours: with the browser flags, the blocking and the unpainted pages of our lane."""
    from datetime import timedelta

    from crawlee import ConcurrencySettings
    from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext, PlaywrightPreNavCrawlingContext

    got = 0
    heard: dict[int, asyncio.Future[bytes]] = {}
    crawler = PlaywrightCrawler(
        headless=True, browser_type="chromium", max_request_retries=0, request_handler_timeout=timedelta(seconds=60),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=at_once, desired_concurrency=at_once, max_concurrency=at_once
        ),
        browser_launch_options={
            "executable_path": browser, "proxy": {"server": proxy}, "chromium_sandbox": False,
            "args": FLAGS if ours else [],
        },
        browser_new_context_options={"ignore_https_errors": True},
        configure_logging=False,
    )  # fmt: skip

    @crawler.pre_navigation_hook
    async def before(context: PlaywrightPreNavCrawlingContext) -> None:
        if ours:
            await context.block_requests()
            await context.page.add_init_script(UNPAINTED)
        if task == "posts":
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            heard[id(context.page)] = answer

            async def listen(response: Any) -> None:
                if LIST in response.url:
                    body = await response.body()
                    if not answer.done():
                        answer.set_result(body)

            context.page.on("response", listen)

    @crawler.router.default_handler
    async def handle(context: PlaywrightCrawlingContext) -> None:
        nonlocal got
        body = await heard.pop(id(context.page)) if task == "posts" else (await context.page.content()).encode()
        await context.push_data({"url": context.request.url, "bytes": len(body)})
        got += len(body) > 1000

    asyncio.run(_run(crawler, urls))
    return got


async def _run(crawler: Any, urls: list[str]) -> None:
    await crawler.run(urls)


def scrapy_playwright(task: str, urls: list[str], proxy: str, browser: str, at_once: int) -> int:
    """Its default settings; a page each, its download handler, and the event handler that its README shows."""
    import scrapy
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy_playwright.page import PageMethod

    got: list[int] = []

    class Plain(scrapy.Spider):
        name = "plain"

        async def start(self) -> Any:
            for url in urls:
                body: list[bytes] = []

                async def listen(response: Any, body: list[bytes] = body) -> None:
                    if LIST in response.url:
                        body.append(await response.body())

                more: dict[str, Any] = {
                    "playwright_page_event_handlers": {"response": listen},
                    "playwright_page_methods": [PageMethod("wait_for_selector", '[data-e2e="user-post-item"]')],
                }  # fmt: skip
                meta = {"playwright": True, "body": body, **(more if task == "posts" else {})}
                yield scrapy.Request(url, meta=meta, dont_filter=True)

        def parse(self, response: Any) -> None:
            body = response.meta["body"][0] if task == "posts" else response.body
            got.append(len(body))

    handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
    process = AsyncCrawlerProcess(
        {
            "DOWNLOAD_HANDLERS": {"http": handler, "https": handler}, "LOG_LEVEL": "ERROR", "RETRY_ENABLED": False,
            "CONCURRENT_REQUESTS": at_once, "CONCURRENT_REQUESTS_PER_DOMAIN": at_once, "HTTPPROXY_ENABLED": False,
            "PLAYWRIGHT_LAUNCH_OPTIONS": {"executable_path": browser, "proxy": {"server": proxy}},
            "PLAYWRIGHT_CONTEXTS": {"default": {"ignore_https_errors": True}},
        }
    )  # fmt: skip
    process.crawl(Plain)
    process.start()
    return sum(size > 1000 for size in got)


def raw(task: str, urls: list[str], proxy: str, browser: str, at_once: int, *, unpainted: bool = False) -> int:
    """The ceiling: Playwright alone, its pages used again, our browser flags; nothing but the bytes.

    unpainted: a higher one, with our lane's pages that are not painted.
    """
    from playwright.async_api import async_playwright

    async def main() -> int:
        waiting, got = list(urls), 0
        async with async_playwright() as driver:
            opened = await driver.chromium.launch(executable_path=browser, args=FLAGS, proxy={"server": proxy})
            context = await opened.new_context(ignore_https_errors=True)

            async def work() -> None:
                nonlocal got
                page = await context.new_page()
                if unpainted:
                    await page.add_init_script(UNPAINTED)
                while waiting:
                    url = waiting.pop()
                    if task == "posts":
                        async with page.expect_response(lambda response: LIST in response.url) as answer:
                            await page.goto(url, wait_until="commit")
                        body = await (await answer.value).body()
                    else:
                        await page.goto(url)
                        body = (await page.content()).encode()
                    got += len(body) > 1000

            await asyncio.gather(*(work() for _ in range(at_once)))
            await opened.close()
        return got

    return asyncio.run(main())


def main() -> None:
    name, task, file, proxy, browser, at_once = sys.argv[1:]
    urls = Path(file).read_text().split()
    arguments = (task, urls, proxy, browser, int(at_once))
    if name.startswith("crawlee"):
        print(crawlee(*arguments, ours=name == "crawlee_ours"))
    else:
        known = {"scrapy_playwright": scrapy_playwright, "raw": raw, "raw_unpainted": partial(raw, unpainted=True)}
        print(known[name](*arguments))


if __name__ == "__main__":
    main()
