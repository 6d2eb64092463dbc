"""Bodies of the evaluation sets' requests and responses."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.evaluation.model import CaseDraft, RelevantDocument, Source
from chatsphere.http.models import ApiRequest, ApiResponse, unchanged

MAX_CASES_A_REQUEST = 100

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=5000)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
ExpectedAnswer = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class CreateEvaluationSetRequest(ApiRequest):
    """A new, empty set. Its name is no other set's of the bot."""

    name: Name
    description: Description = ""


class UpdateEvaluationSetRequest(ApiRequest):
    """Changes of a set: what is left out stays."""

    name: Name = unchanged()
    description: Description = unchanged()


class EvaluationSetResponse(ApiResponse):
    """A set of a bot."""

    id: UUID
    bot_id: UUID
    name: str
    description: str
    case_count: int
    created_at: datetime
    updated_at: datetime


class HistoryMessage(ApiRequest):
    """A message before the question."""

    role: Literal["user", "assistant"]
    content: Said


class RelevantDocumentBody(ApiRequest):
    """A document that holds the answer, by id, by name or by both, and the words of it that do."""

    document_id: UUID | None = None
    document_name: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=4000)] | None = None

    @model_validator(mode="after")
    def _names_a_document(self) -> Self:
        if self.document_id is None and self.document_name is None:
            raise PydanticCustomError("no_document", "Give document_id, document_name or both")
        return self


class CaseRequest(ApiRequest):
    """A question and what is expected: any of these answers, these documents, or that the bot refuses."""

    question: Said
    history: list[HistoryMessage] = Field(default_factory=list, max_length=20, description="The oldest first.")
    expected_answers: list[ExpectedAnswer] = Field(
        default_factory=list, max_length=20, description="An answer is right if it contains one of them."
    )
    relevant_documents: list[RelevantDocumentBody] = Field(default_factory=list, max_length=50)
    expect_refusal: bool = Field(default=False, description="The documents hold no answer.")

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.expect_refusal == bool(self.expected_answers or self.relevant_documents):
            raise PydanticCustomError(
                "one_expectation", "Give expected_answers or relevant_documents, or else expect_refusal"
            )
        return self

    def draft(self) -> CaseDraft:
        """Return the case to be made."""
        return CaseDraft(
            question=self.question,
            history=[(message.role, message.content) for message in self.history],
            expected_answers=self.expected_answers,
            relevant_documents=[
                RelevantDocument(each.document_id, each.document_name, each.quote) for each in self.relevant_documents
            ],
            expect_refusal=self.expect_refusal,
        )


class AddCasesRequest(ApiRequest):
    """Cases to be added: all of them or none."""

    cases: list[CaseRequest] = Field(min_length=1, max_length=MAX_CASES_A_REQUEST)


class HistoryMessageResponse(ApiResponse):
    """A message before the question."""

    role: Literal["user", "assistant"]
    content: str


class RelevantDocumentResponse(ApiResponse):
    """A document that holds the answer; it may have been deleted since."""

    document_id: UUID | None
    document_name: str | None
    quote: str | None


class CaseResponse(ApiResponse):
    """A case. `message_id` is the rated answer that it was copied from: deleting its conversation deletes the case."""

    id: UUID
    set_id: UUID
    question: str
    history: list[HistoryMessageResponse]
    expected_answers: list[str]
    relevant_documents: list[RelevantDocumentResponse]
    expect_refusal: bool
    needs_review: bool = Field(description="Copied from a bad rating: nothing is expected before somebody says what.")
    source: Source
    message_id: UUID | None
    created_at: datetime


class CasesAdded(ApiResponse):
    """The cases that were added, in the order of the request."""

    data: list[CaseResponse]


class FeedbackImported(ApiResponse):
    """What became of rated answers. `known`: the set had a case of them before."""

    added: int
    needs_review: int = Field(description="How many of those added are of bad ratings.")
    known: int
    more: bool = Field(description="There are more rated answers: ask again.")
