"""The mail that invites somebody, and the only place where an invitation's token is ever in the clear."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.identity.mail_desk import MAILS_AN_HOUR, Desk, MailRoom
from chatsphere.identity.mail_messages import MailMessage
from chatsphere.identity.opaque_tokens import new_single_use_token
from chatsphere.observability import logger
from chatsphere.organizations import invitation_queries as queries
from chatsphere.ports.mail import Mail

OF_ALL_AN_HOUR: Final = 4 * MAILS_AN_HOUR
"""How many invitations an address is sent in an hour by all organizations; each sends `MAILS_AN_HOUR` at most."""

SHOWN: Final = 80
"""How many characters of a name that somebody chose stand in a mail to a stranger."""


class InvitationMail(MailMessage):
    """Send an invitation its token; one that was mailed before is void then."""

    kind = "invitation"
    invitation_id: UUID


def add_invitation_mail(room: MailRoom) -> None:
    """Let the room send invitations."""
    room.add(InvitationMail, invitation)


def invitation(message: InvitationMail, desk: Desk) -> Mail | None:
    """Write to the address that was invited, while the invitation is open."""
    now = desk.clock.now()
    since = now - timedelta(hours=1)
    with desk.database.transaction(None) as connection:
        row = connection.execute(queries.INVITATION_TO_MAIL, {"id": message.invitation_id, "now": now}).fetchone()
        if row is None:
            return None
        if _sent_enough(connection, row, since):
            logger.warning("mail held back: too many in an hour", purpose=message.kind)
            return None
        secret = new_single_use_token(message.invitation_id)
        values = {"id": message.invitation_id, "hash": secret.hash, "now": now, "since": since}
        connection.execute(queries.MAIL_INVITATION, values)
    how = desk.instruction("accept-invitation", "POST /v1/invitations/accept", secret.text)
    name = _shown(row["organization"])
    who = f"{row['inviter']} invites you" if row["inviter"] else "You are invited"
    text = (
        f'Hello,\n\n{who} to the organization "{name}" on ChatSphere, as {row["role"]}. To accept, log in or register,'
        f" and then:\n\n{how}\n\nIt works once, until {row['expires_at']:%Y-%m-%d %H:%M} UTC. If you expect no"
        " invitation, you can ignore this mail.\n\nChatSphere\n"
    )
    return Mail(row["email"], f'Invitation to "{name}"', text)


def _sent_enough(connection: Connection, invitation: dict[str, Any], since: datetime) -> bool:
    values = {"email": invitation["email"], "organization_id": invitation["organization_id"], "since": since}
    row = connection.execute(queries.MAILED_LATELY, values).fetchone()
    return row is not None and (row["by_organization"] >= MAILS_AN_HOUR or row["by_all"] >= OF_ALL_AN_HOUR)


def _shown(name: str) -> str:
    """Return a name as it cannot end its quotation, nor hide or turn around what comes after it."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    text = " ".join(printable.replace('"', "'").split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
