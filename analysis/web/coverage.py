"""Figures of data health: how fetches ended, how fresh each source is, which slots were missed, what drifted."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from analysis.trends.alerts import wilson
from analysis.web.site import Site
from crawler.outcomes import GOOD, Outcome

Row = dict[str, Any]
HELD = (
    "board_entries", "observations", "posts", "profiles", "hashtags", "sounds", "products", "offers", "reviews",
    "comments", "deals", "fetches", "quarantine", "alerts",
)  # fmt: skip
RUNS = 200
BREAKS = 100
FIT_SHARE = 0.9
"""A source whose answers are surely fewer than this is not fit to rest on."""
SHARE_MIN_N = 20
"""Fewer fetches say too little of a source's share of answers."""


def summary(site: Site) -> Row:
    return site.kept.get("coverage", 0, lambda: _summary(site))


def _summary(site: Site) -> Row:
    told = site.views.outcomes()
    runs = site.views.rows("runs", sort="-started_at", most=RUNS)
    profiles = site.views.rows("run_profiles", None, ("source", "at", "alarms"), sort="-at", most=RUNS)
    return {
        "held": site.views.counts(HELD), "sources": _sources(told, runs),
        "days": [{name: each[name] for name in ("spider", "day", "outcome", "n")} for each in told],
        "newest": max((each["last"] for each in told), default=None),
        "gaps": [each for each in site.views.gaps() if each["status"] == "gap"],
        "slots": _slots(site.views.gaps()),
        "drift": [
            {"source": each["source"], "at": each["at"], "alarm": alarm}
            for each in profiles for alarm in each.get("alarms", ())
        ],
        "breaks": site.views.rows("breaks", sort="-last", most=BREAKS),
        "poor_runs": [
            {"spider": run["spider"], "started_at": run["started_at"], "reasons": run.get("reasons", [])}
            for run in runs if run.get("verdict") != "good"
        ],
    }  # fmt: skip


def _sources(told: list[Row], runs: list[Row]) -> list[Row]:
    """Per spider: fetches, how many answered (with interval), what the others were, newest answer, last verdict."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    newest: dict[str, datetime] = {}
    for each in told:
        counted[each["spider"]][each["outcome"]] += each["n"]
        if each["outcome"] in GOOD:
            newest[each["spider"]] = max(newest.get(each["spider"], each["last"]), each["last"])
    verdicts: dict[str, str] = {}
    for run in runs:
        verdicts.setdefault(run["spider"], run.get("verdict", "unfinished"))
    rows = []
    for spider, outcomes in sorted(counted.items()):
        n = outcomes.total()
        answered = sum(outcomes[each] for each in GOOD)
        low, high = wilson(answered, n)
        rows.append({
            "spider": spider, "fetches": n, "answered": answered, "share": answered / n, "low": low, "high": high,
            "too_few": n < SHARE_MIN_N, "newest": newest.get(spider), "verdict": verdicts.get(spider),
            "outcomes": {str(each): outcomes[each] for each in Outcome if outcomes[each]},
        })  # fmt: skip
    return rows


def _slots(gaps: list[Row]) -> Row:
    counted: Counter[str] = Counter()
    for each in gaps:
        counted[each["status"]] += each["n"]
    return dict(counted)
