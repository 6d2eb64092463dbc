"""Every operation that writes leaves an entry in the audit log: generated from the OpenAPI document."""

from collections.abc import Iterator

import pytest

from tests.integration.matrix.cells import ask, cells_of
from tests.integration.matrix.document import Operation
from tests.integration.matrix.rule import CALLERS
from tests.integration.matrix.world import World, running_world
from tests.postgres import fresh_database

pytestmark = pytest.mark.xdist_group("audited")

NOT_AUDITED = {
    "chat": "a question changes nothing but the conversation, which keeps it, and the usage, which counts it",
    "createChatCompletion": "as `chat`",
    "createResponse": "as `chat`",
    "search": "reads",
    "searchConversations": "reads",
    "changeEmail": "asks for a mail; the change is told when the new address is proved",
    "resendVerification": "asks for a mail; that the address is proved is told then",
    "enrollSecondFactor": "shows a secret; nothing is switched on before a first code",
}
"""Operations that leave no entry, and why."""

NOT_SERVED = {
    "openCheckout": "billing is off here",
    "stopAnswer": "nothing is being written here; what it ends is kept as chat's is",
    "openBillingPortal": "billing is off here",
    "releaseLegalHold": "the hold here was released before; see retention/test_holds.py",
    "disableSecondFactor": "there is none here; see test_entries.py",
    "renewRecoveryCodes": "there is no second factor here; see test_entries.py",
}
"""Operations that the matrix's world answers with an error."""


PREPARED = {
    "restoreBot": "UPDATE bots SET status = 'archived' WHERE id = %(bot_id)s",
    "cancelTrainingRun": "UPDATE training_runs SET status = 'running' WHERE id = %(run_id)s",
    "rollBackBot": "UPDATE bots SET description = 'Changed.', version = 2 WHERE id = %(bot_id)s",
}
"""What makes an operation change something: as it is, the bot would stay the same."""


@pytest.fixture(scope="module")
def world(database_server: str) -> Iterator[World]:
    with fresh_database(database_server) as urls, running_world(urls) as world:
        yield world


def writes(world: World) -> list[Operation]:
    return [operation for operation in world.operations if operation.method != "GET" and operation.permission]


def entries(world: World) -> list[tuple[str, str]]:
    return world.state.execute("SELECT id::text, action FROM audit_log ORDER BY id")


def test_every_write_leaves_an_entry_of_who_did_it(world: World) -> None:
    owner = next(caller for caller in CALLERS if caller.name == "owner")
    found = {}
    for operation in writes(world):
        cells = {cell.target: cell for cell in cells_of(operation, [owner]) if not cell.refused}
        # Only a public bot can be taken from the public, and only another one be given to it.
        cell = cells["public"] if operation.id == "unpublishBot" else next(iter(cells.values()))
        if operation.id in PREPARED:
            world.state.execute(PREPARED[operation.id], world.parameters(owner, cell.target))
        before = set(entries(world))
        answer = ask(world, cell)
        if answer.status < 400:
            found[operation.id] = [action for _, action in sorted(set(entries(world)) - before)]
        world.put_back()
    silent = {name for name, actions in found.items() if not actions}
    assert silent == set(NOT_AUDITED)
    assert {operation.id for operation in writes(world)} - found.keys() == set(NOT_SERVED)
    assert len(found) > 30
