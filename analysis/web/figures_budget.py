"""Figure of the revisit budget: where the looks went, how many found a change, how late that is, who starves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis.output import clean
from analysis.trends.alerts import wilson
from analysis.web.figure import Figure
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.words import Words
from crawler.revisit import STARVED

Row = dict[str, Any]
MOST = 1000  # targets; their documents are small
SHOWN = 50
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Visited:
    """A target of the watch list, as its slots and looks tell."""

    name: str
    taken: int
    rested: int
    looks: int
    """That could be compared with one before them."""
    useful: int
    changes_per_h: float | None
    last: datetime | None
    interval_h: float | None
    """Mean time between two looks; None before there are two."""
    starves: bool = False

    @property
    def lag_h(self) -> float | None:
        """A change waits for half an interval on average."""
        return None if self.interval_h is None else self.interval_h / 2


def visited(targets: list[Row], slots: list[Row], now: datetime) -> list[Visited]:
    """Who waits longest first. slots: how many of each watch and status, with the first and last of them."""
    of: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in slots:
        if row["status"] in ("taken", "rested"):
            of[row["watch"]][row["status"]] = row
    made = []
    for target in targets:
        if not target.get("every_s") or target.get("paused"):
            continue
        taken, rested = (of[target["key"]].get(each, {"n": 0}) for each in ("taken", "rested"))
        learned = target.get("learned") or {}
        interval = (taken["last"] - taken["first"]) / HOUR / (taken["n"] - 1) if taken["n"] > 1 else None
        rate = learned["changes"] / learned["hours"] if learned.get("hours") else None
        made.append(Visited(target["key"], taken["n"], rested["n"], learned.get("looks", 0), learned.get("useful", 0),
                            rate, learned.get("seen") or taken.get("last"), interval))  # fmt: skip
    every_h = {each["key"]: each["every_s"] / 3600 for each in targets if each.get("every_s")}
    known = [each.interval_h for each in made if each.interval_h]
    even_h = len(known) / sum(1 / each for each in known) if known else 0.0
    return sorted(
        (
            Visited(**{**vars(each), "starves": _waits_h(each, now) > STARVED * max(every_h[each.name], even_h)})
            for each in made
        ),
        key=lambda each: (not each.starves, -_waits_h(each, now), each.name),
    )


def _waits_h(each: Visited, now: datetime) -> float:
    return (now - each.last) / HOUR if each.last else 0.0


def revisits(site: Site, say: Words, filters: Filters) -> Figure:
    """What the looks of the watch list were spent on."""
    fields = ("every_s", "paused", "learned")
    views = site.views
    rows = site.kept.get(
        "revisits", 0,
        lambda: visited(views.rows("targets", None, fields, sort="_id", most=MOST), views.gaps(), site.clock()),
    )  # fmt: skip
    title = say("revisits_title")
    if not rows:
        return Figure("revisits", title, "", missing=say("no_slots"))
    looks, useful = sum(each.looks for each in rows), sum(each.useful for each in rows)
    share = say.interval(useful / looks, *wilson(useful, looks)) if looks else "·"
    says = say(
        "revisits_says", taken=sum(each.taken for each in rows), rested=sum(each.rested for each in rows), n=looks,
        share=share, starving=sum(each.starves for each in rows),
    )  # fmt: skip
    shown = rows[:SHOWN]
    table = pd.DataFrame(
        {
            say("revisit_target"): [clean(each.name) for each in shown],
            say("looks"): [each.taken for each in shown],
            say("rested"): [each.rested for each in shown],
            say("found_change"): [f"{each.useful} / {each.looks}" for each in shown],
            say("changes_per_h"): [None if each.changes_per_h is None else round(each.changes_per_h, 3)
                                   for each in shown],
            say("lag_about"): ["·" if each.lag_h is None else say.span(each.lag_h) for each in shown],
            say("newest"): [each.last for each in shown],
            say("starves"): [say("yes") if each.starves else "·" for each in shown],
        }
    )  # fmt: skip
    return Figure("revisits", title, says, table, note=say("revisits_note"))
