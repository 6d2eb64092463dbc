"""How long the deletion of a large document takes, and its longest transaction: what a search may have to wait for.

Run as `python -m tests.bench.bench_deletion --chunks 100000`. The vectors are short: none has to leave an index.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.retrieval.lexical_index import index_ahead, index_document
from tests.conftest import Tenant, add_tenant
from tests.fakes import FixedClock, InMemoryObjectStore, InMemoryQueue
from tests.postgres import fresh_database, running_server

IDS = UuidV7Ids(SystemClock())
AT_ONCE = 2_500

DOCUMENT = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation, live_generation)
    VALUES (%(document)s, %(organization)s, %(bot)s, 'large.txt', 'text', 'ready', 'done', 1, 1)
"""
# 60 words a chunk, of a vocabulary of 20,000.
CHUNKS = """
    INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, char_start,
                        char_end, token_count, vector_id)
    SELECT gen_random_uuid(), %(organization)s, %(bot)s, %(document)s, 1, n / 64, n,
           (SELECT string_agg('word' || (hashint4(n * 60 + w) & 2147483647) %% 20000, ' ')
            FROM generate_series(1, 60) w), 0, 1, 60, 'v' || n
    FROM generate_series(%(first)s::integer, %(last)s::integer) n
"""
VECTORS = """
    INSERT INTO chunk_vectors (organization_id, bot_id, document_id, generation, ordinal, chunk_id, dimensions,
                               embedding)
    SELECT organization_id, bot_id, document_id, generation, ordinal, id, 3, '[1,0,0]' FROM chunks
    WHERE document_id = %(document)s AND ordinal BETWEEN %(first)s AND %(last)s
"""


class TimedDatabase(Database):
    """Remembers its longest transaction."""

    longest = 0.0
    count = 0

    @contextmanager
    def transaction(
        self,
        organization_id: UUID | None,
        actor_id: UUID | None = None,
        *,
        pipelined: bool = False,
        statement_ms: int | None = None,
    ) -> Iterator[Connection]:
        began = time.perf_counter()
        with super().transaction(
            organization_id, actor_id, pipelined=pipelined, statement_ms=statement_ms
        ) as connection:
            yield connection
        self.longest = max(self.longest, time.perf_counter() - began)
        self.count += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print("| chunks | deletion s | transactions | longest s |\n|---:|---:|---:|---:|")
    with running_server() as server, fresh_database(server) as urls:
        for chunks in options.chunks:
            database = TimedDatabase(urls.app)
            tenant = add_tenant(database, IDS)
            document_id = fill(database, tenant, chunks)
            seconds, transactions, longest = delete(database, tenant, document_id)
            print(f"| {chunks} | {seconds:.1f} | {transactions} | {longest:.2f} |", flush=True)
            database.close()


def fill(database: Database, tenant: Tenant, chunks: int) -> UUID:
    """Make a document that readers see."""
    document_id = IDS.new()
    values = {"document": document_id, "organization": tenant.organization_id, "bot": tenant.bot_id}
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(DOCUMENT, values)
    for first in range(0, chunks, AT_ONCE):
        part = values | {"first": first, "last": min(first + AT_ONCE, chunks) - 1}
        with database.transaction(tenant.organization_id) as connection:
            connection.execute(CHUNKS, part)
            connection.execute(VECTORS, part)
    while True:
        with database.transaction(tenant.organization_id) as connection:
            if not index_ahead(connection, tenant.bot_id, document_id, 1):
                break
    with database.transaction(tenant.organization_id) as connection:
        index_document(connection, tenant.bot_id, document_id, 1)
    return document_id


def delete(database: TimedDatabase, tenant: Tenant, document_id: UUID) -> tuple[float, int, float]:
    """Delete the document as a request does; return seconds, transactions and the seconds of the longest."""
    clock = FixedClock()
    eraser = Eraser(database, InMemoryObjectStore(clock), PgVectorStore(database), clock)
    message = PurgeMessage(organization_id=tenant.organization_id, bot_id=tenant.bot_id, document_id=document_id)
    database.longest, database.count, began = 0.0, 0, time.perf_counter()
    receipt = eraser.delete(message, InMemoryQueue())
    seconds = time.perf_counter() - began
    assert receipt.status == "done"
    return seconds, database.count, database.longest


if __name__ == "__main__":
    main()
