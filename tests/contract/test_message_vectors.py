"""What every store of messages' vectors keeps: the contract of `ports.message_vectors.MessageVectors`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import sqrt
from typing import Any
from uuid import UUID

import pytest

from chatsphere.adapters import pgvector_messages
from chatsphere.adapters.pgvector_messages import PgMessageVectors
from chatsphere.adapters.pinecone.messages import PineconeMessageVectors
from chatsphere.adapters.qdrant.messages import QdrantMessageVectors
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.message_vectors import MessageFilter, MessageVector, MessageVectors
from chatsphere.ports.vectors import Namespace
from tests.conftest import Tenant
from tests.fakes_memory import InMemoryMessageVectors
from tests.loopback.pinecone_server import VirtualTime, pinecone_settings, running_pinecone
from tests.loopback.pinecone_state import Staleness
from tests.loopback.qdrant_server import qdrant_settings, running_qdrant

DIMENSIONS = 384
STORES = ["in_memory", "pgvector", "pinecone", "lagging_pinecone", "qdrant"]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A store, and how to prepare what it takes for granted."""

    store: MessageVectors
    ids: UuidV7Ids
    new_namespace: Callable[[], Namespace]
    new_conversation: Callable[[Namespace], UUID]

    def record(self, conversation: UUID, values: Vector, **changes: Any) -> MessageVector:
        """Return a record of a new message."""
        return replace(MessageVector(self.ids.new(), conversation, None, "user", NOON, values), **changes)

    def found(self, namespace: Namespace, where: MessageFilter | None = None, limit: int = 10) -> list[UUID]:
        """Return the messages nearest to the first axis."""
        return [match.message_id for match in self.store.query(namespace, direction(1), limit=limit, where=where)]


def direction(*weights: float, dimensions: int = DIMENSIONS) -> Vector:
    """Return the unit vector whose first components are in these proportions."""
    length = sqrt(sum(weight * weight for weight in weights))
    return [weight / length for weight in weights] + [0.0] * (dimensions - len(weights))


def ids_of(records: Sequence[MessageVector]) -> list[UUID]:
    return [record.message_id for record in records]


@pytest.fixture(params=STORES)
def case(request: pytest.FixtureRequest) -> Case:
    prepared: Case = request.getfixturevalue(f"{request.param}_case")
    return prepared


@pytest.fixture
def pgvector_case(database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]) -> Case:
    def new_namespace() -> Namespace:
        tenant = make_tenant()
        return Namespace(tenant.organization_id, tenant.bot_id, 1)

    def new_conversation(namespace: Namespace) -> UUID:
        conversation = ids.new()
        with database.transaction(namespace.organization_id) as connection:
            connection.execute(
                "INSERT INTO conversations (id, organization_id, bot_id) VALUES (%s, %s, %s)",
                (conversation, namespace.organization_id, namespace.bot_id),
            )
        return conversation

    return Case(PgMessageVectors(database), ids, new_namespace, new_conversation)


@pytest.fixture(scope="module")
def pinecone_messages() -> Iterator[MessageVectors]:
    with running_pinecone() as pinecone:
        pinecone.create_index("chatsphere", DIMENSIONS)
        yield PineconeMessageVectors(pinecone_settings(pinecone, DIMENSIONS))


@pytest.fixture(scope="module")
def lagging_pinecone_messages() -> Iterator[MessageVectors]:
    """Pinecone whose reads, each kind on its own, see a write only after a few others."""
    with running_pinecone(Staleness(searches=2, listings=3)) as pinecone:
        pinecone.create_index("chatsphere", DIMENSIONS)
        time = VirtualTime()
        settings = pinecone_settings(pinecone, DIMENSIONS)
        yield PineconeMessageVectors(settings, sleep=time.sleep, monotonic=time.monotonic)


@pytest.fixture(scope="module")
def qdrant_messages() -> Iterator[MessageVectors]:
    with running_qdrant() as qdrant:
        yield QdrantMessageVectors(qdrant_settings(qdrant, DIMENSIONS))


@pytest.fixture
def in_memory_case(ids: UuidV7Ids) -> Case:
    return _free_case(InMemoryMessageVectors(), ids)


@pytest.fixture
def pinecone_case(pinecone_messages: MessageVectors, ids: UuidV7Ids) -> Case:
    return _free_case(pinecone_messages, ids)


@pytest.fixture
def lagging_pinecone_case(lagging_pinecone_messages: MessageVectors, ids: UuidV7Ids) -> Case:
    return _free_case(lagging_pinecone_messages, ids)


