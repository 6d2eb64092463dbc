"""Bodies of the requests and responses of the archive."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.model import ArchiveFile
from chatsphere.archive.restores import Restore, Wanted
from chatsphere.http.models import ApiRequest, ApiResponse

MONTH_PATTERN = r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$"

Month = Annotated[str, Field(pattern=MONTH_PATTERN, description="As `2026-01`, in UTC.", examples=["2026-01"])]


class ArchiveFileResponse(ApiResponse):
    """A file of the archive. `key` is its place in the bucket; `bytes` and `sha256` are of the Parquet file."""

    id: UUID
    bot_id: UUID | None
    dataset: DatasetName
    month: str
    key: str
    schema_version: int
    rows: int
    bytes: int
    sha256: str
    first_created_at: datetime
    last_created_at: datetime
    archived_at: datetime
    changed_at: datetime
    expires_at: Annotated[datetime | None, Field(description="When it leaves the archive; null: never.")]
    restored_at: Annotated[datetime | None, Field(description="When rows of it first came back into the tables.")]

    @classmethod
    def of(cls, file: ArchiveFile) -> Self:
        """Show a file."""
        return cls.model_validate(_shown(file))


class Download(ApiResponse):
    """Where the file can be fetched without further credentials, until `expires_at`."""

    url: str
    expires_at: datetime


class ArchiveFileWithDownload(ArchiveFileResponse):
    """A file of the archive, and where to fetch it."""

    download: Download

    @classmethod
    def with_download(cls, file: ArchiveFile, url: str, expires_at: datetime) -> Self:
        """Show a file with its link."""
        download = Download(url=url, expires_at=expires_at)
        return cls.model_validate(ArchiveFileResponse.of(file).model_dump() | {"download": download})


class RowsPageResponse(ApiResponse):
    """A page of a file's rows, each an object by column; docs/archive.md describes the columns."""

    data: list[dict[str, Any]]
    next_cursor: str | None
    has_more: bool


class RestoreRequest(ApiRequest):
    """What is to come back: `file_ids`, or `bot_id` with `month`, or `conversation_id`."""

    file_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=100)] = None
    bot_id: UUID | None = None
    month: Month | None = None
    conversation_id: UUID | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if named not in (["file_ids"], ["bot_id", "month"], ["conversation_id"]):
            raise ValueError("Name file_ids, or bot_id and month, or conversation_id.")
        return self

    def wanted(self) -> Wanted:
        """Return what is wanted."""
        return Wanted(self.file_ids, self.bot_id, month_of(self.month), self.conversation_id)


class RestoreResponse(ApiResponse):
    """A restore. `restored` counts the rows that came back, by dataset; `skipped` those that were there already, or
    that belong to nothing any more.
    """

    id: UUID
    status: Literal["pending", "running", "done", "failed"]
    file_ids: list[UUID] | None
    bot_id: UUID | None
    month: str | None
    conversation_id: UUID | None
    files_done: int
    restored: dict[str, int]
    skipped: int
    error_code: str | None
    kept_until: Annotated[datetime, Field(description="Until then no retention run archives these conversations.")]
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, restore: Restore) -> Self:
        """Show a restore. A conversation that came back with its messages was not looked for, and so is not skipped."""
        skipped = max(restore.looked_at - sum(restore.restored.values()), 0)
        counts = {"files_done": len(restore.files_done), "skipped": skipped, "restored": dict(restore.restored)}
        month = None if restore.month is None else f"{restore.month:%Y-%m}"
        names = [name for name in cls.model_fields if name not in counts and name != "month"]
        return cls.model_validate({name: getattr(restore, name) for name in names} | counts | {"month": month})


class RestoreAccepted(ApiResponse):
    """The restore that was begun; poll it until its status is `done` or `failed`."""

    restore: RestoreResponse


def month_of(text: str | None) -> date | None:
    """Return the first day of a month that is written as `2026-01`."""
    return None if text is None else date.fromisoformat(f"{text}-01")


def _shown(file: ArchiveFile) -> dict[str, Any]:
    fields = {name: getattr(file, name) for name in ArchiveFileResponse.model_fields}
    return fields | {"month": f"{file.month:%Y-%m}"}
