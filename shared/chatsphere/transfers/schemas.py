"""Bodies of the requests and responses of exports and imports."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from chatsphere.bots.schemas import Name
from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.transfers.format import PARTS, Part
from chatsphere.transfers.limits import MAX_FILE_BYTES

Counts = dict[str, int]


class CreateExportRequest(ApiRequest):
    """What is to be in the file beside the bot's settings, and its documents with their passages."""

    include: Annotated[
        list[Part], AfterValidator(lambda parts: list(dict.fromkeys(parts))), Field(max_length=2 * len(PARTS))
    ] = Field(
        default=list(PARTS),
        description="`originals`: the files as they were given. `vectors`: without them, whoever imports has to embed. "
        "`versions`: the bot's former settings. `evaluation_sets`: without cases that were copied from conversations.",
    )


class ExportResponse(ApiResponse):
    """One file of a bot. `download_url` gives anybody the file for five minutes: ask again for another.

    `documents_done` of `documents_total` are written. The file is deleted at `expires_at`.
    """

    id: UUID
    bot_id: UUID
    status: Literal["queued", "running", "done", "failed", "expired"]
    include: list[str]
    documents_done: int
    documents_total: int | None
    counts: Counts
    size: int | None = Field(description="Bytes of the file.")
    sha256: str | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    download_url: str | None = None


class CreateImportRequest(ApiRequest):
    """A bot that is to come in from a file. Without a name it has the file's."""

    name: Name | None = None


class ImportResponse(ApiResponse):
    """A bot that comes in. `bot_id` is known once it is done: before, there is no such bot for anybody.

    `vectors`: `kept`, as the file's model is here, or `made_anew` from the passages by `embedding_model`; then the
    bot's documents are `embedding` when the import is done.
    """

    id: UUID
    name: str | None
    status: Literal["awaiting_upload", "queued", "checking", "importing", "done", "failed", "expired"]
    bot_id: UUID | None
    vectors: Literal["kept", "made_anew"] | None
    embedding_model: str | None
    size: int | None
    documents_done: int
    documents_total: int | None
    counts: Counts
    error_code: str | None
    error_message: str | None
    created_at: datetime
    finished_at: datetime | None


class ImportUpload(ApiResponse):
    """Post the file to `url` as multipart form data: these `fields` first, the file last, within an hour."""

    url: str
    fields: dict[str, str]
    max_bytes: int = MAX_FILE_BYTES


class ImportPermitted(ApiResponse):
    """The import, and where its file is to be uploaded."""

    bot_import: ImportResponse
    upload: ImportUpload
