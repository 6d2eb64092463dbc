"""A deployment without a sender of mail."""

import pytest

from chatsphere.bootstrap import Container
from chatsphere.errors import MailRejectedError
from chatsphere.ports.mail import Mail


def test_every_mail_is_rejected_for_good() -> None:
    mailer = Container({"MAILER": "none"}).mailer

    with pytest.raises(MailRejectedError):
        mailer.send(Mail("ada@example.com", "Hello", "Text"))
