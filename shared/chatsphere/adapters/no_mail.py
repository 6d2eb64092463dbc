"""A deployment that has nobody to send mail as."""

from chatsphere.errors import MailRejectedError
from chatsphere.ports.mail import Mail


class NoMailer:
    """Rejects every mail, for good: sent later it would be no more welcome."""

    def send(self, mail: Mail) -> None:  # noqa: ARG002 - the port names it
        """See `Mailer.send`."""
        raise MailRejectedError("This deployment has no sender of mail.")
