"""What machines ask of a running Tidemark: does it live (`GET /healthz`), and crawl this at once (`POST /targets`)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from analysis.web.guard import ALIVE
from analysis.web.shapes import Trouble
from analysis.web.site import Site
from crawler.asking import parsed
from crawler.storage.jobs import MOST_CHARS, Queue
from crawler.targets import TargetError

ROUTER = APIRouter(include_in_schema=False)


@ROUTER.get(ALIVE)
def alive(request: Request) -> Response:
    """200 while the database answers; else 503, by the handler of StorageError."""
    site: Site = request.app.state.site
    site.views.counts(["meta"])
    return JSONResponse({"ok": True})


@ROUTER.post("/targets")
async def targets(request: Request) -> Response:
    """A JSON message, as `scrapy ask -` takes it; whether there is such a target is found by the worker."""
    queue: Queue | None = request.app.state.queue
    if queue is None:
        raise Trouble(403, "token_needed", "this route writes: set API_TOKEN, and send it")
    # A form of a foreign page cannot send this type without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Trouble(415, "not_json", "send Content-Type: application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_CHARS:
            raise Trouble(413, "too_long", f"at most {MOST_CHARS:,} bytes")
    site: Site = request.app.state.site
    message = body.decode("utf-8", "replace")
    try:
        parsed(message)
    except TargetError as error:
        raise Trouble(400, "no_message", str(error)) from None
    fresh = queue.message(message, site.clock())
    answer: dict[str, Any] = {"ok": True, "data": {"asked": fresh}, "about": {"taken_by": "scrapy due"}}
    return JSONResponse(answer, status_code=202)
