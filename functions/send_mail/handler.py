"""Writes and sends mails."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.identity.account_mails import add_account_mails
from chatsphere.identity.mail_desk import Desk, MailRoom
from chatsphere.observability import Metric
from chatsphere.organizations.invitation_mail import add_invitation_mail
from chatsphere.queue_batches import process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of mail messages."""
    c = container()
    desk = Desk(c.authenticator_database, c.ids, c.clock, c.account_settings, c.mail_settings.mail_link_base)
    room = MailRoom(desk, c.mailer)
    add_account_mails(room)
    add_invitation_mail(room)
    return process_batch(event, lambda delivery: room.send(delivery.body), Metric.MAIL_TIME)
