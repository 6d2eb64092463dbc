import pytest

from chatsphere.errors import InvalidRequestError
from chatsphere.identity.emails import normalized_email


@pytest.mark.parametrize(
    "address",
    ["ada@example.com", "a.b+c@sub.example.co.uk", "O'Neil@example.org", "x@xn--bcher-kva.example", "1@a-b.io"],
)
def test_an_address_is_kept_as_it_was_written(address: str) -> None:
    assert normalized_email(f"  {address}\n") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@example.123",
        "a b@example.com",
        "ada@exam ple.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@example.com.",
        "ada@[127.0.0.1]",
        '"ada"@example.com',
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@ex\u0430mple.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.com",
        f"a@{'b.' * 160}com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        normalized_email(text)
    assert [error.code for error in refused.value.errors] == ["invalid_email"]
