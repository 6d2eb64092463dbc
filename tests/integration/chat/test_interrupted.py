"""Whatever becomes of the function that writes an answer: it is kept once, and what is known of it is not lost."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.interrupted import settle_interrupted
from chatsphere.chat.services import Services
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.answers import AnswerDelta
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, says
from tests.integration.chat import killed_writer
from tests.integration.chat.client import ChatClient, Rows, names
from tests.integration.chat.elsewhere import AFTER_EXPIRY, Elsewhere
from tests.integration.chat.test_stopping import rows_of_month
from tests.postgres import DatabaseUrls
from tests.racing import race
from tests.waiting import wait_for


@pytest.fixture
def killed(
    database_urls: DatabaseUrls, tenant: Tenant, other: Elsewhere, add_document: Callable[[Tenant], UUID]
) -> str:
    """An answer whose process was killed after it had said something; its id."""
    given = (tenant.organization_id, tenant.bot_id, add_document(tenant))
    command = [sys.executable, "-m", killed_writer.__name__, database_urls.app, *map(str, given)]
    with subprocess.Popen(command) as writer:
        try:
            wait_for(lambda: writer.poll() is not None or other.under_way(), what="the answer to be begun")
            other.wait_for_text("It costs ")
        finally:
            writer.kill()
    return other.message_id()


def assert_interrupted(rows: Rows, tenant: Tenant, other: Elsewhere, said: str) -> None:
    """What is known was kept and counted, once."""
    question, answer = rows(tenant, "messages")
    assert (question["role"], question["content"]) == ("user", "What does it cost?")
    assert (answer["content"], answer["finish_reason"], answer["reason"]) == (said, "interrupted", "answer_interrupted")
    assert answer["answerable"] is False
    [event] = rows(tenant, "usage_events")
    assert event["prompt_tokens"] == answer["prompt_tokens"]
    [month] = rows_of_month(other)
    assert month == {"messages": 0, "tokens": answer["prompt_tokens"] + answer["completion_tokens"]}
    assert rows(tenant, "budget_reservations") == []
    assert other.under_way() == []


def test_a_killed_function_leaves_what_it_had_written(
    killed: str, tenant: Tenant, other: Elsewhere, rows: Rows
) -> None:
    # Given that somebody may still be writing
    other.reap()
    assert rows(tenant, "messages") == []
    # When nobody can any more
    events = other.later().client.replay(killed)
    # Then
    assert names(events) == ["meta", "sources", "delta", "error"]
    assert events[2].data == {"text": "It costs "}
    assert events[-1].data["code"] == "answer_interrupted"
    assert_interrupted(rows, tenant, other, "It costs ")
    assert rows(tenant, "messages")[1]["prompt_tokens"] > 0
    assert rows(tenant, "messages")[1]["sources"][0]["document_name"] == "plans.md"
    # And to stop it is too late
    late = other.later().client.stop(killed)
    assert (late.status_code, late.json()["code"]) == (409, "answer_not_under_way")
    # And it is there once, whoever else comes
    other.later().reap()
    assert len(rows(tenant, "messages")) == 2


def test_of_the_late_writer_and_all_who_take_over_one_keeps_the_answer(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, other: Elsewhere, rows: Rows, database_urls: DatabaseUrls
) -> None:
    def taken_over() -> None:
        other.wait_for_text("It costs ")
        message_id = UUID(other.message_id())

        def settle(database: Database, _: int) -> bool:
            with database.transaction(tenant.organization_id) as connection:
                return settle_interrupted(connection, message_id, now=AFTER_EXPIRY.now(), ids=other.services.ids)

        assert sorted(map(bool, race(database_urls.app, 4, settle))) == [False, False, False, True]

    model.script = [AnswerDelta("It costs "), taken_over, *says("49 EUR.")]
    events = client.stream()
    assert events[-1].name == "error"
    assert events[-1].data["code"] == "answer_interrupted"
    assert_interrupted(rows, tenant, other, "It costs ")


def test_the_schedule_settles_what_nobody_looks_at(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, other: Elsewhere, rows: Rows
) -> None:
    model.script = [lambda: assert_found(other.later()), *says("It costs 49 EUR.")]
    assert client.stream()[-1].name == "error"
    question, answer = rows(tenant, "messages")
    assert (answer["content"], answer["finish_reason"]) == ("", "interrupted")
    assert question["id"] < answer["id"]


class LosesOnce(Database):
    """A database that is lost in one transaction."""

    lost = False

    @contextmanager
    def transaction(
        self,
        organization_id: UUID | None,
        actor_id: UUID | None = None,
        *,
        pipelined: bool = False,
        statement_ms: int | None = None,
    ) -> Iterator[Connection]:
        if self.lost:
            self.lost = False
            raise UnavailableError("The database does not answer.")
        with super().transaction(
            organization_id, actor_id, pipelined=pipelined, statement_ms=statement_ms
        ) as connection:
            yield connection


def test_an_answer_that_could_not_be_kept_is_kept_by_who_looks_next(
    services: Services,
    client: ChatClient,
    model: ScriptedModel,
    tenant: Tenant,
    other: Elsewhere,
    rows: Rows,
    database_urls: DatabaseUrls,
) -> None:
    # Given a database that is lost when the answer is written
    database = LosesOnce(database_urls.app)
    losing = replace(services, database=database, clock=other.services.clock, pace=type(services.pace)())
    client.app = chat_app(lambda: losing)
    model.script = [*says("It costs 49 EUR.")[:-1], lambda: setattr(database, "lost", True), says()[-1]]
    # When
    events = client.stream()
    # Then it failed for who asked, and nothing is lost
    assert events[-1].data["code"] == "unavailable"
    other.client.replay(events[0].data["message_id"])
    assert_interrupted(rows, tenant, other, "It costs 49 EUR.")
    assert rows(tenant, "messages")[1]["prompt_tokens"] == 10
    database.close()


def test_what_has_no_conversation_any_more_is_settled_and_not_kept(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, other: Elsewhere, rows: Rows
) -> None:
    model.script = says("It costs 49 EUR.")
    conversation_id = client.chat().json()["conversation_id"]

    def deleted() -> None:
        with other.services.database.transaction(tenant.organization_id) as connection:
            connection.execute("DELETE FROM conversations")
        assert_found(other.later())

    model.script = [deleted, *says("It costs 49 EUR.")]
    events = client.stream(conversation_id=conversation_id)
    assert events[-1].data["code"] == "not_found"
    assert rows(tenant, "messages") == []
    assert rows(tenant, "budget_reservations") == []
    assert other.under_way() == []


def assert_found(other: Elsewhere) -> None:
    """The schedule finds the answer; those of other tests may be there, too."""
    assert other.under_way()
    assert other.reap() >= 1
    assert other.under_way() == []
