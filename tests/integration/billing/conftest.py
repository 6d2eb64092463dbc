"""Fixtures of plans, quotas, budgets and billing."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.adapters.system import UuidV7Ids
from tests.builders.running_api import RunningApi, running_api
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls

PutOnPlan = Callable[..., str]


@pytest.fixture
def tenant(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, OWNERS_CHOOSE_PLAN="true") as api:
        yield api


@pytest.fixture
def put_on_plan(database_urls: DatabaseUrls, ids: UuidV7Ids) -> Iterator[PutOnPlan]:
    """Return a function that puts an organization on a plan of its own, with these features; it returns the name."""
    made: list[UUID] = []

    def put(organization_id: UUID | str, **features: Any) -> str:
        plan = ids.new()
        made.append(plan)
        with psycopg.connect(database_urls.admin, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO subscription_plans (id, name, price_microdollars, features, is_active)"
                " VALUES (%s, %s, 0, %s, false)",
                (plan, f"Test {plan}", json.dumps(features)),
            )
            connection.execute("UPDATE organizations SET plan_id = %s WHERE id = %s", (plan, organization_id))
        return f"Test {plan}"

    yield put
    with psycopg.connect(database_urls.admin, autocommit=True) as connection:
        connection.execute(
            "UPDATE organizations SET plan_id = '01970000-0000-7000-8000-000000000001' WHERE plan_id = ANY(%s)", (made,)
        )
        connection.execute("DELETE FROM subscription_plans WHERE id = ANY(%s)", (made,))
