"""Fixtures of memory: a tenant's pipeline, with conversations."""

from tests.integration.ingestion.conftest import database, make_pipeline, pipeline, reaper_database

__all__ = ["database", "make_pipeline", "pipeline", "reaper_database"]
