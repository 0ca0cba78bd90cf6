"""The API's computed answers: boards, the top of one, topics and their evolution, growth, keywords, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analysis.command import UsageError
from analysis.output import records
from analysis.trends.commands import SAME_READING, SORTS, shown_counters
from analysis.trends.evolution import changes, entity_evolution
from analysis.trends.growth_commands import COUNTED
from analysis.trends.rising import Filters, rising
from analysis.trends.streams import stream_of_board
from analysis.web import boards, coverage, texts
from analysis.web.api import DOWNLOADS, MOST, SINCE, UNTIL, Form, download, moment_of, only, site_of
from analysis.web.shapes import Trouble, after_of, answer, cursor_of
from analysis.web.site import Site
from crawler.storage.web_reads import After

ROUTER = APIRouter(prefix="/api")
DAYS = timedelta(days=7)  # looked at where no time is asked for, back from the board's newest snapshot
Text = Annotated[str | None, Query(max_length=200)]
Since = Annotated[str | None, Query(max_length=40, description=SINCE, examples=["2026-03-01"])]
Until = Annotated[str | None, Query(max_length=40, description=UNTIL, examples=["2026-03-07"])]
BoardName = Annotated[str, Query(max_length=300, description="Which list.", examples=["x:trends:br"])]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page; of a download: at most.")]
Cursor = Annotated[str | None, Query(max_length=4000, description="`page.next` of the page before.")]
Format = Annotated[Form, Query(alias="format", description="csv and jsonl give the whole list.")]
PAGED = {"limit", "cursor", "format"}


def paged(
    request: Request, frame: pd.DataFrame, asked: Sequence[object], limit: int, cursor: str | None, form: str,
    about: dict[str, Any],
) -> Response:  # fmt: skip
    """Rows of a frame in pages; a cursor counts rows, because the frame is made anew only when its data moves."""
    site, name = site_of(request), str(asked[0])
    if form != "json":
        most = limit if "limit" in request.query_params else None
        rows = iter(records(frame.head(most) if most else frame))
        return download(rows, tuple(map(str, frame.columns)), form, name, site)
    start = after_of(cursor, asked).tie if cursor else 0
    if not isinstance(start, int) or start < 0:
        raise Trouble(400, "bad_cursor", "cursor: not one that this list gave", "cursor")
    part = frame.iloc[start : start + limit]
    more = start + limit < len(frame)
    following = cursor_of(After(None, start + limit), asked) if more else None
    page = {"returned": len(part), "limit": limit, "next": following}
    return answer(request, records(part), page, {**about, "total": len(frame), "simulated": site.simulated})


def window(
    site: Site, board: str, since: str | None, until: str | None
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    """The time asked for; by default the last DAYS up to the board's newest snapshot."""
    start, end = moment_of(since, "since"), moment_of(until, "until")
    return (start if since else boards.newest(site, board, end).at - DAYS), end


@ROUTER.get("/boards", response_model=None, responses=DOWNLOADS, tags=["trends"], summary="Boards that were captured")
def list_boards(
    request: Request, place: Text = None, limit: Limit = 50, cursor: Cursor = None, form: Format = "json"
) -> Response:
    """Every list with its place, number of snapshots, first and newest moment."""
    only(request, {"place", *PAGED})
    rows = [row for row in boards.known(site_of(request)) if not place or row["place"] == place]
    names = ["board", "place", "place_name", "snapshots", "first", "last", "trends"]
    frame = pd.DataFrame(rows, columns=names)
    return paged(request, frame, ("boards", place), limit, cursor, form, {})


@ROUTER.get("/top", response_model=None, responses=DOWNLOADS, tags=["trends"], summary="The top of a board now")
def top(
    request: Request, board: Text = None, place: Text = None, until: Until = None,
    size: Annotated[int, Query(ge=1, le=100)] = boards.TOP,
) -> Response:  # fmt: skip
    """The newest snapshot's first topics with age, phase and path, and those likely to join them."""
    only(request, {"board", "place", "until", "size"})
    site = site_of(request)
    name = board or boards.default_board(site, place)
    if name is None:
        raise UsageError("no board yet" + (" for this place" if place else "") + "; try: make demo")
    found = boards.top(site, name, moment_of(until, "until"), size)
    return answer(request, found, None, {"simulated": site.simulated})


@ROUTER.get("/topics", response_model=None, responses=DOWNLOADS, tags=["trends"], summary="Evolution of topics")
def topics(
    request: Request, board: BoardName, since: Since = None, until: Until = None,
    sort: Annotated[Literal.__getitem__(tuple(SORTS)) | None, Query()] = None,  # type: ignore[valid-type]
    text: Text = None, limit: Limit = 50, cursor: Cursor = None, form: Format = "json",
) -> Response:  # fmt: skip
    """One row per topic: first and last seen, peaks, time in the top, speed, half-life, re-entries; with bounds."""
    only(request, {"board", "since", "until", "sort", "text", *PAGED})
    site = site_of(request)
    start, end = window(site, board, since, until)
    frame = boards.topics(site, board, start, end, sort)
    if text:
        held = (frame["topic"] + "\n" + frame["topic_key"]).str.casefold()
        frame = frame[held.str.contains(text.casefold(), regex=False)]
    about = {"board": board, "since": start, "until": end}
    return paged(request, frame, ("topics", board, since, until, sort, text), limit, cursor, form, about)


