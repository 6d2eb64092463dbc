"""Features of answering that meet: copies of a kept answer and their ratings, a conversation that goes meanwhile,
what is done after the last event."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Thread, current_thread, main_thread
from typing import Any
from uuid import UUID

import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.conversations import delete_conversation
from chatsphere.chat.optional_stages import Recalled
from chatsphere.chat.services import Services
from chatsphere.chat.turns import AskedTurn, OpenTurn
from chatsphere.ports.answers import AnswerDelta
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, Silence, says
from tests.integration.chat.client import ChatClient, Rows
from tests.integration.chat.elsewhere import Elsewhere


@dataclass
class ThreadNoting:
    """`Recall` that notes in which thread an answer is remembered."""

    threads: list[Thread] = field(default_factory=list)
    recalled: Sequence[UUID] = ()

    def recall(self, turn: OpenTurn) -> Recalled:
        return Recalled()

    def remember(self, turn: AskedTurn) -> None:
        self.threads.append(current_thread())


@pytest.mark.parametrize("failing", [False, True])
def test_what_follows_an_answer_in_one_piece_keeps_no_other_request_waiting(
    services: Services, client: ChatClient, model: ScriptedModel, failing: bool
) -> None:
    """The event loop is the main thread here."""
    recall = ThreadNoting()
    model.script = [AnswerDelta("49"), RuntimeError("broken")] if failing else says("49 EUR.")
    made = replace(services, recall=recall)
    client.app = chat_app(lambda: made)
    assert client.chat().status_code == (500 if failing else 200)
    assert len(recall.threads) == 1
    assert main_thread() not in recall.threads


def test_an_answer_ends_when_its_conversation_is_deleted(
    services: Services, client: ChatClient, model: ScriptedModel, other: Elsewhere, tenant: Tenant, rows: Rows
) -> None:
    # Given
    model.script = says("49 EUR.")
    conversation = UUID(client.chat().json()["conversation_id"])

    def delete() -> None:
        with other.services.database.transaction(tenant.organization_id, tenant.user_id) as connection:
            delete_conversation(
                connection, tenant.organization_id, conversation, services.ids.new(), services.clock.now()
            )

    # When
    model.script = [AnswerDelta("It "), delete, Silence()]
    answer: dict[str, Any] = client.chat(conversation_id=str(conversation)).json()
    # Then
    assert answer["status"] == 404
    assert (rows(tenant, "messages"), other.under_way()) == ([], [])
    assert model.closed == 2
