"""One running instance for all end-to-end tests; those that kill something start their own."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.instance import running
from tests.e2e.client import Client


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for one instance; world-readable, since PostgreSQL may run as another user than root."""
    folder = Path(tempfile.mkdtemp(prefix="chatsphere-e2e-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def endpoints() -> Iterator[dict[str, Any]]:
    """What `endpoints.json` of the shared instance holds."""
    folder = Path(tempfile.mkdtemp(prefix="chatsphere-e2e-", dir="/tmp"))
    folder.chmod(0o755)
    with running(folder):
        yield json.loads((folder / "endpoints.json").read_text())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def client(endpoints: dict[str, Any]) -> Client:
    """A developer of an organization of their own."""
    return Client.registered(endpoints["api"])
