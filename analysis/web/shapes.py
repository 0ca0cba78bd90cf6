"""The one shape of every success and of every error."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from crawler.storage.web_reads import After, as_python


class Paging(BaseModel):
    """Where in the list this answer lies."""

    returned: int
    limit: int | None = None
    next: str | None = None
    """Cursor of the page behind this one; null on the last."""


class Answer(BaseModel):
    """Every success: `ok` true, what was asked for under `data`."""

    model_config = ConfigDict(json_schema_extra={"required": ["ok", "data"]})
    ok: bool = True
    data: Any
    page: Paging | None = None
    about: dict[str, Any] = {}
    """What is true of the answer as a whole: freshness, coverage, n, whether the data is simulated."""


class Problem(BaseModel):
    code: str
    message: str
    parameter: str | None = None


class Failure(BaseModel):
    """Every error: `ok` false, and what is wrong in a sentence that says what would work."""

    ok: bool = False
    error: Problem


class Trouble(Exception):
    """Ends a request with a Failure."""

    def __init__(self, status: int, code: str, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(code=code, message=message, parameter=parameter)


_PACKED = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def packed(value: Any) -> bytes:
    """JSON bytes: moments as 2021-09-24T01:15:00Z, prices as text (exact), numbers under any key."""
    return orjson.dumps(value, default=_other, option=_PACKED)


def _other(value: Any) -> Any:
    exact = as_python(value)
    if isinstance(exact, Decimal):
        return str(exact)
    raise TypeError(f"{type(value).__name__} has no JSON")


class Told(NamedTuple):
    """Bytes of an answer, and their ETag."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> Told:
        return cls(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')

    @classmethod
    def success(cls, data: Any, page: Mapping[str, Any] | None = None, about: Mapping[str, Any] | None = None) -> Told:
        """The success shape."""
        return cls.of(packed({"ok": True, "data": data, "page": page, "about": about or {}}))

    def to(self, request: Request, media_type: str = "application/json") -> Response:
        """With its ETag; 304 where the caller has it already."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache"}
        held = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
        if self.tag in held:
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type=media_type, headers=headers)


def answer(
    request: Request, data: Any, page: Mapping[str, Any] | None = None, about: Mapping[str, Any] | None = None
) -> Response:
    return Told.success(data, page, about).to(request)


def tagged(request: Request, body: bytes, media_type: str) -> Response:
    return Told.of(body).to(request, media_type)


def failure(trouble: Trouble, headers: Mapping[str, str] | None = None) -> Response:
    body = orjson.dumps({"ok": False, "error": trouble.problem.model_dump()})
    return Response(body, trouble.status, dict(headers or {}), "application/json")


def cursor_of(after: After, asked: Sequence[object]) -> str:
    """An opaque text that holds the end of a page, bound to what was asked: it fits no other question."""
    value = after.value
    marked = {"d": str(value)} if isinstance(value, Decimal) else value
    if isinstance(value, datetime):
        marked = {"m": value.isoformat()}
    return base64.urlsafe_b64encode(orjson.dumps([_bound(asked), marked, after.tie])).decode().rstrip("=")


def after_of(cursor: str, asked: Sequence[object]) -> After:
    try:
        bound, value, tie = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(value, dict):
            ((mark, text),) = value.items()
            value = Decimal(text) if mark == "d" else datetime.fromisoformat(text)
        if bound != _bound(asked) or not isinstance(tie, str | int) or isinstance(value, list):
            raise ValueError
    except (ValueError, TypeError, ArithmeticError, binascii.Error):
        message = "cursor: not one that this list gave for the same filters; start again without it"
        raise Trouble(400, "bad_cursor", message, "cursor") from None
    return After(value, tie)


def _bound(asked: Sequence[object]) -> str:
    return hashlib.blake2b(repr(asked).encode("utf-8", "replace"), digest_size=6).hexdigest()
