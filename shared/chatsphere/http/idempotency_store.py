"""What the database knows of writes that carry an `Idempotency-Key`: who works on one, and how it was answered.

It cannot be read there which key was sent, with which request, and how it was answered: all is hashed or sealed with
the key itself, of which nothing is kept.
"""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection
from chatsphere.errors import AnswerErasedError, IdempotencyKeyReusedError, RequestInProgressError
from chatsphere.ports.vault import SecretBox

KEPT: Final = timedelta(hours=24)
EXPIRED_AT_ONCE: Final = 100

# Nothing is returned where somebody else works on it, or it is answered: then the row is locked until the end.
CLAIM: Final = """
    INSERT INTO idempotency_keys AS held (organization_id, principal_id, key_hash, request_hash, lease_token,
                                          lease_expires_at, created_at, expires_at)
    VALUES (app.current_organization(), %(principal_id)s, %(key_hash)s, %(request_hash)s, %(lease_token)s,
            %(lease_expires_at)s, %(now)s, %(expires_at)s)
    ON CONFLICT (organization_id, principal_id, key_hash) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, lease_token = EXCLUDED.lease_token, status_code = NULL, answer = NULL,
        lease_expires_at = EXCLUDED.lease_expires_at, created_at = EXCLUDED.created_at,
        expires_at = EXCLUDED.expires_at
    WHERE held.expires_at <= EXCLUDED.created_at
       OR (held.status_code IS NULL AND held.lease_expires_at <= EXCLUDED.created_at
           AND held.request_hash = EXCLUDED.request_hash)
    RETURNING lease_token
"""

HELD: Final = """
    SELECT request_hash, status_code, answer FROM idempotency_keys
    WHERE organization_id = app.current_organization() AND principal_id = %(principal_id)s
      AND key_hash = %(key_hash)s
"""

DELETE_EXPIRED: Final = """
    DELETE FROM idempotency_keys
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency_keys
        WHERE organization_id = app.current_organization() AND expires_at <= %(now)s
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""

KEEP: Final = """
    UPDATE idempotency_keys SET status_code = %(status)s, answer = %(answer)s
    WHERE organization_id = app.current_organization() AND principal_id = %(principal_id)s
      AND key_hash = %(key_hash)s AND lease_token = %(lease_token)s AND status_code IS NULL
"""

RELEASE: Final = """
    DELETE FROM idempotency_keys
    WHERE organization_id = app.current_organization() AND principal_id = %(principal_id)s
      AND key_hash = %(key_hash)s AND lease_token = %(lease_token)s AND status_code IS NULL
"""

TENANT: Final = "SELECT app.current_organization() AS id"
BECOME: Final = "SELECT app.begin_request(%s, app.current_actor(), app.current_origin())"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given first. `content_type` is None where it has no body."""

    status: int
    content_type: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A keyed request. `seal` is what its answer is sealed with; it is stored nowhere."""

    principal_id: UUID
    key_hash: bytes
    request_hash: bytes
    seal: str

    @classmethod
    def of(cls, key: str, caller: Principal, request: bytes) -> "Fingerprint":
        """Derive it; the same key of another principal has nothing in common with it."""

        def derived(purpose: bytes) -> bytes:
            return hmac.digest(key.encode(), caller.organization_id.bytes + caller.id.bytes + purpose, "sha256")

        return cls(caller.id, derived(b"key"), derived(b"request" + request), derived(b"seal").hex())


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to answer a keyed request, until it is taken over."""

    organization_id: UUID
    fingerprint: Fingerprint
    token: UUID
    box: SecretBox

    def keep(self, connection: Connection, answer: KeptAnswer) -> bool:
        """Store the answer in the connection's transaction, whosever it is; False where the lease is lost."""
        sealed = self.box.seal(json.dumps(asdict(answer)))
        with _tenant(connection, self.organization_id):
            return connection.execute(KEEP, self._own | {"status": answer.status, "answer": sealed}).rowcount == 1

    def release(self, connection: Connection) -> None:
        """Let the next request with the key be the first again, unless an answer is kept."""
        connection.execute(RELEASE, self._own)

    @property
    def _own(self) -> dict[str, object]:
        return {
            "principal_id": self.fingerprint.principal_id,
            "key_hash": self.fingerprint.key_hash,
            "lease_token": self.token,
        }


def claim(
    connection: Connection, organization_id: UUID, mark: Fingerprint, box: SecretBox, now: datetime, lease: timedelta
) -> Lease | KeptAnswer:
    """Take the request on, or return its first answer.

    Raises:
        IdempotencyKeyReusedError: the key belongs to another request.
        RequestInProgressError: the first request is still under way.
        AnswerErasedError: it was answered, and an erasure took the answer.
    """
    token = uuid4()
    values = {
        "principal_id": mark.principal_id,
        "key_hash": mark.key_hash,
        "request_hash": mark.request_hash,
        "lease_token": token,
        "lease_expires_at": now + lease,
        "now": now,
        "expires_at": now + KEPT,
    }
    if connection.execute(CLAIM, values).fetchone() is not None:
        # Last, and past what others hold: of two that hold expired rows neither waits for the other's.
        connection.execute(DELETE_EXPIRED, {"now": now, "limit": EXPIRED_AT_ONCE})
        return Lease(organization_id, mark, token, box)
    held = connection.execute(HELD, values).fetchone()
    assert held is not None, "CLAIM has locked it"
    if not hmac.compare_digest(held["request_hash"], mark.request_hash):
        raise IdempotencyKeyReusedError("This Idempotency-Key was sent with another request.")
    if held["status_code"] is None:
        raise RequestInProgressError("The first request with this Idempotency-Key is under way; ask again.")
    if held["answer"] is None:
        raise AnswerErasedError("The first request was answered, and its answer was erased since.")
    return KeptAnswer(**json.loads(box.open(held["answer"])))


@contextmanager
def _tenant(connection: Connection, organization_id: UUID) -> Iterator[None]:
    """Be another tenant for a moment: who makes an organization does so as the new one."""
    former = connection.execute(TENANT).fetchone()
    assert former is not None
    if former["id"] == organization_id:
        yield
        return
    connection.execute(BECOME, (organization_id,))
    yield
    connection.execute(BECOME, (former["id"],))
