"""`make demo`: the invented sources through the real crawl into a database of their own, and their trends."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from crawler.config import ROOT, load
from demo.world import pages

DATABASE = "tidemark_demo"
START = datetime(2026, 3, 1, tzinfo=UTC)
# The demo never touches the user's own store, whatever is configured.
IGNORED = ("MONGODB_URI", "MONGODB_DATABASE", "DYNO", "ARCHIVE_URL")


def write_pages(folder: Path, days: int, seed: int) -> int:
    """Save the world's pages with a sidecar each; how many."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    n = 0
    for page in pages(START, days, seed):
        (folder / page.name).write_text(page.body, encoding="utf-8")
        meta = {"url": page.url, "observed_at": page.observed_at.isoformat(), "why": "simulated"}
        (folder / f"{page.name}.meta.json").write_text(json.dumps(meta), encoding="utf-8")
        n += 1
    return n


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--days", type=int, default=5, help="simulated days (default 5)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another world")
    options = parser.parse_args()
    for name in IGNORED:
        os.environ.pop(name, None)
    data = load().data_dir
    folder = data / "demo-pages"
    n = write_pages(folder, options.days, options.seed)
    print(f"simulated: {n} pages of {options.days} invented days in {folder}", flush=True)
    steps = (
        ["-m", "scrapy", "replay", str(folder), "--database", DATABASE],
        ["-m", "analysis", "evolution", "--board", "x:trends:br", "--database", DATABASE, "--top", "10"],
        ["-m", "analysis", "evolution", "--entity", "tiktok:profile:coral.cooks", "--database", DATABASE],
    )
    for step in steps:
        print(f"\n$ python {' '.join(step)}", flush=True)
        if (status := subprocess.run([sys.executable, *step], cwd=ROOT, check=False).returncode) != 0:
            return status
    python = os.path.relpath(sys.executable)
    print(
        f"\nAll of this is simulated. The data is in the local MongoDB ({data / 'db'}), database {DATABASE};\n"
        f"its captures are in {data / 'archive' / DATABASE}. Try next:\n"
        f"  {python} -m analysis evolution --board x:trends:br --database {DATABASE} --plot trends.png\n"
        f"  {python} -m analysis evolution --entity shop.example:product:100:1000 --database {DATABASE} -o prices.csv\n"
        f"  {python} -m scrapy doctor\n"
        f"  {python} -m scrapy db stop"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
