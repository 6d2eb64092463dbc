"""Bodies of the documents' requests and responses."""

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged

MAX_METADATA_BYTES: Final = 2048
MAX_TAGS: Final = 32
MAX_TEXT_BYTES: Final = 4 * 1024 * 1024
"""A request body holds 5 MiB, and JSON escapes take room."""

_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,100}"  # noqa: S105 - a token of a media type

Status = Literal["registered", "extracting", "embedding", "ready", "failed"]
Source = Literal["upload", "s3", "url", "text"]
Name = Annotated[str, Field(min_length=1, max_length=1024, description="A path, kept exactly as given.")]
MediaType = Annotated[
    str,
    StringConstraints(max_length=255, pattern=rf"^{_TOKEN}/{_TOKEN}( ?; ?[ -~]*)?$"),
    Field(examples=["text/plain"]),
]
MetadataValue = str | bool | int | FiniteFloat | None


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise PydanticCustomError("metadata_too_large", "Metadata may hold 2,048 bytes as JSON")
    return value


Metadata = Annotated[
    dict[str, MetadataValue],
    AfterValidator(_small),
    Field(description=f"Flat, up to {MAX_METADATA_BYTES} bytes as JSON. Searches can be filtered by it."),
]
Tags = Annotated[
    list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]],
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
    Field(max_length=MAX_TAGS, description="Searches can be filtered by them; each counts once."),
]


class CreateDocumentRequest(ApiRequest):
    """A file to be uploaded (`content_type`, `size`), a text as it stands (`text`), or a page of the web (`url`)."""

    name: Name | None = None
    content_type: MediaType | None = None
    size: Annotated[int, Field(ge=1, description="Bytes of the file to be uploaded.")] | None = None
    text: Annotated[str, Field(min_length=1, description="UTF-8 text, plain or Markdown.")] | None = None
    url: Annotated[str, Field(min_length=1, max_length=2000, description="A page or file to be fetched.")] | None = None
    tags: Tags | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if sum(source is not None for source in (self.size, self.text, self.url)) != 1:
            raise PydanticCustomError("one_source", "Give exactly one of size (with content_type), text, or url")
        if self.url is None and self.name is None:
            raise PydanticCustomError("missing_name", "Give the document's name")
        if self.size is not None and self.content_type is None:
            raise PydanticCustomError("missing_content_type", "Give the file's content_type")
        if self.text is not None and self.content_type is not None and not self.content_type.startswith("text/"):
            raise PydanticCustomError("not_text", "The content_type of a text must be text/plain or text/markdown")
        return self


class UpdateDocumentRequest(ApiRequest):
    """What is said of a document. Fields that are left out stay; what is given replaces the former value."""

    name: Annotated[str, Field(min_length=1, max_length=1024, description="As it is shown and cited.")] = unchanged()
    tags: Tags = unchanged()
    metadata: Metadata = unchanged()

    @field_validator("name")
    @classmethod
    def _shown(cls, name: str) -> str:
        if not name.strip() or not name.isprintable():
            raise PydanticCustomError("bad_name", "The name must hold a letter and no control character")
        return name


class SourceLinkResponse(ApiResponse):
    """Where the source of a document is. Whoever has the link can read it until it expires."""

    url: str
    expires_at: Annotated[datetime | None, Field(description="Null where the link is the web page's own.")]
    content_type: str | None
    name: str


class DocumentResponse(ApiResponse):
    """A source of a bot's knowledge. Counts and `sha256` are of what is searched at present."""

    id: UUID
    bot_id: UUID
    name: str
    source: Source
    url: str | None
    status: Status
    stage: Literal["upload", "fetch", "register", "scan", "budget", "extract", "embed", "done"]
    error_code: str | None
    error_message: str | None
    retryable: bool | None
    attempts: int
    page_count: int | None
    unread_page_count: Annotated[
        int | None, Field(description="Pages whose text is in pictures, which nobody has read.")
    ]
    chunk_count: int | None
    token_count: int | None
    size: int | None
    sha256: str | None
    content_type: str | None
    generation: int
    language: Annotated[str | None, Field(description="ISO 639-1, as found in the text; null where that is unsure.")]
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None


class UploadForm(ApiResponse):
    """Send the file to `url` as multipart form data: these fields first, then the field `file`."""

    url: str
    fields: dict[str, str]


class DocumentAccepted(ApiResponse):
    """The document; poll it until its status is `ready` or `failed`. `upload` is given where a file is to be sent."""

    document: DocumentResponse
    outcome: Literal["created", "replaced", "unchanged"]
    upload: UploadForm | None = None


class DocumentReprocessed(ApiResponse):
    """The document, which is being processed again."""

    document: DocumentResponse


class TemporaryCredentialsBody(ApiResponse):
    """AWS credentials for any S3 client; they expire."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime


class UploadCredentialsResponse(ApiResponse):
    """Put files into `bucket` under keys that begin with `prefix`. `endpoint` is null where S3 is AWS's own."""

    bucket: str
    prefix: str
    region: str
    endpoint: str | None
    credentials: TemporaryCredentialsBody


class ChunkResponse(ApiResponse):
    """A passage of a document; offsets are characters of its text, pages count from 1, inclusive."""

    id: UUID
    ordinal: int
    content: str
    heading_path: list[str]
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    token_count: int
