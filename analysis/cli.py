"""`python -m analysis …`: the entry point. Only here are settings read and the database opened."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pkgutil import resolve_name
from typing import TYPE_CHECKING, TypeAlias

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
from analysis.output import OutputError
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

if TYPE_CHECKING:
    from analysis.web.site import Site

COMMANDS = {
    "products": "analysis.commerce.product_commands:PRODUCTS",
    "deals": "analysis.commerce.deals_commands:DEALS",
    "prices": "analysis.commerce.prices_commands:PRICES",
    "creators": "analysis.creators.commands:CREATORS",
    "posts": "analysis.creators.post_commands:POSTS",
    "export": "analysis.exports.command:EXPORT",
    "report": "analysis.report.command:REPORT",
    "boards": "analysis.trends.commands:BOARDS",
    "evolution": "analysis.trends.commands:EVOLUTION",
    "keywords": "analysis.text.commands:KEYWORDS",
    "sentiment": "analysis.text.commands:SENTIMENT",
    "themes": "analysis.text.topic_commands:THEMES",
    "search": "analysis.text.search_command:SEARCH",
    "links": "analysis.text.topic_commands:LINKS",
    "categories": "analysis.text.topic_commands:CATEGORIES",
    "hear": "analysis.text.hear_command:HEAR",
    "texts": "analysis.text.scale_command:TEXTS",
    "topics": "analysis.trends.topics:TOPICS",
    "growth": "analysis.trends.growth_commands:GROWTH",
    "backtest": "analysis.trends.backtest_commands:BACKTEST",
    "alerts": "analysis.trends.alert_commands:ALERTS",
    "trends": "analysis.trends.derived_commands:TRENDS",
    "events": "analysis.trends.list_commands:EVENTS",
    "phases": "analysis.trends.list_commands:PHASES",
    "life": "analysis.trends.list_commands:LIFE",
    "programme": "analysis.trends.list_commands:PROGRAMME",
}
"""Where each is found: one that is asked for loads itself alone, for loading all takes seconds of processor time."""

Opener: TypeAlias = Callable[[Config], AbstractContextManager[Client]]


def main(argv: Sequence[str] | None = None, open_client: Opener | None = None) -> int:
    """Exit status: 0 good, 1 the database cannot be read, 2 asked for what is not there."""
    words = sys.argv[1:] if argv is None else argv
    commands = {name: _loaded(name) for name in (words[:1] if words and words[0] in COMMANDS else COMMANDS)}
    parser = _parser(commands)
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return GOOD
    try:
        command = commands[args.command]
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
                site=lambda: _site(config, client, name),
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


def _loaded(name: str) -> Command:
    found: Command = resolve_name(COMMANDS[name])
    return found


def _site(config: Config, client: Client, name: str) -> Site:
    from analysis.web.site import opened

    return opened(config, client, name)


def _parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description="What the kept numbers mean.")
    choice = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in commands.items():
        sub = choice.add_parser(name, help=command.help, description=command.help)
        sub.add_argument("--database", metavar="NAME", help="database to read (default: MONGODB_DATABASE)")
        sub.add_argument(
            "--known-at", type=moment, metavar="MOMENT", help="show only what had been captured by then (UTC)"
        )
        command.arguments(sub)
    return parser
