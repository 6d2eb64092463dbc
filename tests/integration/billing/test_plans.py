"""Plans, the usage that an organization sees, and its budgets, over HTTP."""

from datetime import UTC, datetime

import pytest

from tests.builders.invitations import joined
from tests.builders.running_api import Account, Answer, RunningApi, running_api
from tests.integration.billing.conftest import PutOnPlan
from tests.postgres import DatabaseUrls


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


def usage(api: RunningApi, account: Account) -> Answer:
    return api.request("GET", f"/v1/organizations/{account.organization_id}/usage", token=account.access_token)


def choose(api: RunningApi, account: Account, plan: object) -> Answer:
    path = f"/v1/organizations/{account.organization_id}/plan"
    return api.request("PUT", path, {"plan": plan}, token=account.access_token)


def test_anybody_sees_the_plans(api: RunningApi) -> None:
    plans = api.request("GET", "/v1/plans").json["data"]

    assert [plan["name"] for plan in plans] == ["Free", "Basic", "Pro", "Enterprise"]
    free, enterprise = plans[0], plans[-1]
    assert free["features"] == {
        "max_bots": 3,
        "max_documents_per_bot": 100,
        "max_bytes": 2**30,
        "max_members": 3,
        "max_api_keys": 10,
        "messages_per_month": 1000,
        "requests_per_minute": 300,
    }
    assert enterprise["features"]["max_bots"] is None
    assert plans[1]["price_microdollars"] == 19_000_000


def test_usage_shows_every_limit_with_what_is_used_of_it(api: RunningApi, account: Account) -> None:
    api.bot(account)

    body = usage(api, account).json

    assert body == {
        "plan": "Free",
        "subscription_status": "free",
        "current_period_end": None,
        "period": datetime.now(UTC).date().replace(day=1).isoformat(),
        "quotas": {
            "max_bots": {"limit": 3, "used": 1},
            "max_documents_per_bot": {"limit": 100, "used": 0},
            "max_bytes": {"limit": 2**30, "used": 0},
            "max_members": {"limit": 3, "used": 1},
            "max_api_keys": {"limit": 10, "used": 0},
            "messages_per_month": {"limit": 1000, "used": 0},
        },
        "budgets": {"tokens": {"limit": None, "used": 0}, "microdollars": {"limit": None, "used": 0}},
    }


def test_every_member_sees_the_usage_and_no_stranger(api: RunningApi, account: Account) -> None:
    viewer, stranger = joined(api, account), api.register()

    assert usage(api, viewer).json["quotas"]["max_members"]["used"] == 2
    foreign = api.request("GET", f"/v1/organizations/{account.organization_id}/usage", token=stranger.access_token)
    assert (foreign.status, foreign.code) == (404, "not_found")


def test_where_nothing_is_sold_the_owner_chooses_any_plan(api: RunningApi, account: Account) -> None:
    chosen = choose(api, account, "Pro")

    assert (chosen.status, chosen.json["plan"]) == (200, "Pro")
    assert usage(api, account).json["quotas"]["max_bots"] == {"limit": 100, "used": 0}


def test_only_the_owner_chooses(api: RunningApi, account: Account) -> None:
    refused = choose(api, joined(api, account, "admin"), "Pro")

    assert (refused.status, refused.code) == (403, "insufficient_role")


def test_where_owners_may_not_choose_another_plan_is_given_by_agreement(database_urls: DatabaseUrls) -> None:
    with running_api(database_urls) as api:
        owner = api.register()
        refused = choose(api, owner, "Pro")
        assert (refused.status, refused.code) == (403, "forbidden")
        assert usage(api, owner).json["plan"] == "Free"


@pytest.mark.parametrize("plan", ["Nothing", "free", "", None, 3, "a\x00b"])
def test_a_plan_that_there_is_not_cannot_be_chosen(api: RunningApi, account: Account, plan: object) -> None:
    refused = choose(api, account, plan)

    assert (refused.status, refused.code) == (422, "invalid_request")
    assert usage(api, account).json["plan"] == "Free"


def test_a_plan_that_is_not_active_can_be_had_and_not_chosen(
    api: RunningApi, account: Account, put_on_plan: PutOnPlan
) -> None:
    plan = put_on_plan(account.organization_id, max_bots=7)

    assert usage(api, account).json["quotas"]["max_bots"]["limit"] == 7
    assert choose(api, account, plan).status == 422


def test_a_smaller_plan_takes_nothing_away(api: RunningApi, account: Account) -> None:
    choose(api, account, "Pro")
    for _ in range(5):
        api.bot(account)

    choose(api, account, "Free")

    assert usage(api, account).json["quotas"]["max_bots"] == {"limit": 3, "used": 5}
    assert api.request("POST", "/v1/bots", {"name": "More"}, token=account.access_token).status == 402


def test_an_admin_sets_the_organizations_budgets(api: RunningApi, account: Account) -> None:
    path = f"/v1/organizations/{account.organization_id}"
    admin = joined(api, account, "admin")

    body = {"monthly_budget_tokens": 1000, "monthly_budget_microdollars": 5}
    assert api.request("PATCH", path, body, token=admin.access_token).status == 200
    assert api.request("PATCH", path, {"monthly_budget_tokens": None}, token=admin.access_token).status == 200

    budgets = usage(api, account).json["budgets"]
    assert budgets == {"tokens": {"limit": None, "used": 0}, "microdollars": {"limit": 5, "used": 0}}


@pytest.mark.parametrize("budget", [-1, 1.5, "many", 10**16])
def test_a_budget_is_a_whole_number(api: RunningApi, account: Account, budget: object) -> None:
    path = f"/v1/organizations/{account.organization_id}"

    answer = api.request("PATCH", path, {"monthly_budget_tokens": budget}, token=account.access_token)

    assert (answer.status, answer.code) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["billing/checkout", "billing/portal"])
def test_without_a_payment_provider_billing_is_off(api: RunningApi, account: Account, path: str) -> None:
    body = {"plan": "Pro"} if path.endswith("checkout") else None

    answer = api.request(
        "POST", f"/v1/organizations/{account.organization_id}/{path}", body, token=account.access_token
    )

    assert (answer.status, answer.code) == (409, "billing_off")


def test_without_a_payment_provider_no_webhook_is_taken(api: RunningApi) -> None:
    answer = api.request("POST", "/v1/billing/stripe-webhook", raw_body="{}", headers={"Stripe-Signature": "t=1,v1=x"})

    assert (answer.status, answer.code) == (409, "billing_off")
