"""What end-to-end tests share: the command line as a user has it, and a little web site on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import bson
from pymongo.database import Database

from crawler.config import ROOT
from crawler.storage import schema

Answer = tuple[int, dict[str, str], bytes]
Site = Callable[[str], Answer]
JSON = {"Content-Type": "application/json", "Set-Cookie": "id=canary-cookie"}


def product(n: int) -> dict[str, Any]:
    variant = {"id": n * 10, "title": "S", "available": True, "price": f"{n}.50", "compare_at_price": None}
    return {"id": n, "title": f"Sock {n}", "handle": f"sock-{n}", "vendor": "Socks", "variants": [variant]}


def shop(pages: int) -> Site:
    """A shop of two products a page, and one on the last."""

    def site(path: str) -> Answer:
        if path == "/robots.txt":
            return 200, {}, b"User-agent: *\nDisallow: /admin\n"
        page = int(parse_qs(urlsplit(path).query)["page"][0])
        numbers = range(2 * page - 1, 2 * page + (page < pages))
        return 200, JSON, json.dumps({"products": [product(n) for n in numbers]}).encode()

    return site


good = shop(2)


@contextlib.contextmanager
def serving(site: Site) -> Iterator[str]:
    """host:port of a site that runs in threads of this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = site(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Shell:
    """Runs the scrapy command as a user would, against the test's own database and data folder."""

    def __init__(self, uri: str, database: str, data: Path) -> None:
        self.environ = {
            **os.environ, "MONGODB_URI": uri, "MONGODB_DATABASE": database, "TIDEMARK_DATA": str(data),
            "PYTHONWARNINGS": "default",
        }  # fmt: skip
        self.archive = data / "archive" / database

    def started(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "scrapy", *arguments], cwd=ROOT, env={**self.environ, **environ},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        with self.started(*arguments, **environ) as process:
            return ended(process)

    def crawl(self, target: str, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self(*crawling(target), *more, **environ)


def ended(process: subprocess.Popen[str], within_s: float = 120) -> subprocess.CompletedProcess[str]:
    try:
        out, err = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def crawling(target: str) -> tuple[str, ...]:
    """Arguments of an impatient crawl of the little site."""
    fast = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "RETRY_PRIORITY_ADJUST=0")
    return ("crawl", "site_store", "-a", f"targets={target}", "-s", "SPIDER_MODULES=spiders,tests.site", *fast)


def facts(database: Database[Any]) -> dict[str, list[bytes]]:
    """All that the database says of the world, as bytes: every document, and of the ledger what every run agrees on."""
    aside = ("fetches", "runs", "targets")
    names = [name for name in schema.plan() if name not in aside]
    found = {name: [bson.encode(doc) for doc in database[name].find().sort("_id")] for name in names}
    shared = dict.fromkeys(("url", "at", "outcome", "traces", "parsers", "items", "bytes"), 1)
    found["fetches"] = [bson.encode(doc) for doc in database["fetches"].find({}, shared).sort("_id")]
    return found
