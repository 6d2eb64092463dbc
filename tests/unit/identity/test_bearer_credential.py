from typing import Any

import pytest

from chatsphere.errors import MissingCredentialError, UnauthorizedError
from chatsphere.identity.authorizer import bearer_credential


@pytest.mark.parametrize(
    "event",
    [
        {"headers": {"Authorization": "Bearer abc"}},
        {"headers": {"authorization": "bearer abc"}},
        {"multiValueHeaders": {"AUTHORIZATION": [" BEARER   abc "]}, "headers": {"AUTHORIZATION": "ignored"}},
    ],
)
def test_header_and_scheme_are_read_in_any_case(event: dict[str, Any]) -> None:
    assert bearer_credential(event) == "abc"


@pytest.mark.parametrize("event", [{}, {"headers": None, "multiValueHeaders": None}, {"headers": {"X": "y"}}])
def test_no_header_is_a_missing_credential(event: dict[str, Any]) -> None:
    with pytest.raises(MissingCredentialError):
        bearer_credential(event)


@pytest.mark.parametrize(
    "values",
    [
        ["Bearer a", "Bearer b"],
        ["Bearer a", "Bearer a"],
        ["Basic YTpi"],
        ["Bearer"],
        ["Bearer  "],
        ["abc"],
        [""],
        ["Bearer é"],
    ],
)
def test_what_is_not_one_bearer_credential_is_refused(values: list[str]) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        bearer_credential({"multiValueHeaders": {"Authorization": values}})
    assert refused.value.code == "unauthorized"


def test_headers_that_differ_in_case_are_two() -> None:
    with pytest.raises(UnauthorizedError):
        bearer_credential({"multiValueHeaders": {"Authorization": ["Bearer a"], "authorization": ["Bearer b"]}})
