"""Opaque credentials: how they are written, checked for typing errors and hashed.

A refresh token is `csr_<id>_<secret>`, a single-use token `cst_<id>_<secret>`, an API key
`cs_live_<id>_<secret><checksum>`. The id finds the row, the SHA-256 of the whole text proves the secret: with 190 and
more random bits there is nothing to guess, so a slow hash would only cost time.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from uuid import UUID

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_API_KEY = re.compile(r"(cs_live_[0-9A-Za-z]{16})_[0-9A-Za-z]{32}([0-9A-Za-z]{6})")
_REFRESH_TOKEN = re.compile(r"csr_([0-9a-f]{32})_[0-9A-Za-z]{43}")
_SINGLE_USE_TOKEN = re.compile(r"cst_([0-9a-f]{32})_[0-9A-Za-z]{43}")

API_KEY_MARK = "cs_live_"


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential's text, and what of it may be stored."""

    text: str
    hash: bytes


def new_api_key() -> tuple[str, Secret]:
    """Return a new key's public prefix and its secret."""
    prefix = API_KEY_MARK + _random(16)
    body = f"{prefix}_{_random(32)}"
    return prefix, _secret(body + checksum(body))


def api_key_prefix(text: str) -> str | None:
    """Return the prefix that finds the key, or None where the text cannot be a key: its checksum is wrong."""
    match = _API_KEY.fullmatch(text)
    if match is None or not hmac.compare_digest(checksum(text[:-6]), match[2]):
        return None
    return match[1]


def new_refresh_token(token_id: UUID) -> Secret:
    """Return the text of the refresh token with this id."""
    return _secret(f"csr_{token_id.hex}_{_random(43)}")


def refresh_token_id(text: str) -> UUID | None:
    """Return the id in a refresh token, or None where the text cannot be one."""
    match = _REFRESH_TOKEN.fullmatch(text)
    return UUID(match[1]) if match else None


def new_single_use_token(token_id: UUID) -> Secret:
    """Return the text of the single-use token with this id: one that is mailed, or stands before a second factor."""
    return _secret(f"cst_{token_id.hex}_{_random(43)}")


def single_use_token_id(text: str) -> UUID | None:
    """Return the id in a single-use token, or None where the text cannot be one."""
    match = _SINGLE_USE_TOKEN.fullmatch(text)
    return UUID(match[1]) if match else None


def new_receipt_token() -> Secret:
    """Return the secret that shows the receipt of an erasure."""
    return _secret(f"cse_{_random(43)}")


def secret_hash(text: str) -> bytes:
    """Return what is stored of a credential."""
    return hashlib.sha256(text.encode()).digest()


def fits(text: str, stored_hash: bytes) -> bool:
    """Return whether the credential is the one whose hash is stored."""
    return hmac.compare_digest(secret_hash(text), stored_hash)


def checksum(body: str) -> str:
    """Return the CRC-32 of the text as six base62 digits."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def _random(length: int) -> str:
    return "".join(secrets.choice(BASE62) for _ in range(length))


def _secret(text: str) -> Secret:
    return Secret(text, secret_hash(text))
