"""What every page object is: bytes in, outcome and items out. Never fetches, never asks the time."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from crawler.fields import Fields, address
from crawler.items import Item, Refused, Vantage, reason_of
from crawler.outcomes import Outcome, ShapeError

I = TypeVar("I", bound=Item)  # noqa: E741 - the type variable of an item
_ROBOTS = re.compile(r"^https?://[^/?#]+/robots\.txt(?:[?#]|$)")
_CONSENT_FORM = re.compile(rb'<form[^>]{0,500}action="[^"]{0,200}consent', re.I)
Lane = Literal["http", "browser", "api", "replay"]


def capture_id(url: str, moment: datetime, body: bytes) -> str:
    """Hash of URL, moment (to the millisecond) and body: 32 hex digits, never random."""
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"{url}\n{stamp}\n".encode("utf-8", "surrogatepass")
    return hashlib.sha256(head + body).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Follow:
    """A page worth fetching next, and the lane it needs."""

    url: str
    page: str
    lane: Lane = "http"
    why: str = ""


@dataclass(slots=True)
class Reading:
    """What reading a page gave; filled once, by Page.read."""

    outcome: Outcome = Outcome.OK
    items: list[Item | Refused] = field(default_factory=list)
    follows: list[Follow] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    """Outcome of parts of the page that can fail alone, e.g. posts: blocked."""
    got: int | None = None
    asked: int | None = None
    ceiling: int | None = None
    more: bool | None = None
    """Whether the list says that it goes on; None where it does not say."""
    bare: bool = False
    """Nothing of what the page is for is in it, and nothing is damaged: a browser may see what HTML does not hold."""
    repaired: int = 0
    """Numbers repaired (32-bit wraps)."""
    odd: list[str] = field(default_factory=list)
    """Optional fields that were there and could not be read."""
    unread: list[str] = field(default_factory=list)
    """Fields that this page object knows nothing of."""
    problem: str = ""
    """Why the outcome is shape_changed: page, path, expected, found."""


class Page:
    """Subclasses set name, version, platform, urls and write `read`.

    `read` fills self.reading and may raise ShapeError: the outcome is then shape_changed, as with any ValueError.
    Whatever `read` collected, items() gives no item unless the outcome is ok; what was refused
    is given in any case, for the quarantine. A page whose every item is refused is not ok.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    platform: ClassVar[str]
    urls: ClassVar[tuple[str, ...]] = ()
    """Regular expressions; a page is chosen by its URL first."""

    on_any_host: ClassVar[bool] = False
    """Its patterns name no host, so the body must say so too."""

    registry: ClassVar[dict[str, type[Page]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            cls.registry[cls.name] = cls

    def __init__(
        self,
        url: str,
        body: bytes,
        fetched_at: datetime,
        headers: Mapping[str, str] | None = None,
        *,
        capture: str | None = None,
        vantage: Vantage = Vantage(),  # noqa: B008 - frozen
        at_precision: Literal["day"] | None = None,
        hash_key: str | None = None,
    ) -> None:
        # Captures of others carry any text as their address; what cannot be one is kept as a name.
        self.url = url if address(url).scheme else f"saved:{quote(url, safe='', errors='replace')}"
        self.body = body
        self.fetched_at = fetched_at
        self.headers = headers or {}
        self.vantage = vantage
        self.at_precision = at_precision
        self._capture = capture
        self._hash_key = hash_key

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        """Whether *body* is such a page: for saved pages whose URL nobody kept, and see on_any_host."""
        return False

    def refused(self, status: int, outcome: Outcome) -> tuple[Outcome, str]:
        """What an HTTP status other than 2xx means here, and why in words; *outcome* is what it means by itself."""
        return outcome, ""

    def read(self) -> None:
        raise NotImplementedError(type(self).__name__)

    @cached_property
    def reading(self) -> Reading:
        return Reading()

    @cached_property
    def _done(self) -> Reading:
        reading = self.reading
        try:
            self.read()
        except ValueError as error:  # parsers of markup raise it, too, and quote what they found
            reading.outcome = Outcome.SHAPE_CHANGED
            said = error if isinstance(error, ShapeError) else "cannot be read: damaged"
            reading.problem = f"{type(self).__name__} {self.url}: {said}"
        good = [item for item in reading.items if isinstance(item, Item)]
        if reading.outcome is Outcome.OK and reading.items and not good:
            reading.outcome = Outcome.SHAPE_CHANGED
            reading.problem = f"{type(self).__name__} {self.url}: all {len(reading.items)} items refused"
        if reading.outcome is not Outcome.OK:
            reading.items = [item for item in reading.items if isinstance(item, Refused)]
            reading.follows = []
        return reading

    @property
    def outcome(self) -> Outcome:
        return self._done.outcome

    def items(self) -> Iterator[Item | Refused]:
        return iter(self._done.items)

    def next(self) -> Iterator[Follow]:
        return iter(self._done.follows)

    @property
    def result(self) -> Reading:
        """Everything reading gave, for the ledger."""
        return self._done

    @cached_property
    def capture(self) -> str:
        return self._capture or capture_id(self.url, self.fetched_at, self.body)

    @cached_property
    def parser(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def observed_at(self) -> datetime:
        return self.fetched_at

    def add(self, model: type[I], *, url: str | None = None, **fields: Any) -> I | None:
        """Make an item of *model*; what the model refuses goes to quarantine with its reason."""
        try:
            item = model(
                platform=self.platform, url=url or self.url, observed_at=self.fetched_at,
                at_precision=self.at_precision, capture=self.capture, parser=self.parser,
                vantage=self.vantage, **fields,
            )  # fmt: skip
        except ValidationError as error:
            kind = str(model.model_fields["kind"].default)
            self.reading.items.append(Refused.of(kind, reason_of(error), fields, self))
            return None
        self.reading.items.append(item)
        return item

    def person(self, identity: str | None) -> str | None:
        """Keyed hash of someone who is nobody's target: the same person, not who. None without key or identity."""
        if not identity or not self._hash_key:
            return None
        message = f"{self.platform}:{identity}".encode("utf-8", "surrogatepass")
        return hmac.new(self._hash_key.encode(), message, hashlib.sha256).hexdigest()[:32]

    def each(self, kind: str, rows: Iterable[Fields], read: Callable[[Fields], object]) -> None:
        """Read every row of a list; one that cannot be read goes to quarantine, the others go on."""
        for row in rows:
            try:
                read(row)
            except ShapeError as error:
                self.odd_row(kind, str(error), row)

    def odd_row(self, kind: str, problem: str, row: Fields) -> None:
        self.reading.odd.append(problem[:200])
        self.reading.items.append(Refused.of(kind, f"{kind}_unreadable", row.raw, self))


def asks_for_consent(url: str, body: bytes) -> bool:
    """Whether this is the page that asks about cookies first: by its address, or by where its form goes."""
    parts = address(url)
    by_address = "consent" in parts.path or (parts.hostname or "").startswith("consent.")
    return by_address or _CONSENT_FORM.search(body) is not None


def choose(url: str, body: bytes) -> type[Page] | None:
    """The page class for a response: by URL, else by what it holds; None when nobody knows it."""
    if _ROBOTS.search(url):  # archived like all that was asked for, and no page of the site that some class is for
        return None
    for page in Page.registry.values():
        if any(re.search(pattern, url) for pattern in page.urls) and (not page.on_any_host or page.knows(url, body)):
            return page
    return next((page for page in Page.registry.values() if page.knows(url, body)), None)
