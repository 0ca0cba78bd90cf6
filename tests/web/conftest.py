"""One filled database for all web tests, which only read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from starlette.testclient import TestClient

from analysis.web.app import create_app
from analysis.web.site import Site
from tests.web import world


@pytest.fixture(scope="session")
def site(client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name = f"test_web_{secrets.token_hex(4)}"
    folder: Path = tmp_path_factory.mktemp("web")
    yield world.filled(client[name], folder)
    client.drop_database(name)


@pytest.fixture(scope="session")
def web(site: Site) -> Iterator[TestClient]:
    with TestClient(create_app(site, per_s=0), raise_server_exceptions=False) as asked:
        yield asked
