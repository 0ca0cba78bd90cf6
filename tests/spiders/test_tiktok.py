"""TikTok crawled whole from the living site: http first, the browser where the page says so; every number is true."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT
from demo.site import Site, running
from demo.world import START, World
from tests.demo.test_browser import WITHOUT
from tests.spiders.living import ADDON, false_numbers, outcomes, posts_of

pytestmark = WITHOUT
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running(World(7), at=START + timedelta(hours=30)) as opened:
        yield opened


@pytest.fixture
def crawl(site: Site, mongo_uri: str, database: Database[dict[str, Any]], tmp_path: Path) -> Iterator[Run]:
    def run(spider: str, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", spider, *more, *ADDON], cwd=ROOT,
            env={
                **os.environ, "MONGODB_URI": mongo_uri, "MONGODB_DATABASE": database.name,
                "TIDEMARK_DATA": str(tmp_path), **site.proxies(), **environ,
            },
            capture_output=True, text=True, timeout=170, check=False,
        )  # fmt: skip

    yield run
    site.faults.clear()
    site.log.clear()


def test_profiles_come_with_all_their_posts_and_every_number_is_true(
    crawl: Run, database: Database[Any], site: Site
) -> None:
    handles = ("tide.atlas", "coral.cooks", "mega_marina", "quiet.cove", "empty.shell", "odd_one", "small.fry")
    done = crawl("tiktok_profile", "-a", f"targets=@nobody.at.all,@{',@'.join(handles)}", "-a", "posts=all")
    assert done.returncode == 0, done.stderr
    stored = {row["_id"].rpartition(":")[2] for row in database["posts"].find()}
    assert stored == set().union(
        *(posts_of(site.world, each, site.clock.now()) for each in handles if each != "quiet.cove")
    )
    assert {row["username"] for row in database["profiles"].find()} == set(handles)
    assert false_numbers(database, site) == []
    assert outcomes(database)["nobody.at.all"] == [("http", "missing")]
    assert outcomes(database)["empty.shell"] == [("http", "ok")]  # no posts, no browser
