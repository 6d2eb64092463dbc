"""An answer is stopped from another execution environment than the one that writes it."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event as Signal
from uuid import uuid4

import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.knowledge.retrieval.models import Passage, SearchResult
from chatsphere.ports.answers import AnswerCitation, AnswerDelta
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Silence, says
from tests.integration.chat.client import TIMEOUT, ChatClient, Rows, names
from tests.integration.chat.elsewhere import Elsewhere
from tests.integration.chat.test_streaming import QUOTE, assert_, deliver


def test_a_silent_model_is_stopped_and_what_was_said_is_kept(
    client: ChatClient, model: ScriptedModel, other: Elsewhere, tenant: Tenant, rows: Rows
) -> None:
    # Given a model that says something and then nothing any more
    answers: list[int] = []

    def stop() -> None:
        answers.append(other.client.stop(other.message_id()).status_code)
        answers.append(other.client.stop(other.message_id()).status_code)

    model.script = [AnswerDelta("It costs 49 EUR."), AnswerCitation(1, QUOTE, 0, 16), stop, Silence()]
    # When
    events = client.stream()
    # Then
    assert answers == [202, 202]
    assert names(events) == ["meta", "sources", "delta", "citation", "done"]
    done = events[-1].data
    assert (done["finish_reason"], done["answerable"], done["reason"]) == ("stopped", True, None)
    assert done["usage"]["prompt_tokens"] > 0
    assert model.closed == 1
    answer = rows(tenant, "messages")[1]
    assert (answer["content"], answer["finish_reason"]) == ("It costs 49 EUR.", "stopped")
    assert len(answer["citations"]) == 1
    assert other.under_way() == []
    # And what it used is counted, as a message
    [month] = rows_of_month(other)
    used = done["usage"]
    assert month == {"messages": 1, "tokens": used["prompt_tokens"] + used["completion_tokens"]}
    # And to stop it once more changes nothing
    again = other.client.stop(done["message_id"])
    assert (again.status_code, again.json()) == (200, {"message_id": done["message_id"], "state": "stopped"})


def test_stopped_before_its_first_word_it_is_empty_and_no_refusal(
    client: ChatClient, model: ScriptedModel, other: Elsewhere
) -> None:
    model.script = [lambda: assert_accepted(other), Silence()]
    body = client.chat().json()
    assert (body["answer"], body["finish_reason"], body["answerable"], body["reason"]) == (
        "",
        "stopped",
        False,
        "stopped",
    )
    # The model was sent the question and the passages.
    assert body["usage"]["prompt_tokens"] > 0


def test_stopped_while_it_is_searched_the_model_is_stopped_at_once(
    services: Services, client: ChatClient, model: ScriptedModel, retriever: FakeRetriever, other: Elsewhere
) -> None:
    class StoppedRetriever(FakeRetriever):
        def assemble(self, found: SearchResult, token_budget: int) -> Sequence[Passage]:
            assert_accepted(other)
            return super().assemble(found, token_budget)

    model.script = [Silence()]
    searching = replace(services, retriever=StoppedRetriever(retriever.passages))
    client.app = chat_app(lambda: searching)
    assert client.chat().json()["finish_reason"] == "stopped"


def test_what_is_not_being_written_cannot_be_stopped(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = says("It costs 49 EUR.")
    done = client.chat().json()
    ended = client.stop(done["message_id"])
    assert (ended.status_code, ended.json()["code"]) == (409, "answer_not_under_way")
    question = rows(tenant, "messages")[0]
    for unknown in (str(question["id"]), str(uuid4()), "none"):
        missing = client.stop(unknown)
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("setting", "key", "said"),
    [("finish", None, "It costs 49 EUR."), ("stop", None, "It costs "), ("stop", "it-comes-back", "It costs 49 EUR.")],
)
def test_a_bot_may_stop_when_its_client_leaves_for_good(
    services: Services,
    client: ChatClient,
    model: ScriptedModel,
    tenant: Tenant,
    rows: Rows,
    setting: str,
    key: str | None,
    said: str,
) -> None:
    with services.database.transaction(tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET configuration = jsonb_build_object('on_disconnect', %s::text)", (setting,))
    gone, heard = Signal(), Signal()
    stops = setting == "stop" and key is None
    rest = [Silence()] if stops else says("49 EUR.")
    model.script = [AnswerDelta("It costs "), lambda: assert_(gone.wait(TIMEOUT)), *rest]

    def receive(data: bytes) -> None:
        if b"event: delta" in data:
            heard.set()

    deliver(services, client, receive, leaves=(heard, gone), key=key)
    answer = rows(tenant, "messages")[1]
    assert answer["content"] == said
    assert answer["finish_reason"] == ("stopped" if stops else "stop")
    assert answer["metadata"]["client_left"] is True


def rows_of_month(other: Elsewhere) -> list[dict[str, int]]:
    with other.services.database.transaction(other.tenant.organization_id) as connection:
        return [
            dict(row)
            for row in connection.execute(
                "SELECT messages, tokens FROM budget_periods WHERE subject_id = organization_id"
            ).fetchall()
        ]


def assert_accepted(other: Elsewhere) -> None:
    assert other.client.stop(other.message_id()).status_code == 202
