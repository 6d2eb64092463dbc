"""The cache of answers: what is given again, to whom, for how long, and that nothing outlives what it rests on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters.postgres_cache import PostgresCache
from chatsphere.adapters.redis.cache import RedisCache
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.cache.answers import CachedAnswers
from chatsphere.chat.cache.clearing import clear_cache
from chatsphere.chat.cache.counting import cache_report
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from chatsphere.ports.cache import Cache
from chatsphere.settings import CacheServerSettings
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step, SteppingClock, passage
from tests.integration.chat.client import ChatClient, Rows, names
from tests.integration.retrieval.library import ADD_CHUNK
from tests.redis_server import running_redis

CONTENT = "The Falcon plan is for teams.\nIt costs 49 EUR a month."
ANSWER: list[Step] = [
    AnswerDelta("It costs 49 EUR."),
    AnswerCitation(1, "It costs 49 EUR a month.", 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]
HOUR = 3600


@dataclass
class Asked:
    """A bot with a document, a cache, and those who ask it."""

    client: ChatClient
    model: ScriptedModel
    retriever: FakeRetriever
    database: Database
    tenant: Tenant
    clock: SteppingClock
    services: Services

    def ask(self, message: str = "What does it cost?", **fields: Any) -> dict[str, Any]:
        response = self.client.chat(message, **fields)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def execute(self, query: str, *values: Any) -> None:
        with self.database.transaction(self.tenant.organization_id) as connection:
            connection.execute(query, values)

    def as_another(self, **fields: Any) -> "Asked":
        services = replace(self.services, **fields)
        return replace(self, client=replace(self.client, app=chat_app(lambda: services)), services=services)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisCache]:
    with running_redis() as url:
        cache = RedisCache(CacheServerSettings(cache="redis", cache_url=url, cache_seconds=2))
        yield cache
        cache.close()


@pytest.fixture
def source(tenant: Tenant, add_document: Callable[[Tenant], UUID], database: Database) -> Passage:
    """A passage that is a chunk of the tenant's document."""
    return stored(tenant, add_document(tenant), database)


def stored(tenant: Tenant, document_id: UUID, database: Database) -> Passage:
    made = passage(CONTENT, document_id=document_id, heading="Plans", start=100)
    values = {
        "id": made.pieces[0].chunk_id, "organization": tenant.organization_id, "bot": tenant.bot_id,
        "document": document_id, "generation": 1, "ordinal": 0, "content": CONTENT, "heading": ["Plans"], "start": 100,
        "end": 100 + len(CONTENT), "vector": "v", "language": None,
    }  # fmt: skip
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(ADD_CHUNK, values)
    return made


@pytest.fixture(params=["postgresql", "redis"])
def kept(request: pytest.FixtureRequest, services: Services, database: Database) -> Cache:
    if request.param == "redis":
        return request.getfixturevalue("redis")  # type: ignore[no-any-return]
    return PostgresCache(database, services.clock)


@pytest.fixture
def on_postgres(services: Services, database: Database) -> Cache:
    return PostgresCache(database, services.clock)


def asked_with(cache: Cache, client: ChatClient, services: Services, model: ScriptedModel) -> Asked:
    model.script = ANSWER
    made = replace(services, cache=CachedAnswers(services.database, cache, HOUR))
    assert isinstance(made.retriever, FakeRetriever)
    assert isinstance(made.clock, SteppingClock)
    client = replace(client, app=chat_app(lambda: made))
    return Asked(client, model, made.retriever, made.database, client.tenant, made.clock, made)


@pytest.fixture
def either(kept: Cache, client: ChatClient, services: Services, model: ScriptedModel) -> Asked:
    return asked_with(kept, client, services, model)


@pytest.fixture
def asked(on_postgres: Cache, client: ChatClient, services: Services, model: ScriptedModel) -> Asked:
    return asked_with(on_postgres, client, services, model)


# ------------------------------------------------------------------------------------------------------ what a hit is


