"""Signed receipts: anybody can see who made one, that nobody changed it, and which subject it is about.

A receipt is signed once, with the key that signs access tokens when it is first asked for, and kept with its signature;
the public key is kept, too, and published for good. So a receipt can be verified after the key was rotated out, while
no access token can be made, or is accepted, with a key that is retired.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection, Database
from chatsphere.ports.credentials import ReceiptSigner
from chatsphere.ports.system import Clock
from chatsphere.privacy.model import Erasure

KEEP_KEY: Final = """
    INSERT INTO receipt_keys (id, jwk, first_used_at) VALUES (%(id)s, %(jwk)s, %(now)s) ON CONFLICT (id) DO NOTHING
"""

KEEP_SIGNED: Final = """
    UPDATE erasures SET signed_receipt = %(signed)s
    WHERE id = %(id)s AND signed_receipt IS NULL AND status = 'done' AND receipt = %(receipt)s
    RETURNING signed_receipt
"""
"""Keep it, unless somebody was first, or there is more to say by now."""

KEYS: Final = "SELECT jwk FROM receipt_keys ORDER BY first_used_at, id"


def signed(erasure: Erasure, signer: ReceiptSigner, database: Database, clock: Clock) -> Erasure:
    """Return the erasure with its receipt as JWS, if there is a receipt. `database` is the authenticator's."""
    if erasure.receipt is None or erasure.signed_receipt is not None:
        return erasure
    made = signer.sign(content(erasure))
    key = {"id": made.key["kid"], "jwk": Jsonb(dict(made.key)), "now": clock.now()}
    values = {"id": erasure.id, "signed": made.text, "receipt": Jsonb(dict(erasure.receipt))}
    with database.transaction(None) as connection:
        # First: nothing is given out that nobody can verify later.
        connection.execute(KEEP_KEY, key)
        connection.execute(KEEP_SIGNED, values)
    return replace(erasure, signed_receipt=made.text)


def content(erasure: Erasure) -> dict[str, Any]:
    """Return what is signed."""
    assert erasure.receipt is not None
    about = {"salt": erasure.subject_salt, "sha256": erasure.subject_hash} if erasure.subject_hash else None
    return {
        "erasure_id": str(erasure.id),
        "kind": erasure.kind,
        "organization_id": None if erasure.tenant_id is None else str(erasure.tenant_id),
        "bot_id": None if erasure.bot_id is None else str(erasure.bot_id),
        "subject": about,
        "requested_at": erasure.requested_at.isoformat(),
        "finished_at": None if erasure.finished_at is None else erasure.finished_at.isoformat(),
        "receipt": dict(erasure.receipt),
    }


def receipt_keys(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the public keys (JWK) that ever signed a receipt, the oldest first."""
    return [row["jwk"] for row in connection.execute(KEYS)]
