"""`scrapy savepage`: one page, fetched politely or taken from a file or the archive, becomes a test case."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import scrapy
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.http import Response

from crawler import pages
from crawler.archive import Archive, CaptureMissing
from crawler.config import ROOT, load
from crawler.context import now
from crawler.lanes import redact
from crawler.lanes.sources import Options, Skipped, read

CASES = ROOT / "tests" / "pages"
KEPT_HEADERS = ("content-type", "tidemark-place")


class Command(ScrapyCommand):
    requires_project = True
    default_settings = {"ITEM_PIPELINES": {}, "EXTENSIONS": {"crawler.verdict.RunExtension": None}}  # noqa: RUF012

    def syntax(self) -> str:
        return "[options] URL|FILE|CAPTURE_ID PAGE CASE"

    def short_desc(self) -> str:
        return "Save a page as a test case: tests/pages/PAGE/CASE/{body,meta.json}"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--why", default="", help="why this page is kept: 'views hidden', 'second page', …")
        parser.add_argument("--observed-at", metavar="WHEN", help="moment of a file's capture")
        parser.add_argument("--url", help="original address of a file")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 3:
            raise UsageError("name a URL, file or capture id, a page object and a case")
        source, name, case = args
        known = pages.load_all()
        if name not in known:
            raise UsageError(f"no page object {name!r}; there are {', '.join(sorted(known))}", print_help=False)
        if not re.fullmatch(r"[a-z0-9_]+", case):
            raise UsageError(f"case {case!r}: small letters, digits and '_' only", print_help=False)
        found = self._found(source, opts)
        if found is None:
            self.exitcode = 1
            return
        folder = CASES / name / case
        if folder.exists():
            sys.stderr.write(f"{folder}: is there already; choose another name or remove it\n")
            self.exitcode = 1
            return
        save(folder, *found, why=opts.why)
        page = known[name](found[0], found[1], found[2], found[3])
        print(f"{folder}: {len(found[1])} bytes, outcome {page.outcome}, {len(list(page.items()))} items")
        print("Strip names and tokens from body, write why in meta.json, then run: pytest tests/test_pages.py")

    def _found(self, source: str, opts: argparse.Namespace) -> tuple[str, bytes, datetime, dict[str, str]] | None:
        if re.match(r"https?://", source):
            return self._fetched(source)
        path = Path(source)
        if path.exists():
            moment = datetime.fromisoformat(opts.observed_at) if opts.observed_at else None
            for each in read([path], Options(url=opts.url, observed_at=moment)):
                if isinstance(each, Skipped):
                    sys.stderr.write(f"{each.path}: {each.reason}\n")
                    return None
                return each.url, each.body, each.fetched_at, dict(each.headers)
        config = load()
        try:
            with Archive(config.archive_dir / config.mongodb_database) as archive:
                kept = archive.read(source)
        except CaptureMissing:
            sys.stderr.write(f"{source}: no such file, and no capture of this id in the archive\n")
            return None
        return kept.url, kept.body, kept.fetched_at, dict(kept.headers)

    def _fetched(self, url: str) -> tuple[str, bytes, datetime, dict[str, str]] | None:
        """One request with the manners of a crawl; robots.txt is obeyed here too."""
        got: list[Response] = []

        class One(scrapy.Spider):
            name = "savepage"
            start_urls = [url]  # noqa: RUF012 - Scrapy's own attribute

            def parse(self, response: Response, **_: Any) -> None:
                got.append(response)

        assert self.crawler_process is not None
        self.crawler_process.crawl(One)
        self.crawler_process.start()
        if not got:
            sys.stderr.write(f"{redact.url(url)}: no response (robots.txt, network); see the lines above\n")
            return None
        headers = {k.decode("latin-1").lower(): v[0].decode("latin-1") for k, v in got[0].headers.items()}
        return redact.url(got[0].url), got[0].body, now(), headers


def save(folder: Path, url: str, body: bytes, moment: datetime, headers: dict[str, str], *, why: str) -> None:
    folder.mkdir(parents=True)
    (folder / "body").write_bytes(body)
    meta: dict[str, Any] = {"url": url, "fetched_at": moment.isoformat().replace("+00:00", "Z"), "why": why}
    if kept := {name: headers[name] for name in KEPT_HEADERS if name in headers}:
        meta["headers"] = kept
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
