"""Figures of data health and of alerts: how fetches ended, how fresh, what was missed, what drifted; what came true."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import altair as alt
import pandas as pd

from analysis.output import clean
from analysis.trends.alerts import LEAST_EARNED, wilson
from analysis.web import coverage, draw
from analysis.web.figure import Figure, data
from analysis.web.figures_budget import revisits
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words
from crawler.outcomes import GOOD, Outcome

Row = dict[str, Any]
ALERTS = 5000
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def sources(site: Site, say: Words, filters: Filters) -> Figure:
    """Per source: how many fetches answered, with interval, and when the newest did."""
    found = coverage.summary(site)
    title = say("sources_title")
    if not found["sources"]:
        return Figure("sources", title, "", missing=say("no_fetches"))
    rows: list[Row] = [
        {
            "source": f"{each['spider']} · n {each['fetches']}",
            "value": each["share"],
            "low": each["low"],
            "high": each["high"],
        }
        for each in found["sources"]
    ]
    now = site.clock()
    table = pd.DataFrame(
        {
            say("source"): [each["spider"] for each in found["sources"]],
            say("fetches"): [each["fetches"] for each in found["sources"]],
            say("answered"): [say.interval(each["share"], each["low"], each["high"]) for each in found["sources"]],
            say("newest"): [each["newest"] for each in found["sources"]],
            say("age"): [
                say.span((now - each["newest"]).total_seconds() / 3600) if each["newest"] else "·"
                for each in found["sources"]
            ],
            say("last_run"): [each["verdict"] or "·" for each in found["sources"]],
            say("outcomes"): [
                ", ".join(f"{name} {n}" for name, n in each["outcomes"].items()) for each in found["sources"]
            ],
        }
    )
    poor = [each for each in found["sources"] if each["high"] < coverage.FIT_SHARE]
    says = say("sources_says", n=sum(each["fetches"] for each in found["sources"]), sources=len(rows))
    worst = " ".join(
        say(
            "source_poor",
            source=each["spider"],
            share=say.interval(each["share"], each["low"], each["high"]),
            n=each["fetches"],
        )
        for each in poor[:3]
    )
    links = ["/api/fetches?" + urlencode({"spider": each["spider"]}) for each in found["sources"]]
    chart = draw.intervals(rows, "source", say("answered"))
    return Figure("sources", title, f"{says} {worst}".strip(), table, chart, links=links)


def outcomes(site: Site, say: Words, filters: Filters) -> Figure:
    """How the fetches of each day ended."""
    told = coverage.summary(site)["days"]
    title = say("outcomes_title")
    if not told:
        return Figure("outcomes", title, "", missing=say("no_fetches"))
    frame: pd.DataFrame = pd.DataFrame(told).groupby(["day", "outcome"])["n"].sum().reset_index()
    rows = [{"day": day, "outcome": each, "n": int(n)} for day, each, n in frame.itertuples(index=False, name=None)]
    chart = (
        alt.Chart(data(rows), width="container", height=220)
        .mark_bar()
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("n:Q", title=say("fetches"), axis=alt.Axis(format="d", tickMinStep=1)),
            color=alt.Color("outcome:N", title=None, sort=[str(each) for each in Outcome]),
            tooltip=["day:O", "outcome:N", "n:Q"],
        )
    )
    table = draw.table(frame, {"day": say("day"), "outcome": say("outcome"), "n": say("fetches")})
    bad = int(frame.loc[~frame["outcome"].isin(GOOD), "n"].sum())
    says = say("outcomes_says", n=int(frame["n"].sum()), bad=bad)
    return Figure("outcomes", title, says, table, chart, height=220)


def gaps(site: Site, say: Words, filters: Filters) -> Figure:
    """Slots of the watch list that brought no number, with the reason; never filled by guessing."""
    found = coverage.summary(site)
    title = say("gaps_title")
    if not found["slots"]:
        return Figure("gaps", title, "", missing=say("no_slots"))
    rows = found["gaps"]
    table = pd.DataFrame(
        {
            say("watched"): [row["watch"] for row in rows],
            say("reason"): [row.get("reason") for row in rows],
            say("slots"): [row["n"] for row in rows],
            say("first"): [row["first"] for row in rows],
            say("newest"): [row["last"] for row in rows],
        }
    )
    says = say("gaps_says", gaps=sum(row["n"] for row in rows), slots=sum(found["slots"].values()))
    return Figure("gaps", title, says, table)


def drift(site: Site, say: Words, filters: Filters) -> Figure:
    """What looked unlike the runs before it, and runs that were not good."""
    found = coverage.summary(site)
    title = say("drift_title")
    rows = [{"source": each["source"], "at": each["at"], "what": each["alarm"]} for each in found["drift"]]
    rows += [
        {"source": each["spider"], "at": each["started_at"], "what": "; ".join(each["reasons"]) or say("poor_run")}
        for each in found["poor_runs"]
    ]
    if not rows:
        return Figure("drift", title, "", missing=say("no_drift" if found["sources"] else "no_fetches"))
    rows.sort(key=lambda row: row["at"], reverse=True)
    heads = {"source": say("source"), "at": say("time_utc"), "what": say("what")}
    says = say("drift_says", alarms=len(found["drift"]), runs=len(found["poor_runs"]))
    return Figure("drift", title, says, draw.table(pd.DataFrame(rows), heads))


def breaks(site: Site, say: Words, filters: Filters) -> Figure:
    """Pages that have changed their shape: which field of which spider, since which run, and what is to be done."""
    found = coverage.summary(site)
    title = say("breaks_title")
    rows = sorted(found["breaks"], key=lambda row: row["state"] != "open")
    if not rows:
        return Figure("breaks", title, "", missing=say("no_breaks" if found["sources"] else "no_fetches"))
    table = pd.DataFrame(
        {
            say("state"): [say(f"break_{row['state']}") for row in rows],
            say("source"): [row["spider"] for row in rows],
            say("what"): [clean(row["says"]) for row in rows],
            say("since"): [row["since"] for row in rows],
            say("since_run"): [row["since_run"] for row in rows],
            say("newest"): [row["last"] for row in rows],
            say("repair"): [_repair(row, say) for row in rows],
        }
    )
    n = sum(row["state"] == "open" for row in rows)
    return Figure("breaks", title, say("breaks_says", n=n), table, note=say("breaks_note") if n else None)


def _repair(row: Row, say: Words) -> str:
    """What is proposed: where the page object looked, and where the value lies now."""
    proposal = row.get("proposal")
    if row["state"] != "open":
        return "·"
    if not proposal:
        return say("not_searched")
    moved = [f"{each['read']} <- {each['from']}" + (f" x {each['times']}" if each.get("times") else "")
             for each in proposal.get("aliases", ())]  # fmt: skip
    return clean("; ".join([str(proposal.get("state", "")), *moved]))


def held(site: Site, say: Words, filters: Filters) -> Figure:
    found = coverage.summary(site)["held"]
    rows = [{"what": name.replace("_", " "), "n": n} for name, n in sorted(found.items(), key=lambda each: -each[1])]
    table = draw.table(pd.DataFrame(rows), {"what": say("collection"), "n": say("documents")})
    return Figure("held", say("held_title"), say("held_says", n=sum(found.values())), table)


def precision(site: Site, say: Words, filters: Filters) -> Figure:
    """What came true of what was told, by rule, beside what each rule had promised."""
    told = site.alerts.all(most=ALERTS)
    title = say("precision_title")
    if not told:
        return Figure("precision", title, "", missing=say("no_alerts"))
    rules: dict[str, list[Row]] = {}
    for each in told:
        rules.setdefault(each["rule"], []).append(each)
    rows: list[Row] = []
    for rule, own in sorted(rules.items()):
        settled = [bool(each["came_true"]) for each in own if "came_true" in each]
        low, high = wilson(sum(settled), len(settled))
        rows.append(
            {
                "rule": rule,
                "told": len(own),
                "settled": len(settled),
                "value": sum(settled) / len(settled) if settled else None,
                "low": low if settled else None,
                "high": high if settled else None,
                "promise": own[0].get("promise", "·"),
            }
        )
    known = [{**row, "rule": f"{draw.label(row['rule'])} · n {row['settled']}"} for row in rows if row["settled"]]
    table = pd.DataFrame(
        {
            say("rule"): [row["rule"] for row in rows],
            say("told"): [row["told"] for row in rows],
            say("settled"): [row["settled"] for row in rows],
            say("came_true"): [
                say.interval(row["value"], row["low"], row["high"]) if row["settled"] else "·" for row in rows
            ],
            say("promise"): [row["promise"] for row in rows],
        }
    )
    few = sum(row["settled"] < LEAST_EARNED for row in rows)
    says = say("precision_says", told=len(told), settled=sum(row["settled"] for row in rows), rules=len(rows))
    note = say("precision_few", few=few, rules=len(rows), least=LEAST_EARNED) if few else None
    chart = draw.intervals(known, "rule", say("came_true")) if known else None
    return Figure("precision", title, says, table, chart, note=note)


def calibration(site: Site, say: Words, filters: Filters) -> Figure:
    """Of alerts told with about the same probability: how many came true."""
    told = site.alerts.all(most=ALERTS)
    settled = [each for each in told if "came_true" in each and each.get("probability") is not None]
    title = say("calibration_title")
    rows: list[Row] = []
    for low, high in pairwise(STEPS):
        inside = [each for each in settled if low <= each["probability"] < high or (high == 1.0 == each["probability"])]
        if inside:
            hits = sum(bool(each["came_true"]) for each in inside)
            least, most = wilson(hits, len(inside))
            said = sum(each["probability"] for each in inside) / len(inside)
            rows.append({"said": said, "true": hits / len(inside), "low": least, "high": most, "n": len(inside)})
    if not rows:
        return Figure("calibration", title, "", missing=say("calibration_missing"))
    base = alt.Chart(data(rows))
    x = alt.X("said:Q", title=say("said"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("true:Q", title=say("came_true"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    ideal = alt.Chart(data([{"said": 0, "true": 0}, {"said": 1, "true": 1}])).mark_line(strokeDash=[4, 4], opacity=0.5)
    chart = alt.layer(
        ideal.encode(x=x, y=y),
        base.mark_rule(strokeWidth=2).encode(x=x, y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, tooltip=["n:Q"]),
    ).properties(width="container", height=280)
    table = pd.DataFrame(
        {
            say("said"): [say.percent(row["said"]) for row in rows],
            say("n"): [row["n"] for row in rows],
            say("came_true"): [say.interval(row["true"], row["low"], row["high"]) for row in rows],
        }
    )
    return Figure("calibration", title, say("calibration_says", n=len(settled)), table, chart)


def alerts(site: Site, say: Words, filters: Filters) -> Figure:
    told = site.alerts.all(most=max(filters.top, 50))
    if filters.board:
        told = [each for each in told if each.get("board") == filters.board]
    title = say("alerts_title")
    if not told:
        return Figure("alerts", title, "", missing=say("no_alerts"))
    outcome = {True: say("yes"), False: say("no"), None: say("open")}
    table = pd.DataFrame(
        {
            say("topic"): [clean(each["topic"]) for each in told],
            say("told_at"): [each["at"] for each in told],
            say("probability"): [_chance(each, say) for each in told],
            say("position"): [each.get("evidence", {}).get("position") for each in told],
            say("came_true"): [outcome[each.get("came_true")] for each in told],
            say("board"): [each.get("board", "·") for each in told],
        }
    )
    links = [_link(each, say) for each in told]
    return Figure("alerts", title, say("alerts_says", n=len(told)), table, links=links)


def _chance(alert: Row, say: Words) -> str:
    """A burst without local history has no probability."""
    return "·" if alert.get("probability") is None else say.percent(alert["probability"])


def _link(alert: Row, say: Words) -> str:
    """Empty for a burst of an account, a sound …: it has no page of its own."""
    if "topic_key" not in alert:
        return ""
    return "/topic?" + urlencode({"board": alert["board"], "topic": alert["topic_key"], "lang": say.language})


FIGURES = {
    "sources": sources, "outcomes": outcomes, "gaps": gaps, "revisits": revisits, "breaks": breaks, "drift": drift,
    "held": held,
}  # fmt: skip
ALERT_FIGURES = {"precision": precision, "calibration": calibration, "alerts": alerts}
