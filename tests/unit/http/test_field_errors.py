"""What a caller is told of a field that is not valid."""

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from chatsphere.errors import FieldError
from chatsphere.http.field_errors import field_errors


class Message(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def _not_blank(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("must not be blank")
        return text


def test_our_own_words_come_without_those_of_the_library() -> None:
    with pytest.raises(ValidationError) as raised:
        Message(text=" ")

    assert field_errors(raised.value.errors(), "body") == (FieldError("body/text", "value_error", "must not be blank"),)
