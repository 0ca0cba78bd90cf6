"""Three weeks of the simulated web through the product's own spiders: every stored number against the truth."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from crawler.config import ROOT
from crawler.storage import server

DAYS = 21


def campaign(seed: int) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="tidemark-days-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "demo", "--days", str(DAYS), "--seed", str(seed)]
        environ = {**os.environ, "TIDEMARK_DATA": folder}
        try:
            done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        finally:
            server.stop(Path(folder) / "db")
    said = [line for line in done.stdout.splitlines() if "compared with the truth" in line]
    return done.returncode == 0, "\n".join([f"{DAYS} days", *said, *done.stderr.splitlines()[-3:]])
