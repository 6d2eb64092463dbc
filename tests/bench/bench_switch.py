"""How long readers' switch to a large document's new generation takes, with its index made ahead and without.

    python -m tests.bench.bench_switch --chunks 10000

Times are CPU seconds of the database's process; what else the machine does is not in them.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, index_ahead, index_document
from tests.bench.large_files import Prose
from tests.conftest import Tenant, add_tenant
from tests.postgres import fresh_database, running_server

_DOCUMENT = """
INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation)
VALUES (%s, app.current_organization(), %s, 'x', 's3', 'embedding', 'embed', 0)
"""
_CHUNKS = """
INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, char_start, char_end,
    token_count, vector_id)
SELECT gen_random_uuid(), app.current_organization(), %(bot_id)s, %(document_id)s, %(generation)s, n / 64, n,
    (%(texts)s::text[])[1 + n %% 200], 0, 1, 200, '' FROM generate_series(%(first)s::integer, %(first)s + 999) n
"""


class Switch:
    """One document of one bot, whose generations are written and shown."""

    def __init__(self, database: Database, tenant: Tenant, document_id: UUID, count: int) -> None:
        self._database = database
        self._tenant = tenant
        self._values: dict[str, Any] = {"bot_id": tenant.bot_id, "document_id": document_id}
        self._count = count
        self.timed("", lambda connection: connection.execute(_DOCUMENT, (document_id, tenant.bot_id)))

    def show(self, generation: int, *, ahead: bool) -> None:
        """Write a generation, and show it in place of the former one."""
        prose = Prose()
        values = self._values | {"generation": generation, "texts": [prose.sentences(14) for _ in range(200)]}
        for first in range(0, self._count, 1_000):
            # No statement may take longer than the application's may.
            self.timed("", lambda connection: connection.execute(_CHUNKS, values | {"first": first}))  # noqa: B023
        bot_id, document_id = self._tenant.bot_id, self._values["document_id"]
        for _ in range(self._count // SEGMENT_CHUNKS if ahead else 0):
            self.timed(
                "a segment indexed ahead", lambda connection: index_ahead(connection, bot_id, document_id, generation)
            )

        def go_live(connection: Connection) -> None:
            connection.execute("UPDATE documents SET generation = generation + 1 WHERE id = %s", (document_id,))
            connection.execute(queries.GO_LIVE, values | {"now": SystemClock().now()})
            index_document(connection, bot_id, document_id, generation)
            connection.execute(DROP_UNSEEN_CHUNKS, values)

        self.timed("the switch", go_live)

    def timed(self, name: str, work: Callable[[Connection], object]) -> None:
        """Run a transaction and print what it took."""
        with self._database.transaction(self._tenant.organization_id) as connection:
            process = connection.info.backend_pid
            before = _cpu_seconds(process)
            work(connection)
        if name:
            print(f"  {name:24} {_cpu_seconds(process) - before:6.2f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Replace a document three times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=20_000, help="in thousands")
    count = parser.parse_args(arguments).chunks
    ids = UuidV7Ids(SystemClock())
    with running_server() as server, fresh_database(server) as urls:
        database = Database(urls.app)
        switch = Switch(database, add_tenant(database, ids), ids.new(), count)
        for generation, (title, ahead) in enumerate(
            (
                ("first generation", False),
                ("replaced, indexed at the switch", False),
                ("replaced, indexed ahead", True),
            ),
            1,
        ):
            print(f"{count:,} chunks, {title}")
            switch.show(generation, ahead=ahead)
        database.close()


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
