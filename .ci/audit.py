"""Keys in the repository, and known faults of the packages that the lean lock names. Exit status 1 where there is one.

Run by `make audit` in an environment of its own. What could not be asked is said, and is no failure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BASELINE = ROOT / ".ci" / "secrets.baseline"
MOVED = 3  # what is known stands on another line


def secrets() -> bool:
    """Only what is not in the baseline, whose entries were looked at: made-up keys of examples.

    Tests are full of such and have a scan of their own (tests/test_security.py).
    """
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    files = [name for name in tracked if (ROOT / name).is_file()]
    with tempfile.TemporaryDirectory() as folder:
        known = shutil.copy(BASELINE, folder)
        done = subprocess.run(
            [BIN / "detect-secrets-hook", "--baseline", known, *files],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
    good = done.returncode in (0, MOVED)
    print(
        f"secrets: {len(files)} files, " + ("nothing new that looks like a key" if good else f"found:\n{done.stdout}")
    )
    return good


def advisories() -> bool:
    asked = subprocess.run(
        [BIN / "pip-audit", "--requirement", "requirements.txt", "--require-hashes", "--disable-pip",
         "--format", "json", "--progress-spinner", "off"], cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    try:
        told = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"advisories: NOT AUDITED: {last[:200]}")
        return True
    skipped = [each["name"] for each in told if "skip_reason" in each]
    faults = [(each["name"], each["version"], fault["id"], fault.get("fix_versions"))
              for each in told for fault in each.get("vulns", ())]  # fmt: skip
    if skipped:
        print(f"advisories: {len(skipped)} of {len(told)} packages NOT AUDITED: the registry here knows none of them")
    for name, version, fault, fixed in faults:
        print(f"advisories: {name} {version}: {fault}; fixed in {', '.join(fixed or ['no version yet'])}")
    if len(told) > len(skipped):
        print(f"advisories: {len(told) - len(skipped)} packages audited, {len(faults)} known faults")
    return not faults


sys.exit(0 if all([secrets(), advisories()]) else 1)
