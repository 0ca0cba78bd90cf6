"""From the settings to a client that is known to work, and from any failure to one plain line.

The address of the database holds a password: nothing here says more of it than scheme and hosts.
"""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote_plus

from pymongo import AsyncMongoClient, MongoClient
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from crawler.config import Config
from crawler.storage import server
from crawler.storage.certificates import why_untrusted
from crawler.storage.errors import StorageAway, StorageError, StorageRefused

log = logging.getLogger(__name__)
T = TypeVar("T")

HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[\w.%-]+)(:\d+)?")
HERE = "mongodb://127.0.0.1"  # stands for the local server where its port is not known
ANSWER_WITHIN_MS = 60_000  # a batch of 1000 on the smallest Atlas tier takes seconds
COMMON = {"true", "false", "majority"}  # option values that hide nothing


@dataclass(frozen=True)
class Facts:
    """What a server says of itself."""

    version: tuple[int, ...]
    clock: datetime
    majority: bool
    """Every write waits for a majority of the servers and for their disks."""


def address(config: Config) -> str:
    """The URI of the database; the local server is started if none is set. It may hold a password."""
    return config.mongodb_uri or server.ensure(config.data_dir / "db")


def connect(config: Config, *, timeout_s: float = 5.0) -> MongoClient[dict[str, Any]]:
    """A client that has reached its server and may read there. Raises StorageError."""
    uri = address(config)
    _need_majority(uri)
    client = _made(MongoClient[dict[str, Any]], uri, timeout_s)
    try:
        with plain_errors(uri):
            # More than a ping: a server that wants a password answers a ping without one.
            client[config.mongodb_database].command("listCollections", nameOnly=True, authorizedCollections=True)
    except BaseException:
        client.close()
        raise
    return client


@contextlib.contextmanager
def opened(config: Config, name: str | None = None) -> Iterator[Database[dict[str, Any]]]:
    """The database, that of the settings or another; what goes wrong meanwhile is a StorageError as well."""
    with connect(config) as client, plain_errors(address(config)):
        yield client[name or config.mongodb_database]


def connect_async(config: Config, *, timeout_s: float = 5.0) -> AsyncMongoClient[dict[str, Any]]:
    """A client for one event loop, like the one of `connect`; it reaches for its server at the first question."""
    return _made(AsyncMongoClient[dict[str, Any]], address(config), timeout_s)


def facts(client: MongoClient[dict[str, Any]], uri: str) -> Facts:
    with plain_errors(uri):
        hello = client.admin.command("hello")
        version = tuple(client.server_info()["versionArray"][:3])
        clock = hello["localTime"].replace(tzinfo=UTC)  # command() knows no time zones
        return Facts(version, clock, client.write_concern.document == {"w": "majority", "j": True})


@contextlib.contextmanager
def plain_errors(uri: str) -> Iterator[None]:
    """Turns what pymongo raises into a StorageError."""
    try:
        yield
    except PyMongoError as error:
        # Not "from error": its text, shown in a traceback, may hold the address.
        raise explain(error, uri) from None


def _made(kind: Callable[..., T], uri: str, timeout_s: float) -> T:
    waits_ms: dict[str, Any] = {
        "serverSelectionTimeoutMS": int(timeout_s * 1000),
        "connectTimeoutMS": int(timeout_s * 1000),
        # Without one, a server that is reached and never answers holds a crawl for good.
        "socketTimeoutMS": ANSWER_WITHIN_MS,
    }
    said = {name for name, _ in _options(uri)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            client = kind(
                uri,
                w="majority",
                journal=True,
                retryWrites=True,
                tz_aware=True,
                appname="tidemark",
                maxPoolSize=10,  # the small Atlas tiers count connections
                **{name: ms for name, ms in waits_ms.items() if name.lower() not in said},
            )
        except (PyMongoError, OSError, ValueError, TypeError) as error:
            raise explain(error, uri) from None
    for warning in caught:
        log.warning("MONGODB_URI: %s", scrub(str(warning.message), uri))
    return client


def _need_majority(uri: str) -> None:
    """Writes confirmed by less were lost when a server was killed (3,600 of 56,700)."""
    for name, value in _options(uri):
        if name == "w" and value != "majority":
            raise StorageRefused(
                "MONGODB_URI: expected w=majority, found something else: a write confirmed by fewer servers "
                "can be lost. Leave w out. See .env.example."
            )
        if name in ("journal", "j") and value != "true":
            raise StorageRefused(
                "MONGODB_URI: expected journal=true, found something else: a write outside the journal is "
                "lost when the server dies. Leave journal out. See .env.example."
            )


# ---- what may be shown of an address


class _Parts(NamedTuple):
    scheme: str
    login: str
    hosts: str
    query: str


def _parts(uri: str) -> _Parts | None:
    """None where an unescaped character makes it unclear what is password and what is host."""
    scheme, _, rest = uri.partition("://")
    head, _, query = rest.partition("?")
    login, _, tail = head.rpartition("@")
    hosts = tail.partition("/")[0]
    clear = "@" not in query and not set("/@") & set(login) and login.count(":") <= 1
    if not clear or not all(HOST.fullmatch(host) for host in hosts.split(",")):
        return None
    return _Parts(scheme, login, hosts, query)


def _options(uri: str) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in re.split("[&;]", uri.partition("?")[2]))
    return [(unquote_plus(name).strip().lower(), unquote_plus(value).strip().lower()) for name, _, value in pairs]


