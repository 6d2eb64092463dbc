"""Fixtures of memory: a tenant's pipeline, with conversations."""

from tests.integration.ingestion.conftest import database, make_pipeline, pipeline, reaper_database
from tests.integration.own_database import database_urls

__all__ = ["database", "database_urls", "make_pipeline", "pipeline", "reaper_database"]
