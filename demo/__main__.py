"""`make demo`: several days of a simulated web through the real crawl, checked against the truth, and their trends."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from datetime import timedelta
from textwrap import fill

from analysis.cli import main as analyse
from crawler.config import Config, ConfigError, load
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.reads import Reader
from demo import story
from demo.check import check
from demo.site import running
from demo.world import START, World
from demo.world.shop import HOST

DATABASE = "tidemark_demo"
# The demo never touches the user's own store, whatever is configured.
IGNORED = ("MONGODB_URI", "MONGODB_DATABASE", "DYNO", "ARCHIVE_URL")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--days", type=int, default=5, help="simulated days (default 5)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another world")
    options = parser.parse_args()
    for name in IGNORED:
        os.environ.pop(name, None)
    try:
        return tell(load(), options.days, World(options.seed))
    except (ConfigError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1


def tell(config: Config, days: int, world: World) -> int:
    """The whole demo; 0 when every number is true and nothing went wrong but what was planned."""
    start_anew(config)
    print(f"simulated: {days} days from {START:%Y-%m-%d}, a web of our own with {len(story.MISHAPS)} mishaps")
    environ = dict(os.environ)
    with running(world) as site:
        os.environ.update(site.proxies() | story.KEYS)
        try:
            told = story.run(site, days, DATABASE)
        finally:
            os.environ.clear()
            os.environ.update(environ)
    say(told)
    with connect(config) as client:
        verdict = check(Reader(client[DATABASE]), world)
    print(f"\nsimulated: {verdict.total:,} stored numbers compared with the truth, {len(verdict.false)} false")
    compared = ", ".join(f"{n:,} of {what}" for what, n in verdict.compared.most_common())
    print(fill(compared, 110, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))
    for line in verdict.false[:10]:
        print(f"  {line}")
    return show(config, world) or int(bool(verdict.false or told.unplanned()))


def start_anew(config: Config) -> None:
    """Another seed or version is another world: what an earlier demo left would not fit."""
    for folder in (config.archive_dir, config.spool_dir):
        shutil.rmtree(folder / DATABASE, ignore_errors=True)
    with connect(config) as client:
        client.drop_database(DATABASE)


def say(told: story.Told) -> None:
    print("\nsource (simulated)        runs  good  items   fetches")
    for spider, runs in told.runs.items():
        outcomes = ", ".join(f"{n} {outcome}" for outcome, n in told.outcomes[spider].most_common())
        print(f"{spider:24} {runs:>5} {told.good[spider]:>5} {told.items[spider]:>6,}   {outcomes}")
    print("\ngaps, as planned: a reason stands where a number would, and nothing is made up")
    for hour, spider, target, outcome in told.gaps:
        print(f"  {START + timedelta(hours=hour):%Y-%m-%d %H:%M}  {spider} {target}: {outcome}")
    for hour, spider in told.unplanned():
        print(f"  NOT planned: {START + timedelta(hours=hour):%Y-%m-%d %H:%M}  {spider}")


def show(config: Config, world: World) -> int:
    """The analysis commands a user would type; the first exit status that is not 0."""
    socks = world.shop.products[0]
    for arguments in (
        ["boards"],
        ["evolution", "--board", "x:trends:br", "--top", "10"],
        ["evolution", "--entity", "tiktok:profile:coral.cooks"],
        ["evolution", "--entity", f"{HOST}:product:{socks.product_id}:{socks.variants[0].variant_id}"],
    ):
        whole = [*arguments, "--database", DATABASE]
        print(f"\n$ python -m analysis {' '.join(whole)}", flush=True)
        if (status := analyse(whole)) != 0:  # in this process: four starts would cost as much as the crawls
            return status
    python = os.path.relpath(sys.executable)
    print(
        f"\nAll of this is simulated. The data is in the local MongoDB ({config.data_dir / 'db'}), database "
        f"{DATABASE};\n"
        f"its captures are in {config.archive_dir / DATABASE}. Try next:\n"
        f"  {python} -m analysis evolution --board x:trends:br --database {DATABASE} --plot trends.png\n"
        f"  {python} -m analysis.web --database {DATABASE}   # dashboard and API: http://127.0.0.1:8600/\n"
        f"  {python} -m demo.site                  # the simulated web in your own browser\n"
        f"  {python} -m scrapy doctor\n"
        f"  {python} -m scrapy db stop"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