@pytest.fixture
def qdrant_case(qdrant_messages: MessageVectors, ids: UuidV7Ids) -> Case:
    return _free_case(qdrant_messages, ids)


def _free_case(store: MessageVectors, ids: UuidV7Ids) -> Case:
    """Return the case of a store that takes no conversation for granted."""
    return Case(store, ids, lambda: Namespace(ids.new(), ids.new(), 1), lambda _namespace: ids.new())


def test_the_nearest_come_first_with_their_cosines(case: Case) -> None:
    namespace = case.new_namespace()
    conversation = case.new_conversation(namespace)
    near, opposite, middle = (case.record(conversation, direction(*w)) for w in [(1, 0.1), (-1, 0), (1, 1)])
    case.store.upsert(namespace, [opposite, middle, near])

    matches = case.store.query(namespace, direction(1), limit=10)

    assert [match.message_id for match in matches] == ids_of([near, middle, opposite])
    assert [match.score for match in matches] == pytest.approx([0.995, 0.707, -1.0], abs=2e-3)
    assert {match.conversation_id for match in matches} == {conversation}
    assert case.found(namespace, limit=1) == [near.message_id]


def test_a_message_that_is_written_again_is_there_once(case: Case) -> None:
    namespace = case.new_namespace()
    record = case.record(case.new_conversation(namespace), direction(0, 1))
    case.store.upsert(namespace, [record])

    case.store.upsert(namespace, [replace(record, values=direction(1))])

    (match,) = case.store.query(namespace, direction(1), limit=10)
    assert match.score == pytest.approx(1, abs=2e-3)
    assert case.store.count(namespace) == 1


def test_a_search_can_be_restricted(case: Case) -> None:
    namespace = case.new_namespace()
    first, second = case.new_conversation(namespace), case.new_conversation(namespace)
    early = case.record(first, direction(1), end_user_id="ada", created_at=NOON - timedelta(hours=1))
    noon = case.record(first, direction(1, 0.1), end_user_id="ada", role="assistant")
    late = case.record(second, direction(1, 0.2), created_at=NOON + timedelta(milliseconds=1))
    case.store.upsert(namespace, [early, noon, late])
    found = partial(case.found, namespace)

    assert found() == ids_of([early, noon, late])
    assert found(MessageFilter(conversations=[second])) == ids_of([late])
    assert found(MessageFilter(conversations=[first, second])) == ids_of([early, noon, late])
    assert found(MessageFilter(conversations=[])) == []
    assert found(MessageFilter(end_user_id="ada")) == ids_of([early, noon])
    assert found(MessageFilter(end_user_id="ad")) == []
    assert found(MessageFilter(role="assistant")) == ids_of([noon])
    assert found(MessageFilter(since=NOON)) == ids_of([noon, late])
    assert found(MessageFilter(until=NOON)) == ids_of([early])
    assert found(MessageFilter(since=NOON, until=NOON + timedelta(milliseconds=1))) == ids_of([noon])
    assert found(MessageFilter(exclude=ids_of([early, late]))) == ids_of([noon])
    assert found(MessageFilter(conversations=[first], end_user_id="ada", role="user", until=NOON)) == ids_of([early])


def test_namespaces_and_revisions_are_apart(case: Case) -> None:
    mine, other = case.new_namespace(), case.new_namespace()
    coming = replace(mine, revision=2)
    conversation = case.new_conversation(mine)
    record = case.record(conversation, direction(1), end_user_id="ada")
    case.store.upsert(mine, [record])
    forged = replace(other, bot_id=mine.bot_id)

    for elsewhere in (other, coming, forged):
        assert case.found(elsewhere) == []
        assert (case.store.count(elsewhere), case.store.conversations(elsewhere).conversations) == (0, frozenset())
        assert case.store.delete_conversation(elsewhere, conversation) == 0
        assert case.store.delete_end_user(elsewhere, "ada") == 0
        assert case.store.delete_namespace(elsewhere) == 0
    case.store.upsert(coming, [record])
    assert case.store.delete_namespace(mine) == 1
    assert (case.found(mine), case.found(coming)) == ([], ids_of([record]))


def test_a_conversation_is_deleted_and_nothing_else(case: Case) -> None:
    namespace = case.new_namespace()
    first, second = case.new_conversation(namespace), case.new_conversation(namespace)
    kept = case.record(second, direction(1))
    case.store.upsert(namespace, [case.record(first, direction(1, n)) for n in range(3)] + [kept])
    assert (case.store.count(namespace, first), case.store.count(namespace)) == (3, 4)

    assert case.store.delete_conversation(namespace, first) == 3
    assert case.store.delete_conversation(namespace, first) == 0

    assert case.found(namespace) == ids_of([kept])
    assert (case.store.count(namespace, first), case.store.count(namespace)) == (0, 1)


