"""The API's lists: every listing of analysis.web.lists as one endpoint, in pages, as CSV or as JSON Lines."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from analysis.command import moment, until
from analysis.web.lists import LISTS, Filter, Listing
from analysis.web.shapes import Answer, Failure, Told, Trouble, after_of, cursor_of
from analysis.web.site import Site
from analysis.web.stream import MEDIA, pieces
from analysis.web.together import Together
from crawler.items import MAX_INT64
from crawler.storage.web_reads import After, Condition, Order, Pages, as_python

LIMIT, MOST = 50, 500
LONGEST = 1000  # characters of a value
Form = Literal["json", "csv", "jsonl"]
TROUBLES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": about}
    for status, about in {
        400: "A parameter cannot be used; the message says what can.", 401: "A token is needed.",
        404: "Not there.", 429: "Asked too often; wait as Retry-After says.",
        503: "The database is away, or the question would take too long.",
    }.items()
}  # fmt: skip
DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {"model": Answer, "content": {"text/csv": {}, "application/x-ndjson": {}}},
    304: {"description": "Not changed since the ETag that was sent."}, **TROUBLES,
}  # fmt: skip

_TYPES: dict[str, Any] = {"text": str, "whole": int, "number": float, "flag": bool}
_BOUNDS: dict[str, dict[str, Any]] = {
    "text": {"max_length": LONGEST}, "whole": {"ge": 0, "le": MAX_INT64}, "number": {"allow_inf_nan": False},
    "flag": {},
}  # fmt: skip
SINCE = "From this moment on: 2021-09-24 or 2021-09-24T01:15Z (UTC)."
UNTIL = "Before this moment; a day alone is meant whole."


def site_of(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


def pages_of(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


def only(request: Request, known: set[str]) -> None:
    """A misspelt parameter would silently widen what is asked."""
    for name in request.query_params:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise Trouble(400, "unknown_parameter", f"no such parameter; there are: {there}", name[:80])


def moment_of(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        return (until if name == "until" else moment)(text)
    except (argparse.ArgumentTypeError, OverflowError, ValueError):
        message = f"{name}: not a moment; write 2021-09-24 or 2021-09-24T01:15Z"
        raise Trouble(400, "bad_parameter", message, name) from None


def conditions_of(listing: Listing, given: Mapping[str, Any]) -> list[Condition]:
    """Filters that were given, as plain comparisons."""
    made = [
        Condition(each.field, each.operator, given[name])
        for name, each in listing.filters.items()
        if given.get(name) is not None
    ]
    since, until = moment_of(given.get("since"), "since"), moment_of(given.get("until"), "until")
    if since is not None:
        made.append(Condition(listing.moment, "ge", since))
    if until is not None:
        made.append(Condition(listing.moment, "lt", until))
    if listing.needs and not any(given.get(name) for name in listing.needs):
        wanted = " or ".join(listing.needs)
        raise Trouble(400, "needs_parameter", f"this list is long: say {wanted}", listing.needs[0])
    return made


def _endpoint(listing: Listing, model: type[BaseModel]) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:
        # Checked here at once: FastAPI takes parameters one by one, which costs as much as the query.
        site, given = site_of(request), vars(_checked(model, request))
        conditions = conditions_of(listing, given)
        order = listing.orders[given["sort"]]
        if order.indexed and given.get(listing.needs[0]):
            order = order._replace(indexed=False)  # another index then serves, which does not hold the tie
        if given["form"] != "json":
            limit = given["limit"] if "limit" in request.query_params else None
            whole = islice(site.lists.stream(listing.collection, conditions, order), limit)
            return await run_in_threadpool(download, whole, listing.columns, given["form"], listing.name, site)

        async def make() -> Told:
            return await _page(listing, site, pages_of(request), given, conditions, order)

        together: Together[Told] = request.app.state.together
        told = await together.get((listing.name, request.scope["query_string"]), make)
        return told.to(request)

    return read


async def _page(
    listing: Listing, site: Site, pages: Pages, given: Mapping[str, Any], conditions: list[Condition], order: Order
) -> Told:  # fmt: skip
    asked = (listing.name, given["sort"], conditions)
    after = after_of(given["cursor"], asked) if given["cursor"] else None
    try:
        rows, more = await pages.page(listing.collection, conditions, order, given["limit"], after)
    except (OverflowError, ArithmeticError, ValueError):
        raise Trouble(400, "bad_cursor", "cursor: not one that this list gave", "cursor") from None
    following = None
    if more:
        following = cursor_of(After(as_python(rows[-1].get(order.field)), _tie(rows[-1], order.tie)), asked)
    page = {"returned": len(rows), "limit": given["limit"], "next": following}
    return Told.success(rows, page, {"list": listing.name, "simulated": site.simulated})


def _checked(model: type[BaseModel], request: Request) -> BaseModel:
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0])[:80]
        if first["type"] == "extra_forbidden":
            there = ", ".join(sorted(each.alias or field for field, each in model.model_fields.items()))
            message = f"no such parameter; there are: {there}"
            raise Trouble(400, "unknown_parameter", message, name) from None
        raise Trouble(400, "bad_parameter", f"{name}: {first['msg']}", name) from None


def _described(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters as OpenAPI has them."""
    made = []
    for name, schema in model.model_json_schema(by_alias=True)["properties"].items():
        about = schema.pop("description", "")
        made.append({"name": name, "in": "query", "required": False, "description": about, "schema": schema})
    return made


