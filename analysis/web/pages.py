"""The dashboard: pages made on the server from the figures; charts as CSV, PNG and specification; static files."""

from __future__ import annotations

import gzip
import numbers
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import pandas as pd
import vl_convert
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from analysis.command import UsageError
from analysis.output import clean, records
from analysis.web import boards, coverage, evidence, figures_products, texts, topic, trends_page
from analysis.web.api import download, site_of
from analysis.web.figure import Figure
from analysis.web.figures import FIGURES, PAGES, Page
from analysis.web.filters import Filters, read
from analysis.web.shapes import Trouble, packed, tagged
from analysis.web.site import Site
from analysis.web.words import NAMES, Words, chosen

ROUTER = APIRouter(include_in_schema=False)
HERE = Path(__file__).parent
LONGEST_CELL = 300  # characters of a text in a table
MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


BY_PATH = {page.path: page for page in PAGES}


@cache
def environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["script"] = script
    made.globals["numeric"] = _is_numeric
    return made


def script(value: Any) -> Markup:
    """JSON inside a script element: no text in it can end the element or begin a comment."""
    text = packed(value).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def rendered(request: Request, template: str, status: int = 200, **more: Any) -> Response:
    filters, wrong = more.pop("filters_read", None) or read(request.query_params)
    site = site_of(request)
    say = words_of(request, filters)
    path = request.url.path
    asked = dict(request.query_params)
    context = {
        "say": say, "filters": filters, "wrong": wrong, "here": path, "languages": NAMES, "simulated": site.simulated,
        "pages": [page for page in PAGES if page.listed], "freshness": _freshness(site, say),
        "evidence": lambda name, key, field: _evidence(filters, name, key, field),
        "cells": lambda frame, links, most: cells(frame, links, most, say),
        "cleared": Filters(lang=filters.lang).address(path),
        "switched": lambda code: f"{path}?{urlencode({**asked, 'lang': code})}", **more,
    }  # fmt: skip
    html = environment().get_template(template).render(context)
    if status != 200:
        return HTMLResponse(html, status)
    return tagged(request, html.encode("utf-8", "replace"), "text/html; charset=utf-8")


def failed(request: Request, trouble: Trouble) -> Response:
    """What went wrong, as a page that needs no database."""
    say = words_of(request, read(request.query_params)[0])
    shown = environment().get_template("failed.html").render(say=say, trouble=trouble)
    return HTMLResponse(shown, trouble.status)


def words_of(request: Request, filters: Filters) -> Words:
    return Words(chosen(filters.lang, request.headers.get("accept-language", "")))


def _evidence(filters: Filters, name: str, key: str, field: str) -> str:
    asked = {"list": name, "key": key, "field": field, **({"lang": filters.lang} if filters.lang else {})}
    return f"/evidence?{urlencode(asked)}"


def _freshness(site: Site, say: Words) -> str:
    newest = coverage.summary(site)["newest"]
    if newest is None:
        return say("nothing_fetched")
    return say("fetched", at=newest, age=say.span(max(0.0, (site.clock() - newest).total_seconds() / 3600)))


def cells(frame: pd.DataFrame, links: Any, most: int, say: Words) -> list[dict[str, Any]]:
    """Rows as the template shows them; text from pages is cleaned of what cannot be seen, and cut."""
    made = []
    for at, row in enumerate(frame.head(most).itertuples(index=False, name=None)):
        shown = [{"text": _shown(value, say), "number": _is_number(value)} for value in row]
        made.append({"cells": shown, "link": links[at] if at < len(links) else None})
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _is_numeric(column: Any) -> bool:
    return pd.api.types.is_numeric_dtype(column) or any(_is_number(value) for value in column.head(20))


def _shown(value: Any, say: Words) -> str:
    if isinstance(value, str):
        return clean(value)[:LONGEST_CELL]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))[:LONGEST_CELL]
    if pd.isna(value):
        return "·"
    if isinstance(value, pd.Timestamp):
        return say.moment(value.to_pydatetime())
    return say.shown(value.item() if hasattr(value, "item") else value)


@ROUTER.get("/")
def trends(request: Request) -> Response:
    read_ = read(request.query_params)
    site, say = site_of(request), words_of(request, read_[0])
    return rendered(request, "trends.html", filters_read=read_, **trends_page.context(site, say, read_[0]))


def _page(page: Page) -> Any:
    def show(request: Request) -> Response:
        read_ = read(request.query_params)
        site, say, filters = site_of(request), words_of(request, read_[0]), read_[0]
        found = [made(site, say, filters, name) for name in page.figures]
        return rendered(
            request, "page.html", filters_read=read_, figures=found, form=page.form, choices=choices(site, say, page),
            title=say(f"page_{page.name}"), lead=say(f"lead_{page.name}"),
        )  # fmt: skip

    return show