def test_the_same_question_is_answered_once(either: Asked, rows: Rows) -> None:
    # When
    first, second = either.ask(), either.ask(" what does it  cost")
    # Then
    assert (first["cached"], second["cached"]) == (False, True)
    assert len(either.model.requests) == len(either.retriever.queries) == 1
    same = ("answer", "citations", "sources", "answerable", "reason", "confidence", "finish_reason", "model")
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    assert second["sources"][0]["content"] == CONTENT
    assert second["usage"] == dict.fromkeys(first["usage"], 0)
    assert second["message_id"] != first["message_id"]
    assert second["conversation_id"] != first["conversation_id"]
    assert second["latency_ms"]["model"] is None
    assert second["latency_ms"]["cache"] is not None
    kept = [row for row in rows(either.tenant, "messages") if row["role"] == "assistant"]
    assert [row["content"] for row in kept] == [first["answer"]] * 2
    assert kept[1]["metadata"]["cached"] is True
    assert kept[1]["metadata"]["saved"] == first["usage"]
    assert [row["cost_microdollars"] for row in rows(either.tenant, "usage_events")] == [7, 0]


def test_a_hit_is_streamed_like_any_answer(asked: Asked) -> None:
    first, second = asked.client.stream(), asked.client.stream()
    assert names(second) == ["meta", "sources", "delta", "citation", "done"] == names(first)
    assert [event.data for event in second[1:-1]] == [event.data for event in first[1:-1]]
    assert second[-1].data["cached"] is True
    assert [event.data["cached"] for event in asked.client.replay(second[0].data["message_id"])[-1:]] == [True]


def test_hits_and_what_they_saved_are_counted(asked: Asked) -> None:
    for _ in range(3):
        asked.ask()
    with asked.database.transaction(asked.tenant.organization_id) as connection:
        report = cache_report(connection, asked.tenant.bot_id, asked.clock.now())
    assert (report.hits, report.misses, report.saved_microdollars, report.entries) == (2, 1, 14, 1)


def test_a_hit_is_a_message_and_costs_no_budget(asked: Asked, database: Database) -> None:
    asked.ask()
    asked.ask()
    with database.transaction(asked.tenant.organization_id) as connection:
        (used,) = connection.execute("SELECT messages, cost_microdollars FROM budget_periods").fetchall()
    assert (used["messages"], used["cost_microdollars"]) == (2, 7)


def test_a_refusal_is_given_again(asked: Asked) -> None:
    asked.retriever.confidence = 0.0
    first, second = asked.ask(), asked.ask()
    assert (second["cached"], second["finish_reason"], second["reason"]) == (True, "refused", first["reason"])


# ------------------------------------------------------------------------------------------------ what makes it another


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bots SET system_prompt = 'Be brief.' WHERE id = %s",
        "UPDATE bots SET temperature = 0.7 WHERE id = %s",
        """UPDATE bots SET configuration = '{"top_k": 3}' WHERE id = %s""",
        """UPDATE bots SET configuration = '{"fallback_text": "No."}' WHERE id = %s""",
        "UPDATE bots SET embedding_revision = embedding_revision + 1 WHERE id = %s",
        "UPDATE bots SET embedding_model = 'another' WHERE id = %s",
        "UPDATE documents SET live_generation = 2, generation = 2 WHERE bot_id = %s",
        "UPDATE documents SET tags = '{new}' WHERE bot_id = %s",
        """UPDATE documents SET metadata = '{"a": 1}' WHERE bot_id = %s""",
        "UPDATE documents SET name = 'other.md' WHERE bot_id = %s",
        "UPDATE documents SET status = 'deleting', live_generation = NULL WHERE bot_id = %s",
        "DELETE FROM documents WHERE bot_id = %s",
        "INSERT INTO documents (id, organization_id, bot_id, name, source, status, generation, live_generation)"
        " SELECT gen_random_uuid(), organization_id, id, 'b', 'text', 'ready', 1, 1 FROM bots WHERE id = %s",
    ],
)
def test_what_the_answer_rests_on_has_changed(either: Asked, change: str) -> None:
    either.ask()
    either.execute(change, either.tenant.bot_id)
    assert either.ask()["cached"] is False


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bots SET name = 'Renamed' WHERE id = %s",
        """UPDATE bots SET configuration = '{"memory": false}' WHERE id = %s""",
        "UPDATE documents SET attempts = 3, generation = 2, status = 'extracting' WHERE bot_id = %s",
        "INSERT INTO documents (id, organization_id, bot_id, name, source)"
        " SELECT gen_random_uuid(), organization_id, id, 'b', 'text' FROM bots WHERE id = %s",
    ],
)
def test_what_the_answer_does_not_rest_on_may_change(asked: Asked, change: str) -> None:
    asked.ask()
    asked.execute(change, asked.tenant.bot_id)
    assert asked.ask()["cached"] is True