@ROUTER.get("/topic", response_model=None, responses=DOWNLOADS, tags=["trends"], summary="One topic on a board")
def topic(
    request: Request, board: BoardName, topic: Annotated[str, Query(max_length=400, examples=["carnaval"])],
    since: Since = None, until: Until = None,
) -> Response:  # fmt: skip
    """Every sighting with its volume or its floor, the evolution in numbers, and the phases."""
    only(request, {"board", "topic", "since", "until"})
    site = site_of(request)
    start, end = window(site, board, since, until)
    _, entries, mine = boards.one_topic(site, board, topic, start, end)
    told = boards.topics(site, board, start, end, None)
    found = {
        "evolution": records(told[told["topic_key"] == topic])[0],
        "phases": boards.told_phases(stream_of_board(board, entries), topic),
        "sightings": records(mine.drop(columns=["topic_key"])),
    }
    return answer(request, found, None, {"board": board, "since": start, "until": end, "simulated": site.simulated})


@ROUTER.get("/evolution", response_model=None, responses=DOWNLOADS, tags=["trends"], summary="Counters of an entity")
def evolution(
    request: Request, entity: Annotated[str, Query(max_length=1000, examples=["tiktok:profile:nasa"])],
    since: Since = None, until: Until = None, limit: Limit = 500, cursor: Cursor = None, form: Format = "json",
) -> Response:  # fmt: skip
    """Every reading of every counter with its bounds, and its change since the one before."""
    only(request, {"entity", "since", "until", *PAGED})
    site = site_of(request)
    seen = site.reader.history(entity, since=moment_of(since, "since"), until=moment_of(until, "until"))
    if seen.empty:
        raise UsageError("entity: no observation of it in the time asked for")
    readings = entity_evolution(seen, shown_counters(seen))
    readings = readings[readings["value"].notna()]
    story = readings.merge(changes(readings), how="left", on=SAME_READING)
    return paged(request, story, ("evolution", entity, since, until), limit, cursor, form, {"entity": entity})


@ROUTER.get("/growth", response_model=None, responses=DOWNLOADS, tags=["creators"], summary="Who grows faster")
def growth(
    request: Request,
    kind: Annotated[Literal["profile", "post", "hashtag", "sound", "product"], Query()] = "profile",
    counter: Annotated[str, Query(max_length=40, examples=["followers"])] = "followers",
    since: Since = None, until: Until = None, least: Annotated[int, Query(ge=0, le=10**12)] = 1,
    limit: Limit = 50, cursor: Cursor = None, form: Format = "json",
) -> Response:  # fmt: skip
    """Growth of a counter per entity, with bounds, sized down where little is known."""
    only(request, {"kind", "counter", "since", "until", "least", *PAGED})
    if counter not in COUNTED[kind]:
        there = ", ".join(COUNTED[kind])
        raise Trouble(400, "bad_parameter", f"counter: no counter of a {kind}; there are {there}", "counter")
    site = site_of(request)
    seen = site.views.observed(kind, moment_of(since, "since"), texts.MOST)
    if (end := moment_of(until, "until")) is not None:
        seen = seen[seen["at"] < end]
    if seen.empty:
        raise UsageError(f"no observation of a {kind} in the time asked for")
    frame = rising(seen, counter, Filters(least=least))
    about = {"kind": kind, "counter": counter, "entities": int(seen["entity"].nunique())}
    return paged(request, frame, ("growth", kind, counter, since, until, least), limit, cursor, form, about)


@ROUTER.get("/keywords", response_model=None, responses=DOWNLOADS, tags=["texts"], summary="What posts say")
def keywords(
    request: Request, since: Since = None, until: Until = None,
    language: Annotated[str | None, Query(max_length=10, examples=["pt"])] = None,
    by: Annotated[Literal["rise", "engagement", "authors"], Query()] = "rise",
    limit: Limit = 50, cursor: Cursor = None, form: Format = "json",
) -> Response:  # fmt: skip
    """Terms once per post over distinct authors, ranked by how far above their own past they are."""
    only(request, {"since", "until", "language", "by", *PAGED})
    site = site_of(request)
    chosen = texts.Choice(moment_of(since, "since"), moment_of(until, "until"), language)
    found = texts.keywords_of(site, chosen, by)
    about = {"posts": found.posts, "copies_folded": found.copies, "bins": found.bins}
    return paged(request, found.frame, ("keywords", since, until, language, by), limit, cursor, form, about)


@ROUTER.get(
    "/coverage", response_model=None, responses=DOWNLOADS, tags=["health"], summary="What came in, what did not"
)
def covered(request: Request) -> Response:
    """Per source: newest answer, fetches by outcome; gaps of watched slots; what drifted; documents held."""
    only(request, set())
    return answer(request, coverage.summary(site_of(request)), None, {"simulated": site_of(request).simulated})
