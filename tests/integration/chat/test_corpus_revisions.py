"""What tells whether readers of a bot still see the same: also while several change it at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection, Database
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls

SEEN = "SELECT id FROM corpus_revisions WHERE bot_id = %s"
CHANGE = "UPDATE documents SET metadata = jsonb_build_object('n', random()) WHERE id = %s"


@pytest.fixture
def databases(database_urls: DatabaseUrls) -> Iterator[list[Database]]:
    """Three environments."""
    made = [Database(database_urls.app) for _ in range(3)]
    yield made
    for each in made:
        each.close()


def documents_of(tenant: Tenant, add_document: Callable[[Tenant], UUID]) -> list[UUID]:
    return [add_document(tenant) for _ in range(3)]


def seen(database: Database, tenant: Tenant) -> frozenset[UUID]:
    with database.transaction(tenant.organization_id) as connection:
        return frozenset(row["id"] for row in connection.execute(SEEN, (tenant.bot_id,)))


def test_one_change_after_another_leaves_one_id(
    database: Database, tenant: Tenant, add_document: Callable[[Tenant], UUID]
) -> None:
    states = [seen(database, tenant)]
    for document in documents_of(tenant, add_document):
        with database.transaction(tenant.organization_id) as connection:
            connection.execute(CHANGE, (document,))
        states.append(seen(database, tenant))
    assert len(set(states)) == 4
    assert len(states[-1]) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_that_change_at_once_neither_wait_nor_hide_each_other(
    databases: list[Database], tenant: Tenant, add_document: Callable[[Tenant], UUID], order: tuple[int, int]
) -> None:
    # Given two that have changed a document each, and have not committed
    reader, documents = databases[2], documents_of(tenant, add_document)
    states = [seen(reader, tenant)]
    open_ones: list[ExitStack] = []
    for database, document in zip(databases[:2], documents, strict=False):
        stack = ExitStack()
        connection: Connection = stack.enter_context(database.transaction(tenant.organization_id))
        connection.execute("SET LOCAL lock_timeout = '2s'")
        connection.execute(CHANGE, (document,))
        open_ones.append(stack)
    assert seen(reader, tenant) == states[0]
    # When they commit, in either order
    for place in order:
        open_ones[place].close()
        states.append(seen(reader, tenant))
    # Then each commit is seen, and what they left behind goes with the next change
    assert len(set(states)) == 3
    with reader.transaction(tenant.organization_id) as connection:
        connection.execute(CHANGE, (documents[2],))
    assert len(seen(reader, tenant)) == 1
    assert seen(reader, tenant) not in states


def test_a_change_that_was_taken_back_is_none(
    database: Database, tenant: Tenant, add_document: Callable[[Tenant], UUID]
) -> None:
    document = add_document(tenant)
    before = seen(database, tenant)
    with pytest.raises(RuntimeError), database.transaction(tenant.organization_id) as connection:
        connection.execute(CHANGE, (document,))
        raise RuntimeError
    assert seen(database, tenant) == before


def test_a_bot_goes_with_all_that_is_kept_of_it(
    database: Database, tenant: Tenant, add_document: Callable[[Tenant], UUID], ids: UuidV7Ids
) -> None:
    documents_of(tenant, add_document)
    with database.transaction(tenant.organization_id) as connection:
        connection.execute("DELETE FROM bots WHERE id = %s", (tenant.bot_id,))
    assert seen(database, tenant) == frozenset()
