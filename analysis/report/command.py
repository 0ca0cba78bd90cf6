"""`report`: what the dashboard shows as one file, with findings; a PDF; a digest for mail or chat."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta

from analysis.command import Command, Session, file, moment, positive, until
from analysis.web.words import LANGUAGES

_SPAN = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def span_or_moment(text: str) -> timedelta | datetime:
    """`7d`, `24h`, `2w`, or a moment."""
    found = _SPAN.fullmatch(text.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else moment(text)


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--since", type=span_or_moment, default=timedelta(days=7), metavar="7d|MOMENT",
           help="from so long before the newest data, or from this moment on (default 7d)")  # fmt: skip
    option("--until", type=until, metavar="MOMENT", help="before this moment, or to the end of a day")
    option("--board", help="the trending list it begins with (default: the freshest)")
    option("--place", metavar="CODE", help="that place's list, and posts that state it")
    option("--top", type=positive, default=10, metavar="N", help="rows of each figure (default 10)")
    option("--lang", choices=LANGUAGES, default="en", help="language of the report (default en)")
    option("-o", dest="output", type=file(".html"), metavar="FILE", help="default tidemark-report.html")
    option("--pdf", type=file(".pdf"), metavar="FILE", help="print it as well")
    option("--digest", type=file(".md", ".txt"), metavar="FILE", help="a page of Markdown for mail or chat as well")
    option("--only-digest", action="store_true", help="the digest on the screen, and no file")


def _report(args: argparse.Namespace, session: Session) -> int:
    from analysis.report.make import report  # half a second of imports that no other subcommand needs

    return report(args, session)


REPORT = Command("One self-contained file of all figures, with findings; PDF; digest.", _arguments, _report)
