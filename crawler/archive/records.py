"""One capture as one WARC record, and back. With crawler.archive.foreign the only code that speaks warcio."""

from __future__ import annotations

import hashlib
import re
import uuid
import zlib
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import orjson
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.archive.model import LANES, Capture, iso_ms, to_ms
from crawler.counts import day_or_moment
from crawler.items import Vantage

SOFTWARE = "Tidemark"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BODY_HEADERS = frozenset(("content-encoding", "transfer-encoding", "content-length"))
# A page whose address nobody kept. Readers of WARC take only http addresses for pages; .invalid is nobody's.
_NOWHERE = "https://saved.invalid/"


class Row(NamedTuple):
    """One record in an index. kind: response, revisit, metadata, or what else the segment holds."""

    kind: str
    id: str
    """Capture it belongs to; empty for records of another kind."""
    at_ms: int
    offset: int
    length: int
    digest: str
    """SHA-256 in hex: of a response's body, of a note's text; else empty."""
    text: str | None
    """Target of a capture, outcome of a note."""


class Original(NamedTuple):
    """The record that holds the body of a revisit."""

    id: str
    url: str
    """As its record has it."""
    date: str


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def response(capture: Capture, digest: str, original: Original | None = None) -> bytes:
    """A response record, uncompressed; a revisit record without the body where *original* holds it."""
    head = StatusAndHeaders(_status_line(capture.status), _http_headers(capture), protocol="HTTP/1.1")
    head.compute_headers_buffer()
    body = b"" if original else capture.body
    given = {
        "WARC-Record-ID": record_id(capture.id),
        "WARC-Date": iso_ms(capture.fetched_at),
        "WARC-Payload-Digest": f"sha256:{digest}",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(head.headers_buff + body).hexdigest()}",
        **_own_headers(capture),
    }
    if original:
        given |= {
            "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
            "WARC-Refers-To": record_id(original.id),
            "WARC-Refers-To-Target-URI": original.url,
            "WARC-Refers-To-Date": original.date,
        }
    kind = "revisit" if original else "response"
    return _record(kind, target_uri(capture.url), given, body, head)


def note_text(outcome: str, parts: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"outcome": outcome, "parts": parts}, default=str, option=orjson.OPT_SORT_KEYS)


def note(capture_id: str, url: str, date: str, outcome: str, body: bytes) -> bytes:
    """A metadata record about a response: what reading it gave."""
    given = {
        "WARC-Record-ID": record_id(hashlib.sha256(capture_id.encode() + body).hexdigest()[:32]),
        "WARC-Date": date,
        "WARC-Refers-To": record_id(capture_id),
        "WARC-Block-Digest": f"sha256:{digest_of(body)}",
        "Content-Type": "application/json",
        "Tidemark-Capture": capture_id,
        "Tidemark-Outcome": _escaped(outcome),
    }
    return _record("metadata", url, given, body)


def info(name: str, date: str) -> bytes:
    """The record at the head of a segment: which software wrote it."""
    body = f"software: {SOFTWARE}\r\nformat: WARC File Format 1.1\r\n".encode()
    given = {
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>",
        "WARC-Date": date,
        "WARC-Filename": name,
        "WARC-Block-Digest": f"sha256:{digest_of(body)}",
    }
    return _record("warcinfo", "", given, body)


def record_id(capture_id: str) -> str:
    """Never random: the same capture has the same record id in every segment."""
    return f"<urn:uuid:{uuid.UUID(hex=capture_id, version=5)}>"


def _record(kind: str, uri: str, given: dict[str, str], body: bytes, head: Any = None) -> bytes:
    out = BytesIO()
    writer = WARCWriter(out, gzip=False, warc_version="1.1")  # its gzip knows one level only, the slowest
    made = writer.create_warc_record(
        uri, kind, payload=BytesIO(body), length=len(body), http_headers=head, warc_headers_dict=given
    )
    if kind == "metadata":
        made.rec_headers.remove_header("WARC-Payload-Digest")  # warcio adds one; the block's says the same
    writer.write_record(made)
    return out.getvalue()


