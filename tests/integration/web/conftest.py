"""Fixtures of web sources."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.billing.conftest import put_on_plan
from tests.integration.ingestion.conftest import database, make_pipeline, reaper_database
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.own_database import database_urls
from tests.integration.web.harness import WebIngestion
from tests.loopback.web_site import Site, running_site

__all__ = ["database", "database_urls", "make_pipeline", "put_on_plan", "reaper_database"]


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def make_web(make_pipeline: Callable[[], Pipeline], site: Site) -> Callable[..., WebIngestion]:
    def make(**settings: Any) -> WebIngestion:
        return WebIngestion.of(make_pipeline(), site, **settings)

    return make


@pytest.fixture
def web(make_web: Callable[..., WebIngestion]) -> WebIngestion:
    return make_web()
