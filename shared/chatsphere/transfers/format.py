"""The file: a ZIP whose members are these, each line of a `.jsonl` one of the models below.

    manifest.json                   what the file is, and the SHA-256 of the members beside it
    bot.json                        the bot's settings
    versions.jsonl                  its former versions, the oldest first
    documents.jsonl                 one line a document, with the SHA-256 of each of its members
    evaluation_sets.jsonl           sets with their cases
    documents/000000/original       the file as it was given
    documents/000000/chunks.jsonl   one line a passage, in the order of the text
    documents/000000/vectors.f32    their vectors, one after the other: 32-bit floats, little-endian

Names of documents are in `documents.jsonl` only: no path in the file is anybody's choice.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.schemas import (
    MAX_VERSION,
    Avatar,
    Description,
    Model,
    Name,
    SystemPrompt,
    Temperature,
    WelcomeMessage,
)
from chatsphere.evaluation.model import MAX_CASES
from chatsphere.http.models import ApiRequest
from chatsphere.knowledge.schemas import Metadata, Tags
from chatsphere.transfers.limits import MAX_CHUNKS_OF_DOCUMENT, MAX_DIMENSIONS, MAX_DOCUMENTS

FORMAT: Final = "chatsphere-bot"
VERSION: Final = 1

MANIFEST: Final = "manifest.json"
BOT: Final = "bot.json"
VERSIONS: Final = "versions.jsonl"
DOCUMENTS: Final = "documents.jsonl"
EVALUATION_SETS: Final = "evaluation_sets.jsonl"

FLOAT_BYTES: Final = 4
Part = Literal["originals", "vectors", "versions", "evaluation_sets"]
"""What may be left out."""

PARTS: Final[tuple[Part, ...]] = ("originals", "vectors", "versions", "evaluation_sets")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Size = Annotated[int, Field(ge=0, le=2**40)]
# Far from the last one: the bot's next change needs a greater one.
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION // 2)]
# PostgreSQL keeps times that Python cannot read again.
Moment = Annotated[AwareDatetime, Field(gt=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]


def member_of(place: int, name: Literal["original", "chunks.jsonl", "vectors.f32"]) -> str:
    """Return the name of a document's member; `place` counts the lines of `documents.jsonl` from 0."""
    return f"documents/{place:06d}/{name}"


class Line(ApiRequest):
    """Base of what is read from a file: an unknown field is an error, and so is what cannot be stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(Line):
    """What a member holds."""

    sha256: Sha256
    size: Size


class EmbeddedBy(Line):
    """The model that made the vectors."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    dimensions: Annotated[int, Field(ge=1, le=MAX_DIMENSIONS)]


class Manifest(Line):
    """What the file is. `embedded_by` is None where it has no vectors."""

    format: Literal["chatsphere-bot"]
    version: int
    made_at: datetime
    made_by: Annotated[str, Field(max_length=100)]
    include: Annotated[list[Part], Field(max_length=len(PARTS))]
    embedded_by: EmbeddedBy | None
    counts: dict[Annotated[str, Field(max_length=50)], int] = Field(max_length=20)
    members: dict[Literal["bot.json", "versions.jsonl", "documents.jsonl", "evaluation_sets.jsonl"], Member]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not {BOT, VERSIONS, DOCUMENTS, EVALUATION_SETS} <= self.members.keys():
            raise ValueError("members are missing")
        return self


class ManifestHead(BaseModel):
    """What of a manifest tells whether the rest can be read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: str
    version: int


class BotContent(Line):
    """What a bot is: a version of it."""

    name: Name
    description: Description
    avatar: Avatar | None
    welcome_message: WelcomeMessage
    system_prompt: SystemPrompt
    model: Model | None
    temperature: Temperature
    configuration: dict[str, JsonValue]

    @field_validator("configuration")
    @classmethod
    def _known(cls, values: dict[str, Any]) -> dict[str, Any]:
        # As a row that another release wrote: what is not known falls back to the default.
        return BotConfiguration.stored(values).changed()


class BotLine(BotContent):
    """The bot as it is."""

    visibility: Literal["private", "organization", "public"]
    version: VersionNumber


class VersionLine(Line):
    """A former version; who made it is not told."""

    version: VersionNumber
    restored_from: VersionNumber | None
    created_at: Moment
    content: BotContent


class DocumentLine(Line):
    """A document as readers see it. `key` is its name in the bucket; members that it has not are None."""

    # Shown in lists and terminals, and told to models; names of uploads have no control characters either.
    name: Annotated[str, Field(max_length=1024, pattern=r"^\P{Cc}+$")]
    key: Annotated[str, Field(min_length=1, max_length=1024)] | None
    source: Literal["upload", "s3", "url", "text"]
    # Shown as a link: of another scheme it could run in the page of whoever opens it.
    url: Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s\\]+$")] | None
    # A header of the object's and, where it is opened, of the answer.
    content_type: Annotated[str, Field(max_length=255, pattern=r"^[ -~]+$")] | None
    page_count: Count | None
    unread_page_count: Count | None
    sha256: Sha256 | None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None
    tags: Tags
    metadata: Metadata
    chunk_count: Annotated[int, Field(ge=1, le=MAX_CHUNKS_OF_DOCUMENT)]
    original: Member | None
    chunks: Member
    vectors: Member | None


class ChunkLine(Line):
    """A passage. Offsets are characters of the document's canonical text, pages count from 1, inclusive."""

    content: Annotated[str, Field(min_length=1, max_length=100_000)]
    heading_path: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=32)]
    page_start: Count | None
    page_end: Count | None
    char_start: Count
    char_end: Count
    token_count: Annotated[int, Field(ge=0, le=100_000)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.char_end < self.char_start or (self.page_end or 0) < (self.page_start or 0):
            raise ValueError("a passage ends before it begins")
        return self


class RelevantLine(Line):
    """A document that holds an answer: by its place in `documents.jsonl`, by name, or both."""

    place: Annotated[int, Field(ge=0, lt=MAX_DOCUMENTS)] | None
    document_name: Annotated[str, Field(min_length=1, max_length=1000)] | None
    quote: Annotated[str, Field(min_length=1, max_length=4000)] | None


class SaidLine(Line):
    """A message before the question."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=8000)]


class CaseLine(Line):
    """A question, and what is expected."""

    question: Annotated[str, Field(min_length=1, max_length=8000)]
    history: Annotated[list[SaidLine], Field(max_length=20)]
    expected_answers: Annotated[list[Annotated[str, Field(min_length=1, max_length=2000)]], Field(max_length=20)]
    relevant_documents: Annotated[list[RelevantLine], Field(max_length=50)]
    expect_refusal: bool
    needs_review: bool


class EvaluationLine(Line):
    """A line of `evaluation_sets.jsonl`: a set, or a case of the set before it."""

    set: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    description: Annotated[str, Field(max_length=5000)] = ""
    case: CaseLine | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.set is None) == (self.case is None):
            raise ValueError("neither a set nor a case")
        return self


MAX_EVALUATION_LINES: Final = 50 * (MAX_CASES + 1)
