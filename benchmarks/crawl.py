"""Pages a second, megabytes, CPU and memory of our lanes, beside what a user would take instead; one living site.

html    profile and post pages whose data is in the HTML: ours by lane http, the others in their browser
posts   profiles with their first 30 posts, by the list that the page requests itself: ours opens every profile by http
        first, reads it, and then in the browser; the others open it in the browser and take the answer's bytes

Everything that ours does is counted: archive, page objects, pipelines, database. The others store nothing. All ask the
same site on this machine, through it as their proxy, so many at once and without waiting between; it sends answers made
beforehand (crawl_site.py), so that it is not the site that is measured, and its processor time is counted apart. Memory
is PSS of the process and its children (browser, driver), the database not counted. Three rates: `rate` is from the
first page (html) or list (posts) that the site was asked for to the end of the process; `steady` is between the first
tenth of them and the last; `whole` counts the start of the process, too. crawlee needs an environment of its own:

    uv venv /tmp/crawlee && uv pip install -p /tmp/crawlee 'crawlee[playwright]==1.11.0'
    python -m benchmarks crawl --crawlee /tmp/crawlee/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.crawl_site import post_ids, visits
from crawler.config import ROOT, load
from crawler.health import find_browser
from crawler.lanes import processes
from crawler.storage import server
from crawler.storage.connect import connect
from demo.world import START, World

OTHERS = ("crawlee", "crawlee_ours", "scrapy_playwright", "raw", "raw_unpainted")
EVERY_S = 0.2
FAST = ("-s", 'ADDONS={"demo.lane.Simulated": 1}', "-s", "SPIDER_MODULES=spiders,benchmarks.crawl_spiders")


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    asked: int
    got: int
    whole_s: float
    """Of the process."""
    seconds: float
    """From the first page or list that the site was asked for to the end of the process."""
    steady: float
    """Pages or lists a second, between the first tenth and the last."""
    sent_bytes: int
    site_s: float
    """Processor time of the site."""
    cpu_s: float
    """Of the process and its children; of ours with the database."""
    peak_bytes: int

    @property
    def rate(self) -> float:
        return self.got / self.seconds if self.seconds else 0.0

    def line(self) -> str:
        each = 1000 / max(1, self.asked)
        return (
            f"{self.name:22} {self.got:>4}/{self.asked:<4} rate {self.rate:>6.1f}/s  steady {self.steady:>6.1f}/s  "
            f"whole {self.got / self.whole_s:>6.1f}/s  CPU {self.cpu_s * each:>5.1f} ms (site {self.site_s * each:.1f})"
            f"  {self.sent_bytes / 1000 * each:>6.0f} B  peak {self.peak_bytes / 1e6:>5.0f} MB"
        )


class Watch(threading.Thread):
    """Memory and processor time of a process and all below it, sampled."""

    def __init__(self, pid: int, database: int | None) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.database = database
        self.peak_bytes = 0
        self.ticks: dict[int, int] = {}
        self.before = _ticks(database) if database else 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(EVERY_S):
            family = [self.pid, *processes.descendants(self.pid)]
            self.peak_bytes = max(self.peak_bytes, processes.memory_bytes(family))
            for pid in family:
                self.ticks[pid] = max(self.ticks.get(pid, 0), _ticks(pid))

    @property
    def cpu_s(self) -> float:
        own = _ticks(self.database) - self.before if self.database else 0
        return (sum(self.ticks.values()) + own) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    except (OSError, IndexError):
        return 0


class RecordedSite:
    """The other end of crawl_site.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = int(self._read())

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def say(self, word: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self._read())
        return told


@contextmanager
def recorded(profiles: int, posts: int) -> Iterator[RecordedSite]:
    command = [sys.executable, "-m", "benchmarks.crawl_site", str(profiles), str(posts)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield RecordedSite(process)
        finally:
            process.kill()


def measure(
    name: str, command: list[str], site: RecordedSite, environ: dict[str, str], asked: int, got: Callable[[str], int],
    counts: str, database: int | None = None,
) -> Measured:  # fmt: skip
    """got: of the command's output, how many pages it got.  counts: what of the site's counts (pages_s, lists_s)."""
    site.say("begin")
    with tempfile.TemporaryFile("w+") as told:
        began_s = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told, stderr=told, text=True)
        watch = Watch(process.pid, database)
        watch.start()
        process.wait()
        ended_s = time.monotonic()
        watch.over.set()
        watch.join()
        told.seek(0)
        said = told.read()
    counted = site.say("told")
    moments = counted[counts] or [ended_s]
    tenth = len(moments) // 10
    between_s = moments[-1] - moments[tenth]
    found = got(said)
    if process.returncode or found < asked:
        sys.stderr.write(f"{name}: {found} of {asked}, exit status {process.returncode}\n{said[-1500:]}\n")
    return Measured(
        name, asked, found, ended_s - began_s, ended_s - moments[0],
        (len(moments) - 1 - tenth) / between_s if between_s else 0.0, counted["bytes"], counted["cpu_s"], watch.cpu_s,
        watch.peak_bytes,
    )  # fmt: skip


