"""Long campaigns, each with a short form in the test suite: `python -m tests.campaign [NAME] [--seed N]`."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import sys
import time

import tests.campaign


def main() -> int:
    names = [each.name for each in pkgutil.iter_modules(tests.campaign.__path__) if not each.name.startswith("_")]
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    bad = []
    for name in args.names or names:
        began_s = time.monotonic()
        print(f"== {name}, seed {args.seed}", flush=True)
        good, report = importlib.import_module(f"tests.campaign.{name}").campaign(args.seed)
        print(
            f"{report}\n== {name}: {'good' if good else 'NOT GOOD'} after {time.monotonic() - began_s:.0f} s",
            flush=True,
        )
        bad += [] if good else [name]
    return 1 if bad else 0


sys.exit(main())
