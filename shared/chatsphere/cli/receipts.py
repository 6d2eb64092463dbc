"""Receipts of erasures: whether they are what the API signed, and about whom."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from chatsphere.cli.errors import CliError, UnreachableError, UsageError

ALGORITHM: Final = "ES256"
TYPE: Final = "chatsphere-erasure+jws"
SECONDS: Final = 10.0


class ReceiptError(CliError):
    """The receipt is not what the API signed, or not about what was named."""

    default_code = "receipt_not_valid"


def published_keys(api: str) -> Mapping[str, Any]:
    """Return the keys that the API publishes; those of former receipts are among them.

    Raises:
        UnreachableError: it does not answer, or with something else.
    """
    try:
        answer = httpx.get(f"{api}/.well-known/jwks.json", timeout=SECONDS)
        answer.raise_for_status()
        keys: Mapping[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        raise UnreachableError(f"{api} does not show its keys.") from None
    return keys


def signed_receipt(text: str) -> str:
    """Return the JWS in a file: alone, or as the API and `erasure show --json` show it.

    Raises:
        UsageError: there is none in it.
    """
    try:
        content = json.loads(text)
    except ValueError:
        return text.strip()
    found = content.get("signed_receipt") if isinstance(content, dict) else None
    if not isinstance(found, str):
        raise UsageError("The file holds no signed receipt.", hint="Save `chatsphere erasure show ID --json`.")
    return found


def verified(signed: str, keys: Mapping[str, Any], subject: str | None = None) -> dict[str, Any]:
    """Return what a receipt says that one of the keys has signed; about this subject, where one is named.

    Raises:
        ReceiptError: it was changed, signed by others, is no receipt, or about something else.
    """
    # Late: only this command needs it.
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        known = [*keys["keys"], *keys.get("receipt_keys", [])]
        read = jws.deserialize_compact(signed, KeySet.import_key_set({"keys": known}), [ALGORITHM])
        content: dict[str, Any] = json.loads(read.payload)
        is_receipt = read.headers().get("typ") == TYPE
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ReceiptError("The signature does not fit: it was changed, or signed by somebody else.") from None
    if not is_receipt:
        raise ReceiptError("It is signed, and no receipt of an erasure.")
    if subject is not None and not _is_about(content, subject):
        raise ReceiptError("The receipt is genuine, and about something else.")
    return content


def _is_about(content: Mapping[str, Any], subject: str) -> bool:
    mark = content.get("subject") or {}
    return hashlib.sha256((mark.get("salt", "") + subject).encode()).hexdigest() == mark.get("sha256")
