"""Figures of posts: what spreads and what is discussed, when, how long, about what, where; each with n and interval."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd

from analysis.creators.cohorts import QUADRANTS, quadrants, with_percentiles
from analysis.creators.groups import LEAST_CREATORS, LEAST_POSTS, compare
from analysis.creators.rates import floats
from analysis.output import clean, fit
from analysis.web import draw
from analysis.web.figure import Figure, data
from analysis.web.filters import Filters
from analysis.web.people import Base, base
from analysis.web.site import SLOW_FRESH_S, Site
from analysis.web.words import Words
from crawler import places

Row = dict[str, Any]
LENGTHS = ("0-15 s", "15-30 s", "30-60 s", "60-180 s", "180 s +")
EDGES_S = (0, 15, 30, 60, 180, float("inf"))
LABELLED = 8
FEW_PER_SLOT = 5
SMALL_SHARE = 0.05


def evidence(key: object, field: str, say: Words) -> str:
    return "/evidence?" + urlencode({"list": "posts", "key": str(key), "field": field, "lang": say.language})


def _named(posts: pd.DataFrame) -> list[str]:
    return draw.labels(
        [
            f"{author if isinstance(author, str) else '?'}: {caption if isinstance(caption, str) else key}"
            for author, caption, key in zip(posts["author"], posts["caption"], posts["key"], strict=True)
        ]
    )


def top_posts(site: Site, say: Words, filters: Filters) -> Figure:
    made = base(site, say, filters)
    best = made.posts[made.posts["views"].notna()].nlargest(filters.top, "views")
    title = say("top_posts_title", n=filters.top)
    if best.empty:
        return Figure("top_posts", title, "", missing=say("no_views"))
    rows = [{"post": name, "views": int(n)} for name, n in zip(_named(best), best["views"], strict=True)]
    table = pd.DataFrame(
        {
            say("caption"): [fit(clean(str(each)), 90) for each in best["caption"].fillna("·")],
            say("author"): best["author"],
            say("posted"): best["created_at"],
            say("views"): best["views"],
            say("likes"): best["likes"],
            say("comments"): best["comments"],
        }
    ).reset_index(drop=True)
    links = [evidence(key, "views", say) for key in best["key"]]
    shown = int(made.posts["views"].notna().sum())
    chart = draw.bars(rows, "post", "views", say("views"))
    return Figure("top_posts", title, say("top_posts_says", n=shown, total=len(made.posts)), table, chart, links=links)


def _points(best: pd.DataFrame, names: dict[str, str], say: Words) -> list[Row]:
    return [
        {
            "virality": float(v),
            "discussion": float(d),
            "engagement": draw.number(e) or 1.0,
            "quadrant": names[q],
            "category": draw.label(c) if isinstance(c, str) else "·",
            "href": evidence(k, "views", say),
        }
        for v, d, e, q, c, k in zip(
            best["virality"],
            best["discussion"],
            best["engagement"],
            best["quadrant"],
            best["kept_category"],
            best["key"],
            strict=True,
        )
    ]


def _scatter(rows: list[Row], groups: list[str], say: Words) -> alt.Chart:
    percent = alt.Axis(format=".2~%", tickCount=5)
    log = alt.Scale(type="log", nice=False, padding=14)
    chart: alt.Chart = (
        alt.Chart(data(rows), width="container", height=360)
        .mark_point(filled=True, opacity=0.65)
        .encode(
            x=alt.X("virality:Q", title=say("virality_axis"), scale=log, axis=percent),
            y=alt.Y("discussion:Q", title=say("discussion_axis"), scale=log, axis=percent),
            size=alt.Size("engagement:Q", legend=None, scale=alt.Scale(range=[18, 420])),
            color=alt.Color("quadrant:N", title=None, sort=groups),
            href="href:N",
            tooltip=[
                "category:N",
                "quadrant:N",
                alt.Tooltip("engagement:Q", format=","),
                alt.Tooltip("virality:Q", format=".2%"),
                alt.Tooltip("discussion:Q", format=".2%"),
            ],
        )
    )
    return chart


def virality(site: Site, say: Words, filters: Filters) -> Figure:
    """Shares per view against comments per view; size is engagement, lines are the medians of the like."""
    made = base(site, say, filters)
    title = say("virality_title")
    placed = quadrants(with_percentiles(made.posts))
    known = placed[(floats(placed["virality"]) > 0) & (floats(placed["discussion"]) > 0)]
    if known.empty:
        return Figure("virality", title, "", missing=say("virality_missing"))
    names = {each: say(f"quadrant_{number}") for number, each in enumerate(QUADRANTS)}
    best = known.nlargest(1500, "views")
    rows = _points(best, names, say)
    chart = _scatter(rows, list(names.values()), say)
    counted = known["quadrant"].value_counts()
    says = say(
        "virality_says",
        n=len(known),
        both=int(counted.get(QUADRANTS[0], 0)),
        shared=int(counted.get(QUADRANTS[1], 0)),
        discussed=int(counted.get(QUADRANTS[2], 0)),
    )
    table = pd.DataFrame(
        {
            say("caption"): [fit(clean(str(each)), 70) for each in best["caption"].fillna("·")],
            say("author"): best["author"],
            say("virality_axis"): [say.percent(each, 2) for each in best["virality"]],
            say("discussion_axis"): [say.percent(each, 2) for each in best["discussion"]],
            say("engagement"): best["engagement"].round(),
            say("group"): [names[each] for each in best["quadrant"]],
        }
    ).reset_index(drop=True)
    links = [row["href"] for row in rows]
    return Figure("virality", title, says, table, chart, note=say("virality_note"), links=links, height=360)


def performance(site: Site, say: Words, filters: Filters) -> Figure:
    """Median views of the posts of each day, with how many there were."""
    made = base(site, say, filters)
    title = say("performance_title")
    known = made.posts[made.posts["views"].notna() & made.posts["created_at"].notna()]
    if known.empty:
        return Figure("performance", title, "", missing=say("no_views"))
    days = known.assign(day=known["created_at"].dt.floor("D")).groupby("day")["views"]
    frame = pd.DataFrame(
        {"posts": days.size(), "median": days.median(), "low": days.quantile(0.25), "high": days.quantile(0.75)}
    ).reset_index()
    rows: list[Row] = [
        {
            "at": f"{day:%Y-%m-%d}T12:00:00Z",
            "median": float(median),
            "low": float(low),
            "high": float(high),
            "posts": int(n),
        }
        for day, n, median, low, high in frame.itertuples(index=False, name=None)
    ]
    base_ = alt.Chart(data(rows)).encode(x=draw.time(say))
    y = alt.Y("median:Q", title=say("median_views"), axis=alt.Axis(format="~s", tickCount=5))
    chart = alt.layer(
        base_.mark_area(opacity=0.15).encode(y="low:Q", y2="high:Q"),
        base_.mark_line(strokeWidth=2).encode(y=y),
        base_.mark_point(filled=True, opacity=1, size=26).encode(
            y=y, tooltip=[alt.Tooltip("at:T", format="%Y-%m-%d"), alt.Tooltip("median:Q", format=","), "posts:Q"]
        ),
    ).properties(width="container", height=260)
    table = pd.DataFrame(
        {
            say("day"): [say.day(each.to_pydatetime()) for each in frame["day"]],
            say("posts"): frame["posts"],
            say("median_views"): frame["median"],
            say("quarter_low"): frame["low"],
            say("quarter_high"): frame["high"],
        }
    )
    thin = int((frame["posts"] < FEW_PER_SLOT).sum())
    note = say("performance_note", n=thin, few=FEW_PER_SLOT) if thin else None
    return Figure("performance", title, say("performance_says", n=len(known), days=len(frame)), table, chart, note=note)


def _compared(
    site: Site, say: Words, filters: Filters, name: str, made: Base, by: str, order: tuple[str, ...] = ()
) -> Figure:
    """Median engagement rate of groups of posts with interval; a claim only where it holds against the others."""
    key = ("compared", name, filters, len(made.posts))
    # Names of groups come from pages: numpy drops a NUL at their end, and would then find no such group.
    named = made.posts.copy()
    named[by] = [clean(each) if isinstance(each, str) else None for each in named[by]]
    frame = site.kept.get(key, made.total, lambda: compare(named, by, "rate", order), SLOW_FRESH_S)
    title = say(f"{name}_title")
    if frame.empty:
        return Figure(name, title, "", missing=say(f"{name}_missing"))
    shown = frame if order else frame.sort_values("posts", ascending=False)
    shown = shown.head(max(filters.top, 12)).reset_index(drop=True)
    names = draw.labels(shown["group"].tolist())
    rows: list[Row] = [
        {"group": f"{label} · n {int(n)}", "value": float(m), "low": draw.number(low), "high": draw.number(high)}
        for label, n, m, low, high in zip(
            names, shown["posts"], shown["median"], shown["low"], shown["high"], strict=True
        )
    ]
    table = pd.DataFrame(
        {
            say("group"): shown["group"],
            say("posts"): shown["posts"],
            say("creators"): shown["creators"],
            say("rate"): [say.percent(each, 2) for each in shown["median"]],
            say("low"): [say.percent(draw.number(each), 2) for each in shown["low"]],
            say("high"): [say.percent(draw.number(each), 2) for each in shown["high"]],
            say("claim"): [claimed(say, str(each)) for each in shown["claim"]],
        }
    )
    told = shown[shown["claim"].isin(["higher", "lower"])]
    said = [
        say(f"group_{claim}", group=draw.label(group), rate=say.interval_of(median, low, high, 2), n=int(n))
        for group, n, median, low, high, claim in told[["group", "posts", "median", "low", "high", "claim"]].itertuples(
            index=False, name=None
        )
    ]
    says = " ".join(said[:3]) or say("no_claim", posts=LEAST_POSTS, creators=LEAST_CREATORS)
    chart = draw.intervals(rows, "group", say("rate"))
    return Figure(name, title, says, table, chart, note=f"{made.measured(say)} {say('no_cause')}")


def claimed(say: Words, claim: str) -> str:
    known = {"higher": "claim_higher", "lower": "claim_lower", "no difference shown": "claim_none"}
    return say(known[claim]) if claim in known else say("too_few")


def durations(site: Site, say: Words, filters: Filters) -> Figure:
    made = base(site, say, filters)
    bucket = pd.cut(floats(made.posts["duration_s"]), list(EDGES_S), labels=LENGTHS, right=False).astype("object")
    held = Base(made.found._replace(posts=made.posts.assign(length=bucket)), made.parts, made.total)
    return _compared(site, say, filters, "durations", held, "length", LENGTHS)


def categories(site: Site, say: Words, filters: Filters) -> Figure:
    return _compared(site, say, filters, "categories", base(site, say, filters), "kept_category")


def regions(site: Site, say: Words, filters: Filters) -> Figure:
    """Only where the post or the author's account states a country; the place asked for is no geography."""
    made = base(site, say, filters)
    found = _compared(site, say, filters, "regions", made, "place")
    stated = int(made.posts["place"].notna().sum())
    if found.missing:
        return found
    return Figure(
        found.name,
        found.title,
        found.says,
        found.table,
        found.chart,
        note=f"{say('regions_note', n=stated, total=len(made.posts))} {found.note}",
    )


