"""`python -m analysis …`: the entry point. Only here are settings read and the database opened."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from analysis.command import (
    AWAY,
    GOOD,
    SIMULATED_ENDING,
    WRONG,
    About,
    Apart,
    Command,
    Found,
    Session,
    UsageError,
    moment,
)
from analysis.commerce.deals_commands import DEALS
from analysis.commerce.prices_commands import PRICES
from analysis.commerce.product_commands import PRODUCTS
from analysis.creators import commands as creators
from analysis.creators import post_commands as posts
from analysis.exports import command as exports
from analysis.output import OutputError
from analysis.report.command import REPORT
from analysis.text import commands as text
from analysis.text import hear_command, scale_command, topic_commands
from analysis.trends import alert_commands, derived_commands, growth_commands, list_commands
from analysis.trends import backtest_commands as backtests
from analysis.trends import commands as trends
from analysis.trends.topics import TOPICS
from analysis.web.site import opened
from crawler.config import Config, ConfigError, load
from crawler.context import catch_up
from crawler.spool import waiting
from crawler.storage import server
from crawler.storage.alerts import Alerts
from crawler.storage.connect import connect
from crawler.storage.creators import Creators
from crawler.storage.deals import Deals
from crawler.storage.errors import StorageError
from crawler.storage.exports import Exports
from crawler.storage.reads import Client, Reader
from crawler.storage.texts import Texts
from crawler.storage.trends import Trends

COMMANDS: dict[str, Command] = {
    "products": PRODUCTS,
    "deals": DEALS,
    "prices": PRICES,
    "creators": creators.CREATORS,
    "posts": posts.POSTS,
    "export": exports.EXPORT,
    "report": REPORT,
    "boards": trends.BOARDS,
    "evolution": trends.EVOLUTION,
    "keywords": text.KEYWORDS,
    "sentiment": text.SENTIMENT,
    "themes": topic_commands.THEMES,
    "links": topic_commands.LINKS,
    "categories": topic_commands.CATEGORIES,
    "hear": hear_command.HEAR,
    "texts": scale_command.TEXTS,
    "topics": TOPICS,
    "growth": growth_commands.GROWTH,
    "backtest": backtests.BACKTEST,
    "alerts": alert_commands.ALERTS,
    "trends": derived_commands.TRENDS,
    "events": list_commands.EVENTS,
    "phases": list_commands.PHASES,
    "life": list_commands.LIFE,
    "programme": list_commands.PROGRAMME,
}

Opener: TypeAlias = Callable[[Config], AbstractContextManager[Client]]


def main(argv: Sequence[str] | None = None, open_client: Opener | None = None) -> int:
    """Exit status: 0 good, 1 the database cannot be read, 2 asked for what is not there."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return GOOD
    try:
        command = COMMANDS[args.command]
        if command.apart and command.is_apart(args):
            return command.apart(args, Apart(simulated=False, near=lambda look: _near(args, open_client, look)))
        config = load()
        name = args.database or config.mongodb_database
        if waiting(config.spool_dir / name):  # numbers that were read and are not in the database yet
            catch_up(config, name)
        with (open_client or _connect)(config) as client:
            session = Session(
                simulated=name.endswith(SIMULATED_ENDING), reader=Reader(client[name], args.known_at),
                alerts=Alerts(client[name]), trends=Trends(client[name]),
                creators=Creators(client[name], args.known_at), texts=Texts(client[name], args.known_at),
                exports=Exports(client[name]), hash_key=config.hash_key,
                deals=Deals(client[name]), models_dir=config.data_dir / "models" / name, user_agent=config.user_agent,
                site=lambda: opened(config, client, name),
            )  # fmt: skip
            return command.run(args, session)
    except StorageError as error:
        return _fail(error, AWAY)
    except (ConfigError, OutputError, UsageError) as error:
        return _fail(error, WRONG)


def _near(args: argparse.Namespace, open_client: Opener | None, look: Callable[[About], Found]) -> Found | str:
    """Starts no server for that, and waits two seconds at most for one that does not answer."""
    try:
        config = load()
        if not (open_client or config.mongodb_uri or server.status(config.data_dir / "db").running):
            return "the local database does not run"
        name = args.database or config.mongodb_database
        with (open_client or (lambda config: connect(config, timeout_s=2)))(config) as client:
            return look(Reader(client[name], args.known_at).about)
    except (StorageError, ConfigError) as error:
        return str(error)


def _connect(config: Config) -> Client:
    return connect(config)


def _fail(error: Exception, status: int) -> int:
    print(f"python -m analysis: {error}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description="What the kept numbers mean.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        sub.add_argument("--database", metavar="NAME", help="database to read (default: MONGODB_DATABASE)")
        sub.add_argument(
            "--known-at", type=moment, metavar="MOMENT", help="show only what had been captured by then (UTC)"
        )
        command.arguments(sub)
    return parser