class Bench:
    def __init__(self, site: RecordedSite, folder: Path, crawlee: str | None, at_once: int) -> None:
        self.site, self.folder, self.crawlee, self.at_once = site, folder, crawlee, at_once
        self.browser = str(find_browser(load().browser_path))
        proxy = f"http://127.0.0.1:{site.port}"
        self.proxy = proxy
        self.environ = {**os.environ, "MONGODB_URI": "", "TIDEMARK_DATA": str(folder), "http_proxy": proxy,
                        "https_proxy": proxy, "no_proxy": ""}  # fmt: skip
        self.runs = 0
        server.ensure(folder / "db")
        self.database = server.status(folder / "db").pid

    def ours(self, spider: str, targets: list[str], *more: str, at_once: int | None = None) -> Measured:
        """A database anew for each run."""
        self.runs += 1
        environ = {**self.environ, "MONGODB_DATABASE": f"bench_{self.runs}"}
        tabs = at_once or self.at_once
        command = [
            sys.executable, "-m", "scrapy", "crawl", spider, "-a", f"targets={','.join(targets)}", *more, *FAST,
            "-s", f"SIMULATED_AT_ONCE={tabs}", "-s", f"BROWSER_TABS={tabs}",
        ]  # fmt: skip
        lane = "http" if "posts=0" in more else "browser"
        return measure(
            f"ours, lane {lane}", command, self.site, environ, len(targets),
            lambda said: self._got(environ["MONGODB_DATABASE"], lane), "pages_s" if lane == "http" else "lists_s",
            self.database,
        )  # fmt: skip

    def _got(self, database: str, lane: str) -> int:
        """Targets with a good answer in this lane, as the ledger has them."""
        with connect(load({**self.environ, "MONGODB_DATABASE": database})) as client:
            return len(client[database]["fetches"].distinct("target", {"lane": lane, "outcome": "ok"}))

    def other(self, name: str, task: str, urls: list[str]) -> Measured | None:
        program = self.crawlee if name.startswith("crawlee") else sys.executable
        if program is None:
            return None
        file = self.folder / "urls"
        file.write_text("\n".join(urls))
        command = [program, str(ROOT / "benchmarks/crawl_others.py"), name, task, str(file), self.proxy, self.browser,
                   str(self.at_once)]  # fmt: skip
        environ = {each: value for each, value in self.environ.items() if "proxy" not in each.lower()}
        environ["CRAWLEE_STORAGE_DIR"] = str(self.folder / "crawlee")
        counts = "lists_s" if task == "posts" else "pages_s"
        return measure(name, command, self.site, environ, len(urls), _told, counts)


def _told(said: str) -> int:
    """The number among what a program said last."""
    return next((int(line) for line in reversed(said.splitlines()) if line.strip().isdecimal()), 0)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks crawl", description=__doc__)
    parser.add_argument("--crawlee", metavar="PYTHON", help="of an environment that holds crawlee")
    parser.add_argument("--pages", type=int, default=1500, help="html pages of ours; the others get a tenth (1500)")
    parser.add_argument("--visits", type=int, default=240, help="profiles with posts; the slow ones get half (240)")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", choices=("html", "posts", "one", "linear"), help="one part")
    parser.add_argument("--ours", action="store_true", help="without the others")
    options = parser.parse_args(arguments)
    others = () if options.ours else OTHERS
    profiles = max(options.pages, options.visits)
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-bench-", ignore_cleanup_errors=True) as folder,
        recorded(profiles, options.pages // 2) as site,
    ):
        try:
            bench = Bench(site, Path(folder), options.crawlee, options.at_once)
            for name, part in (("html", html), ("posts", posts), ("one", one), ("linear", linear)):
                if options.only in (None, name):
                    part(bench, options, others)
        finally:
            server.stop(Path(folder) / "db")


def html(bench: Bench, options: argparse.Namespace, others: tuple[str, ...]) -> None:
    print(f"html: profile and post pages, {options.at_once} at once", flush=True)
    targets = pages(options.pages)
    ours = bench.ours("benchmark_pages", targets, "-a", "posts=0")
    table(ours, bench, "html", [address(each) for each in targets[:: 1 if len(targets) < 100 else 10]], others)


def posts(bench: Bench, options: argparse.Namespace, others: tuple[str, ...]) -> None:
    print(f"posts: profiles with their first 30 posts, {options.at_once} at once", flush=True)
    targets = visits(options.visits)
    ours = bench.ours("benchmark_profile", targets, "-a", "posts=30")
    table(ours, bench, "posts", [address(each) for each in targets], others)


def one(bench: Bench, options: argparse.Namespace, others: tuple[str, ...]) -> None:
    print("one worker: profiles with their first 30 posts, one at once", flush=True)
    print(bench.ours("benchmark_profile", visits(options.visits), "-a", "posts=30", at_once=1).line(), flush=True)


def linear(bench: Bench, options: argparse.Namespace, others: tuple[str, ...]) -> None:
    print("linear: more and more of them", flush=True)
    for n in (options.pages // 4, options.pages):
        print(bench.ours("benchmark_pages", pages(n), "-a", "posts=0").line(), flush=True)
    for n in (options.visits // 4, options.visits):
        print(bench.ours("benchmark_profile", visits(n), "-a", "posts=30").line(), flush=True)


def pages(n: int) -> list[str]:
    """Half profiles, half posts, by turns."""
    ids = post_ids(World(7), START + timedelta(hours=30), n // 2)
    return [each for pair in zip(visits(len(ids)), ids, strict=True) for each in pair]


def address(target: str) -> str:
    handle, _, n = target.partition("~")
    return f"https://www.tiktok.com/@{handle}?n={n}" if n else f"https://www.tiktok.com/@/video/{handle}"


def table(ours: Measured, bench: Bench, task: str, urls: list[str], others: tuple[str, ...]) -> None:
    print(ours.line(), flush=True)
    for name in others:
        share = urls[: len(urls) // 2] if task == "posts" and not name.startswith("raw") else urls
        if (each := bench.other(name, task, share)) is not None and each.rate and each.steady:
            print(f"{each.line()}   ours: rate {ours.rate / each.rate:.1f}x, steady {ours.steady / each.steady:.1f}x, "
                  f"CPU 1/{each.cpu_s / each.asked / (ours.cpu_s / ours.asked):.1f}", flush=True)  # fmt: skip
