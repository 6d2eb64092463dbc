"""Bodies of searches: which documents may be found, and why something was."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.knowledge.retrieval.filters import DocumentFilter, Range

MAX_FILTER_VALUES: Final = 16
MAX_FILTER_TAGS: Final = 32
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")


def _moment(text: str) -> str:
    """Return the text, or refuse one that names no day or moment."""
    if _MOMENT.fullmatch(text):
        try:
            zone = datetime.fromisoformat(text).utcoffset()
        except ValueError:
            pass
        else:
            # PostgreSQL knows no other; a bound that it cannot read would bound nothing.
            if zone is None or abs(zone) < timedelta(hours=16):
                return text
    raise PydanticCustomError("not_a_time", "Give a number, or a day or moment in ISO 8601")


Bound = StrictInt | StrictFloat | Annotated[StrictStr, AfterValidator(_moment)] | None
FieldName = Annotated[str, Field(min_length=1, max_length=255)]


class ValueRange(ApiRequest):
    """Bounds of a number, or of a day or moment in ISO 8601 (UTC where no zone is named); both inclusive."""

    gte: Bound = None
    lte: Bound = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        kinds = {isinstance(bound, str) for bound in (self.gte, self.lte) if bound is not None}
        if len(kinds) != 1:
            raise PydanticCustomError("one_kind", "Give gte, lte, or both: two numbers, or two times")
        return self


FieldValue = Annotated[StrictStr, Field(max_length=2048)] | StrictBool | StrictInt | StrictFloat | None


class SearchFilter(ApiRequest):
    """Which documents may be searched: those that are all that is named. What matches nothing finds nothing."""

    document_ids: list[UUID] | None = Field(default=None, max_length=1000, description="Only these documents.")
    tags: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, max_length=MAX_FILTER_TAGS, description="Only documents with at least one of these tags."
    )
    created_after: AwareDatetime | None = Field(default=None, description="Only documents made then or later.")
    created_before: AwareDatetime | None = Field(default=None, description="Only documents made earlier than that.")
    metadata: dict[FieldName, ValueRange | FieldValue] = Field(
        default_factory=dict,
        max_length=MAX_FILTER_VALUES,
        description="Only documents whose metadata hold these values, or values of the same kind in these ranges.",
    )

    def documents(self) -> DocumentFilter:
        """Return what it says."""
        ranges = {key: value for key, value in self.metadata.items() if isinstance(value, ValueRange)}
        return DocumentFilter(
            document_ids=None if self.document_ids is None else frozenset(self.document_ids),
            tags=None if self.tags is None else frozenset(self.tags),
            created_after=self.created_after,
            created_before=self.created_before,
            equal={key: value for key, value in self.metadata.items() if not isinstance(value, ValueRange)},
            ranges={key: Range(value.gte, value.lte) for key, value in ranges.items()},
        )


class ElsewhereBody(ApiResponse):
    """A place where the same passage stands, nearly word for word."""

    chunk_id: UUID
    document_id: UUID
    document_name: str
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int


class ExplainedTermBody(ApiResponse):
    """A word of the question: what stands for it in the index, in how many chunks it is, and what it weighs."""

    term: str
    lexemes: list[str]
    document_frequency: int
    weight: float


class HitExplanationBody(ApiResponse):
    """How the score came about: (`dense_part` + lexical_weight · `lexical_part`) / (1 + lexical_weight)."""

    dense: float | None = Field(description="Cosine; null where the vectors did not find it.")
    dense_rank: int | None = Field(description="Place among what the vectors found, from 1.")
    dense_part: float = Field(description="The cosine that counts: its own, or the floor of the vectors.")
    lexical: float | None = Field(description="BM25; null where the words did not find it.")
    lexical_rank: int | None = Field(description="Place among what the words found, from 1.")
    lexical_share: float | None = Field(description="BM25 divided by the weight of all terms.")
    lexical_part: float = Field(description="The share that counts: its own, or the floor of the words.")
    terms: list[str] = Field(description="Terms of the question that the chunk holds.")
    missing_terms: list[str]


class FeaturesBody(ApiResponse):
    """What confidence is computed from: the best cosine, and the largest share of the question's terms in one hit."""

    dense: float
    coverage: float


class CalibrationBody(ApiResponse):
    """Coefficients of confidence = 1 / (1 + exp(-(intercept + dense · cosine + coverage · share of terms)))."""

    dense: float
    coverage: float
    intercept: float
    threshold: float


class ExplainedPassage(ApiResponse):
    """What the answer model would be given: chunks that stand together, joined."""

    document_id: UUID
    chunk_ids: list[UUID]
    heading: str | None
    char_start: int
    char_end: int
    score: float


class ExplanationBody(ApiResponse):
    """What holds for all hits."""

    embedding_model: str | None = Field(description="Null where words alone were searched.")
    configurations: list[str] = Field(description="Text search configurations that the question was analysed by.")
    terms: list[ExplainedTermBody]
    total_weight: float
    lexical_weight: float
    candidates: int
    dense_found: int
    lexical_found: int
    dense_floor: float
    lexical_floor: float
    calibration: CalibrationBody | None
    features: FeaturesBody | None
    confidence: float | None
    threshold: float
    refused: bool | None = Field(description="Whether chat would refuse; null where one side alone was searched.")
    documents: int | None = Field(description="How many the filter let through; null without one.")
    folded: list[UUID] = Field(description="Chunks that say what a better hit says.")
    merged: list[UUID] = Field(description="Chunks beside hits, which fill what is left of the token budget.")
    passages: list[ExplainedPassage] = Field(default_factory=list)
