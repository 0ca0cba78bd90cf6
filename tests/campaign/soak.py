"""2,000 profiles in the browser in one run: memory of crawl and browser, pages open, processes left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from crawler.config import ROOT
from crawler.lanes import processes
from crawler.storage import server
from demo.world import names
from tests.spiders.living import ADDON, living

HANDLES = tuple(each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell"))
EVERY_S = 2.0


@dataclass
class Report:
    visits: int = 0
    good: int = 0
    seconds: float = 0.0
    memory_mb: list[int] = field(default_factory=list)
    """PSS of the crawl and its browser, every two seconds."""
    stats: dict[str, int] = field(default_factory=dict)
    left: int = 0
    problem: str = ""

    def tenths(self) -> list[int]:
        """The greatest of each tenth of the run."""
        n = max(1, len(self.memory_mb) // 10)
        return [max(self.memory_mb[at : at + n]) for at in range(0, len(self.memory_mb), n)]

    def __str__(self) -> str:
        return "\n".join([
            f"{self.good} of {self.visits} visits in {self.seconds:.0f} s; {self.stats}",
            f"memory of crawl and browser, MB, the most in each tenth of the run: {self.tenths()}",
            f"{self.left} processes left behind", *([self.problem] if self.problem else []),
        ])  # fmt: skip


def campaign(seed: int) -> tuple[bool, Report]:
    report = run(2000, at_once=1)
    return not report.problem and report.good == report.visits and max(report.memory_mb) < 512, report


def run(visits: int, at_once: int, *more: str) -> Report:
    report = Report(visits)
    with tempfile.TemporaryDirectory(prefix="tidemark-soak-", ignore_cleanup_errors=True) as folder, living() as site:
        targets = ",".join(f"{HANDLES[i % len(HANDLES)]}~{i}" for i in range(visits))
        command = [
            sys.executable, "-m", "scrapy", "crawl", "benchmark_profile", "-a", f"targets={targets}", "-a", "posts=30",
            *ADDON, "-s", "SPIDER_MODULES=spiders,benchmarks.crawl_spiders", "-s", f"SIMULATED_AT_ONCE={at_once}",
            "-s", "STATS_DUMP=1", "-L", "INFO", *more,
        ]  # fmt: skip
        environ = {**os.environ, "MONGODB_URI": "", "MONGODB_DATABASE": "soak", "TIDEMARK_DATA": folder}
        environ |= site.proxies()
        server.ensure(Path(folder) / "db")
        try:
            with tempfile.TemporaryFile("w+") as told:
                began_s = time.monotonic()
                process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told, stderr=told, text=True)
                family: set[int] = set()
                while process.poll() is None:
                    now = [process.pid, *processes.descendants(process.pid)]
                    family.update(now)
                    report.memory_mb.append(processes.memory_bytes(now) // 1_000_000)
                    time.sleep(EVERY_S)
                report.seconds = time.monotonic() - began_s
                told.seek(0)
                said = told.read()
            report.left = sum(1 for pid in family if processes.started(pid))
            report.stats = {name: int(n) for name, n in re.findall(r"'(browser/[\w]+)': (\d+)", said)}
            found = re.search(r"pages: (\d+) pages.*?(\d+) ok", said)
            report.good = int(found[2]) // 2 if found else 0  # each by http and by its list
            left_open = report.stats.get("browser/visits", 0) != report.visits
            if process.returncode or report.left or left_open:
                report.problem = f"exit status {process.returncode}: {said[-1500:]}"
        finally:
            server.stop(Path(folder) / "db")
    return report
