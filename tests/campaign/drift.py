"""Real crawls of the living site, which then renames a needed field: told at once, in a notice, on the dashboard, with
a repair that is proved by replay. The 200 changed sites in memory are `python -m benchmarks drift`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import config, rounds
from crawler.config import ROOT
from crawler.storage import server
from crawler.storage.connect import connect
from crawler.storage.drift import Drift
from demo.lane import ADDON
from demo.site import Site, running

RUNS = 5
EVERY = timedelta(hours=6)
DATABASE = "drift_demo"
CRAWLS = (
    ("tiktok_profile", "@coral.cooks,@mega_marina,@kelp_lab,@odd_one,@tide.atlas", "/@"),
    ("shopify_store", "tidewater-goods.example", "/products.json"),
    ("x_trends", "br,us", "/trends/"),
)


def campaign(seed: int) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="tidemark-drift-", ignore_cleanup_errors=True) as folder, running() as site:
        given = {"TIDEMARK_DATA": folder, "MONGODB_DATABASE": DATABASE, "X_BEARER_TOKEN": "many"}
        environ = {**os.environ, **site.proxies(), **given}
        try:
            told = [line for each in CRAWLS for line in _one(site, environ, Path(folder), *each)]
        finally:
            server.stop(Path(folder) / "db")
    return not any("NOT" in line for line in told), "\n".join(told)


def _one(site: Site, environ: Mapping[str, str], folder: Path, spider: str, targets: str, path: str) -> Iterator[str]:
    for _ in range(RUNS):
        said = _crawl(site, environ, spider, targets)
        if "drift: " in said and "too little" not in said:
            yield f"{spider}: NOT quiet on a clean run: {_told(said)}"
    site.faults.add("renamed", path)
    said = _crawl(site, environ, spider, targets)
    yield f"{spider}: {_told(said) or 'NOT told on the first run'}"
    with connect(config.load(environ)) as client:
        kept = Drift(client[DATABASE])
        notices = list(rounds.broken(kept, max((each.last for each in kept.breaks("open")), default=datetime.now(UTC))))
    yield f"  notice: {notices[0].title if notices else 'NOT any'}"
    file = folder / f"{spider}.toml"
    proposed = _scrapy(environ, "drift", "--propose", "-o", str(file), spider)
    yield from (f"  {line}" for line in proposed.stdout.splitlines()[:8])
    if file.exists():
        tried = _scrapy(environ, "replay", "--diff", "--json", "--with", str(file))
        rows = [json.loads(line) for line in tried.stdout.splitlines()]
        yield f"  replay --diff: {len(rows)} stored values of {len({row['capture'] for row in rows})} captures"
        yield f"  {'; '.join(tried.stderr.splitlines()[-1:])}"
    else:
        yield "  NOT repaired"
    site.faults.clear()


def _crawl(site: Site, environ: Mapping[str, str], spider: str, targets: str) -> str:
    site.clock.advance(EVERY)
    done = _scrapy(environ, "crawl", spider, "-a", f"targets={targets}", "-s", f"ADDONS={json.dumps(ADDON)}")
    return done.stderr


def _told(said: str) -> str:
    return " | ".join(line.partition("drift: ")[2][:160] for line in said.splitlines() if "drift: " in line
                      and "too little" not in line and "scrapy drift" not in line)  # fmt: skip


def _scrapy(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments], cwd=ROOT, env=dict(environ), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
