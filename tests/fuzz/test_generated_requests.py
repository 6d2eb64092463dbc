"""A few generated requests to every operation: what the OpenAPI document says holds. Thousands: `make fuzz`."""

from collections.abc import Callable, Iterator

import pytest

from tests.fuzz.generating import LEFT_OUT, generate
from tests.fuzz.served import served
from tests.fuzz.subject import Subject
from tests.integration.matrix.world import World, running_world
from tests.postgres import fresh_database

pytestmark = pytest.mark.xdist_group("fuzz")


@pytest.fixture
def world(database_server: str) -> Iterator[World]:
    with fresh_database(database_server) as urls, running_world(urls) as world:
        yield world


def test_every_answer_is_one_that_the_document_describes(world: World, say: Callable[[str], None]) -> None:
    owner = world.people["owner"]
    # Who alone owns the organization cannot leave it half-way.
    others = "DELETE FROM memberships WHERE role = 'owner' AND organization_id = %s AND user_id <> %s"
    world.state.execute(others, (owner.organization_id, owner.user_id))
    with served(world.api) as address:
        subject = Subject(address, owner.refresh_token, dict(world.objects["shared"]), spare=[])
        outcome = generate(subject, phases="examples,fuzzing", examples=3, seed=1)
    say(f"fuzz: {outcome}")
    assert outcome.faults == 0, outcome.output
    # All but the document, which schemathesis reads first.
    # The OpenAPI document itself is what schemathesis reads, and one operation goes on without an end.
    assert outcome.operations == len(world.operations) - len(("getOpenApi", LEFT_OUT))
    assert outcome.answers["2xx"] > outcome.cases / 10