for _each in PAGES:
    if _each.name not in ("trends", "topic"):
        ROUTER.add_api_route(_each.path, _page(_each), methods=["GET"], name=_each.name)


@ROUTER.get("/topic")
def one_topic(request: Request) -> Response:
    read_ = read(request.query_params)
    site, say, filters = site_of(request), words_of(request, read_[0]), read_[0]
    found = topic.seen(site, say, filters)
    page = BY_PATH["/topic"]
    lead = say("lead_topic", board=found.board, since=found.since, until=found.clock_end)
    return rendered(
        request, "topic.html", filters_read=read_, title=found.name or "·", lead=lead, form=page.form,
        facts=topic.facts(site, say, filters), choices=choices(site, say, page),
        figures=[made(site, say, filters, name) for name in page.figures],
    )  # fmt: skip


@ROUTER.get("/evidence")
def where_from(request: Request) -> Response:
    """Where a number comes from, and whether its page still says so."""
    asked = {name: request.query_params.get(name, "") for name in ("list", "key", "field")}
    read_ = read(request.query_params)
    site, say = site_of(request), words_of(request, read_[0])
    found = evidence.explained(site, asked["list"], asked["key"], asked["field"])
    again = evidence.verified(site, asked["list"], asked["key"], asked["field"])
    return rendered(
        request, "evidence.html", filters_read=read_, title=say("evidence_title"), found=found, again=again,
        json=f"/api/explain?{urlencode(asked)}",
    )  # fmt: skip


def made(site: Site, say: Words, filters: Filters, name: str) -> Figure:
    """The figure; where what it is about is not there, a figure that says so."""
    try:
        return FIGURES[name](site, say, filters)
    except UsageError as error:
        return Figure(name, say(f"{name}_title", n=filters.top), "", missing=clean(str(error)))


def choices(site: Site, say: Words, page: Page) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    if "media" in page.form:
        found["media"] = [(each, say(f"media_{each}")) for each in ("video", "photo", "text")]
    if "board" in page.form:
        found["board"] = [(row["board"], row["board"]) for row in boards.known(site)]
    if "category" in page.form:
        found["category"] = [(each, clean(each)[:60]) for each in _stated(site, page)]
    return found


def _stated(site: Site, page: Page) -> list[str]:
    return figures_products.categories(site) if page.name == "products" else texts.categories(site)


@ROUTER.get("/api")
@ROUTER.get("/api/")
def described(request: Request) -> Response:
    """What the API has, from its own OpenAPI; a page that needs nothing from elsewhere."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in request.app.openapi()["paths"].items():
        get = operations["get"]
        named = [(each["name"], each.get("description", ""), each.get("required", False)) for each in get["parameters"]
                 ] if "parameters" in get else []  # fmt: skip
        groups.setdefault(get["tags"][0], []).append({"path": path, "about": get["summary"], "parameters": named})
    return rendered(request, "api.html", title="API", groups=groups)


@ROUTER.get("/charts/{file}")
def chart(request: Request, file: str) -> Response:
    """A figure as .csv, .png or .json (its Vega-Lite specification), with the filters of the address."""
    name, _, ending = file.rpartition(".")
    if name not in FIGURES or ending not in ("csv", "png", "json"):
        raise Trouble(404, "not_found", "no such chart; ask for NAME.csv, NAME.png or NAME.json")
    filters, _ = read(request.query_params)
    site, say = site_of(request), words_of(request, filters)
    found = FIGURES[name](site, say, filters)
    if ending == "csv":
        columns = tuple(map(str, found.table.columns))
        return download(iter(records(found.table)), columns, "csv", name, site)
    if found.chart is None:
        raise Trouble(404, "not_found", found.missing or f"{name} is a table; ask for {name}.csv")
    if ending == "json":
        return tagged(request, packed(found.spec), "application/json")
    mark = f" ({say('simulated_mark')})" if site.simulated else ""
    return tagged(request, found.png(found.title + mark), "image/png")


_EXPORT = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"


@cache
def _vega() -> bytes:
    """The chart library that comes inside vl-convert, packed."""
    return gzip.compress(vl_convert.javascript_bundle(_EXPORT).encode(), 6, mtime=0)


@ROUTER.get("/static/{file}")
def static(request: Request, file: str) -> Response:
    if file == "vega.js":
        answer = tagged(request, _vega(), MEDIA[".js"])
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Cache-Control"] = "max-age=86400"
        return answer
    path = _static().get(file)
    if path is None:
        raise Trouble(404, "not_found", "no such file")
    return tagged(request, path.read_bytes(), MEDIA[path.suffix])


@cache
def _static() -> dict[str, Path]:
    """Files by name: no text of an address ever becomes a path."""
    return {path.name: path for path in (HERE / "static").iterdir() if path.suffix in MEDIA}
