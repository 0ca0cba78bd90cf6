"""Any failure of the database becomes one plain line, and no line holds a credential."""

from __future__ import annotations

import socket
import tempfile
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    InvalidURI,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from crawler import config
from crawler.storage import connect, server
from crawler.storage.errors import StorageAway, StorageError, StorageRefused
from tests import servers

ATLAS = "mongodb+srv://maria:Tr0ub4dor%263@cluster0.ab1cd.mongodb.net/?retryWrites=true&appName=blue"
OWN = "mongodb://db1.example.org:27017,db2.example.org:27017/?replicaSet=rs7"
LOCAL = server.uri_of(27117)
SECRETS = ("maria", "Tr0ub4dor", "retryWrites", "appName", "blue")
HANDSHAKE = "SSL handshake failed: ac-x-shard-00-00.ab1cd.mongodb.net:27017: "


def selection(text):
    return ServerSelectionTimeoutError(f"{text}, Timeout: 5.0s, Topology Description: <maria:Tr0ub4dor&3>")


def config_of(uri, tmp_path):
    return config.load({"MONGODB_URI": uri, "TIDEMARK_DATA": str(tmp_path)})


def closed_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


@pytest.fixture(scope="module")
def guarded():
    """Port of a server that wants a password."""
    with servers.guarded() as port:
        yield port


# ---- connecting


def test_a_client_waits_for_majority_and_journal_and_speaks_utc(mongo_uri, tmp_path):
    with connect.connect(config_of(mongo_uri, tmp_path)) as client:
        assert client.write_concern.document == {"w": "majority", "j": True}
        assert client.options.retry_writes
        assert client.options.pool_options.max_pool_size == 10
        assert client.options.pool_options.appname == "tidemark"
        assert client.codec_options.tz_aware


def test_a_uri_without_write_concern_gets_one(mongo_uri, tmp_path):
    bare = mongo_uri.partition("?")[0] + "?directConnection=true&retryWrites=false"
    with connect.connect(config_of(bare, tmp_path)) as client:
        assert client.write_concern.document == {"w": "majority", "j": True}
        assert client.options.retry_writes


def test_a_server_tells_its_version_and_clock(mongo_uri, client):
    facts = connect.facts(client, mongo_uri)
    assert facts.version >= (4, 4)
    assert facts.majority
    assert abs(facts.clock - datetime.now(UTC)) < timedelta(seconds=60)


def test_without_a_uri_the_local_server_is_started():
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        unset = config.load({"TIDEMARK_DATA": folder})
        with connect.connect(unset) as client:
            assert client["tidemark"].list_collection_names() == []
        assert connect.address(unset) == server.status(Path(folder) / "db").uri
        assert server.stop(Path(folder) / "db")


@pytest.mark.parametrize(
    "options",
    [
        "w=1",
        "w=0",
        "W=1",
        "w=2",
        "w=%31",
        "w=majority&w=1",
        "retryWrites=true;w=1",
        "journal=false",
        "j=false",
    ],
)
def test_a_uri_that_would_lose_writes_is_refused(tmp_path, options):
    with pytest.raises(StorageRefused, match=r"^MONGODB_URI: expected (w|journal)=") as caught:
        connect.connect(config_of(f"mongodb://maria:pw@127.0.0.1:1/?{options}", tmp_path))
    assert "maria" not in str(caught.value)


def test_a_closed_port_is_away_and_says_so(tmp_path):
    uri = f"mongodb://maria:Tr0ub4dor@127.0.0.1:{closed_port()}/?appName=blue"
    with pytest.raises(StorageAway, match=r"cannot reach mongodb://127.0.0.1:\d+ \(connection refused\)") as caught:
        connect.connect(config_of(uri, tmp_path), timeout_s=0.2)
    shown = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_wrong_password_is_refused_and_not_shown(guarded, tmp_path):
    uri = f"mongodb://maria:Tr0ub4dor@127.0.0.1:{guarded}/?directConnection=true&authSource=admin"
    with pytest.raises(StorageRefused, match="refuses the user name or the password") as caught:
        connect.connect(config_of(uri, tmp_path))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert not [secret for secret in (*SECRETS, "authSource") if secret in shown]


