"""Who may do what, for every operation of the API and everybody who might ask."""

from collections.abc import Callable

import pytest

from infra.catalog import FUNCTIONS, HttpTrigger
from tests.integration.matrix.borrowing import LOANS, run_loans
from tests.integration.matrix.cells import run
from tests.integration.matrix.rows import ROWS
from tests.integration.matrix.rule import NEEDS
from tests.integration.matrix.unguarded import run_unguarded, run_without_policies
from tests.integration.matrix.world import World

pytestmark = pytest.mark.xdist_group("matrix")
Say = Callable[[str], None]


def test_every_route_of_the_catalog_is_in_the_document(world: World) -> None:
    routes = {
        (route.method, route.path)
        for function in FUNCTIONS
        if isinstance(function.trigger, HttpTrigger)
        for route in function.trigger.routes
    }
    assert {(operation.method, operation.path) for operation in world.operations} == routes


def test_every_operation_has_a_row_and_every_row_an_operation(world: World) -> None:
    assert {operation.id for operation in world.operations} == set(ROWS)
    assert {operation.permission for operation in world.operations} - {None} == set(NEEDS)


def test_every_field_that_holds_an_id_was_tried_with_a_strangers(world: World) -> None:
    referring = {operation.id: operation.referring for operation in world.operations if operation.referring}
    assert referring == {name: {loan.field for loan in loans} for name, loans in LOANS.items()}


def test_every_cell_answers_what_it_must(world: World, say: Say) -> None:
    report = run(world)
    say(f"matrix: {report}")
    assert report.faults == []


def test_a_strangers_object_named_in_a_body_opens_nothing(world: World, say: Say) -> None:
    report = run_loans(world)
    say(f"matrix, bodies that name a stranger's object: {report}")
    assert report.faults == []


def test_the_databases_policies_alone_let_nothing_through(world: World, say: Say) -> None:
    found = run_unguarded(world)
    say(f"matrix without the application's filters: {found}")
    assert len(found.stripped) >= 35
    assert found.faults == []


def test_the_applications_filters_alone_let_nothing_through(world: World, say: Say) -> None:
    found = run_without_policies(world)
    say(f"matrix without the database's policies: {found}")
    assert found.faults == []


def test_without_the_policies_too_the_same_requests_do_leak(world: World, say: Say) -> None:
    """Otherwise the test above would show nothing."""
    found = run_unguarded(world, policies=False)
    say(f"matrix without filters and policies: {found}")
    assert len(found.stripped) >= 60
    assert len(found.leaks) >= 150
    assert len(found.changes) >= 15
