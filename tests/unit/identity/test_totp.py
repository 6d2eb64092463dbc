from datetime import UTC, datetime

import pytest

from chatsphere.identity import totp

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""RFC 6238's key, "12345678901234567890" in base32."""


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(second: int, code: str) -> None:
    now = datetime.fromtimestamp(second, UTC)

    assert totp.time_step(SECRET, code, now=now) == second // 30


@pytest.mark.parametrize("code", ["", "287083", "28708", "2870822", "é🚀", "-87082"])
def test_another_code_is_none(code: str) -> None:
    assert totp.time_step(SECRET, code, now=datetime.fromtimestamp(59, UTC)) is None


def test_a_secret_has_160_bits_and_is_new_each_time() -> None:
    secrets = {totp.new_secret() for _ in range(50)}

    assert {len(secret) for secret in secrets} == {32}
    assert len(secrets) == 50


def test_recovery_codes_can_be_read_aloud_and_differ() -> None:
    codes = [code for _ in range(20) for code in totp.new_recovery_codes()]

    assert len(set(codes)) == 200
    assert {len(code) for code in codes} == {19}
    assert not set("ilou01") & set("".join(codes))


def test_a_recovery_code_is_the_same_however_it_is_typed() -> None:
    code = totp.new_recovery_codes()[0]

    assert totp.recovery_code_hash(code) == totp.recovery_code_hash(f" {code.upper().replace('-', '')}\n")
    assert totp.recovery_code_hash(code) != totp.recovery_code_hash(code[:-1])
