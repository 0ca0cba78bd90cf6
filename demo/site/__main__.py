"""`python -m demo.site`: the simulated web for a person to look at, or for any crawler or browser as its proxy."""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime

from demo.site import KINDS, Fault, Look, running
from demo.world import START, World


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.site", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default 8000; 0 takes a free one)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another world (default 7)")
    parser.add_argument(
        "--at", type=moment, default=START, metavar="ISO", help=f"simulated moment (default {START:%FT%TZ})"
    )
    parser.add_argument(
        "--rate", type=float, default=1.0, help="simulated seconds a second (default 1; 0 stands still)"
    )
    parser.add_argument(
        "--era", choices=("universal", "sigi", "next", "node"), default="universal", help="state of pages"
    )
    parser.add_argument("--rendered", action="store_true", help="pages as a browser would have left them")
    parser.add_argument(
        "--fault", type=fault, action="append", default=[], metavar="KIND[:PATH[:MUCH]]",
        help=f"may be repeated; MUCH is a share (0.3) or x and a number of times (x2). Kinds: {', '.join(KINDS)}",
    )  # fmt: skip
    options = parser.parse_args()
    look = Look(era=options.era, rendered=options.rendered)
    place = {"at": options.at, "rate": options.rate, "port": options.port}
    try:
        with running(World(options.seed), look=look, faults=options.fault, **place) as site:
            print(f"simulated web at http://{site.address}/", flush=True)
            print(
                f"as a proxy: https_proxy=http://{site.address} http_proxy=http://{site.address} scrapy crawl …",
                flush=True,
            )
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        print(f"port {options.port}: {error.strerror}. Take another: --port 0", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
