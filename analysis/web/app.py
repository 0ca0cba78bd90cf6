"""The application: routes, errors in their one shape, OpenAPI. Made from a Site; opens nothing itself."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from analysis.command import UsageError
from analysis.web import api, derived, evidence, pages, unattended
from analysis.web.buckets import Buckets
from analysis.web.guard import Guard
from analysis.web.shapes import Problem, Told, Trouble, failure
from analysis.web.site import Site
from analysis.web.together import Together
from crawler.storage.errors import StorageError
from crawler.storage.jobs import Queue

log = logging.getLogger(__name__)
ABOUT = """Read-only. Every success is `{ok: true, data, page, about}`, every error
`{ok: false, error: {code, message}}`.
Lists come in pages (`cursor`), or whole with `format=csv` or `format=jsonl`. Answers carry an ETag. A number that the
page did not show is null, never 0; `…_precision` is the rounding step of the number beside it."""
PER_S, BURST = 50.0, 200.0
_CODES = {404: "not_found", 405: "read_only"}


def buckets_of(per_s: float) -> Buckets:
    return Buckets(per_s, max(BURST, per_s))


def create_app(
    site: Site, token: str | None = None, per_s: float = PER_S, queue: Queue | None = None,
    buckets: Buckets | None = None,
) -> FastAPI:  # fmt: skip
    """queue: where `POST /targets` puts what is asked for; without a token there is none.

    buckets: the limit where several processes share one; else it is *per_s*.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pages, app.state.together = site.open_pages(), Together[Told]()
        yield
        await app.state.pages.close()

    app = FastAPI(
        title="Tidemark", version="1", description=ABOUT, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", lifespan=lifespan,
    )  # fmt: skip
    app.state.site = site
    app.state.queue = queue if token else None
    app.include_router(api.router())
    app.include_router(derived.ROUTER)
    app.include_router(evidence.ROUTER)
    app.include_router(pages.ROUTER)
    app.include_router(unattended.ROUTER)
    app.add_middleware(Guard, token=token, buckets=buckets or buckets_of(per_s))
    for kind, handler in (
        (Trouble, _trouble), (RequestValidationError, _invalid), (HTTPException, _http), (StorageError, _away),
        (UsageError, _usage), (Exception, _broken),
    ):  # fmt: skip
        app.add_exception_handler(kind, handler)
    plain = app.openapi
    app.openapi = lambda: _documented(plain())  # type: ignore[method-assign]
    return app


def _told(request: Request, trouble: Trouble, headers: Mapping[str, str] | None = None) -> Response:
    """To a program as JSON, to a person as a page."""
    path = request.url.path
    if path.startswith(("/api/", "/charts/", "/static/")) or "text/html" not in request.headers.get("accept", ""):
        return failure(trouble, headers)
    return pages.failed(request, trouble)


async def _trouble(request: Request, error: Any) -> Response:
    return _told(request, error)


async def _invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    name = str(first["loc"][-1])[:80]
    return failure(Trouble(400, "bad_parameter", f"{name}: {first['msg']}", name))


async def _http(request: Request, error: Any) -> Response:
    code = _CODES.get(error.status_code, "refused")
    said = {
        404: "nothing here; see /api for what there is",
        405: "this API only reads: use GET",
    }.get(error.status_code, str(error.detail))
    return _told(request, Trouble(error.status_code, code, said), getattr(error, "headers", None))


async def _usage(request: Request, error: Any) -> Response:
    return _told(request, Trouble(404, "not_found", str(error)))


async def _away(request: Request, error: Any) -> Response:
    return _told(request, Trouble(503, "database", str(error)), {"Retry-After": "5"})


async def _broken(request: Request, error: Any) -> Response:
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s: %s at %s:%s", request.url.path[:200], type(error).__name__, place.filename, place.lineno)
    problem = Problem(code="fault", message="a fault of ours; the server's log names the place")
    return _told(request, Trouble(500, problem.code, problem.message))


def _documented(schema: dict[str, Any]) -> dict[str, Any]:
    """As it really answers: what cannot be used is 400, never FastAPI's 422."""
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        schema.get("components", {}).get("schemas", {}).pop(name, None)
    return schema
