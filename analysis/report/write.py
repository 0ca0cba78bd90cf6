"""The report as one HTML file, as PDF, and the digest as Markdown. Never queries."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analysis.output import OutputError, clean
from analysis.report.findings import Findings
from analysis.web.figure import Figure
from analysis.web.pages import HERE, cells, environment
from analysis.web.words import Words

Row = dict[str, Any]
Section = tuple[str, list[Figure]]
ROWS = 20  # of a table; the CSV of the dashboard holds all
_MARKS = re.compile(r"([\\`*_\[\]#|<>~&])")


def html(
    say: Words, title: str, at: datetime, findings: Findings, top: Row | None, sections: Sequence[Section],
    simulated: bool,
) -> str:  # fmt: skip
    """Everything inside: style, pictures as SVG, tables. No script, so it opens anywhere and prints as it is."""
    return environment().get_template("report.html").render(
        say=say, title=title, at=at, findings=findings, top=top, sections=sections, simulated=simulated,
        style=Markup((HERE / "static" / "style.css").read_text("utf-8")), picture=picture,
        cells=lambda frame: cells(frame, (), ROWS, say), rows=ROWS,
    )  # fmt: skip


def picture(figure: Figure) -> str:
    """An address that holds the picture; as an image it can run nothing."""
    return "data:image/svg+xml;base64," + base64.b64encode(figure.svg().encode()).decode()


def pdf(page: Path, path: Path, browser: Path | None) -> None:
    """Printed by the browser. Raises OutputError where there is none."""
    if browser is None:
        raise OutputError(f"{path}: a PDF needs a browser, and there is none; see: scrapy doctor")
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as driver:
            opened = driver.chromium.launch(executable_path=browser)
            sheet = opened.new_page()
            sheet.goto(page.resolve().as_uri())
            sheet.pdf(path=path, format="A4", print_background=True,
                      margin={"top": "16mm", "bottom": "16mm", "left": "12mm", "right": "12mm"})  # fmt: skip
            opened.close()
    except Error as error:
        raise OutputError(f"{path}: the browser could not print ({str(error).splitlines()[0][:120]})") from None


def digest(say: Words, title: str, at: datetime, findings: Findings, top: Row | None, simulated: bool) -> str:
    """A page of Markdown for mail or chat; text from pages is escaped, so it links and formats nothing."""
    lines = [
        f"# {plain(title)}",
        "",
        f"{say.moment(at)} UTC" + (f" · {say('simulated_mark')}" if simulated else ""),
        "",
    ]
    lines += [f"- {plain(each.text)}" for each in findings.said] or [f"- {say('finding_none')}"]
    if findings.unsaid:
        lines += ["", plain(say("unsaid", n=findings.unsaid))]
    if top and top["topics"]:
        lines += [
            "",
            f"| # | {say('topic')} | {say('on_since')} | {say('phase')} | {say('volume')} |",
            "|--:|---|---|---|--:|",
        ]
        lines += [_line(say, row) for row in top["topics"]]
    return "\n".join([*lines, "", plain(say("footer")), ""])


def _line(say: Words, row: Row) -> str:
    stay = say.span(row["stay_h"])
    since = say("at_least", span=stay) if row["since_at_least"] else stay
    phase = say(f"phase_{row['phase']}") if row["phase"] else "·"
    volume = say.number(row["volume"]) if row["volume"] is not None else say("hidden")
    if row["volume"] is None and row["volume_floor"]:
        volume = say("hidden_below", floor=row["volume_floor"])
    return f"| {row['position']} | {plain(row['topic']) or '·'} | {since} | {phase} | {volume} |"


def plain(text: str) -> str:
    """One line in which nothing is Markdown."""
    return _MARKS.sub(r"\\\1", clean(text))
