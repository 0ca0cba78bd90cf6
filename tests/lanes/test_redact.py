"""No credential is kept: not in the archive, not in a log line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.archive import Archive, Capture
from crawler.items import Vantage
from crawler.lanes import redact
from crawler.lanes.sources import Options, read

CANARY = "c4n4ry"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://user:c4n4ry@a.example/x", "https://a.example/x"),
        ("https://c4n4ry@a.example/x", "https://a.example/x"),
        ("//user:c4n4ry@a.example", "//a.example"),
        ("https://a.example/?token=c4n4ry&b=2", "https://a.example/?token=REDACTED&b=2"),
        ("https://a.example/?b=2&X-Bogus=c4n4ry", "https://a.example/?b=2&X-Bogus=REDACTED"),
        ("https://a.example/?MSTOKEN=c4n4ry==&_signature=c4n4ry#top", "https://a.example/?MSTOKEN=REDACTED&_signature=REDACTED#top"),
        ("https://a.example/#access_token=c4n4ry&x=1", "https://a.example/#access_token=REDACTED&x=1"),
        ("https://a.example/?a=1;api_key=c4n4ry;b=2", "https://a.example/?a=1;api_key=REDACTED;b=2"),
        ("https://a.example/?key=c4;n4ry", "https://a.example/?key=REDACTED"),
        ("https://a.example/p;jsessionid=c4n4ry?x=1", "https://a.example/p;jsessionid=REDACTED?x=1"),
        ("https://a.example/?user%5Bpassword%5D=c4n4ry", "https://a.example/?user%5Bpassword%5D=REDACTED"),
        ("https://a.example/?%74oken=c4n4ry", "https://a.example/?%74oken=REDACTED"),
        ("https://a.example/?to=https://b.example/?sig=c4n4ry", "https://a.example/?to=https://b.example/?sig=REDACTED"),
        ("https://a.example/?to=%2Fb%3Fcode%3Dc4n4ry%26z%3D1&y=2", "https://a.example/?to=%2Fb%3Fcode%3DREDACTED%26z%3D1&y=2"),
        ("https://a.example/?to=%252Fb%253Fauth%253Dc4n4ry%2526z", "https://a.example/?to=%252Fb%253Fauth%253DREDACTED%2526z"),
        ("https://a.example/?to=https%3A%2F%2Fu%3Ac4n4ry%40b.example", "https://a.example/?to=https%3A%2F%2Fb.example"),
        ("https://a.example/?X-Amz-Credential=c4n4ry&X-Amz-Date=1", "https://a.example/?X-Amz-Credential=REDACTED&X-Amz-Date=1"),
    ],
)  # fmt: skip
def test_secrets_leave_an_address_and_the_rest_stays(address, kept):
    assert redact.url(address) == kept
    assert redact.url(kept) == kept


@pytest.mark.parametrize(
    "address",
    [
        "https://www.tiktok.com/@nasa?lang=en", "https://a.example/?keyword=skin+care&author=token&sort=key",
        "https://a.example/?to=https%3A%2F%2Fwww.tiktok.com%2F%40nasa", "saved:page%20one.html",
        "https://web.example/web/2020/https://b.example/@x", "https://a.example/?pageToken=CAUQAA&country_code=br",
        "https://a.example/a%2", "https://a.example/?a=%zz&&b", "", "https://a.example/?token=",
        "https://a.example/?q=a@b.example",
    ],
)  # fmt: skip
def test_addresses_without_secrets_stay_byte_for_byte(address):
    assert redact.url(address) == address


@settings(deadline=None)
@given(st.text(alphabet="ab?&=#;%25/@:3dDfFtokenkey", max_size=60))
def test_cleaning_twice_is_cleaning_once(address):
    once = redact.url(address)
    assert redact.url(once) == once


def test_credentials_leave_the_headers():
    secret = [
        "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-CSRF-Token", "x-ms-token",
        "X-Shopify-Access-Token", "X-Session-Id", "WWW-Authenticate", "x-client-secret", ":authority",
    ]  # fmt: skip
    kept = redact.headers({
        **dict.fromkeys(secret, CANARY), "Content-Type": "text/html",
        "Location": "https://u:c4n4ry@a.example/?code=c4n4ry&x=1", "Link": "<https://a.example/?sig=c4n4ry>; rel=next",
    })  # fmt: skip
    assert kept == {
        "content-type": "text/html",
        "location": "https://a.example/?code=REDACTED&x=1",
        "link": "<https://a.example/?sig=REDACTED; rel=next",
    }


def test_a_clean_capture_is_returned_as_it_is():
    clean = capture("https://a.example/", {"content-type": "text/html"})
    assert redact.capture(clean) is clean


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("GET https://u:c4n4ry@a.example/?token=c4n4ry failed", "GET https://a.example/?token=REDACTED failed"),
        ("mongodb+srv://u:c4n4ry@c0.example/db timed out", "mongodb+srv://c0.example/db timed out"),
        ("Authorization: Bearer c4n4ry, next", "Authorization: REDACTED"),
        ("sent Bearer c4n4ry.c4n4ry", "sent Bearer REDACTED"),
        ("api_key=c4n4ry password='c4n4ry c4n4ry'", "api_key=REDACTED password='REDACTED'"),
        ('{"msToken": "c4n4ry", "code": 200}', '{"msToken": "REDACTED", "code": 200}'),
        ("status code=404, key=views", "status code=404, key=views"),
        ("one\r\nINFO forged \x1b[2J\u202e\u2028", r"one\r\nINFO forged \x1b[2J\u202e\u2028"),
        ("itemList[3].id: expected a value, found none", "itemList[3].id: expected a value, found none"),
        ("maré 波 ☀", "maré 波 ☀"),
    ],
)
def test_a_log_line_shows_no_secret_and_stays_one_line(line, kept):
    assert redact.text(line) == kept


def capture(url: str, headers: dict[str, str], **given: str) -> Capture:
    return Capture(
        url, datetime(2026, 3, 1, tzinfo=UTC), 200, headers, b"page", "http", Vantage(),
        given.get("target"), given.get("spider"),
    )  # fmt: skip


def test_no_canary_reaches_any_file_of_the_archive(tmp_path):
    pairs = [
        {"name": name, "value": f"a={CANARY}"}
        for name in ("Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Secrets", "x-ms-token")
    ]
    url = f"https://u:{CANARY}@a.example/p;jsessionid={CANARY}?token={CANARY}&z=1&to=%3Fsig%3D{CANARY}#code={CANARY}"
    entry = {
        "startedDateTime": "2026-03-01T12:00:00.000Z",
        "request": {
            "method": "POST", "url": url, "headers": pairs, "cookies": [{"name": "s", "value": CANARY}],
            "queryString": [{"name": "token", "value": CANARY}],
            "postData": {"mimeType": "text/plain", "text": CANARY, "params": [{"name": "p", "value": CANARY}]},
        },
        "response": {
            "status": 200, "headers": [*pairs, {"name": "Location", "value": url}],
            "cookies": [{"name": "s", "value": CANARY}], "redirectURL": url,
            "content": {"mimeType": "text/html", "text": "<html>seen</html>"},
        },
    }  # fmt: skip
    har = tmp_path / "session.har"
    har.write_text(json.dumps({"log": {"entries": [entry], "comment": CANARY}}))
    with Archive(tmp_path / "archive") as archive:
        brought = [each for each in read([har], Options()) if isinstance(each, Capture)]
        assert [each.body for each in brought] == [b"<html>seen</html>"]
        hostile = {pair["name"]: pair["value"] for pair in pairs} | {"location": url}
        for each in [*brought, capture(url, hostile, target=url)]:
            assert archive.write(each)
        for capture_id in list(archive.ids()):
            archive.note(capture_id, "ok", {"why": f"token={CANARY}", "at": [url]})
        assert {each.id for each in brought} <= set(archive.ids())
    for path in (tmp_path / "archive").iterdir():
        data = path.read_bytes()
        for plain in (data, gzip.decompress(data) if path.suffix == ".gz" else b""):
            assert CANARY.encode() not in plain, path.name
