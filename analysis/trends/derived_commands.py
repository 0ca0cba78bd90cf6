"""`trends`: the stored evolution of every topic, brought up to date. What MongoDB Charts and the API read."""

from __future__ import annotations

import argparse

import pandas as pd

from analysis.command import GOOD, Command, Session, UsageError
from analysis.output import clean
from analysis.trends.derived import Done, derive


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", action="append", help="only this board (may be given again); default: every board")
    parser.add_argument("--rebuild", action="store_true", help="from scratch; gives the same documents")


def _run(args: argparse.Namespace, session: Session) -> int:
    if args.known_at:
        raise UsageError("trends: the collection holds what is known now; leave out --known-at, or see: evolution")
    known = session.trends.boards()
    if missing := [each for each in args.board or () if each not in known]:
        raise UsageError(f"{clean(missing[0])}: no such board; see: python -m analysis boards")
    done = [derive(each, session.reader, session.trends, afresh=args.rebuild) for each in args.board or known]
    if not done:
        session.say("no board yet; try: make demo")
        return GOOD
    session.show(_table(done), "Collection trends: one document per topic of a board")
    return GOOD


def _table(done: list[Done]) -> pd.DataFrame:
    return pd.DataFrame({
        "board": [each.board for each in done], "new snapshots": [each.snapshots for each in done],
        "topics written": [each.topics for each in done], "gone": [each.gone for each in done],
        "from scratch": [each.why for each in done],
    })  # fmt: skip


TRENDS = Command("Keep the collection trends: every topic's evolution, stored.", _arguments, _run)
