"""Bodies of the requests and responses of retention policies and runs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.retention.policies import Policies
from chatsphere.retention.policy import MOST_DAYS, Action, Rules
from chatsphere.retention.runs import Row

# Strict: `true` would be one day.
Days = Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)]
Kind = Literal["messages", "conversation", "document", "error_logs"]
ItemAction = Literal["archive", "delete", "keep"]


class PolicyRequest(ApiRequest):
    """What is decided, in the place of all that was: a field that is left out goes by the default, in a bot's policy by
    the organization's. Days are null for ever.
    """

    inactive_conversation_days: Annotated[
        Days | None, Field(description="Since the last use of a conversation. It goes with all that is in it.")
    ] = None
    inactive_conversation_action: Annotated[
        Action, Field(description="`archive`: written to Parquet and verified, then deleted.")
    ] = "archive"
    message_days: Annotated[
        Days | None, Field(description="Of what end users and the bot said, also in conversations that go on.")
    ] = None
    message_action: Action = "archive"
    system_message_days: Annotated[Days | None, Field(description="They are deleted.")] = None
    document_days: Annotated[
        Days | None, Field(description="Since a document was uploaded, or changed. It is deleted, with a receipt.")
    ] = None
    error_log_days: Annotated[Days | None, Field(description="They are deleted.")] = None
    archive_days: Annotated[Days | None, Field(description="How long archives live after the month of their rows.")] = (
        None
    )

    def rules(self) -> Rules:
        """Return what was named."""
        return self.model_dump(exclude_unset=True)


class OverrideRequest(PolicyRequest):
    """Where a bot differs: at least one field. The others go by the organization's policy."""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_named", "Name at least one field in which the bot differs")
        return self


class PolicyResponse(ApiResponse):
    """A policy as it applies, every field with its value. `named` are those that were decided here; the others are the
    default's, of a bot's policy the organization's. `updated_at` is null where nothing was.
    """

    bot_id: UUID | None
    inactive_conversation_days: int | None
    inactive_conversation_action: Action
    message_days: int | None
    message_action: Action
    system_message_days: int | None
    document_days: int | None
    error_log_days: int | None
    archive_days: int | None
    named: list[str]
    updated_at: datetime | None

    @classmethod
    def of(cls, policies: Policies, bot_id: UUID | None) -> Self:
        """Show a bot's policy, or the organization's."""
        rules = policies.organization if bot_id is None else policies.bots.get(bot_id, {})
        return cls(
            bot_id=bot_id,
            **policies.of(bot_id).to_json(),
            named=sorted(rules),
            updated_at=policies.changed_at.get(bot_id),
        )


class RunRequest(ApiRequest):
    """What is to be run."""

    dry_run: Annotated[bool, Field(description="Only list what a run would do, and what it would cost.")] = False
    bot_id: Annotated[UUID | None, Field(description="Only of this bot; left out: of all.")] = None


class RunItemTotal(ApiResponse):
    """What a run's items of one kind come to. `messages` of conversations are those that go with them."""

    kind: Kind
    reason: str
    action: ItemAction
    status: Literal["listed", "done", "skipped"]
    items: int
    rows: int
    messages: int
    bytes: int


class RunEstimate(ApiResponse):
    """What doing all that is listed costs, as estimated beforehand; by S3's list price (docs/retention.md)."""

    rows: int
    bytes: int
    archive_bytes: int
    put_requests: int
    get_requests: int
    microdollars: int
    storage_microdollars_per_month: int


class RunReport(ApiResponse):
    """What came of a run. `removed` counts rows by kind; documents are removed in the background from then on."""

    items: list[RunItemTotal]
    removed: dict[str, int]
    kept_by_holds: dict[str, int]
    estimate: RunEstimate
    archived_files: int
    archived_bytes: int
    seconds: float


class RunResponse(ApiResponse):
    """A retention run. What is older than a policy's days at `as_of` goes. `requested_by` is null of daily runs."""

    id: UUID
    bot_id: UUID | None
    dry_run: bool
    status: Literal["running", "done", "failed"]
    requested_by: UUID | None
    api_key_id: UUID | None
    as_of: datetime
    listed: Annotated[int, Field(description="How many items the list has so far.")]
    report: RunReport | None
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Show a run."""
        return cls.model_validate({name: row[name] for name in cls.model_fields})


class RunAccepted(ApiResponse):
    """The run that is under way; poll it until its status is another than `running`."""

    run: RunResponse


class RunItemResponse(ApiResponse):
    """One thing that a run does, or would do: a UTC day's messages of a bot, a conversation, a document, or a bot's
    errors. `action` `keep`: all that the hold keeps of the bot and would be due. `skipped`: it was held, or used, after
    it had been listed.
    """

    position: int
    kind: Kind
    bot_id: UUID | None
    conversation_id: UUID | None
    document_id: UUID | None
    day: date | None
    action: ItemAction
    reason: Annotated[str, Field(description="The policy's field by which it is due.")]
    hold_id: UUID | None
    rows: int
    messages: int
    bytes: int
    oldest_at: datetime | None
    newest_at: datetime | None
    status: Literal["listed", "done", "skipped"]
    deletion_id: Annotated[UUID | None, Field(description="Of a document: its deletion, with its receipt.")]

    @classmethod
    def of(cls, row: Row) -> Self:
        """Show an item."""
        shown: dict[str, Any] = {name: row.get(name) for name in cls.model_fields}
        if row["kind"] in ("conversation", "document"):
            shown[f"{row['kind']}_id"] = row["subject_id"]
        return cls.model_validate(shown)