def test_a_missing_password_is_refused(guarded, tmp_path):
    with pytest.raises(StorageRefused, match="wants a user with the right"):
        connect.connect(config_of(f"mongodb://127.0.0.1:{guarded}/?directConnection=true", tmp_path))


def test_a_right_password_with_special_characters_is_let_in(guarded, tmp_path):
    uri = f"mongodb://maria:right%2Fone@127.0.0.1:{guarded}/?directConnection=true&authSource=admin"
    with connect.connect(config_of(uri, tmp_path)) as client:
        assert "maria" not in repr(client)
        assert "right" not in repr(client)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://maria:Tr0ub/4dor@db.example.org/x",
        "mongodb://maria:Tr0ub?4dor@db.example.org/x",
        "mongodb://maria:Tr0ub:4dor@db.example.org/x",
        "mongodb://maria:Tr0ub@4dor@db.example.org/x",
        "mongodb://maria:Tr0ub%@db.example.org/x",
        "mongodb://maria:Tr0ub4dor@[::1/x",
        "mongodb://maria:Tr0ub4dor@db.example.org/?tlsCAFile=/home/maria/ca.pem",
        "mongodb://maria:Tr0ub4dor@/",
        "mongodb://",
    ],
)
def test_an_unreadable_uri_is_refused_without_a_piece_of_it(tmp_path, uri):
    with pytest.raises(StorageRefused, match="cannot be used as an address") as caught:
        connect.connect(config_of(uri, tmp_path))
    shown = "".join(traceback.format_exception(caught.value))
    assert not [piece for piece in ("maria", "Tr0ub", "4dor", "ca.pem") if piece in shown]


def test_a_misspelt_option_is_warned_of_by_name_without_its_value(caplog, mongo_uri, tmp_path):
    with connect.connect(config_of(f"{mongo_uri}&pasword=Tr0ub4dor", tmp_path)):
        pass
    assert "Unknown option: pasword" in caplog.text
    assert "Tr0ub4dor" not in caplog.text


# ---- what may be shown


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (ATLAS, "mongodb+srv://cluster0.ab1cd.mongodb.net"),
        (OWN, "mongodb://db1.example.org:27017,db2.example.org:27017"),
        (LOCAL, "mongodb://127.0.0.1:27117"),
        ("mongodb://[::1]:27017/x", "mongodb://[::1]:27017"),
        ("mongodb://u@h/db", "mongodb://h"),
        ("mongodb://maria:12/3@h", "mongodb://…"),  # unescaped: where does the password end?
        ("mongodb://maria:12?3@h", "mongodb://…"),
        ("mongodb://maria:12@3@h", "mongodb://…"),
        ("mongodb+srv://h/?a=b@c", "mongodb+srv://…"),
        ("mongodb://maria:pass word", "mongodb://…"),
    ],
)
def test_only_scheme_and_hosts_of_a_uri_are_shown(uri, shown):
    assert connect.safe_uri(uri) == shown


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"cannot open {ATLAS}!", "cannot open mongodb+srv://cluster0.ab1cd.mongodb.net!"),
        ("user maria, password Tr0ub4dor&3 or Tr0ub4dor%263", "user ***, password *** or ***"),
        ("options retryWrites=true&appName=blue and blue", "options *** and ***"),
        ("of another: mongodb://root:pw@h/x", "of another: mongodb://***@h/x"),
        ("nothing to hide, true", "nothing to hide, true"),
    ],
)
def test_credentials_and_options_are_scrubbed_from_any_text(text, clean):
    assert connect.scrub(text, ATLAS) == clean


def test_a_short_user_name_is_scrubbed_as_a_word_only():
    assert connect.scrub("a bad name", "mongodb://a:b@h/") == "*** bad name"


