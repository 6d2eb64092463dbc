"""An answer is told once more, or gone on with, from wherever a client stopped hearing it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from uuid import uuid4

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.services import Services
from chatsphere.errors import AnswerBlockedError
from chatsphere.http.event_stream import HEARTBEAT
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel
from tests.integration.chat.client import TIMEOUT, ChatClient, Event, events_of, names
from tests.integration.chat.elsewhere import Elsewhere
from tests.integration.chat.test_streaming import ANSWER, QUOTE, assert_


@pytest.fixture
def stored_source(services: Services, tenant: Tenant, source: Passage) -> Passage:
    """The passage, with its chunk in the database."""
    with services.database.transaction(tenant.organization_id) as connection:
        connection.execute(
            "INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content,"
            " char_start, char_end, token_count, vector_id) VALUES (%s, %s, %s, %s, 1, 0, 0, %s, 100, %s, 1, 'x')",
            (
                source.pieces[0].chunk_id,
                tenant.organization_id,
                tenant.bot_id,
                source.document_id,
                source.content,
                source.char_end,
            ),
        )
    return source


def whole(events: list[Event]) -> tuple[object, ...]:
    """Return what the events say, however the text is cut into pieces.

    How long it took to keep the answer is not kept with it.
    """
    for event in events:
        for after_keeping in ("persist", "total"):
            event.data.get("latency_ms", {}).pop(after_keeping, None)
    text = "".join(event.data["text"] for event in events if event.name == "delta")
    others = [(event.name, event.data) for event in events if event.name != "delta"]
    return text, others


def test_a_kept_answer_is_told_as_it_was(
    client: ChatClient, model: ScriptedModel, other: Elsewhere, stored_source: Passage
) -> None:
    model.script = ANSWER
    live = client.stream()
    replayed = other.client.replay(live[0].data["message_id"])
    assert whole(replayed) == whole(live)
    assert replayed[1].data["sources"][0]["content"] == stored_source.content
    assert live[-1].data["usage"] == replayed[-1].data["usage"]


def test_each_event_says_where_to_go_on(client: ChatClient, model: ScriptedModel, other: Elsewhere) -> None:
    model.script = [*ANSWER[:-1], AnswerDelta(" Or less."), AnswerEnd("stop", 30, 5, 7)]
    live = client.stream()
    message_id = live[0].data["message_id"]
    everything = whole(other.client.replay(message_id))
    assert [event.id for event in live] == ["meta", "0.0", "9.0", "26.0", "26.1", "35.1", "end"]
    for place, event in enumerate(live[:-1], 1):
        rest = other.client.replay(message_id, after=event.id)
        told = whole(live[:place])
        assert told[0] + whole(rest)[0] == everything[0]  # type: ignore[operator]
        assert [name for name, _ in [*told[1], *whole(rest)[1]]] == ["meta", "sources", "citation", "done"]  # type: ignore[misc]
    # A browser that is told this asks no more.
    assert other.client.get(f"/v1/chat/{message_id}/stream", {"last-event-id": "end"}).status_code == 204


def test_an_answer_that_is_being_written_is_followed_to_its_end(
    client: ChatClient, model: ScriptedModel, other: Elsewhere
) -> None:
    # Given an answer of which something was noted
    go_on = Signal()
    model.script = [AnswerDelta("It costs "), lambda: assert_(go_on.wait(TIMEOUT)), AnswerDelta("49 EUR."), ANSWER[-1]]
    with ThreadPoolExecutor(2) as threads:
        live = threads.submit(client.stream)
        other.wait_for_answer()
        other.wait_for_text("It costs ")
        following = threads.submit(other.client.replay, other.message_id(), "meta")
        # When it goes on
        go_on.set()
        # Then who came later has heard the same
        heard = following.result()
        assert whole([live.result()[0], *heard]) == whole_without_text_of_sources(live.result())


def test_silence_is_filled_with_heartbeats_there_too(
    client: ChatClient, model: ScriptedModel, other: Elsewhere
) -> None:
    go_on = Signal()
    model.script = [lambda: assert_(go_on.wait(TIMEOUT)), *ANSWER]
    with ThreadPoolExecutor(2) as threads:
        live = threads.submit(client.stream)
        other.wait_for_answer()
        received: list[bytes] = []

        def receive(data: bytes) -> None:
            received.append(data)
            if data == HEARTBEAT:
                go_on.set()

        other.client.receive(f"/v1/chat/{other.message_id()}/stream", receive)
        assert live.result()[-1].name == "done"
    assert HEARTBEAT in received
    assert events_of(b"".join(received).decode())[-1].name == "done"


def test_what_failed_fails_again_and_what_was_refused_is_refused(
    client: ChatClient, model: ScriptedModel, retriever: FakeRetriever
) -> None:
    model.script = [AnswerDelta("It "), AnswerBlockedError()]
    live = client.stream()
    failed = client.replay(live[0].data["message_id"])
    assert names(failed) == ["meta", "sources", "delta", "error"]
    assert failed[-1].data["code"] == live[-1].data["code"] == "answer_blocked"
    retriever.confidence = 0.1
    live = client.stream()
    assert whole(client.replay(live[0].data["message_id"])) == whole(live)


def test_deleted_text_does_not_come_back(
    services: Services,
    client: ChatClient,
    model: ScriptedModel,
    tenant: Tenant,
    stored_source: Passage,
    add_document: Callable[[Tenant], object],
) -> None:
    model.script = ANSWER
    message_id = client.chat().json()["message_id"]
    for change in ("UPDATE documents SET live_generation = 2", "DELETE FROM documents"):
        with services.database.transaction(tenant.organization_id) as connection:
            connection.execute(change)
        [source] = client.replay(message_id)[1].data["sources"]
        assert (source["document_name"], source["content"]) == ("plans.md", "")


def test_what_cannot_be_gone_on_with_is_refused(client: ChatClient, model: ScriptedModel, ids: UuidV7Ids) -> None:
    model.script = ANSWER
    message_id = client.chat().json()["message_id"]
    for wrong in ("1", "1.", "-1.0", "1.0.0", "none", "9999999999.0"):
        answer = client.get(f"/v1/chat/{message_id}/stream", {"last-event-id": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    for unknown in (ids.new(), uuid4(), "none", "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        missing = client.get(f"/v1/chat/{unknown}/stream")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_following_ends_before_the_function_does(client: ChatClient, model: ScriptedModel, other: Elsewhere) -> None:
    go_on = Signal()
    seconds: Iterator[float] = iter(range(0, 10_000, 60))
    model.script = [AnswerDelta("It "), lambda: assert_(go_on.wait(TIMEOUT)), *ANSWER]
    with ThreadPoolExecutor(1) as threads:
        live = threads.submit(client.stream)
        other.wait_for_answer()
        other.wait_for_text("It ")
        hurried = other.with_timer(lambda: next(seconds))
        followed = hurried.client.replay(other.message_id())
        go_on.set()
        assert live.result()[-1].name == "done"
    # Then it can be gone on with
    assert names(followed) == ["meta", "sources", "delta"]
    assert followed[-1].id == "3.0"


def whole_without_text_of_sources(events: list[Event]) -> tuple[object, ...]:
    """Return the same where no chunk of the sources is stored."""
    for event in events:
        for source in event.data.get("sources", ()):
            source["content"] = ""
    return whole(events)


def test_a_citation_is_told_after_its_text(client: ChatClient, model: ScriptedModel) -> None:
    model.script = [
        AnswerDelta("It costs 49 EUR."),
        AnswerCitation(1, QUOTE, 0, 16),
        AnswerDelta(" A month."),
        AnswerCitation(1, QUOTE, 3, 25),
        AnswerEnd("stop", 30, 5, 7),
    ]
    message_id = client.chat().json()["message_id"]
    told = [event.name for event in client.replay(message_id)]
    assert told == ["meta", "sources", "delta", "citation", "delta", "citation", "done"]
