"""Pages a second, megabytes, CPU and memory of our lanes, beside what a user would take instead; one living site.

html    profile and post pages whose data is in the HTML: ours by lane http, the others in their browser
posts   profiles with their first 30 posts, by the list that the page requests itself: ours opens every profile by http
        first, reads it, and then in the browser; the others open it in the browser and take the answer's bytes

Everything that ours does is counted: archive, page objects, pipelines, database. The others store nothing. All ask the
same site on this machine, through it as their proxy, so many at once; a rate is of the time from the first page (html)
or list (posts) that the site was asked for to the end of the process, so nobody's start counts. Memory is PSS of the
process and its children (browser, driver), the database not counted. crawlee needs an environment of its own:

    uv venv /tmp/crawlee && uv pip install -p /tmp/crawlee 'crawlee[playwright]==1.11.0'
    python -m benchmarks crawl --crawlee /tmp/crawlee/bin/python
"""

from __future__ import annotations

import argparse
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

from crawler.config import ROOT, load
from crawler.health import find_browser
from crawler.lanes import processes
from crawler.storage import server
from crawler.storage.connect import connect
from demo.site import Site, running
from demo.site.server import Handler
from demo.world import START, World, names

HANDLES = [each for each in names.HANDLES if each not in ("quiet.cove", "gone_overboard", "empty.shell")]
OTHERS = ("crawlee", "crawlee_ours", "scrapy_playwright", "raw")
EVERY_S = 0.2
LIST = "/api/post/item_list/"
FAST = ("-s", 'ADDONS={"demo.lane.Simulated": 1}', "-s", "SPIDER_MODULES=spiders,benchmarks.crawl_spiders")


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    asked: int
    got: int
    seconds: float
    """From the first page or list that the site was asked for to the end of the process."""
    sent_bytes: int
    cpu_s: float
    """Of the process and its children; of ours with the database."""
    peak_bytes: int

    @property
    def rate(self) -> float:
        return self.got / self.seconds if self.seconds else 0.0

    def line(self) -> str:
        return (
            f"{self.name:22} {self.got:>5}/{self.asked:<5} {self.rate:>7.1f}/s "
            f"{self.sent_bytes / 1e6 / self.asked:>7.3f} MB each "
            f"{self.cpu_s / self.asked * 1000:>7.0f} ms CPU each {self.peak_bytes / 1e6:>6.0f} MB peak"
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


class Counted:
    """Bytes that the site sends, of all visitors."""

    def __init__(self) -> None:
        self.bytes = 0
        self._send = Handler._send

    @contextmanager
    def counting(self) -> Iterator[None]:
        counted, send = self, self._send

        def sending(handler: Any, *arguments: Any) -> None:
            inner = handler.wfile

            class Writer:
                def write(self, data: bytes) -> Any:
                    counted.bytes += len(data)
                    return inner.write(data)

                def __getattr__(self, name: str) -> Any:
                    return getattr(inner, name)

            handler.wfile = Writer()
            try:
                send(handler, *arguments)
            finally:
                handler.wfile = inner

        Handler._send = sending  # type: ignore[method-assign]
        try:
            yield
        finally:
            Handler._send = send  # type: ignore[method-assign]


def measure(
    name: str, command: list[str], site: Site, counted: Counted, environ: dict[str, str], asked: int,
    got: Callable[[str], int], begins: str, database: int | None = None,
) -> Measured:  # fmt: skip
    """got: of the command's output, how many pages it got.  begins: what the first request that counts asks for."""
    site.log.clear()
    sent, first_s = counted.bytes, 0.0
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told, stderr=told, text=True)
        watch = Watch(process.pid, database)
        watch.start()
        while process.poll() is None:
            time.sleep(0.02)
            begun = first_s or any(begins in visit.path for visit in list(site.log))
            first_s = first_s or (time.monotonic() if begun else 0.0)
        seconds = time.monotonic() - (first_s or time.monotonic())
        watch.over.set()
        watch.join()
        told.seek(0)
        said = told.read()
    found = got(said)
    if process.returncode or found < asked:
        sys.stderr.write(f"{name}: {found} of {asked}, exit status {process.returncode}\n{said[-1500:]}\n")
    return Measured(name, asked, found, seconds, counted.bytes - sent, watch.cpu_s, watch.peak_bytes)