def _authority(uri: str) -> str | None:
    found = re.search(r"[?&;]tlsCAFile=([^&;]+)", uri, re.IGNORECASE)
    return unquote_plus(found[1]) if found else None


def safe_uri(uri: str) -> str:
    """Scheme and hosts only; no host where it cannot be told from a password."""
    parts = _parts(uri)
    if parts:
        return f"{parts.scheme}://{parts.hosts}"
    return "mongodb+srv://…" if uri.startswith("mongodb+srv:") else "mongodb://…"


def scrub(text: str, uri: str) -> str:
    """*text* without the user name, the password and the options of *uri*."""
    text = text.replace(uri or HERE, safe_uri(uri or HERE))
    for secret in sorted(_secrets(uri), key=len, reverse=True):
        # A short name is also a part of words.
        edge = r"\b" if len(secret) < 4 and secret.isalnum() else ""
        text = re.sub(edge + re.escape(secret) + edge, "***", text)
    return re.sub(r"(mongodb(?:\+srv)?://)[^\s'\"]*@", r"\1***@", text)


def _secrets(uri: str) -> set[str]:
    parts = _parts(uri)
    if parts is None:
        raw = set(re.split("[:/?@&=,;]", uri.partition("://")[2]))
    else:
        raw = {parts.login, *parts.login.split(":"), parts.query}
        for pair in re.split("[&;]", parts.query):
            raw |= {pair, pair.partition("=")[2]}
    return {form for each in raw for form in (each, unquote_plus(each))} - COMMON - {""}


# ---- what went wrong


class _Finding(NamedTuple):
    kind: type[StorageError]
    what: str
    """What is wrong and what to try; {host} stands for scheme and hosts, {hint} for what suits the host."""


CONNECTION: tuple[tuple[str, _Finding], ...] = (
    (
        "TLSV1_ALERT_INTERNAL_ERROR|tlsv1 alert internal error",
        _Finding(
            StorageRefused,
            "{host} hung up while agreeing on encryption: Atlas does so when this machine's address is not "
            "on its access list. Add it in Atlas: Network Access, Add IP Address.",
        ),
    ),
    (
        "certificate has expired",
        _Finding(
            StorageRefused,
            "the TLS certificate of {host} has expired. If the clock of this machine is right, the server "
            "needs a new one.",
        ),
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        _Finding(
            StorageRefused,
            "the TLS certificate of {host} is not trusted here. Install ca-certificates, or name your own "
            "authority with tlsCAFile.",
        ),
    ),
    (
        "reports wire version",
        _Finding(StorageRefused, "the server at {host} is too old. Use MongoDB 4.4 or newer."),
    ),
    (
        "DNS query name does not exist|does not contain an answer",
        _Finding(StorageRefused, "no cluster is known by the name in {host}. Is the name spelt as Atlas shows it?"),
    ),
    (
        "Name or service not known|nodename nor servname|getaddrinfo failed|No address associated"
        "|name resolution|nameservers failed|resolution lifetime expired|DNS operation timed out",
        _Finding(
            StorageAway,
            "the name of {host} is not found. Is this machine on the network, and the name spelt right?",
        ),
    ),
    (
        "Connection refused|actively refused|WinError 10061",
        _Finding(StorageAway, "cannot reach {host} (connection refused). {hint}"),
    ),
)

