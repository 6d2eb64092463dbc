"""Requests of OpenAI's clients as questions of ours, and the events that answer them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from chatsphere.access.principal import Principal
from chatsphere.chat.answering import answer
from chatsphere.chat.audience import Audience
from chatsphere.chat.events import ChatEvent, SourcesFound
from chatsphere.chat.openai.asking import Asked, asked_in, joined
from chatsphere.chat.openai.continuing import Thread, claimed, remembered
from chatsphere.chat.openai.errors import RefusedParameterError
from chatsphere.chat.openai.schemas import ChatCompletionRequest, CreateResponseRequest, OpenAiRequest
from chatsphere.chat.openai.stopping import StoppingModel
from chatsphere.chat.openai.stored import PREVIOUS, history_until, message_id_of, stored_answer
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.chat.wishes import Wishes

CHANNEL: Final = "openai"
CONVERSATION: Final = "conversation_id"
"""The key of a request's metadata that names the conversation of ours which goes on."""


def completion_events(
    caller: Principal, bot_id: UUID, body: ChatCompletionRequest, services: Services, audience: Audience
) -> Iterator[ChatEvent]:
    """Answer the last of the messages. A history that ended a conversation of the end user's goes on with that one.

    Raises:
        RefusedParameterError, and what `chatsphere.chat.answering.answer` raises.
    """
    asked = asked_in(list(body.said()), "body/messages")
    wishes = Wishes(asked.system, body.temperature, body.max_completion_tokens or body.max_tokens)
    services = _as_wished(services, wishes, [body.stop] if isinstance(body.stop, str) else body.stop or [])
    question = _question(caller, bot_id, body, asked, wishes)
    if question.conversation_id is not None:
        return _told(answer(question, services, audience))
    if question.end_user_id is None:
        # Two whom nobody tells apart may have said the same, and would go on with each other's.
        return _told(answer(question, services, audience))
    asker = f"{caller.id}\n{question.end_user_id}"
    thread = Thread(caller.organization_id, caller.user_id, bot_id, asker, asked.history)
    question = replace(question, conversation_id=claimed(thread, services.database))
    return remembered(_told(answer(question, services, audience)), thread, question, services.database)


def response_events(
    caller: Principal, bot_id: UUID, body: CreateResponseRequest, services: Services, audience: Audience
) -> Iterator[ChatEvent]:
    """Answer the last message of the input, in the conversation of the response that it goes on from.

    Raises:
        NotFoundError: there is no such response of this bot.
        RefusedParameterError, and what `chatsphere.chat.answering.answer` raises.
    """
    asked = asked_in(list(body.said()), "body/input")
    wishes = Wishes(asked.system, body.temperature, body.max_output_tokens)
    services = _as_wished(services, wishes, [])
    question = _question(caller, bot_id, body, asked, wishes)
    if body.previous_response_id is None:
        return _told(answer(question, services, audience))
    with services.database.transaction(caller.organization_id, caller.user_id) as connection:
        previous = stored_answer(connection, message_id_of(body.previous_response_id), bot_id)
        said = history_until(connection, previous)
    question = replace(
        question,
        conversation_id=previous.conversation_id,
        history=joined(said, asked.history),
        metadata={**question.metadata, PREVIOUS: body.previous_response_id},
    )
    return _told(answer(question, services, audience))


def _question(caller: Principal, bot_id: UUID, body: OpenAiRequest, asked: Asked, wishes: Wishes) -> Question:
    metadata: dict[str, Any] = dict(body.metadata or {})
    return Question(
        organization_id=caller.organization_id,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        bot_id=bot_id,
        message=asked.question,
        # Nothing said before is no history of the client's: the kept one holds, and memory may be asked.
        history=asked.history or None,
        conversation_id=_conversation(metadata),
        end_user_id=body.end_user(),
        reads_conversations=caller.reads_conversations,
        metadata={name: value for name, value in metadata.items() if name != CONVERSATION},
        channel=CHANNEL,
        wishes=wishes,
    )


def _conversation(metadata: Mapping[str, Any]) -> UUID | None:
    if CONVERSATION not in metadata:
        return None
    try:
        return UUID(metadata[CONVERSATION])
    except ValueError:
        raise RefusedParameterError(
            f"body/metadata/{CONVERSATION}", "invalid_value", "This is not the id of a conversation."
        ) from None


def _as_wished(services: Services, wishes: Wishes, stop: list[str]) -> Services:
    """Return the services as this answer takes them. One that was wished for is neither kept for others nor theirs."""
    if stop:
        services = replace(services, model=StoppingModel(services.model, stop))
    return replace(services, cache=None) if stop or wishes != Wishes() else services


def _told(events: Iterator[ChatEvent]) -> Iterator[ChatEvent]:
    """Leave out what OpenAI's shapes have no place for."""
    return (event for event in events if not isinstance(event, SourcesFound))
