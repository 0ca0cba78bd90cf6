"""Makes what `report` was asked for: the HTML file, its PDF, the digest."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path

from analysis.command import GOOD, Session, UsageError
from analysis.output import OutputError
from analysis.report import write
from analysis.report.findings import findings
from analysis.web import boards, coverage
from analysis.web.figures import FIGURES, PAGES
from analysis.web.figures_trends import chosen_board
from analysis.web.filters import Filters
from analysis.web.pages import made
from analysis.web.site import Site, now
from analysis.web.words import Words
from crawler.config import load
from crawler.health import find_browser

DEFAULT_FILE = Path("tidemark-report.html")


def report(args: argparse.Namespace, session: Session) -> int:
    if args.known_at:
        raise UsageError("report: tells what is known now; leave out --known-at, or use --until")
    site, say = session.site(), Words(args.lang)
    filters = _filters(args, site)
    told = findings(site, say, filters)
    board = chosen_board(site, filters)
    top = boards.top(site, board, filters.until_at, args.top) if board else None
    since = filters.since_at
    assert since is not None
    title = say("report_title", since=say.day(since), until=say.day(filters.until_at or _newest(site)))
    at = site.clock()
    page = write.digest(say, title, at, told, top, site.simulated)
    if args.only_digest:
        session.say(page)
        return GOOD
    sections = [
        (say(f"page_{each.name}"), [made(site, say, filters, name) for name in each.figures if name in FIGURES])
        for each in PAGES if each.listed
    ]  # fmt: skip
    output = args.output or DEFAULT_FILE
    _kept(output, write.html(say, title, at, told, top, sections, site.simulated))
    session.say(f"{output}: {len(told.said)} findings, {told.unsaid} left unsaid because their intervals allow none")
    if args.pdf:
        write.pdf(output, args.pdf, find_browser(load().browser_path))
        session.say(f"{args.pdf}: printed")
    if args.digest:
        _kept(args.digest, page)
        session.say(f"{args.digest}: written")
    return GOOD


def _filters(args: argparse.Namespace, site: Site) -> Filters:
    since = args.since
    if isinstance(since, timedelta):
        since = (args.until or _newest(site)) - since
    if args.until and since >= args.until:
        raise UsageError("report: --since must lie before --until")
    return Filters(
        board=args.board, place=args.place, top=min(args.top, 100), since=since.isoformat(), lang=args.lang,
        until=args.until.isoformat() if args.until else None,
    )  # fmt: skip


def _newest(site: Site) -> datetime:
    """The newest moment that anything was seen: a report of an old database is about its own days."""
    known = [row["last"] for row in boards.known(site)]
    fetched = coverage.summary(site)["newest"]
    return max([*known, *([fetched] if fetched else [])], default=now())


def _kept(path: Path, text: str) -> None:
    """Whole file or none."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8", errors="replace")
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
