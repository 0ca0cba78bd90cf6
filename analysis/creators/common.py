"""What `creators` and `posts` share: their filters, the posts that pass them, and how a frame is shown."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import pandas as pd

from analysis.command import GOOD, Session, UsageError, file, moment, positive, until
from analysis.creators.charts import intervals, points
from analysis.creators.filters import WHERE, Filters, filtered, with_places
from analysis.creators.rates import ALL_PARTS, PARTS
from analysis.creators.table import Material, material
from analysis.output import ENDINGS
from analysis.plot import Chart, save_chart

PLOTS = (".png", ".svg")
ROWS = 20
SUBTITLE = 120  # characters that fit above a chart
ASSOCIATION = "Association only: whoever does one thing differs in others, too."


def share(text: str) -> float:
    """`0.05`, `5%` or `5 %`."""
    try:
        found = float(text.rstrip("% ")) / (100 if text.rstrip().endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 100:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a share like 5% or 0.05")
    return found


def parts(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    if unknown := [each for each in found if each not in ALL_PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r}: expected some of {','.join(ALL_PARTS)}")
    return found


def arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--since", type=moment, metavar="MOMENT", help="posts made from this moment on (UTC)")
    option("--until", type=until, metavar="MOMENT", help="posts made before this moment, or to the end of a day")
    option("--platform", help="tiktok, x, youtube …")
    option("--place", metavar="CODE", help="only posts whose page, or author's page, states this country")
    option("--category", metavar="NAME", help="only posts whose page, or author's page, states this category")
    option("--media", choices=("video", "photo", "text"), help="only posts of this kind")
    option("--keyword", metavar="TEXT", help="only posts that hold this term")
    option("--modality", choices=WHERE, help="where the keyword has to stand")
    option("--min-rate", type=share, metavar="SHARE", help="least engagement rate: 5%% or 0.05")
    option("--max-rate", type=share, metavar="SHARE", help="greatest engagement rate")
    option(
        "--parts", type=parts, default=PARTS, metavar="A,B",
        help=f"what engagement adds up (default {','.join(PARTS)}); posts that hide any of it are left out",
    )  # fmt: skip
    option("--top", type=positive, metavar="N", help=f"best N (default {ROWS} on the screen, all in a file)")
    option("-o", dest="output", type=file(*ENDINGS), metavar="FILE", help=f"write a file: {', '.join(ENDINGS)}")
    option("--plot", type=file(*PLOTS), metavar="FILE", help=f"draw a chart: {', '.join(PLOTS)}")


def read(args: argparse.Namespace, session: Session) -> Material:
    """What the filters leave; raises UsageError where that is nothing, and says why."""
    if args.modality and not args.keyword:
        raise UsageError("--modality: says where a keyword stands; give --keyword as well")
    posts = session.creators.posts(since=args.since, until=args.until)
    if posts.empty:
        raise UsageError("no post in the time asked for; crawl or replay some first, e.g. scrapy replay FILE")
    found = material(posts, session.creators.profiles(), args.parts)
    placed = with_places(found.posts, found.profiles)
    wanted = Filters(args.platform, args.place, args.category, args.media, args.keyword, args.modality)
    kept = filtered(placed, wanted)
    if kept.empty:
        stated = ", ".join(sorted({str(each) for each in placed["place"].dropna()})) or "none"
        raise UsageError(f"none of {len(placed):,} posts passes the filters; places that their pages state: {stated}")
    return found._replace(posts=kept)


def counted(found: Material, parts: tuple[str, ...]) -> str:
    """How many posts have a rate, and why the others have none."""
    posts, rated = len(found.posts), int(found.posts["rate"].notna().sum())
    if rated == posts:
        return f"{posts:,} posts; engagement = {' + '.join(parts)} per view"
    hint = "" if parts != PARTS else " (try --parts likes,comments,shares)"
    return (
        f"{rated:,} of {posts:,} posts show views and {' + '.join(parts)}; the others have no engagement rate and "
        f"are left out{hint}"
    )


@dataclass(frozen=True)
class View:
    """One answer: its rows, the columns a screen shows with their heads, and how it is drawn."""

    title: str
    frame: pd.DataFrame
    heads: dict[str, str]
    notes: tuple[str, ...] = ()
    percent: tuple[str, ...] = ()
    """Columns that are shares, shown on the screen as percentages."""
    bars: tuple[str, tuple[str, str, str], str, str] | None = None
    """Label, (low, value, high), axis, note."""
    dots: tuple[str, str, str] | None = None
    """x, y, color."""
    drawn: pd.DataFrame | None = None
    """Rows of the chart, where they are not those of the frame."""


def present(view: View, args: argparse.Namespace, session: Session) -> int:
    if args.output:
        session.save(view.frame.head(args.top or len(view.frame)), args.output)
    else:
        shown = view.frame.head(args.top or ROWS)
        percents = {name: shown[name] * 100 for name in view.percent}
        session.show(shown.assign(**percents)[list(view.heads)].rename(columns=view.heads), view.title)
        for note in view.notes:
            session.say(note)
    if args.plot:
        _plot(view, args.top, args.plot, session)
    return GOOD


def _plot(view: View, top: int | None, path: Path, session: Session) -> None:
    frame = view.frame if view.drawn is None else view.drawn
    frame = frame.head(top or ROWS) if view.bars else frame
    chart: Chart
    if view.bars:
        chart = intervals(frame.assign(**{name: frame[name] * 100 for name in view.percent}), *view.bars)
    elif view.dots:
        chart = points(frame, *view.dots)
    else:
        raise UsageError("this table has no chart; write it to a file with -o")
    subtitle = shorten(" ".join(view.notes[:1]), SUBTITLE, placeholder=" …")
    save_chart(chart, view.title, subtitle, path, simulated=session.simulated)
    session.say(f"chart written to {path}")