def test_a_filter_is_part_of_the_question(asked: Asked, source: Passage) -> None:
    asked.ask()
    only: dict[str, Any] = {"filter": {"document_ids": [str(source.document_id)]}}
    assert [asked.ask(**only)["cached"], asked.ask(**only)["cached"]] == [False, True]


def test_a_follow_up_is_answered_anew_and_not_kept(asked: Asked) -> None:
    first = asked.ask()
    assert asked.ask(conversation_id=first["conversation_id"])["cached"] is False
    assert asked.ask("And for a year?", conversation_id=first["conversation_id"])["cached"] is False
    assert asked.ask("And for a year?")["cached"] is False


def test_another_bot_or_tenant_is_never_answered_from_it(
    either: Asked, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]
) -> None:
    # Given
    either.ask()
    sibling = ids.new()
    either.execute(
        "INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Bot')", sibling, either.tenant.organization_id
    )
    stranger = replace(either.client, tenant=make_tenant())
    # Then
    assert either.ask(bot_id=sibling)["cached"] is False
    assert stranger.chat().json()["cached"] is False


def test_an_entry_of_a_strangers_message_shows_nothing(asked: Asked, make_tenant: Callable[[], Tenant]) -> None:
    """Whoever could write into the cache could not read what others were answered."""
    # Given
    theirs, mine = asked.ask(), replace(asked.client, tenant=make_tenant())
    assert mine.chat().json()["cached"] is False
    # When
    with asked.database.transaction(mine.tenant.organization_id) as connection:
        connection.execute("UPDATE cache_entries SET value = %s", (UUID(theirs["message_id"]).bytes,))
    # Then
    assert mine.chat().json()["cached"] is False


def test_a_bot_that_wants_none_has_none(asked: Asked) -> None:
    asked.ask()
    asked.execute("""UPDATE bots SET configuration = '{"cache": false}' WHERE id = %s""", asked.tenant.bot_id)
    body = asked.ask()
    assert (body["cached"], body["latency_ms"]["cache"]) == (False, None)


# --------------------------------------------------------------------------------------------- what is not given again


@pytest.mark.parametrize(
    "script",
    [
        [AnswerDelta("It costs "), RuntimeError("broken")],
        [AnswerDelta("Nobody knows."), AnswerEnd("stop", 1, 1, 1)],
        [
            AnswerDelta("It costs 49 EUR."),
            AnswerCitation(1, "It costs 49 EUR a month.", 0, 16),
            AnswerEnd("length", 1, 1, 1),
        ],
    ],
    ids=["failed", "unsupported", "cut off"],
)
def test_what_is_not_whole_is_not_kept(asked: Asked, script: list[Any]) -> None:
    asked.model.script = script
    asked.client.chat()
    asked.model.script = ANSWER
    assert asked.ask()["cached"] is False


@pytest.mark.parametrize("confidence", [0.9, 0.0], ids=["answered", "refused"])
def test_what_words_alone_found_is_not_kept(asked: Asked, confidence: float) -> None:
    asked.retriever.by_words_alone, asked.retriever.confidence = True, confidence
    asked.ask()
    asked.retriever.by_words_alone, asked.retriever.confidence = False, 0.9
    assert [asked.ask()["cached"] for _ in range(2)] == [False, True]


