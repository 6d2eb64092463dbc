from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged


class Inner(BaseModel):
    text: str


class Body(ApiRequest):
    name: str = ""
    inner: Inner | None = None
    anything: dict[str, Any] | None = None


class Patch(ApiRequest):
    name: str = unchanged()
    avatar: str | None = unchanged()


class Shown(ApiResponse):
    id: str
    at: datetime
    until: datetime | None = None


def codes(refused: pytest.ExceptionInfo[ValidationError]) -> list[tuple[str, str]]:
    return [("/".join(map(str, error["loc"])), error["type"]) for error in refused.value.errors()]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "ok\udfff"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", lambda text: text),
        ("inner", lambda text: {"text": text}),
        ("anything", lambda text: {"a": [{"b": ["c", text]}]}),
        ("anything", lambda text: {"a": {text: 1}}),
    ],
)
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(field: str, value: Any, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({field: value(text)})
    assert codes(refused) == [(field, "unstorable_text")]


def test_an_infinite_number_is_refused_where_any_value_may_stand() -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({"anything": {"a": [float("inf")]}})
    assert codes(refused) == [("anything", "infinite_number")]


def test_text_beyond_the_basic_plane_is_storable() -> None:
    assert Body.model_validate({"name": "Ünïcödé 🚀\u202e\x01"}).name == "Ünïcödé 🚀\u202e\x01"


def test_a_deep_value_is_read_without_recursion() -> None:
    deep: Any = "end"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({"name": deep})
    assert codes(refused) == [("name", "string_type")]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({"nmae": "x"})
    assert codes(refused) == [("nmae", "extra_forbidden")]


def test_a_patch_tells_what_was_left_out_from_what_was_set_to_null() -> None:
    assert Patch.model_validate({}).model_dump(exclude_unset=True) == {}
    assert Patch.model_validate({"avatar": None}).model_dump(exclude_unset=True) == {"avatar": None}
    with pytest.raises(ValidationError) as refused:
        Patch.model_validate({"name": None})
    assert codes(refused) == [("name", "string_type")]


def test_a_patch_shows_no_default_that_it_would_not_write() -> None:
    assert "default" not in str(Patch.model_json_schema())


def test_times_are_answered_in_utc_whatever_the_session_speaks() -> None:
    class Row:
        id = str(uuid4())
        at = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
        until = datetime(2026, 1, 1, tzinfo=UTC)

    shown = Shown.model_validate(Row()).model_dump(mode="json")

    assert shown["at"] == "2026-07-01T10:00:00Z"
    assert shown["until"] == "2026-01-01T00:00:00Z"


def test_the_base_changes_no_configuration_of_its_heirs() -> None:
    class Titled(ApiRequest):
        model_config = ConfigDict(title="Other")

    assert Titled.model_config["extra"] == "forbid"
