"""Asking a bot as it was at an earlier version, to compare."""

from chatsphere.access.permissions import Scope
from chatsphere.ports.answers import AnswerDelta, AnswerEnd
from tests.fakes_chat import FakeRetriever, ScriptedModel
from tests.integration.chat.client import ChatClient
from tests.integration.evaluation.conftest import Ask


def test_a_version_answers_and_searches_with_its_own_settings(
    ask: Ask, bot: str, client: ChatClient, retriever: FakeRetriever, model: ScriptedModel
) -> None:
    ask("PATCH", f"/bots/{bot}", {"system_prompt": "New.", "configuration": {"top_k": 3, "threshold": 0.95}})
    model.script = [AnswerDelta("49 EUR"), AnswerEnd("stop", 5, 2, 1)]

    now, before = (client.chat("Price?", bot_version=version).json() for version in (None, 1))

    assert not now["answerable"]
    assert before["answer"] == "49 EUR"
    assert [request.system_prompt for request in model.requests] == [""]
    client.search("Price?", bot_version=1)
    client.search("Price?", bot_version=2)
    assert [query[3] for query in retriever.queries] == [3, 8, 8, 3]


def test_there_is_no_such_version(client: ChatClient) -> None:
    assert client.chat("Price?", bot_version=9).status_code == 404
    assert client.search("Price?", bot_version=9).status_code == 404
    assert client.chat("Price?", bot_version=0).status_code == 422


def test_who_may_not_change_the_bot_does_not_choose(client: ChatClient) -> None:
    client.scopes = frozenset({Scope.CHAT})

    assert client.chat("Price?").status_code == 200
    assert client.chat("Price?", bot_version=1).status_code == 403
    assert client.search("Price?", bot_version=1).status_code == 403


def test_what_was_said_before_can_come_with_the_question(
    client: ChatClient, retriever: FakeRetriever, model: ScriptedModel
) -> None:
    said = [{"role": "user", "content": "The Falcon plan?"}, {"role": "assistant", "content": "It is for teams."}]

    found = client.search("What does it cost?", history=said).json()
    client.chat("What does it cost?", history=said)

    # The fake's stand-alone question is led by the user's last one.
    assert found["query"] == "The Falcon plan? What does it cost?"
    assert [query[2] for query in retriever.queries] == [found["query"]] * 2
    assert [[turn.content for turn in request.history] for request in model.requests] == [
        ["The Falcon plan?", "It is for teams."]
    ]
    assert client.search("It?", history=[{"role": "system", "content": "x"}]).status_code == 422