# ---- explaining


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (
            selection("timed out"),
            StorageAway,
            "(timed out after 5 s). Is this address on the Atlas access list?",
        ),
        (
            selection(f"{HANDSHAKE}[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1006)"),
            StorageRefused,
            "access list",
        ),
        (
            selection(f"{HANDSHAKE}certificate verify failed: certificate has expired (_ssl.c:1006)"),
            StorageRefused,
            "has expired",
        ),
        (
            selection(f"{HANDSHAKE}[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local"),
            StorageRefused,
            "not trusted here",
        ),
        (selection("h:27017: [Errno -2] Name or service not known"), StorageAway, "is not found"),
        (selection("h:27017: [Errno 8] nodename nor servname provided"), StorageAway, "is not found"),
        (selection("h:27017: [Errno 111] Connection refused"), StorageAway, "(connection refused)"),
        (
            ConfigurationError("The DNS query name does not exist: _mongodb._tcp.cluster0.ab1cd.mongodb.net."),
            StorageRefused,
            "no cluster is known by the name",
        ),
        (
            ConfigurationError("The resolution lifetime expired after 5.4 seconds"),
            StorageAway,
            "is not found",
        ),
        (
            ConfigurationError("Server at h:1 reports wire version 8, but this version of PyMongo requires at least 9"),
            StorageRefused,
            "MongoDB 4.4",
        ),
        (
            InvalidURI("Bad database name 'maria'"),
            StorageRefused,
            "cannot be used as an address (InvalidURI)",
        ),
        (OperationFailure("Authentication failed.", 18), StorageRefused, "user name or the password"),
        (
            OperationFailure("bad auth : Authentication failed.", 8000),
            StorageRefused,
            "user name or the password",
        ),
        (OperationFailure("user is not allowed to do action [insert]", 8000), StorageRefused, "readWrite"),
        (
            OperationFailure("you are over your space quota, using 514 MB of 512 MB", 8000),
            StorageRefused,
            "is full",
        ),
        (OperationFailure("not authorized on x to execute command", 13), StorageRefused, "readWrite"),
        (OperationFailure("available disk space too low", 14031), StorageRefused, "is full"),
        (OperationFailure("interruptedAtShutdown", 11600), StorageAway, "error 11600"),
        (OperationFailure("shutdown in progress", 91), StorageAway, "error 91"),
        (WTimeoutError("waiting for replication timed out", 64), StorageAway, "in time"),
        (AutoReconnect("connection closed"), StorageAway, "lost the connection"),
        (NetworkTimeout("maria: timed out"), StorageAway, "lost the connection"),
        (NotPrimaryError("not primary"), StorageAway, "lost the connection"),
        (OperationFailure("maria: Unrecognized pipeline stage", 40324), StorageError, "***: Unrecognized"),
    ],
)
def test_a_failure_is_told_in_plain_words(error, kind, says):
    told = connect.explain(error, ATLAS)
    assert type(told) is kind
    assert says in str(told)
    assert str(told).startswith("MONGODB_URI: ")
    assert str(told).endswith(" See .env.example.")
    assert not [secret for secret in SECRETS if secret in str(told)]


def test_the_timeout_message_is_the_one_of_the_style_guide():
    assert str(connect.explain(selection("timed out"), ATLAS)) == (
        "MONGODB_URI: cannot reach mongodb+srv://cluster0.ab1cd.mongodb.net (timed out after 5 s). "
        "Is this address on the Atlas access list? See .env.example."
    )


def test_the_local_server_is_named_as_such_and_no_setting_is_blamed():
    told = str(connect.explain(selection("[Errno 111] Connection refused"), LOCAL))
    reached = "cannot reach mongodb://127.0.0.1:27117 (connection refused)"
    assert told == f"local database: {reached}. Start it: scrapy db start."


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [(14031, StorageRefused, "full"), (91, StorageAway, "stopping"), (121, StorageError, "error 121")],
)
def test_a_failed_batch_is_told_by_what_its_writes_met_and_never_quotes_them(code, kind, says):
    part = {
        "index": 0,
        "code": code,
        "errmsg": "Document failed: private words",
        "op": {"bio": "private words"},
    }
    told = connect.explain(BulkWriteError({"writeErrors": [part], "writeConcernErrors": []}), OWN)
    assert type(told) is kind
    assert says in str(told)
    assert "private" not in str(told)


def test_a_duplicate_key_is_not_quoted():
    error = DuplicateKeyError('E11000 duplicate key { username: "jo" }', 11000, {"errmsg": 'username: "jo"'})
    assert '"jo"' not in str(connect.explain(error, OWN))


def test_no_uri_means_the_local_server():
    assert str(connect.explain(AutoReconnect("closed"), "")) == (
        "local database: lost the connection to mongodb://127.0.0.1. Start it: scrapy db start."
    )
    assert connect.scrub("plain", "") == "plain"


def test_what_is_explained_already_stays_as_it_is():
    error = StorageAway("local database: plain")
    assert connect.explain(error, OWN) is error
