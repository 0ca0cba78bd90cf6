"""`make demo` without make: every source over a simulated day, its own database, and no false number."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from crawler.config import ROOT
from crawler.storage import server
from demo import story


def test_a_day_of_the_demo_asks_every_source_and_stores_only_what_is_true(tmp_path):
    environ = {
        **os.environ, "TIDEMARK_DATA": str(tmp_path), "MONGODB_URI": "mongodb://never.example", "DYNO": "web.1",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--days", "1", "--seed", "11"],
            cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    finally:
        server.stop(tmp_path / "db")
    assert done.returncode == 0, done.stderr + done.stdout
    told = dict(re.findall(r"^(\w+) +\d+ +(\d+) ", done.stdout, re.M))
    assert set(told) == {source.spider for source in story.SOURCES}
    assert "0" not in told.values()
    compared = re.search(r"([\d,]+) stored numbers compared with the truth, 0 false", done.stdout)
    assert int(compared[1].replace(",", "")) > 1500
    assert "x:trends:br: 8 snapshots" in done.stdout
    assert "(simulated)" in done.stdout