def test_some_messages_of_a_conversation_are_deleted(case: Case) -> None:
    namespace = case.new_namespace()
    conversation = case.new_conversation(namespace)
    gone, kept = case.record(conversation, direction(1)), case.record(conversation, direction(1, 1))
    case.store.upsert(namespace, [gone, kept])

    assert case.store.delete_conversation(namespace, conversation, [gone.message_id, case.ids.new()]) == 1

    assert case.found(namespace) == ids_of([kept])


def test_an_end_users_messages_are_deleted_in_all_conversations(case: Case) -> None:
    namespace = case.new_namespace()
    first, second = case.new_conversation(namespace), case.new_conversation(namespace)
    kept = case.record(second, direction(1), end_user_id="bob")
    mine = [case.record(each, direction(1, 1), end_user_id="ada") for each in (first, second)]
    case.store.upsert(namespace, [*mine, kept])

    assert case.store.delete_end_user(namespace, "ada") == 2

    assert case.found(namespace) == ids_of([kept])


def test_a_memory_is_deleted_whole_and_can_be_written_again(case: Case) -> None:
    namespace = case.new_namespace()
    record = case.record(case.new_conversation(namespace), direction(1))
    case.store.upsert(namespace, [])
    assert (case.found(namespace), case.store.delete_namespace(namespace)) == ([], 0)
    case.store.upsert(namespace, [record])

    assert case.store.delete_namespace(namespace) == 1

    assert (case.found(namespace), case.store.count(namespace)) == ([], 0)
    case.store.upsert(namespace, [record])
    assert case.found(namespace) == ids_of([record])


def test_the_conversations_that_have_vectors_are_listed_part_by_part(case: Case) -> None:
    namespace = case.new_namespace()
    conversations = [case.new_conversation(namespace) for _ in range(3)]
    records = [case.record(each, direction(1, n)) for each in conversations for n in range(60)]
    case.store.upsert(namespace, records)
    case.store.delete_conversation(namespace, conversations[1])

    page = case.store.conversations(namespace)
    found = set(page.conversations)
    while page.next_place is not None:
        page = case.store.conversations(namespace, after=page.next_place)
        found |= page.conversations

    assert found == {conversations[0], conversations[2]}


def test_a_memory_may_have_vectors_of_another_length(case: Case) -> None:
    namespace = case.new_namespace()
    longer = replace(namespace, revision=2, dimensions=768)
    conversation = case.new_conversation(namespace)
    case.store.upsert(namespace, [case.record(conversation, direction(1))])
    assert (case.store.count(longer), case.store.delete_conversation(longer, conversation)) == (0, 0)
    assert case.store.query(longer, direction(1, dimensions=768), limit=1) == []
    record = case.record(conversation, direction(0.6, 0.8, dimensions=768))

    case.store.upsert(longer, [record])

    (match,) = case.store.query(longer, direction(1, dimensions=768), limit=10)
    assert match.message_id == record.message_id
    assert match.score == pytest.approx(0.6, abs=2e-3)
    assert (case.store.count(namespace), case.store.count(longer)) == (1, 1)


def test_pgvector_knows_a_conversation_that_is_gone(pgvector_case: Case) -> None:
    namespace = pgvector_case.new_namespace()
    with pytest.raises(NotFoundError):
        pgvector_case.store.upsert(namespace, [pgvector_case.record(pgvector_case.ids.new(), direction(1))])


def test_pgvector_searches_many_messages_by_their_index(pgvector_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more messages than are compared one by one
    case = pgvector_case
    namespace = case.new_namespace()
    first, second = case.new_conversation(namespace), case.new_conversation(namespace)
    records = [
        case.record(first if n % 2 else second, direction(1, n / 10), end_user_id=f"u{n % 3}") for n in range(40)
    ]
    case.store.upsert(namespace, records)
    monkeypatch.setattr(pgvector_messages, "EXACT_CEILING", 5)
    monkeypatch.setattr(pgvector_messages, "NEAREST_EXACT", "SELECT 'never asked' AS message_id")
    # Then
    assert case.found(namespace) == ids_of(records[:10])
    where = MessageFilter(end_user_id="u1", exclude=[records[1].message_id])
    assert case.found(namespace, where) == ids_of(records[4:32:3])
    late = MessageFilter(conversations=[first], role="user", since=NOON, until=NOON + timedelta(hours=1))
    assert case.found(namespace, late, limit=3) == ids_of(records[1:6:2])
