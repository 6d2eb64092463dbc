"""How a bot retrieves and answers; the only place where the defaults stand."""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


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
    token_budget: int = Field(default=2000, ge=100, le=100_000, description="Tokens of all passages together.")
    fallback_text: str = Field(
        default="I don't know. I found nothing about that in the documents I was given.",
        min_length=1,
        max_length=2000,
        description="The answer when there is no evidence.",
    )
    max_output_tokens: int = Field(default=1024, ge=1, le=65_536, description="Tokens of one answer at most.")

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
