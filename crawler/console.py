"""Ends of a command that its user chose, as exit statuses."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def reader_left() -> int:
    """For `… | head`, which closes the pipe when it has seen enough: what is still to be said goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def interrupted() -> int:
    sys.stderr.write("\nended by Ctrl-C\n")
    return INTERRUPTED
