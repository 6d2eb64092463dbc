"""What the mail queue carries: which mail is wanted, never its text and never a token.

A route only asks for a mail. Whom it goes to, and its single-use token, are `send_mail`'s to find and make: so asking
takes the same work whether or not somebody has the address.
"""

import hashlib
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chatsphere.db.origin import current_origin
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.queues import MessageQueue


class MailMessage(BaseModel):
    """Base of all messages; each class is a kind of mail."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return what is sent."""
        return {"kind": self.kind, **self.model_dump(mode="json")}


class VerifyEmail(MailMessage):
    """Let a person prove the address of their account."""

    kind = "verify_email"
    user_id: UUID


class ResetPassword(MailMessage):
    """Let whoever has this address choose a new password, if somebody has it."""

    kind = "reset_password"
    email: str


class ChangeEmail(MailMessage):
    """Let a person prove an address that is to be their account's."""

    kind = "change_email"
    user_id: UUID
    email: str


class EmailChanged(MailMessage):
    """Tell the former address that the account has another now."""

    kind = "email_changed"
    former_email: str


class PasswordChanged(MailMessage):
    """Tell a person that their password was changed."""

    kind = "password_changed"
    user_id: UUID


class MfaEnabled(MailMessage):
    """Tell a person that logging in takes a second factor now."""

    kind = "mfa_enabled"
    user_id: UUID


class MfaDisabled(MailMessage):
    """Tell a person that logging in takes no second factor any more."""

    kind = "mfa_disabled"
    user_id: UUID


def ask_for(mail: MailMessage, queue: MessageQueue) -> None:
    """Have a mail sent.

    Raises:
        UnavailableError: the queue does not answer.
    """
    # One client's backlog does not delay the others': the queue is fair between groups.
    group = hashlib.sha256((current_origin().address or "").encode()).hexdigest()
    queue.send([mail.to_json()], group=group)


def announce(mail: MailMessage, queue: MessageQueue) -> None:
    """Have a mail sent about what is done already; that it cannot be is logged and changes nothing."""
    try:
        ask_for(mail, queue)
    except UnavailableError as error:
        logger.warning("mail not asked for", kind=mail.kind, code=error.code)