def test_an_answer_goes_with_its_conversation(either: Asked) -> None:
    first = either.ask()
    either.execute("DELETE FROM conversations WHERE id = %s", UUID(first["conversation_id"]))
    assert either.ask()["cached"] is False


def test_a_document_that_goes_between_look_up_and_reading_is_not_shown(
    asked: Asked, source: Passage, services: Services
) -> None:
    # Given
    asked.ask()
    inner = PostgresCache(asked.database, services.clock)

    class Deleting:
        """A cache in whose answer time a document is deleted."""

        def get(self, *place: Any) -> bytes | None:
            found = inner.get(*place)
            asked.execute(
                "UPDATE documents SET status = 'deleting', live_generation = NULL WHERE id = %s", source.document_id
            )
            return found

        def put(self, *place: Any, **named: Any) -> None:
            inner.put(*place, **named)

        def count(self, *place: Any) -> int:
            return inner.count(*place)

        def clear(self, *place: Any) -> int:
            return inner.clear(*place)

    slow = asked.as_another(cache=CachedAnswers(asked.database, Deleting(), HOUR))
    # When
    body = slow.ask()
    # Then
    assert body["cached"] is False
    assert len(asked.model.requests) == 2


@pytest.mark.parametrize("rated", ["the first", "a copy"])
def test_what_somebody_disliked_is_not_given_again(asked: Asked, ids: UuidV7Ids, rows: Rows, rated: str) -> None:
    # Given
    told = {"the first": asked.ask(), "a copy": asked.ask()}[rated]
    (written,) = [row["created_at"] for row in rows(asked.tenant, "messages") if str(row["id"]) == told["message_id"]]
    # When
    asked.execute(
        "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
        " message_created_at, rating, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, 1, now(), now())",
        ids.new(), asked.tenant.organization_id, asked.tenant.bot_id, UUID(told["conversation_id"]),
        UUID(told["message_id"]), written,
    )  # fmt: skip
    # Then
    assert [asked.ask()["cached"], asked.ask()["cached"]] == [False, True]


def test_a_day_later_it_is_answered_anew(asked: Asked) -> None:
    asked.ask()
    asked.clock.moment += timedelta(seconds=HOUR)
    assert asked.ask()["cached"] is False


def test_a_cleared_cache_has_nothing(either: Asked) -> None:
    either.ask()
    with either.database.transaction(either.tenant.organization_id, either.tenant.user_id) as connection:
        clear_cache(connection, either.tenant.bot_id)
    assert [either.ask()["cached"], either.ask()["cached"]] == [False, True]


def test_an_answer_that_was_begun_before_a_change_is_not_kept_for_after_it(asked: Asked) -> None:
    def changed() -> None:
        asked.execute("UPDATE documents SET live_generation = 2, generation = 2 WHERE bot_id = %s", asked.tenant.bot_id)

    asked.model.script = [changed, *ANSWER]
    asked.ask()
    asked.model.script = ANSWER
    assert asked.ask()["cached"] is False


def test_a_cache_that_fails_fails_no_answer(asked: Asked) -> None:
    class Broken:
        """A cache that is not there."""

        def get(self, *_: Any) -> bytes | None:
            raise OSError("secret")

        def put(self, *_: Any, **__: Any) -> None:
            raise OSError("secret")

        def count(self, *_: Any) -> int:
            raise OSError("secret")

        def clear(self, *_: Any) -> int:
            raise OSError("secret")

    broken = asked.as_another(cache=CachedAnswers(asked.database, Broken(), HOUR))
    assert [broken.ask()["cached"] for _ in range(2)] == [False, False]


def test_an_entry_that_means_nothing_is_not_believed(asked: Asked) -> None:
    for value in (uuid4().bytes, b"short"):
        asked.ask()
        asked.execute("UPDATE cache_entries SET value = %s", value)
        assert asked.ask()["cached"] is False
