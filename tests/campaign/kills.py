"""kill -9 of crawls and of the database at random moments: nothing lost, nothing doubled.

Replays of the same captures in two places, one undisturbed; then live crawls of a little site, whose archive
is replayed undisturbed afterwards. Both places must be equal: every document byte for byte, every capture.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from pymongo import MongoClient

from crawler.archive import Archive, Capture
from crawler.items import Vantage
from crawler.storage import server
from tests.shell import Answer, Shell, crawling, ended, facts, product, serving, shop

log = logging.getLogger(__name__)
DATABASE = "tidemark_kills"
EARLIEST, LATEST = 0.35, 0.8  # of a kill, as shares of the time an undisturbed run takes: the start is no work
START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Report:
    kills: Counter[str] = field(default_factory=Counter)
    captures: int = 0
    documents: int = 0
    spooled: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{n} of {victim}" for victim, n in sorted(self.kills.items()))
        lines = [f"{self.kills.total()} kills ({kills}); {self.spooled} ends with a spool; "
                 f"{self.captures} captures, {self.documents} documents",
                 *(self.differences or ["0 lost, 0 doubled: equal to the undisturbed run byte for byte"])]  # fmt: skip
        return "\n".join(lines)


def campaign(seed: int) -> tuple[bool, Report]:
    report = run(kills=210, seed=seed)
    return not report.differences, report


def run(kills: int, seed: int, captures_a_round: int = 300) -> Report:
    """Two thirds of the kills fall on replays, the rest on live crawls; every second one on the database."""
    report = Report()
    random = Random(seed)
    with tempfile.TemporaryDirectory(prefix="tidemark-kills-", ignore_cleanup_errors=True) as folder:
        calm, wild, live = (Shell("", DATABASE, Path(folder) / name) for name in ("calm", "wild", "live"))
        try:
            _disturbed(wild, Path(folder), random, report, kills * 2 // 3, captures_a_round)
            _finished(wild, "verify")
            _finished(calm, "replay", *map(str, sorted(Path(folder).glob("source*"))))
            report.differences += _differences(wild, calm, report)
            _live(live, random, report, kills)
            return report
        finally:
            for shell in (calm, wild, live):
                server.stop(_data(shell) / "db")


def _disturbed(wild: Shell, folder: Path, random: Random, report: Report, kills: int, captures_a_round: int) -> None:
    """Rounds of new captures, each replayed until it comes to its end, whatever happens on the way."""
    usual_s = 0.0
    number = 0
    while report.kills.total() < kills or not number:
        number += 1
        source = folder / f"source{number:03}"
        _write_captures(source, number, captures_a_round)
        if number == 1:
            usual_s = _finished(wild, "replay", str(source))
        else:
            _hunted(wild, ("replay", "--resume", str(source)), usual_s, random, report, kills)


def _live(live: Shell, random: Random, report: Report, kills: int) -> None:
    """A crawl is killed and simply started again; then the archive is replayed where nothing goes wrong."""

    def patient(path: str) -> Answer:
        time.sleep(0.02)
        return shop(60)(path)

    with serving(patient) as site:
        usual_s = _finished(live, *crawling(site))
        while report.kills.total() < kills:
            _hunted(live, crawling(site), usual_s, random, report, kills, tries=1)
    _finished(live, "verify")
    _finished(live, "replay", "--database", f"{DATABASE}_calm", str(live.archive))
    with MongoClient(server.ensure(_data(live) / "db"), tz_aware=True) as client:
        held = facts(client[DATABASE])
        report.differences += _unequal("live", held, facts(client[f"{DATABASE}_calm"]))
    report.documents += sum(map(len, held.values()))
    report.captures += len(held["fetches"])


def _hunted(
    shell: Shell, command: tuple[str, ...], usual_s: float, random: Random, report: Report, kills: int,
    tries: int = 1000,
) -> None:  # fmt: skip
    """Start the command again and again, killing it or its database, until it comes to its end."""
    for _ in range(tries):
        if report.kills.total() >= kills:
            if command[0] == "replay":
                _finished(shell, *command)
            return
        process = shell.started(*command)
        victim = random.choice(("crawl", "database"))
        try:
            process.wait(usual_s * random.uniform(EARLIEST, LATEST))
            ended(process)
            return  # it was quicker than the hunter
        except subprocess.TimeoutExpired:
            report.kills[f"{victim} in {command[0]}"] += 1
            log.info("kill %d: %s in %s", report.kills.total(), victim, command[0])
        if victim == "crawl":
            process.kill()
        elif (pid := server.status(_data(shell) / "db").pid) is not None:
            os.kill(pid, signal.SIGKILL)
        ended(process)
        report.spooled += any((_data(shell) / "spool").glob("*/*.jsonl"))


def _finished(shell: Shell, *command: str) -> float:
    """Seconds it took."""
    began_s = time.monotonic()
    with shell.started(*command) as process:
        done = ended(process, within_s=3600)
    if done.returncode:
        raise RuntimeError(f"scrapy {command[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return time.monotonic() - began_s


def _differences(wild: Shell, calm: Shell, report: Report) -> list[str]:
    with (
        MongoClient(server.ensure(_data(wild) / "db"), tz_aware=True) as one,
        MongoClient(server.ensure(_data(calm) / "db"), tz_aware=True) as other,
    ):
        held = facts(one[DATABASE])
        found = _unequal("replay", held, facts(other[DATABASE]))
    report.documents = sum(map(len, held.values()))
    with Archive(wild.archive, read_only=True) as mine, Archive(calm.archive, read_only=True) as theirs:
        report.captures = len(mine)
        if list(mine.ids()) != list(theirs.ids()):
            found.append(f"replay: {len(mine)} captures in the archive, {len(theirs)} in the undisturbed one")
        elif any(one != other for one, other in zip(mine.captures(), theirs.captures(), strict=True)):
            found.append("replay: a capture reads differently")
    return found


def _unequal(name: str, mine: dict[str, list[bytes]], theirs: dict[str, list[bytes]]) -> list[str]:
    return [
        f"{name}: {each}: {len(mine[each])} documents, {len(theirs[each])} in the undisturbed run, "
        f"{len(set(mine[each]) ^ set(theirs[each]))} differ"
        for each in mine
        if mine[each] != theirs[each]
    ]


def _write_captures(folder: Path, number: int, captures: int) -> None:
    """Catalogues of a few shops as they change over time; every fifth body is one seen before."""
    random = Random(number)
    with Archive(folder) as archive:
        for n in range(captures):
            same = n % 5 == 0
            products = [product(random.randrange(1, 400)) for _ in range(3)] if not same else [product(1)]
            archive.write(
                Capture(
                    url=f"https://shop{n % 7}.example/products.json?limit=250&page=1",
                    fetched_at=START + timedelta(days=number, seconds=n), status=200,
                    headers={"content-type": "application/json"},
                    body=json.dumps({"products": products}).encode(), lane="http", vantage=Vantage(),
                    target=f"shop{n % 7}.example", spider="shopify_store",
                )
            )  # fmt: skip


def _data(shell: Shell) -> Path:
    return Path(shell.environ["TIDEMARK_DATA"])