def _tie(row: Mapping[str, Any], tie: str) -> Any:
    return row["key" if tie == "_id" else tie]


def _model(listing: Listing) -> type[BaseModel]:
    """The parameters of a list, checked at once; one that is not among them is refused."""
    since = Field(None, max_length=40, description=SINCE, examples=["2026-03-01"])
    until_ = Field(None, max_length=40, description=UNTIL, examples=["2026-03-07"])
    sorts = Literal.__getitem__(tuple(listing.orders))
    fields: dict[str, Any] = {
        **{name: (_type(each) | None, _field(each)) for name, each in listing.filters.items()},
        "since": (str | None, since),
        "until": (str | None, until_),
        "sort": (sorts, Field(next(iter(listing.orders)), description="`-` before a field: greatest first.")),
        "limit": (int, Field(LIMIT, ge=1, le=MOST, description="Rows of a page; of a download: at most.")),
        "cursor": (str | None, Field(None, max_length=4000, description="`page.next` of the page before.")),
        "form": (Form, Field("json", alias="format", description="csv and jsonl give the whole list.")),
    }
    return create_model(f"{listing.name.title()}Asked", __config__=ConfigDict(extra="forbid"), **fields)


def _type(each: Filter) -> Any:
    return Literal.__getitem__(each.choices) if each.choices else _TYPES[each.type]


def _field(each: Filter) -> Any:
    more: dict[str, Any] = {} if each.choices else dict(_BOUNDS[each.type])
    if each.example:
        more["examples"] = [each.example]
    return Field(None, description=each.about, **more)


def download(
    rows: Iterator[dict[str, Any]], columns: tuple[str, ...], form: str, name: str, site: Site
) -> StreamingResponse:  # fmt: skip
    """The first piece is made before the answer begins: a database that is away is an error, not a torn file."""
    source = pieces(rows, columns, form, site.simulated)
    first = next(source, b"")
    ending = "simulated." if site.simulated else ""
    return StreamingResponse(
        chain([first], source), media_type=MEDIA[form],
        headers={"Content-Disposition": f'attachment; filename="tidemark-{name}.{ending}{form}"'},
    )  # fmt: skip


def router() -> APIRouter:
    made = APIRouter(prefix="/api")
    for listing in LISTS.values():
        model = _model(listing)
        made.add_api_route(
            f"/{listing.name}", _endpoint(listing, model), methods=["GET"], summary=listing.about, tags=["lists"],
            response_model=None, responses=DOWNLOADS, operation_id=f"list_{listing.name}",
            openapi_extra={"parameters": _described(model)},
        )  # fmt: skip
    return made