FULL = "the database at {host} is full. Free some space there, keep less history, or take a larger plan."
PASSWORD = "{host} refuses the user name or the password. Special characters in them are written as %-codes."
RIGHTS = "{host} wants a user with the right to do this. Give that user the role readWrite on the database."
STOPPING = "{host} is stopping or changing its leader (error {code})."

BY_CODE: Mapping[int, _Finding] = {
    18: _Finding(StorageRefused, PASSWORD),
    13: _Finding(StorageRefused, RIGHTS),
    14031: _Finding(StorageRefused, FULL),
    64: _Finding(StorageAway, "{host} did not confirm the write by a majority in time."),
    # Codes of a server that shuts down, steps down or holds an election.
    **{code: _Finding(StorageAway, STOPPING) for code in (91, 189, 10107, 11600, 11602, 13435, 13436)},
}
ATLAS = 8000  # everything that Atlas refuses by itself


def explain(error: Exception, uri: str) -> StorageError:
    """One plain line for whatever pymongo raised. Never holds a credential, an option or a document.

    uri: what address() gave; empty for the local server.
    """
    if isinstance(error, StorageError):
        return error
    uri = uri or HERE
    found = _finding(error, uri)
    host = safe_uri(uri)
    code = getattr(error, "code", None)
    what = found.what.replace("{hint}", _hint(uri)).replace("{host}", host).replace("{code}", str(code))
    if _is_local(uri):
        return found.kind(f"local database: {what}")
    return found.kind(f"MONGODB_URI: {what} See .env.example.")


def _finding(error: Exception, uri: str) -> _Finding:
    if isinstance(error, OperationFailure):
        return _operation(error, uri)
    if isinstance(error, InvalidURI) or not isinstance(error, PyMongoError) or _parts(uri) is None:
        # The text of these quotes pieces of the address.
        return _Finding(
            StorageRefused,
            f"cannot be used as an address ({type(error).__name__}). Special characters in user name and "
            "password are written as %-codes; files named in the options must exist.",
        )
    if isinstance(error, AutoReconnect | ConfigurationError):
        text = str(error)
        text += why_untrusted(text, _authority(uri)) or ""
        for pattern, finding in CONNECTION:
            if re.search(pattern, text):
                return finding
        if isinstance(error, ServerSelectionTimeoutError):
            limit = re.search(r"Timeout: ([\d.]+)s", text)
            after = f" after {float(limit[1]):g} s" if limit else ""
            return _Finding(StorageAway, f"cannot reach {{host}} (timed out{after}). {{hint}}")
        if isinstance(error, AutoReconnect):
            return _Finding(StorageAway, "lost the connection to {host}. {hint}")
    kind = StorageRefused if isinstance(error, ConfigurationError) else StorageError
    return _Finding(kind, f"{{host}}: {type(error).__name__}: {scrub(str(error), uri)[:200]}.")


def _operation(error: OperationFailure, uri: str) -> _Finding:
    details = error.details or {}
    parts = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    codes = [error.code, *(part.get("code") for part in parts)]
    for code in codes:
        if code in BY_CODE:
            return BY_CODE[code]
    if ATLAS in codes:
        return _atlas(str(error), uri)
    # The text of a refused write quotes the document.
    quiet = isinstance(error, BulkWriteError | WriteError) or error.code == 11000
    text = "" if quiet else f": {scrub(str(details.get('errmsg', error)), uri)[:200]}"
    return _Finding(StorageError, f"{{host}} answered error {codes[-1]}{text}.")


def _atlas(text: str, uri: str) -> _Finding:
    if "space quota" in text:
        return _Finding(StorageRefused, FULL)
    if re.search("bad auth|[Aa]uthentication failed", text):
        return _Finding(StorageRefused, PASSWORD)
    if re.search("not allowed|not authorized", text):
        return _Finding(StorageRefused, RIGHTS)
    return _Finding(StorageRefused, f"{{host}} answered Atlas error {ATLAS}: {scrub(text, uri)[:200]}.")


def _is_local(uri: str) -> bool:
    """Whether it is the address of the server that crawler.storage.server runs."""
    port = re.search(r":(\d+)/", uri)
    return uri == HERE or (port is not None and uri == server.uri_of(int(port[1])))


def _hint(uri: str) -> str:
    if _is_local(uri):
        return "Start it: scrapy db start."
    if ".mongodb.net" in safe_uri(uri):
        return "Is this address on the Atlas access list?"
    return "Does the server run, and may this machine reach it?"
