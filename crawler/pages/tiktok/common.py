"""What TikTok's page objects share: walls, status codes, the place a page states."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs

from crawler.fields import address, dig, load_json
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Page, asks_for_consent
from crawler.pages.tiktok.state import has_state, status_of

# The visitor's country as the page states it: universal state, Next state, 2020's answers.
_REGION_AFTER = (b'"webapp.app-context"', b'"$region"', b'"pageState"')
_REGION = re.compile(rb'"\$?region"\s*:\s*"([A-Z]{2})"')


class TikTokPage(Page):
    platform: ClassVar[str] = "tiktok"

    @property
    def is_json(self) -> bool:
        return self.body[:1000].lstrip()[:1] in (b"{", b"[")

    def json(self) -> Any:
        try:
            return load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None

    def answer(self) -> dict[str, Any] | None:
        """The object that an address of JSON gave; None where it is a wall or states why there is none."""
        if not self.is_json:
            self.no_data("the answer is no JSON")
            return None
        data = self.json()
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
        if not isinstance(data, dict) or not data or data.get("type") == "verify":
            self.walled(Outcome.BLOCKED, "an empty answer or a captcha's")
            return None
        return data if self.allowed(data, "body") else None

    def allowed(self, detail: Any, where: str) -> bool:
        """Whether the status code says that the data is there; otherwise the outcome is the one it states."""
        code = dig(detail, "statusCode") or dig(detail, "status_code")
        self.reading.outcome = status_of(code, f"{where}.statusCode")
        return self.reading.outcome is Outcome.OK

    def no_data(self, what: str) -> None:
        """The outcome of a page that does not hold what it is for: decided by what is there, not by words."""
        if address(self.url).path.startswith("/login"):
            self.reading.outcome = Outcome.LOGIN_WALL
        elif has_state(self.body) or _cut_short(self.body):
            self.reading.bare = not _cut_short(self.body)
            self.walled(Outcome.SHAPE_CHANGED, what)
        elif asks_for_consent(self.url, self.body):
            self.reading.outcome = Outcome.CONSENT
        else:
            self.reading.bare = True
            self.walled(Outcome.BLOCKED, what)

    def walled(self, outcome: Outcome, what: str) -> None:
        self.reading.outcome = outcome
        self.reading.problem = f"{type(self).__name__} {self.url}: {what}"

    def place(self) -> str | None:
        """Country the page says it is shown in, else the one it was seen from, else the one told with the file."""
        for opening in _REGION_AFTER:
            at = self.body.find(opening)
            if at >= 0 and (stated := _REGION.search(self.body, at, at + 3000)):
                return stated[1].decode().lower()
        told = self.vantage.country or self.headers.get("tidemark-place")
        return told.lower() if told else None

    def asked_for(self, *names: str) -> str | None:
        """The first of these parameters of the address that has a value."""
        query = parse_qs(address(self.url).query)
        return next((query[name][0] for name in names if query.get(name)), None)


def _cut_short(body: bytes) -> bool:
    """A web page that begins and never ends: what it lacks may have come later. Walls are whole pages."""
    return b"<html" in body[:2000].lower() and b"</html" not in body[-2000:].lower()
