"""What stands before every request: whose machine, which token, how often, how long. ASGI; knows no database."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analysis.web.buckets import Buckets
from analysis.web.shapes import Trouble, failure

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})
LONGEST_ADDRESS = 8_000  # bytes of path and query; the longest honest one, a cursor with filters, is below 6,000
ALIVE = "/healthz"  # answers without the token, and tells nothing but yes or no
HEADERS = {
    # Vega's own evaluator of expressions needs no eval; a chart's text can be data only.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """token: None serves only requests that name this machine, so no foreign page can read it through a browser."""

    def __init__(self, app: ASGIApp, token: str | None, buckets: Buckets) -> None:
        self.app = app
        self.token = None if token is None else token.encode()
        self.buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_DRESS]
            await send(message)

        try:
            self.check(scope)
        except Trouble as trouble:
            await failure(trouble, _about(trouble))(scope, receive, dressed)
            return
        await self.app(scope, receive, dressed)

    def check(self, scope: Scope) -> None:
        """Raises Trouble."""
        headers = {name: value for name, value in scope["headers"] if name in (b"host", b"authorization")}
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > LONGEST_ADDRESS:
            raise Trouble(414, "too_long", f"path and query: at most {LONGEST_ADDRESS:,} bytes")
        if self.token is None:
            if _name(headers.get(b"host", b"")) not in LOOPBACK:
                message = "without API_TOKEN this serves its own machine only: ask for it as 127.0.0.1 or localhost"
                raise Trouble(403, "not_here", message)
        elif scope["path"] != ALIVE and not _shown(headers.get(b"authorization", b""), self.token):
            raise Trouble(401, "token_needed", "send the token as `Authorization: Bearer …`, or as a password")
        client = (scope.get("client") or ("", 0))[0]
        if wait_s := self.buckets.wait_s(client):
            raise Trouble(429, "too_often", f"at most {self.buckets.per_s:g} requests a second; wait {wait_s:.1f} s")


_DRESS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def _about(trouble: Trouble) -> dict[str, str]:
    if trouble.status == 401:
        return {"WWW-Authenticate": 'Basic realm="Tidemark", charset="UTF-8"'}
    return {"Retry-After": "1"} if trouble.status == 429 else {}


def _name(host: bytes) -> str:
    """Host without its port; `[::1]:8000` is `::1`."""
    text = host.decode("latin-1").lower()
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def _shown(authorization: bytes, token: bytes) -> bool:
    scheme, _, rest = authorization.partition(b" ")
    if scheme.lower() == b"basic":
        try:
            rest = base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != b"bearer":
        return False
    return hmac.compare_digest(rest.strip(), token)
