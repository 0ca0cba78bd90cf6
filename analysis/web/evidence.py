"""Where a number comes from, and whether its archived page still says so.

`explain` names capture, place in the page, parser, outcome, moment and vantage; `verify` reads the archived capture
again with today's parser and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analysis.web.api import DOWNLOADS, only, site_of
from analysis.web.lists import LISTS
from analysis.web.places import places
from analysis.web.shapes import Trouble, answer, packed
from analysis.web.site import Site
from crawler.archive import ArchiveError, Capture, CaptureMissing
from crawler.items import KINDS, Item
from crawler.pages import Page
from crawler.reading import page_of
from crawler.storage.merge import document, observation, units
from crawler.storage.web_reads import plain_item

ROUTER = APIRouter(prefix="/api", tags=["evidence"])
Row = dict[str, Any]
ListName = Annotated[
    str, Query(alias="list", max_length=40, description="List that the number is of.", examples=["entries"])
]
Key = Annotated[
    str, Query(max_length=1200, description="Key of the document.", examples=["x:trends:br@20260301T000000Z#1"])
]
Field = Annotated[str, Query(max_length=60, description="Field that holds the number.", examples=["volume"])]
_LINKS = {"profile": "username", "post": "post_id", "hashtag": "name", "product": "handle", "boardentry": "topic"}


@ROUTER.get("/explain", response_model=None, responses=DOWNLOADS, summary="Where a number comes from")
def explain(request: Request, name: ListName, key: Key, field: Field) -> Response:
    """Capture, place in the page, parser, outcome, moment and vantage of one number."""
    only(request, {"list", "key", "field"})
    return answer(request, explained(site_of(request), name, key, field))


@ROUTER.get("/verify", response_model=None, responses=DOWNLOADS, summary="Does its archived page still say so?")
def verify(request: Request, name: ListName, key: Key, field: Field) -> Response:
    """Reads the archived capture again with today's parser and compares. `agrees` is null where nobody can tell."""
    only(request, {"list", "key", "field"})
    return answer(request, verified(site_of(request), name, key, field))


def explained(site: Site, name: str, key: str, field: str) -> Row:
    row, source = _sourced(site, name, key, field)
    capture, problem = _captured(site, source["capture"])
    ledger = site.lists.one("fetches", source["capture"]) or {}
    value = row.get(field)
    found: Row = {
        "list": name, "key": key, "field": field, "value": value, "precision": row.get(f"{field}_precision"),
        "capture": source["capture"], "url": ledger.get("url") or row.get("url"), "parser": source["parser"],
        "observed_at": source.get("observed_at") or source.get("at"), "at_precision": source.get("at_precision"),
        "vantage": row.get("vantage"), "outcome": ledger.get("outcome"), "status": ledger.get("status"),
        "lane": ledger.get("lane") or (capture.lane if capture else None), "spider": ledger.get("spider"),
        "run": ledger.get("run"), "archived": capture is not None, "archive_problem": problem,
        "places": [],
    }  # fmt: skip
    if capture is not None and value is not None:
        identity = str(row.get(_LINKS.get(str(row.get("kind")), "key")) or key)
        found["places"] = [each._asdict() for each in places(capture.body, value, identity)]
        found["fetched_at"] = capture.fetched_at
    return found


def verified(site: Site, name: str, key: str, field: str) -> Row:
    row, source = _sourced(site, name, key, field)
    capture, problem = _captured(site, source["capture"])
    found: Row = {
        "list": name, "key": key, "field": field, "stored": row.get(field), "recomputed": None, "agrees": None,
        "capture": source["capture"], "parser_then": source["parser"], "parser_now": None, "why": problem,
    }  # fmt: skip
    if capture is None:
        return found
    page = _page(capture, source["parser"])
    if page is None:
        return {**found, "why": "no page object of today reads this capture"}
    found["parser_now"] = page.parser
    readings = [_reading(item, name) for item in page.items() if isinstance(item, Item)]
    same = [each for each in readings if each["key"] == key]
    if not same:
        return {
            **found,
            "agrees": False,
            "why": f"read again, the page gives no such {row.get('kind', 'item')} ({page.outcome})",
        }
    stored = packed(row.get(field))
    best = next((each for each in same if packed(each.get(field)) == stored), same[0])
    agrees = packed(best.get(field)) == stored
    return {
        **found, "recomputed": best.get(field), "agrees": agrees,
        "why": None if agrees else "today's parser reads another value; `scrapy replay` mends the history",
    }  # fmt: skip


def _sourced(site: Site, name: str, key: str, field: str) -> tuple[Row, Mapping[str, Any]]:
    """The document, and the stamp of the capture that its field was read from."""
    listing = LISTS.get(name)
    if listing is None:
        raise Trouble(400, "bad_parameter", f"list: no such list; there are {', '.join(LISTS)}", "list")
    row = site.lists.one(listing.collection, key)
    if row is None:
        raise Trouble(404, "not_found", f"key: {name} holds no such document", "key")
    if "capture" not in row or "parser" not in row:
        raise Trouble(400, "bad_parameter", f"list: {name} are not read from pages", "list")
    if field not in row or field not in listing.columns:
        shown = ", ".join(each for each in listing.columns if each in row)
        raise Trouble(404, "not_found", f"field: the page showed none; this document has {shown}", "field")
    group = field
    if listing.model is not None:
        group = next((each[0] for each in units(listing.model) if field in each), field)
    return row, row.get("older", {}).get(group) or row


def _captured(site: Site, capture_id: str) -> tuple[Capture | None, str | None]:
    archive = site.archive()
    if archive is None:
        return None, "the archive of this database is not on this machine's disk"
    try:
        return archive.read(capture_id), None
    except CaptureMissing:
        return None, "its capture is not in the archive of this machine"
    except ArchiveError:
        return None, "its record in the archive is damaged; see: scrapy verify"


def _page(capture: Capture, parser: str) -> Page | None:
    name = parser.rpartition("@")[0]
    return page_of(capture, name if name in Page.registry else None)


def _reading(item: Item, name: str) -> Row:
    """An item as the list *name* holds it."""
    if name == "observations":
        return plain_item(observation(item)) if item.counters else {"key": ""}
    return plain_item(document(item)) if KINDS[item.kind].collection == LISTS[name].collection else {"key": ""}
