"""Bodies of plans', usage's and billing's requests and responses."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse

PlanName = Annotated[str, Field(min_length=1, max_length=100, examples=["Pro"])]


class PlanFeatures(ApiResponse):
    """What a plan permits; null is no limit."""

    max_bots: int | None = None
    max_documents_per_bot: int | None = None
    max_bytes: Annotated[int | None, Field(description="Bytes of all stored documents together.")] = None
    max_members: int | None = None
    max_api_keys: int | None = None
    messages_per_month: Annotated[int | None, Field(description="Answers in a calendar month (UTC).")] = None
    requests_per_minute: Annotated[int | None, Field(description="Of each person and each API key.")] = None


class PlanResponse(ApiResponse):
    """A plan."""

    name: str
    description: str
    price_microdollars: Annotated[int, Field(description="A month.")]
    features: PlanFeatures


class PlansResponse(ApiResponse):
    """The plans that there are, the smallest first."""

    data: list[PlanResponse]


class MeasureBody(ApiResponse):
    """What is used of what is permitted."""

    limit: Annotated[int | None, Field(description="Null: there is none.")]
    used: int


class QuotasBody(ApiResponse):
    """The plan's limits."""

    max_bots: MeasureBody
    max_documents_per_bot: Annotated[MeasureBody, Field(description="`used` is the fullest bot's.")]
    max_bytes: MeasureBody
    max_members: MeasureBody
    max_api_keys: MeasureBody
    messages_per_month: MeasureBody


class BudgetsBody(ApiResponse):
    """The organization's own limits of a calendar month; `used` includes what answers under way may use."""

    tokens: MeasureBody
    microdollars: MeasureBody


class UsageResponse(ApiResponse):
    """What the organization may use, and what it uses."""

    plan: str
    subscription_status: Annotated[str, Field(description="`free`, or the payment provider's word.")]
    current_period_end: Annotated[datetime | None, Field(description="Until when the plan is paid for.")]
    period: Annotated[date, Field(description="First day of the calendar month (UTC) that is counted.")]
    quotas: QuotasBody
    budgets: BudgetsBody


class PlanRequest(ApiRequest):
    """A plan, by its name."""

    plan: PlanName


class PageResponse(ApiResponse):
    """A page of the payment provider's: send the person there."""

    url: str
