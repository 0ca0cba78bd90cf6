"""What a person or a test may do to the site, at /_sim/ of its own address; and its front page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from demo.site.app import Answer, Asked, as_json, known_hosts, page
from demo.site.boards import YOUTUBE_KEY
from demo.site.faults import KINDS, Fault
from demo.site.x import TOKEN
from demo.world.shop import HOST

if TYPE_CHECKING:
    from demo.site.server import Site

LOOK = (
    ("www.tiktok.com", "/@coral.cooks"), ("www.tiktok.com", "/@tide.atlas"), ("www.tiktok.com", "/tag/festivaldofarol"),
    ("www.tiktok.com", "/search?q=wave"), ("www.tiktok.com", "/explore"), ("www.tiktok.com", "/node/share/discover"),
    (HOST, "/"), (HOST, "/products.json?limit=250&page=1"), (HOST, "/products/wave-socks"),
    ("getdaytrends.com", "/brazil/"), ("trends24.in", "/brazil/"), ("trends.google.com", "/trending/rss?geo=BR"),
    ("www.googleapis.com", f"/youtube/v3/videos?chart=mostPopular&part=snippet&regionCode=BR&key={YOUTUBE_KEY}"),
)  # fmt: skip


def answer(site: Site, asked: Asked) -> Answer | None:
    """Answer /_sim/… and the front page; None for every other path."""
    if asked.path == "/":
        return front(site)
    if not asked.path.startswith("/_sim/"):
        return None
    try:
        return obey(
            site, asked.method, asked.path.removeprefix("/_sim/"), json.loads(asked.headers.get("x-posted") or "{}")
        )
    except (ValueError, TypeError, KeyError) as error:
        return as_json({"error": f"{type(error).__name__}: {error}"}, 400)


def obey(site: Site, method: str, order: str, told: dict[str, Any]) -> Answer:
    match method, order:
        case "POST", "clock":
            if "at" in told:
                site.clock.set(datetime.fromisoformat(told["at"].replace("Z", "+00:00")))
            site.clock.advance(timedelta(seconds=float(told.get("advance_s", 0))))
        case "POST", "faults":
            site.faults.put(Fault(**told))
        case "DELETE", "faults":
            site.faults.clear()
        case "GET", "truth":
            return Answer(kind="application/json; charset=utf-8", body=site.world.truth(site.clock.now()).json())
        case "GET", "log":
            return as_json([{**asdict(visit), "at": visit.at.isoformat()} for visit in list(site.log)[-1000:]])
        case "GET", "kinds":
            return as_json({name: asdict(kind) for name, kind in KINDS.items()})
        case "GET", "state":
            pass
        case _:
            return as_json({"error": f"{method} {order}: try state, clock, faults, truth, log, kinds"}, 404)
    return as_json(state(site))


def state(site: Site) -> dict[str, Any]:
    return {
        "simulated": True, "seed": site.world.seed, "at": site.clock.now().isoformat(), "rate": site.clock.rate,
        "look": asdict(site.look), "faults": [asdict(fault) for fault in site.faults.listed],
        "visits": len(site.log), "hosts": sorted(known_hosts()),
    }  # fmt: skip


def front(site: Site) -> Answer:
    links = _items(
        f'<a href="http://{host}.localhost:{site.port}{escape(path)}">{host}{escape(path)}</a>' for host, path in LOOK
    )
    kinds = _items(f"<code>{name}</code> {escape(kind.what)}" for name, kind in KINDS.items())
    faults = _items(
        f"<code>{escape(fault.kind)}</code> {escape(fault.path or 'everywhere')}" for fault in site.faults.listed
    )
    return page(
        '<!doctype html><html lang="en"><head><title>Tidemark: simulated web</title></head><body>'
        f"<h1>Simulated web</h1><p>Seed {site.world.seed}, {site.clock.now():%Y-%m-%d %H:%M} UTC. "
        f"Nothing here exists. <a href='/_sim/truth'>The truth</a>, <a href='/_sim/log'>who came</a>.</p>"
        f"<ul>{links}</ul>"
        f"<p>X API: <code>Authorization: Bearer {TOKEN}</code></p>"
        f"<h2>Faults in force</h2><ul>{faults or '<li>none</li>'}</ul><h2>Faults there are</h2><ul>{kinds}</ul>"
        "</body></html>"
    )


def _items(rows: Iterable[str]) -> str:
    return "".join(f"<li>{row}</li>" for row in rows)