class Bench:
    def __init__(self, site: Site, counted: Counted, folder: Path, crawlee: str | None, at_once: int) -> None:
        self.site, self.counted, self.folder, self.crawlee, self.at_once = site, counted, folder, crawlee, at_once
        self.browser = str(find_browser(load().browser_path))
        self.environ = {**os.environ, "MONGODB_URI": "", "TIDEMARK_DATA": str(folder), **site.proxies()}
        self.runs = 0
        server.ensure(folder / "db")
        self.database = server.status(folder / "db").pid

    def ours(self, spider: str, targets: list[str], *more: str, at_once: int | None = None) -> Measured:
        self.runs += 1
        environ = {**self.environ, "MONGODB_DATABASE": f"bench_{self.runs}"}
        command = [
            sys.executable,
            "-m",
            "scrapy",
            "crawl",
            spider,
            "-a",
            f"targets={','.join(targets)}",
            *more,
            *FAST,
            "-s",
            f"SIMULATED_AT_ONCE={at_once or self.at_once}",
            "-s",
            f"BROWSER_TABS={at_once or self.at_once}",
        ]
        lane = "http" if "posts=0" in more or spider == "tiktok_post" else "browser"
        return measure(
            f"ours, {spider}", command, self.site, self.counted, environ, len(targets),
            lambda said: self._got(environ["MONGODB_DATABASE"], lane), "/@" if lane == "http" else LIST, self.database,
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
        command = [program, str(ROOT / "benchmarks/crawl_others.py"), name, task, str(file),
                   f"http://{self.site.address}", self.browser, str(self.at_once)]  # fmt: skip
        environ = {each: value for each, value in self.environ.items() if "proxy" not in each.lower()}
        environ["CRAWLEE_STORAGE_DIR"] = str(self.folder / "crawlee")
        return measure(
            name,
            command,
            self.site,
            self.counted,
            environ,
            len(urls),
            _told,
            LIST if task == "posts" else "/@",
        )


def _told(said: str) -> int:
    """The number among what a program said last."""
    return next((int(line) for line in reversed(said.splitlines()) if line.strip().isdecimal()), 0)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks crawl", description=__doc__)
    parser.add_argument("--crawlee", metavar="PYTHON", help="of an environment that holds crawlee")
    parser.add_argument("--pages", type=int, default=300, help="html pages of ours; the others get a fifth (300)")
    parser.add_argument("--visits", type=int, default=120, help="profiles with posts; the slow ones get half (120)")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", choices=("html", "posts", "one", "linear"), help="one part")
    options = parser.parse_args(arguments)
    counted = Counted()
    at = START + timedelta(hours=30)
    with (
        tempfile.TemporaryDirectory(prefix="tidemark-bench-", ignore_cleanup_errors=True) as folder,
        counted.counting(), running(World(7), at=at, rate=1.0) as site,
    ):  # fmt: skip
        try:
            bench = Bench(site, counted, Path(folder), options.crawlee, options.at_once)
            for name, part in (("html", html), ("posts", posts), ("one", one), ("linear", linear)):
                if options.only in (None, name):
                    part(bench, options)
        finally:
            server.stop(Path(folder) / "db")


def html(bench: Bench, options: argparse.Namespace) -> None:
    print(f"html: profile and post pages, {options.at_once} at once", flush=True)
    world = bench.site.world
    ids = [post.post_id for _, post in world.crowd.everything(world.hour(bench.site.clock.now()))]
    wanted = ids[: options.pages - len(HANDLES)]
    profiles = bench.ours("tiktok_profile", HANDLES, "-a", "posts=0")
    pages = bench.ours("tiktok_post", wanted)
    ours = Measured(
        "ours, lane http", profiles.asked + pages.asked, profiles.got + pages.got, profiles.seconds + pages.seconds,
        profiles.sent_bytes + pages.sent_bytes, profiles.cpu_s + pages.cpu_s,
        max(profiles.peak_bytes, pages.peak_bytes),
    )  # fmt: skip
    urls = [f"https://www.tiktok.com/@{each}" for each in HANDLES]
    urls += [f"https://www.tiktok.com/@/video/{each}" for each in wanted]
    share = urls[:: max(1, len(urls) * 5 // options.pages)]
    table(ours, [bench.other(name, "html", share) for name in OTHERS])


def posts(bench: Bench, options: argparse.Namespace) -> None:
    print(f"posts: profiles with their first 30 posts, {options.at_once} at once", flush=True)
    targets = visits(options.visits)
    ours = bench.ours("benchmark_profile", targets, "-a", "posts=30")
    urls = [f"https://www.tiktok.com/@{each.replace('~', '?n=')}" for each in targets]
    table(ours, [bench.other(name, "posts", urls if name == "raw" else urls[: len(urls) // 2]) for name in OTHERS])


def one(bench: Bench, options: argparse.Namespace) -> None:
    print("one worker: profiles with their first 30 posts, one at once", flush=True)
    print(bench.ours("benchmark_profile", visits(2 * options.visits), "-a", "posts=30", at_once=1).line(), flush=True)


def linear(bench: Bench, options: argparse.Namespace) -> None:
    print("linear: the same, more and more of them", flush=True)
    for n in (options.visits // 4, options.visits // 2, options.visits):
        measured = bench.ours("benchmark_profile", visits(n), "-a", "posts=30")
        print(f"{n:>5} visits {measured.seconds:>6.1f} s {measured.cpu_s:>6.1f} s CPU", flush=True)


def visits(n: int) -> list[str]:
    return [f"{HANDLES[i % len(HANDLES)]}~{i}" for i in range(n)]


def table(ours: Measured, others: list[Measured | None]) -> None:
    print(ours.line())
    for each in others:
        if each is not None:
            print(f"{each.line()}   ours {ours.rate / each.rate if each.rate else 0:.1f}x", flush=True)
