import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from chatsphere.identity import opaque_tokens as tokens


def test_a_key_leads_back_to_its_prefix_and_only_its_hash_is_stored() -> None:
    prefix, secret = tokens.new_api_key()

    assert re.fullmatch(r"cs_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}", secret.text)
    assert tokens.api_key_prefix(secret.text) == prefix
    assert secret.hash == hashlib.sha256(secret.text.encode()).digest()
    assert tokens.fits(secret.text, secret.hash)


def test_two_keys_have_nothing_in_common() -> None:
    (prefix, secret), (other_prefix, other) = tokens.new_api_key(), tokens.new_api_key()

    assert prefix != other_prefix
    assert not tokens.fits(other.text, secret.hash)


def test_a_wrong_letter_anywhere_is_told_without_the_database() -> None:
    _, secret = tokens.new_api_key()

    for place in range(len(secret.text)):
        letter = "x" if secret.text[place] != "x" else "y"
        assert tokens.api_key_prefix(secret.text[:place] + letter + secret.text[place + 1 :]) is None


def test_scanners_find_keys_by_the_documented_pattern_and_nothing_else() -> None:
    page = Path("docs/api.md").read_text(encoding="utf-8")
    documented = re.search(r"`(\\bcs_live_[^`]+)`", page)
    assert documented
    pattern = re.compile(documented[1])
    keys = [tokens.new_api_key()[1].text for _ in range(50)]

    for key in keys:
        for around in ('API_KEY="{}"', "Authorization: Bearer {}\n", "https://x.example/?key={}&a=b", "- {}", "({})"):
            assert pattern.findall(around.format(key)) == [key]
    prefix, secret = tokens.new_api_key()
    for other in (prefix, secret.text + "x", "x" + secret.text, tokens.new_refresh_token(uuid4()).text):
        assert pattern.findall(other) == []


@pytest.mark.parametrize("text", ["", "cs_live_", "cs_live_a_b", "cs_live_" + "A" * 55, "\x00" * 63, "é" * 63])
def test_what_is_no_key_has_no_prefix(text: str) -> None:
    assert tokens.api_key_prefix(text) is None


def test_neither_a_lost_end_nor_a_line_break_passes_as_a_key() -> None:
    _, secret = tokens.new_api_key()

    assert tokens.api_key_prefix(secret.text[:-1]) is None
    assert tokens.api_key_prefix(secret.text + "\n") is None


def test_the_checksum_is_crc32_in_six_base62_digits() -> None:
    # CRC-32's check value: 0xCBF43926 for "123456789".
    digits = tokens.checksum("123456789")

    assert sum(tokens.BASE62.index(digit) * 62**power for power, digit in enumerate(reversed(digits))) == 0xCBF43926
    assert tokens.checksum("") == "000000"


def test_a_refresh_token_holds_its_id() -> None:
    token_id = uuid4()

    assert tokens.refresh_token_id(tokens.new_refresh_token(token_id).text) == token_id


@pytest.mark.parametrize("text", ["", "csr__", f"csr_{UUID(int=0).hex}_short", "x" * 10_000, "csr_\x00"])
def test_what_is_no_refresh_token_has_no_id(text: str) -> None:
    assert tokens.refresh_token_id(text) is None


def test_a_single_use_token_names_its_row_and_is_no_refresh_token() -> None:
    token_id = uuid4()

    secret = tokens.new_single_use_token(token_id)

    assert tokens.single_use_token_id(secret.text) == token_id
    assert tokens.refresh_token_id(secret.text) is None
    assert tokens.single_use_token_id(tokens.new_refresh_token(token_id).text) is None
    assert secret.hash == tokens.secret_hash(secret.text)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "a", lambda t: t.upper(), lambda t: f" {t}", lambda _: ""]
)
def test_what_is_no_single_use_token_has_no_id(change: Callable[[str], str]) -> None:
    assert tokens.single_use_token_id(change(tokens.new_single_use_token(uuid4()).text)) is None
