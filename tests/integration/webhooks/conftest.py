"""Fixtures of webhooks: one server that receives, one API, an organization a test."""

import ssl
from collections.abc import Iterator

import pytest

from tests.builders.running_api import RunningApi, running_api
from tests.builders.self_signed import self_signed
from tests.integration.own_database import database_urls
from tests.integration.webhooks.harness import Hooked
from tests.loopback.webhook_receiver import Inbox, Receivers, running_receivers
from tests.postgres import DatabaseUrls

__all__ = ["database_urls"]


@pytest.fixture(scope="package")
def receivers() -> Iterator[Receivers]:
    with running_receivers() as receivers:
        yield receivers


@pytest.fixture
def inbox(receivers: Receivers) -> Inbox:
    return receivers.inbox()


@pytest.fixture(scope="package")
def untrusted_receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    """With a certificate that nobody has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed("127.0.0.1", tmp_path_factory.mktemp("tls")))
    with running_receivers(context) as receivers:
        yield receivers


@pytest.fixture
def untrusted(untrusted_receivers: Receivers) -> Inbox:
    return untrusted_receivers.inbox()


@pytest.fixture
def api(database_urls: DatabaseUrls, receivers: Receivers, untrusted_receivers: Receivers) -> Iterator[RunningApi]:
    private = f"{receivers.authority},{untrusted_receivers.authority}"
    with running_api(database_urls, WEB_PRIVATE_HOSTS=private) as api:
        yield api


@pytest.fixture
def hooked(api: RunningApi) -> Hooked:
    return Hooked.of(api)
