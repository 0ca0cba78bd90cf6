"""New stored posts into stored deals, by watermark: what was read before is not read again."""

from __future__ import annotations

import argparse

from analysis.command import GOOD, Session, UsageError


def live(args: argparse.Namespace, session: Session) -> int:
    raise UsageError("name the posts to read: a file, a dump, or - for standard input")


__all__ = ["GOOD", "live"]
