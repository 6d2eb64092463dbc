"""How often an answer waits for the database: each time costs what the network between them takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.draft import Draft
from chatsphere.chat.keeping import keep_turn
from chatsphere.chat.opening import open_turn
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel


class Wire:
    """The messages between one connection and its server, as libpq writes them down."""

    def __init__(self, database: Database, written: Path) -> None:
        with database.transaction(None) as connection:
            self._connection = connection.pgconn
        self._written = written

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Write down what goes over it meanwhile."""
        with self._written.open("w") as file:
            self._connection.trace(file.fileno())
            yield
            self._connection.untrace()

    @property
    def asked_for_answers(self) -> int:
        """How often the server was asked to answer what was sent so far: once or twice in each round trip, and not
        where the answers came early.
        """
        sent = [line.split("\t") for line in self._written.read_text().splitlines()]
        return sum(parts[1] == "F" and parts[3] in ("Flush", "Query", "Sync") for parts in sent if len(parts) > 3)


@pytest.mark.parametrize("end_user_id", [None, "ada"])
def test_a_plain_question_waits_for_the_database_no_oftener_than_it_must(
    database: Database, make_tenant: Callable[[], Tenant], ids: UuidV7Ids, tmp_path: Path, end_user_id: str | None
) -> None:
    tenant, model, retriever, clock = make_tenant(), ScriptedModel(), FakeRetriever(), SystemClock()
    wire = Wire(database, tmp_path / "wire")
    question = Question(tenant.organization_id, tenant.user_id, tenant.bot_id, "When?", end_user_id=end_user_id)
    # When it is opened: the transaction, the bot, all that depends on it, the month that is held, and the reservation
    with wire.watched():
        turn = open_turn(question, database=database, retriever=retriever, clock=clock, ids=ids, model=model)
    # Then
    assert wire.asked_for_answers <= 7
    assert turn.basis is not None
    # When it is kept: the transaction, the right to keep it, and everything else
    services = Services(database, retriever, model, clock, ids)
    with wire.watched():
        keep_turn(turn, Draft(text="At nine.", question_asked="When?"), {}, services)
    assert wire.asked_for_answers <= 6
