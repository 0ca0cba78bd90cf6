"""Figures of creators: followers, badge, followers against likes, growth, engagement rate, whom to feature."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import altair as alt
import pandas as pd

from analysis.creators.feature import CAVEAT, LEAST_POSTS, featured
from analysis.creators.people import followers_and_likes
from analysis.creators.people import verified as badges
from analysis.creators.rates import floats
from analysis.web import draw
from analysis.web.figure import Figure, data
from analysis.web.filters import Filters
from analysis.web.people import accounts, base
from analysis.web.site import SLOW_FRESH_S, Site
from analysis.web.words import Words

Row = dict[str, Any]
SHOWN = 1500


def _evidence(key: object, field: str, say: Words) -> str:
    return "/evidence?" + urlencode({"list": "creators", "key": str(key), "field": field, "lang": say.language})


def followers(site: Site, say: Words, filters: Filters) -> Figure:
    frame = accounts(site, say, filters)
    title = say("followers_title", n=filters.top)
    best = frame[frame["followers"].notna()].nlargest(filters.top, "followers")
    if best.empty:
        return Figure("followers", title, "", missing=say("no_accounts"))
    names = draw.labels([f"@{each}" for each in best["username"]])
    rows = [{"creator": name, "followers": int(n)} for name, n in zip(names, best["followers"], strict=True)]
    table = pd.DataFrame(
        {
            say("creator"): names,
            say("followers"): best["followers"].tolist(),
            say("likes_all"): best["likes"].tolist(),
            say("videos"): best["videos"].tolist(),
            say("badge"): [_badge(say, each) for each in best["verified"]],
        }
    )
    shown = int(frame["followers"].notna().sum())
    chart = draw.bars(rows, "creator", "followers", say("followers"))
    links = [_evidence(key, "followers", say) for key in best["creator"]]
    return Figure("followers", title, say("followers_says", n=shown), table, chart, links=links)


def _badge(say: Words, value: Any) -> str:
    return "·" if pd.isna(value) else say("verified" if value else "not_verified")


def verified(site: Site, say: Words, filters: Filters) -> Figure:
    frame = badges(accounts(site, say, filters))
    title = say("verified_title")
    if frame.empty:
        return Figure("verified", title, "", missing=say("no_badges"))
    names = [say("verified" if each == "verified" else "not_verified") for each in frame["cohort"]]
    rows: list[Row] = [
        {"badge": name, "value": float(share) / 100, "low": float(low) / 100, "high": float(high) / 100}
        for name, share, low, high in zip(names, frame["share_pct"], frame["low_pct"], frame["high_pct"], strict=True)
    ]
    table = pd.DataFrame(
        {
            say("badge"): names,
            say("accounts"): frame["n"],
            say("share"): [say.percent(row["value"]) for row in rows],
            say("low"): [say.percent(row["low"]) for row in rows],
            say("high"): [say.percent(row["high"]) for row in rows],
            say("median_followers"): frame["followers_median"],
            say("median_likes"): frame["likes_median"],
        }
    )
    first = rows[0]
    says = say(
        "verified_says", share=say.interval(first["value"], first["low"], first["high"]), n=int(frame["n"].sum())
    )
    return Figure("verified", title, says, table, draw.intervals(rows, "badge", say("share")), note=say("not_by_lot"))


def against(site: Site, say: Words, filters: Filters) -> Figure:
    frame = accounts(site, say, filters)
    title = say("against_title")
    known = frame[(floats(frame["followers"]) > 0) & (floats(frame["likes"]) > 0)].nlargest(SHOWN, "followers")
    if known.empty:
        return Figure("against", title, "", missing=say("no_accounts"))
    rows: list[Row] = [
        {
            "creator": draw.label(f"@{name}"),
            "followers": int(f),
            "likes": int(n),
            "badge": _badge(say, v),
            "href": _evidence(key, "followers", say),
        }
        for name, f, n, v, key in zip(
            known["username"], known["followers"], known["likes"], known["verified"], known["creator"], strict=True
        )
    ]
    axis, log = alt.Axis(format="~s", tickCount=6), alt.Scale(type="log", nice=False, padding=14)
    chart = (
        alt.Chart(data(rows), width="container", height=320)
        .mark_point(filled=True, size=60, opacity=0.75)
        .encode(
            x=alt.X("followers:Q", title=say("followers"), scale=log, axis=axis),
            y=alt.Y("likes:Q", title=say("likes_all"), scale=log, axis=axis),
            color=alt.Color("badge:N", title=None),
            href="href:N",
            tooltip=["creator:N", alt.Tooltip("followers:Q", format=","), alt.Tooltip("likes:Q", format=",")],
        )
    )
    key = ("against", filters.place, filters.category, len(frame))
    told = site.kept.get(key, len(frame), lambda: followers_and_likes(frame), SLOW_FRESH_S).iloc[0]
    table = pd.DataFrame(
        {
            say("creator"): [row["creator"] for row in rows],
            say("followers"): [row["followers"] for row in rows],
            say("likes_all"): [row["likes"] for row in rows],
            say("badge"): [row["badge"] for row in rows],
        }
    )
    if pd.isna(told["rho"]) or pd.isna(told["low"]) or not (told["low"] > 0 or told["high"] < 0):
        says = say("against_nothing", n=len(known))
    else:
        numbers = (say.number(float(told[name]), 2) for name in ("rho", "low", "high"))
        says = say("against_says", **dict(zip(("rho", "low", "high"), numbers, strict=True)), n=len(known))
    links = [row["href"] for row in rows]
    return Figure("against", title, says, table, chart, note=say("no_cause"), links=links, height=320)


def growth(site: Site, say: Words, filters: Filters) -> Figure:
    """Followers a day with the bounds that rounding and unknown hours leave."""
    frame = accounts(site, say, filters)
    title = say("growth_title")
    known = frame[frame["followers_per_day"].notna()].copy()
    if known.empty:
        return Figure("growth", title, "", missing=say("growth_missing"))
    best = known.sort_values("followers_per_day_low", ascending=False).head(filters.top)
    names = draw.labels([f"@{each}" for each in best["username"]])
    bounds = [best[f"followers_per_day{end}"] for end in ("", "_low", "_high")]
    rows: list[Row] = [
        {"creator": name, "value": float(mid), "low": float(low), "high": float(high)}
        for name, mid, low, high in zip(names, *bounds, strict=True)
    ]
    table = pd.DataFrame(
        {
            say("creator"): names,
            say("per_day"): bounds[0].tolist(),
            say("low"): bounds[1].tolist(),
            say("high"): bounds[2].tolist(),
            say("start"): best["followers_growth_from"].tolist(),
            say("end"): best["followers_growth_to"].tolist(),
        }
    )
    sure = int((known["followers_per_day_low"] > 0).sum())
    says = say("growth_says", n=len(known), sure=sure)
    return Figure("growth", title, says, table, draw.intervals(rows, "creator", say("per_day"), "~s"))


def rates(site: Site, say: Words, filters: Filters) -> Figure:
    """The typical post's engagement rate of each creator, drawn towards that of all where little is known."""
    frame = accounts(site, say, filters)
    title = say("rates_title")
    known = frame[frame["rate"].notna()].sort_values("rate_low", ascending=False)
    if known.empty:
        return Figure("rates", title, "", missing=say("rates_missing"))
    best = known.head(filters.top)
    names = draw.labels([f"@{each}" for each in best["username"]])
    rows: list[Row] = [
        {"creator": f"{name} · n {int(n)}", "value": float(rate), "low": float(low), "high": float(high)}
        for name, n, rate, low, high in zip(
            names, best["posts_counted"], best["rate"], best["rate_low"], best["rate_high"], strict=True
        )
    ]
    table = pd.DataFrame(
        {
            say("creator"): names,
            say("posts"): best["posts_counted"].tolist(),
            say("rate"): [say.percent(row["value"], 2) for row in rows],
            say("low"): [say.percent(row["low"], 2) for row in rows],
            say("high"): [say.percent(row["high"], 2) for row in rows],
            say("expected"): [say.percent(draw.number(each), 2) for each in best["expected_rate"]],
            say("median_views"): best["median_views"].tolist(),
        }
    )
    thin = int((known["posts_counted"] < LEAST_POSTS).sum())
    measured = base(site, say, Filters(since=filters.since, until=filters.until)).measured(say)
    note = f"{measured} {say('rates_note', thin=thin, n=len(known), least=LEAST_POSTS)}"
    return Figure(
        "rates", title, say("rates_says", n=len(known)), table, draw.intervals(rows, "creator", say("rate")), note=note
    )


def feature(site: Site, say: Words, filters: Filters) -> Figure:
    """Author ranks: whom to feature, with the reasons; nobody on few posts."""
    frame = accounts(site, say, filters)
    newest = frame["last_post"].max()
    title = say("feature_title")
    if pd.isna(newest) or not frame["rate"].notna().any():
        return Figure("feature", title, "", missing=say("rates_missing"))
    told = featured(frame, newest.to_pydatetime())
    advised = told[told["advice"] == "feature"]
    few = int(told["advice"].str.startswith("too few").sum())
    best = told[~told["advice"].str.startswith("too few")].head(max(filters.top, 20))
    if best.empty:
        return Figure("feature", title, "", missing=say("feature_missing", total=len(told), least=LEAST_POSTS))
    table = pd.DataFrame(
        {
            say("creator"): best["creator"].str.rpartition(":")[2],
            say("advice"): best["advice"],
            say("why"): best["why"],
        }
    )
    says = say("feature_says", n=len(advised), total=len(told), few=few)
    return Figure("feature", title, says, table, note=CAVEAT if say.language == "en" else say("feature_note"))


FIGURES = {
    "followers": followers,
    "growth": growth,
    "rates": rates,
    "feature": feature,
    "verified": verified,
    "against": against,
}
