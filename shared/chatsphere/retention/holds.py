"""Legal holds: what must not be deleted, by whomever, until it is released.

Whoever deletes asks `refuse_if_held`, or one of its kin, in the transaction that deletes, before it takes any other
lock: a hold that is being made meanwhile waits for that transaction's end, or is waited for. So of a hold and a
deletion at the same time one comes first, and the other sees it.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import LegalHoldError

LOCK: Final = "SELECT app.lock_holds(app.current_organization(), %(alone)s)"
"""Share the right to delete with others, or be alone with the right to hold, until the transaction ends."""

LOCK_OF: Final = """
    SELECT app.lock_holds(id, false) FROM unnest(%(organizations)s::uuid[]) AS locked (id) ORDER BY id
"""
"""Share it in several organizations."""

HELD_ORGANIZATION: Final = """
    SELECT 1 FROM legal_holds
    WHERE organization_id = ANY (%(organizations)s) AND released_at IS NULL LIMIT 1
"""
"""Whether something of an organization is held: with the organization it would go."""

HELD: Final = """
    SELECT h.subject FROM legal_holds h
    LEFT JOIN conversations c ON c.organization_id = app.current_organization() AND c.id = h.conversation_id
    WHERE h.organization_id = app.current_organization() AND h.released_at IS NULL
      AND (h.subject = 'organization'
           OR %(bot_id)s::uuid IS NULL
           OR (h.bot_id = %(bot_id)s
               AND (h.subject = 'bot'
                    OR CASE WHEN %(end_user_id)s::text IS NULL THEN %(within)s
                            ELSE h.end_user_id = %(end_user_id)s OR c.end_user_id = %(end_user_id)s END)))
    ORDER BY h.id LIMIT 1
"""
"""A hold on a bot, or on what of it would be deleted: all (`within`), or an end user's conversations."""

HELD_CONVERSATION: Final = """
    SELECT h.subject FROM conversations c
    JOIN legal_holds h ON h.organization_id = c.organization_id
        AND h.id = app.hold_on(c.id, c.bot_id, c.end_user_id)
    WHERE c.organization_id = app.current_organization() AND c.id = %(conversation_id)s
"""
"""The hold that keeps a conversation."""


def lock_holds(connection: Connection, *, alone: bool = False) -> None:
    """Let nobody make or release a hold, or change a policy, until the transaction ends; `alone`: nor delete."""
    connection.execute(LOCK, {"alone": alone})


def refuse_if_held(
    connection: Connection,
    *,
    bot_id: UUID | None = None,
    conversation_id: UUID | None = None,
    end_user_id: str | None = None,
) -> None:
    """Let a deletion pass, and no hold come before it has ended: of a conversation; of what an end user of a bot said;
    of a bot with all that belongs to it; or, where nothing is named, of the tenant's organization.

    Raises:
        LegalHoldError: it is held, or something that would go with it.
    """
    lock_holds(connection)
    if conversation_id is not None:
        row = connection.execute(HELD_CONVERSATION, {"conversation_id": conversation_id}).fetchone()
    else:
        row = connection.execute(HELD, {"bot_id": bot_id, "end_user_id": end_user_id, "within": True}).fetchone()
    if row is not None:
        raise _held(row["subject"])


def refuse_document_if_held(connection: Connection, bot_id: UUID) -> None:
    """As `refuse_if_held` for a document of a bot: holds on conversations are not about it."""
    lock_holds(connection)
    row = connection.execute(HELD, {"bot_id": bot_id, "end_user_id": None, "within": False}).fetchone()
    if row is not None:
        raise _held(row["subject"])


def is_document_held(connection: Connection, bot_id: UUID) -> bool:
    """Return whether a document of a bot must stay, for those who have nobody to refuse it to."""
    try:
        refuse_document_if_held(connection, bot_id)
    except LegalHoldError:
        return True
    return False


def refuse_organizations_if_held(connection: Connection, organizations: Sequence[UUID]) -> None:
    """As `refuse_if_held` for several organizations, as who proved who they are: the authenticator."""
    values = {"organizations": list(organizations)}
    connection.execute(LOCK_OF, values)
    if connection.execute(HELD_ORGANIZATION, values).fetchone():
        raise _held("organization")


def _held(subject: str) -> LegalHoldError:
    words = subject.replace("_", " ")
    return LegalHoldError(f"A legal hold (of the kind {words}) keeps this from being deleted; release it first.")
