"""Time-based one-time passwords (RFC 6238) and the recovery codes that stand in for them."""

import hashlib
import secrets
from datetime import datetime
from typing import Final

WINDOW: Final = 1
"""How many time steps of 30 s a code may be early or late: clocks differ, and people type slowly."""

RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstvwxyz23456789"
_GROUPS: Final = 4
_GROUP: Final = 4


def new_secret() -> str:
    """Return a new secret of 160 bits in base32, as authenticator apps take it."""
    import pyotp

    return pyotp.random_base32()


def otpauth_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth://` URI that apps read from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def time_step(secret: str, code: str, *, now: datetime) -> int | None:
    """Return the time step whose code this is, None where it is no code of these minutes."""
    import pyotp

    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=WINDOW)
    except pyotp.OTPVerificationError:
        return None


def new_recovery_codes() -> list[str]:
    """Return ten codes of 78 random bits each, such as `k3mf-9x2a-hq7w-zz4c`."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def recovery_code_hash(code: str) -> bytes:
    """Return what is kept of a recovery code, however it is typed. With so many random bits a slow hash is no gain."""
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).digest()


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))
