"""kill -9 of a TikTok crawl at random points, and the same command again until it comes to its end.

Nothing may be lost, no number false, no post be fetched twice but those of the profile that was open in the browser.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from pymongo import MongoClient

from crawler.config import ROOT
from crawler.lanes import processes
from crawler.storage import server
from demo.site import Site
from demo.world import names
from tests.spiders.living import ADDON, false_numbers, living, posts_of

DATABASE = "tidemark_resumes"
PROFILES = tuple(each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell"))
LONGEST_S = 120.0


@dataclass
class Report:
    kills: int = 0
    runs: int = 0
    posts: int = 0
    twice: int = 0
    """Lists that were asked for more than once: of profiles that were open when the crawl was killed."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.kills} kills, {self.runs} runs; {self.posts} posts; {self.twice} profiles opened again, "
             "each the one that was open at a kill", *(self.wrong or ["0 lost, 0 false, 0 others fetched twice"])]
        )  # fmt: skip


def campaign(seed: int) -> tuple[bool, Report]:
    report = run(20, seed, PROFILES, most_requests=8)  # killed later, the crawl is over before the last
    return not report.wrong and report.kills == 20, report


def run(kills: int, seed: int, profiles: tuple[str, ...], most_requests: int = 11) -> Report:
    report, random = Report(), Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-resumes-", ignore_cleanup_errors=True) as folder,
        living() as site,
    ):
        environ = {**os.environ, "MONGODB_URI": "", "MONGODB_DATABASE": DATABASE, "TIDEMARK_DATA": folder,
                   **site.proxies()}  # fmt: skip
        command = [sys.executable, "-m", "scrapy", "crawl", "tiktok_profile", "-a", f"targets={','.join(profiles)}",
                   "-a", "posts=all", *ADDON, "-s", "SIMULATED_AT_ONCE=1"]  # fmt: skip
        try:
            opened: list[set[str]] = []
            while _lived(command, environ, site, report, random.randint(1, most_requests), kills, opened):
                pass
            with MongoClient(server.ensure(Path(folder) / "db"), tz_aware=True) as client:
                _judge(client[DATABASE], site, profiles, opened, report)
        finally:
            server.stop(Path(folder) / "db")
    return report


def _lived(
    command: list[str], environ: dict[str, str], site: Site, report: Report, requests: int, kills: int,
    opened: list[set[str]],
) -> bool:  # fmt: skip
    """One run: killed after so many requests, or let alone after enough kills. Whether another must follow."""
    site.log.clear()
    report.runs += 1
    # A file, not a pipe: a browser that outlives a killed crawl would hold it open.
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=told) as process,
    ):
        ends_s = time.monotonic() + LONGEST_S
        while process.poll() is None and time.monotonic() < ends_s:
            if report.kills < kills and len(site.log) >= requests:
                os.kill(process.pid, signal.SIGKILL)
                report.kills += 1
                break
            time.sleep(0.002)
        if time.monotonic() >= ends_s:
            process.kill()
            report.wrong.append(f"run {report.runs} hung")
        process.wait()
        told.seek(0)
        said = told.read().decode()
    opened.append({found[0] for visit in site.log if (found := re.search(r"secUid=[^&]*", visit.query))})
    if process.returncode not in (0, -signal.SIGKILL):
        report.wrong.append(f"run {report.runs} ended with {process.returncode}: {said[-800:]}")
        return False
    return process.returncode != 0


def _judge(database: Any, site: Site, profiles: tuple[str, ...], opened: list[set[str]], report: Report) -> None:
    at = site.clock.now()
    wanted = set().union(*(posts_of(site.world, each, at) for each in profiles))
    stored = {row["post_id"] for row in database["posts"].find({}, {"post_id": 1})}
    report.posts = len(stored)
    if stored != wanted:
        report.wrong.append(f"{len(wanted - stored)} posts lost, {len(stored - wanted)} too many")
    report.wrong += false_numbers(database, site)[:5]
    again = Counter(each for run in opened for each in run)
    report.twice = sum(times - 1 for times in again.values())
    for before, after in pairwise(opened):
        if len(before & after) > 1:  # the one that was open
            report.wrong.append(f"{len(before & after)} profiles of a killed run were opened again")
    if left := processes.orphans():
        report.wrong.append(f"{len(left)} browser processes left behind")
