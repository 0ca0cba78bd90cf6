"""One polite request a source."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from crawler import pages
from crawler.live import Answer, Source, examine
from tests.shell import product

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOGUE = json.dumps({"products": [product(1)]}).encode()


def asked(sources, answers):
    """What was found, what was asked for, and how long it rested."""
    pages.load_all()
    seen, rests = [], []

    def fetch(url):
        seen.append(url)
        given = answers[url]
        if isinstance(given, Exception):
            raise given
        return Answer(url, *given)

    found = list(examine(sources, "Tidemark", lambda: NOW, fetch, rests.append))
    return found, seen, rests


def store(name, host, path="/products.json", needs=""):
    return Source(name, f"https://{host}{path}", "shopify.catalogue", needs)


def test_a_source_is_asked_once_and_only_where_robots_txt_lets_it():
    sources = [store("good", "a.example"), store("shut", "b.example"), store("broken", "c.example"),
               store("away", "d.example"), store("free", "e.example"),
               store("keyed", "f.example", needs="A_KEY")]  # fmt: skip
    found, seen, _ = asked(sources, {
        "https://a.example/robots.txt": (200, {}, b"User-agent: *\nDisallow: /admin\n"),
        "https://a.example/products.json": (200, {}, CATALOGUE),
        "https://b.example/robots.txt": (200, {}, b"User-agent: *\nDisallow: /\n"),
        "https://c.example/robots.txt": (503, {}, b""),
        "https://d.example/robots.txt": OSError("no route"),
        "https://e.example/robots.txt": (404, {}, b""),
        "https://e.example/products.json": (429, {}, b""),
    })  # fmt: skip
    assert [(each.source, each.robots, each.outcome) for each in found] == [
        ("good", "allows", "ok"), ("shut", "forbids", "robots"), ("broken", "unreachable", "robots"),
        ("away", "no answer", "network"), ("free", "none", "rate_limited"), ("keyed", "not asked", "not asked"),
    ]  # fmt: skip
    assert len(seen) == len(set(seen)) == 7
    assert "2026-03-01 12:00 UTC" in found[0].line()


def test_one_host_is_asked_for_its_robots_txt_once_and_rested_between_requests():
    _, seen, rests = asked([store("one", "a.example"), store("two", "a.example", "/collections.json")], {
        "https://a.example/robots.txt": (404, {}, b""), "https://a.example/products.json": (200, {}, CATALOGUE),
        "https://a.example/collections.json": TimeoutError(),
    })  # fmt: skip
    assert (len(seen), len(rests)) == (3, 1)
