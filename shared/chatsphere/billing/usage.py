"""What an organization may use, and what it uses."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.billing.budgets import MonthUsage, organization_usage
from chatsphere.billing.quotas import API_KEYS_USED, BOTS_USED, BYTES_USED, DOCUMENT_COUNTS, MEMBERS_USED, Quota
from chatsphere.db.database import Connection

FULLEST_BOT: Final = f"""
    SELECT COALESCE(max(amount), 0)
    FROM (
        SELECT count(*) FILTER (WHERE {DOCUMENT_COUNTS}) AS amount
        FROM documents
        JOIN bots ON bots.organization_id = documents.organization_id AND bots.id = documents.bot_id
            AND bots.status <> 'deleting'
        WHERE documents.organization_id = app.current_organization()
        GROUP BY documents.bot_id
    ) AS bots_documents
"""

SUBSCRIPTION: Final = f"""
    SELECT plan.name AS plan, plan.features, organizations.subscription_status, organizations.current_period_end,
        organizations.monthly_budget_tokens, organizations.monthly_budget_microdollars,
        ({BOTS_USED}) AS bots, ({FULLEST_BOT}) AS documents, ({BYTES_USED}) AS bytes, ({MEMBERS_USED}) AS members,
        ({API_KEYS_USED}) AS api_keys
    FROM organizations
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE organizations.id = app.current_organization()
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is used of what is permitted; without `limit` there is none."""

    limit: int | None
    used: int


@dataclass(frozen=True, slots=True)
class OrganizationUsage:
    """An organization's plan and payment, its quotas by name, its month and its budgets of it."""

    plan: str
    subscription_status: str
    current_period_end: datetime | None
    quotas: Mapping[Quota, Measure]
    month: MonthUsage
    budget_tokens: Measure
    budget_microdollars: Measure


def organization_overview(connection: Connection, organization_id: UUID, now: datetime) -> OrganizationUsage:
    """Return what the tenant uses at this moment and in this month, answers under way included."""
    row = connection.execute(SUBSCRIPTION).fetchone()
    assert row is not None
    month = organization_usage(connection, organization_id, now)
    used = {
        Quota.BOTS: row["bots"],
        Quota.DOCUMENTS: row["documents"],
        Quota.BYTES: row["bytes"],
        Quota.MEMBERS: row["members"],
        Quota.API_KEYS: row["api_keys"],
        Quota.MESSAGES: month.messages,
    }
    return OrganizationUsage(
        plan=row["plan"],
        subscription_status=row["subscription_status"],
        current_period_end=row["current_period_end"],
        quotas={quota: Measure(row["features"].get(quota.value), amount) for quota, amount in used.items()},
        month=month,
        budget_tokens=Measure(row["monthly_budget_tokens"], month.tokens),
        budget_microdollars=Measure(row["monthly_budget_microdollars"], month.cost_microdollars),
    )