def _own_headers(capture: Capture) -> dict[str, str]:
    own = {"Tidemark-Capture": capture.id, "Tidemark-Lane": capture.lane}
    if capture.vantage != Vantage():
        own["Tidemark-Vantage"] = _escaped(capture.vantage.model_dump_json(exclude_defaults=True))
    if capture.target is not None:
        own["Tidemark-Target"] = _escaped(capture.target)
    if capture.spider is not None:
        own["Tidemark-Spider"] = _escaped(capture.spider)
    if capture.at_precision is not None:
        own["Tidemark-At-Precision"] = capture.at_precision
    if target_uri(capture.url) != capture.url:
        own["Tidemark-Url"] = _escaped(capture.url)
    return own


def _escaped(value: str) -> str:
    return quote(value, safe=_PRINTABLE, errors="surrogatepass")


def _unescaped(value: str) -> str:
    return unquote(value, errors="surrogatepass")


def target_uri(url: str) -> str:
    if url.startswith(("http://", "https://")):
        return quote(url, safe=_PRINTABLE + "%", errors="surrogatepass")
    return _NOWHERE + quote(url, safe="", errors="surrogatepass")


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unassigned"


def _http_headers(capture: Capture) -> list[tuple[str, str]]:
    made = [
        (name.lower(), one_line(value))
        for name, value in capture.headers.items()
        if _HEADER_NAME.fullmatch(name) and name.lower() not in _BODY_HEADERS
    ]
    return [*made, ("content-length", str(len(capture.body)))]


def one_line(value: str) -> str:
    """A header value without line breaks; beyond ASCII percent-encoded, as an address would be."""
    if value.isascii() and value.isprintable():
        return value.strip()
    spaced = re.sub(r"[\x00-\x1f\x7f]+", " ", value)
    return quote(spaced, safe=_PRINTABLE + "% ", errors="surrogatepass").strip()


def pack(record: bytes, level: int) -> bytes:
    """One gzip member; the same bytes give the same member."""
    return zlib.compress(record, level, wbits=31)


def parse(member: bytes, *, most: int = 0) -> Any:
    """The warcio record in one gzip member. Raises ValueError when there is none.

    most: unpack so many bytes only, enough for its headers; 0 unpacks all.
    """
    try:
        unpack = zlib.decompressobj(wbits=31)
        data = unpack.decompress(member, most)
        if not (most or unpack.eof):
            raise ValueError("not a whole gzip member")
        return ArcWarcRecordLoader().parse_record_stream(BytesIO(data), known_format="warc")
    except (ArchiveLoadFailed, EOFError, zlib.error) as error:
        raise ValueError(f"not a WARC record: {error}") from None


def row_of(record: Any, offset: int, length: int) -> Row:
    """The index row of a parsed record."""
    head = record.rec_headers
    kind = str(record.rec_type)
    own = head.get_header("Tidemark-Capture", "")
    if kind not in ("response", "revisit", "metadata") or not re.fullmatch("[0-9a-f]{32}", own):
        return Row("other", "", 0, offset, length, "", None)
    at_ms = to_ms(day_or_moment(head.get_header("WARC-Date"))[0])
    text = head.get_header("Tidemark-Outcome" if kind == "metadata" else "Tidemark-Target")
    name = "WARC-Block-Digest" if kind == "metadata" else "WARC-Payload-Digest"
    digest = (head.get_header(name) or "").removeprefix("sha256:")
    return Row(kind, own, at_ms, offset, length, digest, None if text is None else _unescaped(text))


def capture_of(record: Any, body: bytes) -> Capture:
    """The capture of a parsed record of ours; *body* is its payload, or the original's for a revisit."""
    head = record.rec_headers
    own = {name: value for name, value in head.headers if name.startswith("Tidemark-")}
    lane = own.get("Tidemark-Lane", "replay")
    target, spider = own.get("Tidemark-Target"), own.get("Tidemark-Spider")
    return Capture(
        url=_unescaped(own["Tidemark-Url"]) if "Tidemark-Url" in own else head.get_header("WARC-Target-URI"),
        fetched_at=day_or_moment(head.get_header("WARC-Date"))[0],
        status=int(record.http_headers.get_statuscode()),
        headers={**dict(record.http_headers.headers), "content-length": str(len(body))},
        body=body,
        lane=lane if lane in LANES else "replay",
        vantage=_vantage(own.get("Tidemark-Vantage", "%7B%7D")),
        target=None if target is None else _unescaped(target),
        spider=None if spider is None else _unescaped(spider),
        at_precision="day" if own.get("Tidemark-At-Precision") == "day" else None,
    )


@lru_cache(maxsize=256)
def _vantage(escaped: str) -> Vantage:
    return Vantage.model_validate_json(_unescaped(escaped))
