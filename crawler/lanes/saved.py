"""Where a saved page came from, and when: option, sidecar, manifest, the file itself, in this order."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from crawler.counts import day_or_moment
from crawler.fields import dig, load_json
from crawler.items import Vantage
from crawler.places import find

META = "meta.json"
MANIFEST = "MANIFEST.tsv"
PARENTS = 4  # how far above a file its manifest may lie
Precision = Literal["day"] | None
Stated = tuple[datetime, Precision]

CONTENT_TYPES = {
    ".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml", ".json": "application/json",
    ".jsonl": "application/x-ndjson", ".oembed": "application/json", ".csv": "text/csv", ".txt": "text/plain",
    ".tsv": "text/tab-separated-values", ".md": "text/markdown", ".js": "application/javascript",
    ".xml": "application/xml", ".rss": "application/rss+xml",
}  # fmt: skip

_TAG = re.compile(rb"<(?:link|meta)\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"""([a-z:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


class Unknown(ValueError):
    """Moment or address cannot be told; says what to give."""


@dataclass(frozen=True)
class Known:
    """All that is known of a saved page beside its body."""

    url: str
    observed_at: datetime
    at_precision: Precision
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str | None = None
    vantage: Vantage | None = None
    target: str | None = None


@dataclass(frozen=True)
class Entry:
    """One line of a manifest."""

    url: str
    observed_at: str
    time_source: str


class Provenance:
    def __init__(
        self, url: str | None, observed_at: datetime | None, at_precision: Precision, manifest: Path | None
    ) -> None:
        self.url = url
        self.moment = None if observed_at is None else (observed_at, at_precision)
        self.manifest = manifest
        self._manifests: dict[Path, dict[str, Entry]] = {}
        self._complaints: list[tuple[Path, str]] = []

    def complaints(self) -> Iterator[tuple[Path, str]]:
        """Manifests that could not be read; each is told once."""
        told, self._complaints = self._complaints, []
        return iter(told)

    def of(
        self, path: Path, sidecar: Path | None, body: bytes, *, name: str | None = None, rows_say: Stated | None = None
    ) -> Known:
        """What is known of the page at *path*, which may be a member of a packed file, called *name* then.

        rows_say: the moment that the file's own rows state; only a person's word counts before it.
        Raises Unknown when nothing tells the moment.
        """
        meta = _meta(sidecar) if sidecar else {}
        entry = self._entry(path)
        moment = (
            self.moment
            or _stated(meta.get("fetched_at") or meta.get("observed_at"), meta.get("at_precision"), sidecar)
            or rows_say
            or (_stated(entry.observed_at, _precision(entry.time_source), path) if entry else None)
            or _as_of(path, body)
        )
        if moment is None:
            raise Unknown(f"no moment known; give --observed-at 2026-01-31 or a sidecar {path.name}.{META}")
        url = self.url or meta.get("url") or (entry.url if entry else "") or _canonical(path, body)
        status = meta.get("status", 200)
        return Known(
            url=str(url) if url else saved_url(name or _name(path)),
            observed_at=moment[0],
            at_precision=moment[1],
            status=status if isinstance(status, int) else 200,
            headers={str(name).lower(): str(value) for name, value in _object(meta.get("headers")).items()},
            place=_text(meta.get("place")) or _place_in_name(path, name),
            vantage=Vantage.model_validate(meta["vantage"]) if meta.get("vantage") else None,
            target=_text(meta.get("target")),
        )

    def _entry(self, path: Path) -> Entry | None:
        path = path.resolve()
        manifest = self.manifest.resolve() if self.manifest else _found(path.parent)
        if manifest is None:
            return None
        if manifest not in self._manifests:
            self._manifests[manifest] = self._read(manifest)
        entries = self._manifests[manifest]
        for folder in (manifest.parent.parent, manifest.parent):
            if path.is_relative_to(folder) and (entry := entries.get(path.relative_to(folder).as_posix())):
                return entry
        return None

    def _read(self, manifest: Path) -> dict[str, Entry]:
        try:
            with manifest.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file, delimiter="\t")
                if lacking := {"path", "url", "observed_at"} - set(rows.fieldnames or ()):
                    raise ValueError(f"no column {', '.join(sorted(lacking))}; found {rows.fieldnames}")
                return {
                    row["path"]: Entry(*((row.get(name) or "").strip() for name in Entry.__match_args__))
                    for row in rows
                }
        except (OSError, ValueError, csv.Error) as error:
            self._complaints.append((manifest, f"manifest not used: {error}"))
            return {}


def saved_url(name: str) -> str:
    """Address of a page that nobody kept one of."""
    return f"saved:{quote(name, safe='')}"


def sidecar_of(path: Path) -> Path | None:
    """page.html.meta.json beside page.html; meta.json beside a file named body."""
    sidecar = path.with_name(META if path.name == "body" else f"{path.name}.{META}")
    return sidecar if sidecar.is_file() else None


def content_type(path: Path) -> str:
    return CONTENT_TYPES.get(Path(path.name.lower().removesuffix(".gz")).suffix, "application/octet-stream")


def _name(path: Path) -> str:
    return path.parent.name if path.name == "body" else path.name.removesuffix(".gz")


def _found(folder: Path) -> Path | None:
    for above in [folder, *folder.parents][: PARENTS + 1]:
        if (above / MANIFEST).is_file():
            return above / MANIFEST
    return None


def _meta(sidecar: Path) -> Mapping[str, Any]:
    try:
        return _object(load_json(sidecar.read_bytes()))
    except ValueError as error:
        raise Unknown(f"{sidecar.name} beside it is unreadable: {error}") from None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _precision(time_source: str) -> Precision:
    return "day" if "lower bound" in time_source.lower() else None


def _stated(value: object, precision: object, where: Path | None) -> tuple[datetime, Precision] | None:
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        moment, only_day = day_or_moment(value.strip(), assume_utc=True)
    except ValueError as error:
        raise Unknown(f"{error} (said of it by {where.name if where else 'an option'})") from None
    return moment, "day" if precision == "day" else only_day


def _as_of(path: Path, body: bytes) -> tuple[datetime, Precision] | None:
    """The moment that a JSON answer states itself: as_of of its first object."""
    if content_type(path) != "application/json" or b'"as_of"' not in body:
        return None
    try:
        data = load_json(body)
    except ValueError:
        return None
    first = data[0] if isinstance(data, list) and data else data
    stated = dig(first, "as_of", "$date") or dig(first, "as_of")
    return _stated(stated, None, path)


def _canonical(path: Path, body: bytes) -> str | None:
    """The address that an HTML page states itself: link rel=canonical, else og:url."""
    if "html" not in content_type(path):
        return None
    og_url = None
    for tag in _TAG.finditer(body):
        low = tag[0].lower()
        if b"canonical" not in low and b"og:url" not in low:
            continue
        said = {
            name.lower().decode(): html.unescape(b"".join(values).decode("utf-8", "replace")).strip()
            for name, *values in _ATTRIBUTE.findall(tag[0])
        }
        if "canonical" in said.get("rel", "").lower().split() and _is_web(said.get("href")):
            return said["href"]
        if said.get("property", said.get("name", "")).lower() == "og:url" and _is_web(said.get("content")):
            og_url = og_url or said["content"]
    return og_url


def _is_web(url: str | None) -> bool:
    return re.fullmatch(r"https?://[^\s/]+\S*", url or "") is not None


def _place_in_name(path: Path, name: str | None) -> str | None:
    """The place that the file's name tells, else its folder's; of a member also those of the file it is packed in."""
    above = len(Path(name).parts) if name else 1
    told = (find(each.name) for each in [path, *path.parents][: above + 1])
    return next((place for place in told if place), None)
