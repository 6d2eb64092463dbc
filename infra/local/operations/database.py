"""What the database of one machine says of the installation past the API: roles, what is overdue, lost vectors."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.upkeep.maintenance.findings import findings_of
from chatsphere.upkeep.maintenance.measuring import measure
from chatsphere.upkeep.maintenance.model import Finding
from infra.local.database import role_passwords
from infra.local.endpoints import Endpoints
from infra.local.home import Home
from infra.local.operations.examined import Examined, Verdict
from infra.local.operations.silence import without_log

MAINTAINER: Final = "chatsphere_maintainer"
RESTART: Final = "Stop it and start it again: each start gives the roles the passwords of this home."
CONNECT_SECONDS: Final = 5
SHOWN: Final = 3

WITHOUT_VECTORS: Final = """
    SELECT d.bot_id::text, count(*) AS documents
    FROM documents d JOIN bots b ON b.id = d.bot_id
    WHERE d.live_generation IS NOT NULL AND d.status = 'ready' AND b.status <> 'deleting'
      AND EXISTS (SELECT FROM chunks c WHERE c.document_id = d.id AND c.generation = d.live_generation)
      AND NOT EXISTS (SELECT FROM chunk_vectors v WHERE v.bot_id = d.bot_id AND v.document_id = d.id
                      AND v.generation = d.live_generation AND b.embedding_revision = 0)
      AND NOT EXISTS (SELECT FROM revised_vectors v WHERE v.bot_id = d.bot_id AND v.document_id = d.id
                      AND v.revision = b.embedding_revision AND v.generation = d.live_generation)
    GROUP BY 1 ORDER BY 2 DESC, 1
"""
"""Bots with documents that readers see and that only words find, where vectors are kept in the database."""


def examine_database(home: Home, endpoints: Endpoints, now: datetime, vector_store: str | None) -> Iterator[Examined]:
    """Yield what there is to say of it. `vector_store`: the kind that the installation uses, None: not known."""
    refused = [role for role, password in role_passwords(home).items() if not _lets_in(endpoints, role, password)]
    if refused:
        names = ", ".join(refused)
        yield Examined("roles", "failed", f"The database does not let in {names}.", RESTART)
    else:
        yield Examined("roles", "ok", "The database lets in every role.")
    if MAINTAINER not in refused:
        yield from _upkeep(home, endpoints, now)
    if vector_store == "pgvector":
        yield _vectors(endpoints)


def maintainer_url(home: Home, endpoints: Endpoints) -> str:
    """Return the connection URL of the role that looks after the database."""
    return make_conninfo(endpoints.database_url, user=MAINTAINER, password=role_passwords(home)[MAINTAINER])


def _lets_in(endpoints: Endpoints, role: str, password: str) -> bool:
    url = make_conninfo(endpoints.database_url, user=role, password=password, connect_timeout=CONNECT_SECONDS)
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _upkeep(home: Home, endpoints: Endpoints, now: datetime) -> Iterator[Examined]:
    try:
        with without_log(), closing(Database(maintainer_url(home, endpoints))) as database:
            found = [each for each in findings_of(measure(database, now), now) if each.severity != "info"]
    except UnavailableError:
        yield Examined("upkeep", "failed", "The database does not answer the maintainer.", RESTART)
        return
    if not found:
        yield Examined("upkeep", "ok", "Nothing is overdue.")
    for each in found:
        yield _told(each)


def _told(finding: Finding) -> Examined:
    advice = f"{finding.advice} {finding.sql}" if finding.sql else finding.advice
    verdict: Verdict = "failed" if finding.severity == "critical" else "warning"
    return Examined(finding.code.replace("_", " "), verdict, f"{finding.about}: {finding.meaning}", advice)


def _vectors(endpoints: Endpoints) -> Examined:
    try:
        with psycopg.connect(endpoints.database_url, connect_timeout=CONNECT_SECONDS) as connection:
            lost = connection.execute(WITHOUT_VECTORS).fetchall()
    except psycopg.Error:
        return Examined("vectors", "skipped", "The database did not say which documents have vectors.")
    if not lost:
        return Examined("vectors", "ok", "Every document that is ready has its vectors.")
    bots = ", ".join(bot for bot, _ in lost[:SHOWN])
    found = f"{sum(count for _, count in lost)} documents of {len(lost)} bots have none, such as those of {bots}."
    return Examined("vectors", "failed", found, "Run `chatsphere vectors rebuild --all`; nothing is read again.")
