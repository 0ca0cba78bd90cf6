"""Real database servers with a lock on the door: one wants a password, one shows an expired certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient

from crawler.storage import mongod, server

USER, PASSWORD = "maria", "right/one"


@contextmanager
def guarded() -> Iterator[int]:
    """Port of a server that wants a password."""
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder) / "db"
        uri = server.ensure(data_dir)
        with MongoClient(uri) as client:
            reader = {"role": "readWrite", "db": "tidemark"}
            client["admin"].command("createUser", USER, pwd=PASSWORD, roles=[reader])
        server.stop(data_dir)
        key = Path(folder) / "key"
        key.write_text("membersofareplicasetknoweachotherbyit")
        key.chmod(0o400)
        port = server.status(data_dir).port
        assert port is not None
        with mongod.spawn(mongod.find(), data_dir, port, "--auth", "--keyFile", str(key)) as child:
            login = f"{USER}:{quote_plus(PASSWORD)}"
            with MongoClient(f"mongodb://{login}@127.0.0.1:{port}/?directConnection=true") as client:
                client.admin.command("ping")
            yield port
            child.kill()


@contextmanager
def expired() -> Iterator[tuple[int, Path]]:
    """Port of a TLS server whose certificate ran out yesterday, and the file of the authority that signed it.

    mongod itself refuses to start with such a certificate; one whose certificate runs out while it runs
    shows it just so, and no client gets past it.
    """
    with tempfile.TemporaryDirectory(prefix="tidemark-test-") as folder:
        authority, pem = certified(Path(folder), datetime.now(UTC) - timedelta(days=1))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_greet, args=(listener, context), daemon=True).start()
            yield listener.getsockname()[1], authority


def _greet(listener: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            with near, contextlib.suppress(OSError), context.wrap_socket(near, server_side=True) as talk:
                talk.recv(1)


def certified(folder: Path, ends: datetime) -> tuple[Path, Path]:
    """Files of an authority, and of the key and certificate of localhost that it signed."""
    own, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _signed("Tidemark tests", own, "Tidemark tests", own, datetime.now(UTC) + timedelta(days=30), is_root=True)
    leaf = _signed("localhost", theirs, "Tidemark tests", own, ends, is_root=False)
    secret = theirs.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority, server_file = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(root)
    server_file.write_bytes(secret + leaf)
    return authority, server_file


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, by: str, by_key: ec.EllipticCurvePrivateKey, ends: datetime,
    *, is_root: bool,
) -> bytes:  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
    )
    return builder.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
