"""One running instance for all end-to-end tests; those that kill something start their own."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from infra.local.instance import running
from tests.e2e.client import Client


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for one instance."""
    with tempfile.TemporaryDirectory(prefix="chatsphere-e2e-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def endpoints() -> Iterator[dict[str, Any]]:
    """What `endpoints.json` of the shared instance holds, and its `home`."""
    folder = tempfile.TemporaryDirectory(prefix="chatsphere-e2e-", ignore_cleanup_errors=True)
    with folder as home, running(Path(home)) as found:
        yield {**asdict(found), "home": home}


@pytest.fixture
def client(endpoints: dict[str, Any]) -> Client:
    """A developer of an organization of their own."""
    return Client.registered(endpoints["api"])
