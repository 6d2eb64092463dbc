"""How a bot retrieves and answers; the only place where the defaults stand."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chatsphere.knowledge.retrieval.settings import DEFAULTS, RetrievalSettings
from chatsphere.ports.personal_data import PersonalDataKind

Kinds = Annotated[list[PersonalDataKind], AfterValidator(lambda kinds: list(dict.fromkeys(kinds)))]


class BotConfiguration(BaseModel):
    """Settings of retrieval and answering. Stored are the keys that were set, so that a default can improve."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    top_k: int = Field(default=8, ge=1, le=50, description="How many passages the answer model is given at most.")
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Evidence below this is no evidence; null takes the value calibrated for the embedder.",
    )
    lexical_weight: float = Field(
        default=DEFAULTS.lexical_weight,
        ge=0,
        le=10,
        description="What words count against vectors, which count 1; 0: vectors alone decide.",
    )
    candidates: int = Field(
        default=DEFAULTS.candidates, ge=10, le=500, description="How many chunks vectors and words contribute each."
    )
    neighbours: int = Field(
        default=DEFAULTS.neighbours,
        ge=0,
        le=5,
        description="How many chunks of the same section before a hit, and after it, may fill the rest of the budget.",
    )
    deduplicate: bool = Field(
        default=DEFAULTS.deduplicate, description="Whether a passage that stands in several documents is one hit."
    )
    token_budget: int = Field(default=2000, ge=100, le=100_000, description="Tokens of all passages together.")
    fallback_text: str = Field(
        default="I don't know. I found nothing about that in the documents I was given.",
        min_length=1,
        max_length=2000,
        description="The answer when there is no evidence.",
    )
    max_output_tokens: int = Field(default=1024, ge=1, le=65_536, description="Tokens of one answer at most.")

    cache: bool = Field(
        default=True,
        description="Whether a question that begins a conversation is answered with what the same question was "
        "answered before, as long as documents and settings are the same, for a day at most.",
    )

    on_disconnect: Literal["finish", "stop"] = Field(
        default="finish",
        description="What becomes of an answer whose client leaves, where the platform tells: it is written to its end "
        "and kept, or stopped and kept as far as it is written. One that was asked for with an `Idempotency-Key` is "
        "written to its end.",
    )

    recall: Literal["off", "conversation", "end_user"] = Field(
        default="conversation",
        description="Where earlier messages are looked for that help to understand a question: in its own "
        "conversation, before the last twelve messages; also in other conversations of the same `user`; or nowhere.",
    )
    memory: bool = Field(
        default=True,
        description="Whether messages are embedded, to be found again by what they mean. Switched off, what there is "
        "is deleted; switched on, earlier messages are taken in with the next one.",
    )

    redaction: Kinds = Field(
        default=[],
        max_length=32,
        description="Kinds of personal data that are masked, each character, in documents when they are read and in "
        "questions before anything is kept, embedded or sent to a model.",
    )

    @property
    def retrieval(self) -> RetrievalSettings:
        """How the bot's searches find."""
        return RetrievalSettings(
            threshold=self.threshold,
            lexical_weight=self.lexical_weight,
            candidates=self.candidates,
            neighbours=self.neighbours,
            deduplicate=self.deduplicate,
        )

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings of a row. A key or value that a newer or older version wrote falls back to the default."""
        known = {key: value for key, value in values.items() if key in cls.model_fields}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            wrong = {entry["loc"][0] for entry in error.errors()}
            return cls.model_validate({key: value for key, value in known.items() if key not in wrong})

    def changed(self) -> dict[str, Any]:
        """Return the settings that were set, as they are stored."""
        return self.model_dump(mode="json", exclude_unset=True)

    def to_json(self) -> str:
        """Return the same as JSON."""
        return json.dumps(self.changed())

    def merged(self, changes: Self) -> Self:
        """Return these settings with the ones that `changes` sets."""
        return self.model_validate(self.changed() | changes.changed())