def posting_times(site: Site, say: Words, filters: Filters) -> Figure:
    """Weekday by hour in the chosen place's clock: how many posts, and their median engagement rate."""
    made = base(site, say, filters)
    title = say("posting_times_title")
    known = made.posts[made.posts["created_at"].notna()]
    if known.empty:
        return Figure("posting_times", title, "", missing=say("no_posts"))
    place = places.get(filters.place or "world")
    zone = place.zone if place else "UTC"
    local = known["created_at"].dt.tz_convert(ZoneInfo(zone))
    slots = known.assign(day=local.dt.day_of_week, hour=local.dt.hour).groupby(["day", "hour"])
    frame = pd.DataFrame({"posts": slots.size(), "rate": slots["rate"].median()}).reset_index()
    names = say("weekdays").split()
    rows: list[Row] = [
        {"weekday": names[day], "hour": hour, "posts": int(n), "rate": draw.number(rate)}
        for day, hour, n, rate in frame.itertuples(index=False, name=None)
    ]
    rated = any(row["rate"] is not None for row in rows)
    value, shape = ("rate", ".2~%") if rated else ("posts", "d")
    chart = (
        alt.Chart(data(rows), width="container", height=200)
        .mark_rect()
        .encode(
            x=alt.X("hour:O", title=f"{say('hour')} ({zone})", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("weekday:O", sort=names, title=None),
            color=alt.Color(
                f"{value}:Q", title=say(value), scale=alt.Scale(scheme="teals"), legend=alt.Legend(format=shape)
            ),
            **({"opacity": alt.Opacity("posts:Q", legend=None, scale=alt.Scale(range=[0.3, 1]))} if rated else {}),
            tooltip=["weekday:N", "hour:O", "posts:Q", alt.Tooltip("rate:Q", format=".2%")],
        )
    )
    table = pd.DataFrame(
        {
            say("weekday"): [row["weekday"] for row in rows],
            say("hour"): [row["hour"] for row in rows],
            say("posts"): [row["posts"] for row in rows],
            say("rate"): [say.percent(row["rate"], 2) for row in rows],
        }
    )
    thin = int((frame["posts"] < FEW_PER_SLOT).sum())
    note = say("posting_times_note", thin=thin, slots=len(rows), few=FEW_PER_SLOT)
    says = say("posting_times_says", n=len(known), zone=zone)
    return Figure("posting_times", title, says, table, chart, note=note, height=200)


FIGURES = {
    "top_posts": top_posts,
    "virality": virality,
    "performance": performance,
    "posting_times": posting_times,
    "durations": durations,
    "categories": categories,
    "regions": regions,
}
