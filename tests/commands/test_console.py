"""A command whose reader has seen enough, or whose user has, ends without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from crawler.config import ROOT
from tests.shell import Shell

WORDS = [("scrapy", "migrate", "--dry-run"), ("analysis", "boards")]


@pytest.mark.parametrize("words", WORDS)
def test_a_command_whose_reader_left_says_nothing_more(
    words: tuple[str, ...], mongo_uri: str, database: Database[Any], tmp_path: Path
) -> None:
    shell = Shell(mongo_uri, database.name, tmp_path)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write) as pipe:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, env=shell.environ, stdout=pipe, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")


def test_ctrl_c_ends_a_command_with_a_line(mongo_uri: str, database: Database[Any], tmp_path: Path) -> None:
    shell = Shell(mongo_uri, database.name, tmp_path)
    wire = tmp_path / "tweets"
    os.mkfifo(wire)
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from analysis import __main__; sys.exit(__main__._status())"
    command = [sys.executable, "-c", code, "deals", str(wire), "-o", str(tmp_path / "deals.jsonl")]
    process = subprocess.Popen(
        command, cwd=ROOT, env=shell.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with process, wire.open("w"):  # opens when it has begun to read
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert (process.returncode, said.splitlines()[-1]) == (130, "ended by Ctrl-C")
