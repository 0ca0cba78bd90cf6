"""A visitor of the simulated web, through its proxy or straight to its address."""

from __future__ import annotations

import gzip
import json
import re
import ssl
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE


class Page:
    def __init__(self, response: HTTPResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def state(self, tag="__UNIVERSAL_DATA_FOR_REHYDRATION__"):
        found = re.search(rf'<script id="{tag}" type="application/json">(.*?)</script>', self.text)
        return json.loads(found[1])

    def scope(self, part):
        return self.state()["__DEFAULT_SCOPE__"].get(part)


def ask(site, method, path, host=None, posted=None, headers=None):
    connection = HTTPConnection("127.0.0.1", site.port, timeout=20)
    try:
        connection.request(method, path, posted, {**({"Host": host} if host else {}), **(headers or {})})
        response = connection.getresponse()
        return Page(response, response.read())
    finally:
        connection.close()


def fetch(site, url, **headers):
    """GET a real address through the site as a proxy, as a crawler does; header names with _ for -."""
    parts = urlsplit(url)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return ask(site, "GET", url, headers=told)
    connection = HTTPSConnection("127.0.0.1", site.port, context=TRUSTING, timeout=20)
    connection.set_tunnel(parts.hostname, 443)
    try:
        connection.request("GET", path, headers=told)
        response = connection.getresponse()
        return Page(response, response.read())
    finally:
        connection.close()
