"""What tests stand on: a real server for each worker, and a fresh, migrated database for each test.

`EASTFLOW_TEST_DATABASES` names further servers, comma-separated URLs of databases that may be created beside:
each test that takes `database` then runs on every one of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from eastflow.storage import Database, Keys, embedded, migrate

TEST_MEMORY_BYTES = 512 << 20
_TEMPLATE = "eastflow_template"


def _servers() -> list[str]:
    return ["embedded", *filter(None, os.environ.get("EASTFLOW_TEST_DATABASES", "").split(","))]


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[str]:
    """The URL of a server of this worker's own, ended with the session."""
    # Not pytest's own folder: the server's user may not be allowed in there.
    room = Path(tempfile.mkdtemp(prefix="eastflow-test-"))
    try:
        yield embedded.start(room / "bank", memory_bytes=TEST_MEMORY_BYTES).url
    finally:
        embedded.stop(room / "bank")
        shutil.rmtree(room, ignore_errors=True)


@pytest.fixture(scope="session", params=_servers())
def server_url(request: pytest.FixtureRequest) -> str:
    """One of the servers under test, with a migrated template database on it."""
    url: str = request.getfixturevalue("embedded_server") if request.param == "embedded" else request.param
    asyncio.run(_make_template(url))
    return url


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """A fresh, migrated database."""
    name = f"eastflow_{uuid4().hex}"
    await _administer(server_url, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield _named(server_url, name)
    await _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the keys that this worker's databases seal personal data with."""
    return tmp_path_factory.mktemp("keys") / "eastflow.keys"


@pytest.fixture(scope="session")
def keys(key_file: Path) -> Keys:
    return Keys.open(key_file)


@pytest.fixture
async def database(database_url: str, keys: Keys) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, keys=keys)
    yield opened
    await opened.close()


async def _make_template(url: str) -> None:
    await _administer(url, f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {_TEMPLATE}")
    template = await Database.open(_named(url, _TEMPLATE))
    await migrate(template)
    await template.close()


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def _named(url: str, database: str) -> str:
    parts = urlsplit(url)
    # urlunsplit drops the empty host of a socket's URL, which asyncpg needs to see.
    rest = urlunsplit(("", "", f"/{database}", parts.query, ""))
    return f"{parts.scheme}://{parts.netloc}{rest}"
