"""What an answer recalls: what the same person said to the same bot, and nobody else's words."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.adapters.system import SystemClock
from chatsphere.chat.answering import answer
from chatsphere.chat.audience import Audience
from chatsphere.chat.events import AnswerDone, AnswerFailed
from chatsphere.chat.memory.recalling import RECALLED, BotMemory
from chatsphere.chat.openai.questions import completion_events, response_events
from chatsphere.chat.openai.schemas import ChatCompletionRequest, CreateResponseRequest
from chatsphere.chat.opening import open_turn
from chatsphere.chat.optional_stages import Recalled
from chatsphere.chat.services import Services
from chatsphere.chat.turns import PUBLIC, OpenTurn, Question
from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.retrieval.dense import DenseSide
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors, QuestionVectors
from chatsphere.ports.answers import Turn
from chatsphere.ports.vectors import Namespace
from tests.fakes import FakeEmbedder
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage, says
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.memory import talking
from tests.integration.memory.talking import configure, remember, say

SUBJECT = "I own the Aurora X200 coffee maker."
CHATTER = tuple(f"Chatter {number}" for number in range(14))


@pytest.fixture
def talker(make_pipeline: Callable[[], Pipeline]) -> Pipeline:
    """A tenant whose clock is that of its ids: by those, messages are found in their partitions."""
    pipeline = make_pipeline()
    pipeline.clock.advance(SystemClock().now() - pipeline.clock.now())
    return pipeline


def memory(pipeline: Pipeline, known: KnownVectors | None = None) -> BotMemory:
    return BotMemory(pipeline.database, pipeline.embedder_for, pipeline.messages, lambda: pipeline.embed_queue, known)


def turn_of(pipeline: Pipeline, conversation: UUID | None, message: str = SUBJECT, **fields: Any) -> OpenTurn:
    tenant = pipeline.tenant
    question = Question(
        tenant.organization_id, tenant.user_id, tenant.bot_id, message, conversation_id=conversation, **fields
    )
    return open_turn(
        question,
        database=pipeline.database,
        retriever=FakeRetriever(),
        clock=pipeline.clock,
        ids=pipeline.ids,
        model=ScriptedModel(),
    )


def recalled(pipeline: Pipeline, conversation: UUID | None, message: str = SUBJECT, **fields: Any) -> Recalled:
    return memory(pipeline).recall(turn_of(pipeline, conversation, message, **fields))


def test_what_the_history_does_not_reach_is_recalled(talker: Pipeline) -> None:
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    say(talker, SUBJECT, "Another conversation.")
    remember(talker)

    found = recalled(talker, conversation)

    assert found.turns[0] == Turn("user", SUBJECT, recalled=True)
    assert len(found.turns) == len(found.messages) <= RECALLED
    assert all(turn.content not in CHATTER[2:] for turn in found.turns)
    with talker.connection() as connection:
        row = connection.execute("SELECT conversation_id FROM messages WHERE id = %s", (found.messages[0],)).fetchone()
    assert row == {"conversation_id": conversation}


def test_a_short_conversation_asks_nobody(talker: Pipeline) -> None:
    conversation = say(talker, SUBJECT, "Indeed.")
    remember(talker)
    embedded = list(talker.embedder.texts)
    talker.messages.failures = 1

    assert recalled(talker, conversation) == Recalled()
    assert recalled(talker, None, end_user_id="ada") == Recalled()
    assert (talker.embedder.texts, talker.messages.failures) == (embedded, 1)


def test_other_conversations_are_recalled_where_the_bot_is_set_to(talker: Pipeline) -> None:
    say(talker, SUBJECT, end_user="ada")
    remember(talker)
    assert recalled(talker, None, end_user_id="ada") == Recalled()

    configure(talker, recall="end_user")

    assert [turn.content for turn in recalled(talker, None, end_user_id="ada").turns] == [SUBJECT]
    # Neither another's, nor who does not say who it is, nor a visitor, who might say anything.
    assert recalled(talker, None, end_user_id="bob").turns == ()
    assert recalled(talker, None) == Recalled()
    turn = turn_of(talker, None, end_user_id="ada")
    visitor = replace(turn, question=replace(turn.question, channel=PUBLIC))
    assert memory(talker).recall(visitor) == Recalled()


def test_what_visitors_said_is_not_recalled_as_somebodys(talker: Pipeline) -> None:
    said = say(talker, SUBJECT, end_user="ada")
    with talker.connection() as connection:
        connection.execute("UPDATE conversations SET channel = 'public' WHERE id = %s", (said,))
    configure(talker, recall="end_user")
    remember(talker)

    assert recalled(talker, None, end_user_id="ada").turns == ()


def test_another_tenant_with_the_same_end_user_is_another_one(
    talker: Pipeline, make_pipeline: Callable[[], Pipeline]
) -> None:
    other = make_pipeline()
    other.clock, other.messages = talker.clock, talker.messages
    for pipeline in (talker, other):
        configure(pipeline, recall="end_user")
    say(other, SUBJECT, end_user="ada")
    remember(other)
    say(talker, "Mine", end_user="ada")
    remember(talker)

    assert [turn.content for turn in recalled(talker, None, end_user_id="ada").turns] == ["Mine"]


@pytest.mark.parametrize("settings", [{"recall": "off"}, {"memory": False}])
def test_it_can_be_switched_off(talker: Pipeline, settings: dict[str, Any]) -> None:
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)
    configure(talker, **settings)

    assert recalled(talker, conversation) == Recalled()


def test_what_the_client_brings_is_all_the_history(talker: Pipeline) -> None:
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)

    assert recalled(talker, conversation, history=[Turn("user", "Hello")]) == Recalled()


def test_answers_that_were_none_and_deleted_messages_are_not_recalled(talker: Pipeline) -> None:
    conversation = say(talker, "Where?", "I don't know.", "When?", "At noon.", *CHATTER)
    with talker.connection() as connection:
        connection.execute("UPDATE messages SET answerable = content = 'At noon.' WHERE role = 'assistant'")
    remember(talker)
    with talker.connection() as connection:
        connection.execute("DELETE FROM messages WHERE content = 'Where?' AND bot_id = %s", (talker.tenant.bot_id,))

    assert "Where?" not in {turn.content for turn in recalled(talker, conversation, "Where?").turns}
    assert "I don't know." not in {turn.content for turn in recalled(talker, conversation, "I don't know.").turns}
    assert recalled(talker, conversation, "At noon.").turns[0].content == "At noon."


def test_an_outage_leaves_the_question_without_memory(talker: Pipeline) -> None:
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)
    talker.messages.failures = 1

    assert recalled(talker, conversation) == Recalled()


@pytest.mark.parametrize("memory_is_first", [True, False])
def test_a_question_is_embedded_once_for_memory_and_documents(talker: Pipeline, memory_is_first: bool) -> None:
    # Given
    talker.embedder = FakeEmbedder(price=2)
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)
    known, tenant = QuestionVectors(None, 60), talker.tenant
    side = DenseSide(talker.vectors, talker.embedder_for, remembered=known)
    found: list[Recalled] = []
    # When
    stages: list[Callable[[], object]] = [
        lambda: found.append(memory(talker, known).recall(turn_of(talker, conversation))),
        lambda: side.search(BotEmbedding("fake", Namespace(tenant.organization_id, tenant.bot_id)), SUBJECT, None),
    ]
    for stage in stages if memory_is_first else reversed(stages):
        stage()
    # Then
    paid = (7, 14)
    used = found[0].usage
    assert (used.embedding_tokens, used.cost_microdollars) == (paid if memory_is_first else (0, 0))
    assert (side.tokens, side.cost_microdollars) == ((0, 0) if memory_is_first else paid)
    assert found[0].turns[0].content == SUBJECT


def test_what_nobody_foresaw_leaves_the_question_without_memory(talker: Pipeline) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)
    without = replace(memory(talker), embedders=broken, embed_queue=broken)

    assert without.recall(turn_of(talker, conversation)) == Recalled()
    without.remember(turn_of(talker, conversation))


def test_a_turn_that_is_not_kept_is_not_remembered(talker: Pipeline) -> None:
    # Given
    conversation, tenant = say(talker, SUBJECT, "Indeed."), talker.tenant
    remember(talker)
    retriever = FakeRetriever([passage("The Aurora X200 is red.", document_id=talker.ids.new())])
    model = ScriptedModel([lambda: talking.delete(talker, conversation, send=False), *says("It is.")])
    services = Services(talker.database, retriever, model, talker.clock, talker.ids, recall=memory(talker))
    question = Question(tenant.organization_id, tenant.user_id, tenant.bot_id, SUBJECT, conversation_id=conversation)
    # When
    *_, last = answer(question, services)
    # Then
    assert isinstance(last, AnswerFailed)
    assert list(talker.embed_queue.messages) == []


def test_a_question_of_openais_clients_without_history_reaches_the_end_users_memory(talker: Pipeline) -> None:
    # Given
    configure(talker, recall="end_user")
    say(talker, SUBJECT, end_user="ada")
    remember(talker)
    model, tenant = ScriptedModel(says("It is.")), talker.tenant
    retriever = FakeRetriever([passage("The Aurora X200 is red.", document_id=talker.ids.new())])
    services = Services(talker.database, retriever, model, talker.clock, talker.ids, recall=memory(talker))
    caller = Principal(tenant.organization_id, tenant.user_id, Role.OWNER)
    asked = {"model": "bot", "user": "ada"}
    completion = ChatCompletionRequest.model_validate(asked | {"messages": [{"role": "user", "content": "Red?"}]})
    response = CreateResponseRequest.model_validate(asked | {"input": "Red?"})
    # When
    deque(completion_events(caller, tenant.bot_id, completion, services, Audience()), 0)
    deque(response_events(caller, tenant.bot_id, response, services, Audience()), 0)
    # Then
    assert [[turn.content for turn in request.history][:1] for request in model.requests] == [[SUBJECT]] * 2


def test_an_answer_is_given_what_is_recalled_keeps_it_and_is_remembered(talker: Pipeline) -> None:
    # Given
    talker.embedder = FakeEmbedder(price=2)
    conversation = say(talker, SUBJECT, "Indeed.", *CHATTER)
    remember(talker)
    model, tenant = ScriptedModel(says("It is.")), talker.tenant
    retriever = FakeRetriever([passage("The Aurora X200 is red.", document_id=talker.ids.new())])
    services = Services(talker.database, retriever, model, talker.clock, talker.ids, recall=memory(talker))
    question = Question(tenant.organization_id, tenant.user_id, tenant.bot_id, SUBJECT, conversation_id=conversation)
    # When
    *_, last = answer(question, services)
    # Then
    assert isinstance(last, AnswerDone)
    assert (last.usage.embedding_tokens, last.usage.cost_microdollars) == (7, 2 * 7 + 7)
    (request,) = model.requests
    assert next(turn.content for turn in request.history if turn.recalled) == SUBJECT
    assert [turn.content for turn in request.history if not turn.recalled] == list(CHATTER[2:])
    kept = next(row for row in talking.rows(talker, "messages") if row["id"] == last.message_id)
    assert len(kept["metadata"]["recalled_messages"]) == sum(turn.recalled for turn in request.history)
    # And what was said is remembered without the reaper.
    talker.run()
    assert "It is." in talking.texts_of(talker)


def test_a_queue_that_does_not_answer_does_not_harm_an_answer(talker: Pipeline) -> None:
    talker.embed_queue.failures = 1

    memory(talker).remember(turn_of(talker, None))

    assert talker.embed_queue.failures == 0
