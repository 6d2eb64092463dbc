"""One running instance for all end-to-end tests; those that kill something start their own."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from infra.local.instance import running
from tests.e2e.client import Client
from tests.e2e.vendors import Vendors, running_vendors


@pytest.fixture(scope="session")
def endpoints() -> Iterator[dict[str, Any]]:
    """What `endpoints.json` of the shared instance holds, and its `home`."""
    with _running() as found:
        yield found


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendors]:
    """Gemini and Pinecone on loopback."""
    with running_vendors() as vendors:
        yield vendors


@pytest.fixture(scope="session")
def vendor_endpoints(vendors: Vendors) -> Iterator[dict[str, Any]]:
    """As `endpoints`, of an instance that uses Gemini and Pinecone."""
    with _running(vendors.environment) as found:
        yield found


@contextmanager
def _running(environment: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    folder = tempfile.TemporaryDirectory(prefix="chatsphere-e2e-", ignore_cleanup_errors=True)
    with folder as home, running(Path(home), environment=environment) as found:
        yield {**asdict(found), "home": home}


@pytest.fixture
def client(endpoints: dict[str, Any]) -> Client:
    """A developer of an organization of their own."""
    return Client.registered(endpoints["api"])
