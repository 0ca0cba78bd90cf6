"""`python -m analysis.web`: API and dashboard over one database. Only here are settings read and things opened."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import socket
import sys
from collections.abc import Sequence

import uvicorn

from analysis.command import AWAY, GOOD, WRONG
from analysis.web import workers
from analysis.web.app import PER_S, buckets_of, create_app
from analysis.web.buckets import Buckets
from analysis.web.guard import LONGEST_ADDRESS
from analysis.web.site import opened
from crawler.config import Config, ConfigError, load
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.jobs import Queue

PORT = 8600


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        config = load()
        refuse_open_doors(args.host, config)
        database = args.database or config.mongodb_database
        with listening(args.host, args.port) as door:
            connect(config).close()  # what is wrong there is said once, before anything starts
            shown = f"[{args.host}]" if ":" in args.host else args.host
            print(
                f"Tidemark, database {database}: http://{shown}:{args.port}/  (API: /api)  Ctrl-C ends it", flush=True
            )
            buckets = buckets_of(args.per_second)
            return workers.run(args.workers, lambda: serve(config, database, buckets, door))
    except StorageError as error:
        return _fail(error, AWAY)
    except ConfigError as error:
        return _fail(error, WRONG)


def refuse_open_doors(host: str, config: Config) -> None:
    """Raises ConfigError where others could read without a token."""
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = host == "localhost"
    if not inside and not config.api_token:
        raise ConfigError(f"--host {host}: others could read everything; set API_TOKEN first. See .env.example")


def listening(host: str, port: int) -> socket.socket:
    """The open door. Raises ConfigError where it cannot be opened."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise ConfigError(f"{host} port {port}: {(error.strerror or str(error)).lower()}; try --port") from None
    return door


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port from 1 to 65535")
    return int(text)


def workers_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of processes from 1 to 64")
    return int(text)


def serve(config: Config, database: str, buckets: Buckets, door: socket.socket) -> int:
    """One process: its own connections, the door and the limit shared."""
    try:
        with connect(config) as client:
            site = opened(config, client, database)
            app = create_app(site, config.api_token, queue=Queue(client[database]), buckets=buckets)
            logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
            settings = uvicorn.Config(
                app, access_log=False, server_header=False, date_header=True,
                h11_max_incomplete_event_size=2 * LONGEST_ADDRESS, timeout_keep_alive=30, log_level="warning",
            )  # fmt: skip
            uvicorn.Server(settings).run(sockets=[door])
    except StorageError as error:
        return _fail(error, AWAY)
    return GOOD


def _fail(error: Exception, status: int) -> int:
    print(f"python -m analysis.web: {error}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis.web", description="API and dashboard, read-only.")
    option = parser.add_argument
    option("--database", metavar="NAME", help="database to show (default: MONGODB_DATABASE)")
    option("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    option("--port", type=port_number, default=PORT, help=f"port (default {PORT})")
    option(
        "--workers", type=workers_number, default=workers.sensible(), metavar="N",
        help="processes that answer (default: one a core, up to 4; here %(default)s)",
    )  # fmt: skip
    option("--per-second", type=float, default=PER_S, metavar="N", help="requests of one client; 0: no limit")
    return parser


if __name__ == "__main__":
    sys.exit(main())
