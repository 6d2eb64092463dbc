"""Bodies of the requests and responses of reconciliations."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.knowledge.reconciliation.findings import Difference
from chatsphere.knowledge.reconciliation.reports import Reconciliation

Counts = dict[str, int]
DifferenceCounts = dict[Difference, int]


class ReconcileRequest(ApiRequest):
    """What is to be done."""

    dry_run: Annotated[bool, Field(description="Only report what does not correspond.")] = False


class DifferenceExample(ApiResponse):
    """One difference; `subject` is an object's key or a document's id."""

    difference: Difference
    subject: str
    repaired: bool


class ReconciliationResponse(ApiResponse):
    """A comparison of the bot's bucket, database and vector store.

    `looked_at` counts what was compared, `found` the differences by kind, `repaired` those for which something was
    done. `remaining` is what a second look found after the repairs, null until then; of a dry run it is what was found.
    A document that is read anew counts as repaired when that has begun.
    """

    id: UUID
    bot_id: UUID
    status: Literal["running", "succeeded", "failed"]
    dry_run: bool
    looked_at: Counts
    found: DifferenceCounts
    repaired: DifferenceCounts
    remaining: DifferenceCounts | None
    examples: Annotated[list[DifferenceExample], Field(description="The first 20.")]
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, report: Reconciliation) -> Self:
        """Show a report."""
        remaining = report.remaining if report.status == "succeeded" else None
        shown = {name: getattr(report, name) for name in cls.model_fields} | {"remaining": remaining}
        return cls.model_validate(shown)


class ReconciliationAccepted(ApiResponse):
    """The reconciliation that is under way; poll it until its status is another than `running`."""

    reconciliation: ReconciliationResponse
