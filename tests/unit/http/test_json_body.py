import pytest

from chatsphere.errors import (
    InvalidRequestError,
    MalformedBodyError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from chatsphere.http import json_body


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("declared", [None, "", "application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_declared_or_not(declared: str | None) -> None:
    json_body.require_json(declared)


@pytest.mark.parametrize(
    "declared",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"],
)
def test_every_other_type_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        json_body.require_json(declared)


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert json_body.decode_text(b"\xef\xbb\xbf{}") == "{}"


def test_what_is_no_utf8_is_malformed() -> None:
    with pytest.raises(MalformedBodyError):
        json_body.decode_text(b'{"name": "\xff"}')


def test_a_body_past_the_limit_is_too_large() -> None:
    json_body.decode_text(b" " * json_body.MAX_BODY_BYTES)
    with pytest.raises(PayloadTooLargeError):
        json_body.decode_text(b" " * (json_body.MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        "{} {}",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": ' + "9" * 5000 + "}",
        "[" * 10_000 + "]" * 10_000,
        "[" * 100_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        nested(json_body.MAX_DEPTH + 1),
    ],
)
def test_what_is_no_reasonable_json_is_malformed(text: str) -> None:
    with pytest.raises(MalformedBodyError):
        json_body.parse_object(text)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert json_body.parse_object(nested(json_body.MAX_DEPTH))


@pytest.mark.parametrize("text", ["null", "[]", "[{}]", '"text"', "1", "true"])
def test_json_that_is_no_object_is_invalid_and_not_malformed(text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        json_body.parse_object(text)
    assert not isinstance(refused.value, MalformedBodyError)
    assert [error.pointer for error in refused.value.errors] == ["body"]
