"""`Mailer` that writes each mail into a folder, as a file that mail programs open."""

import os
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from chatsphere.errors import ConfigurationError, MailRejectedError, UnavailableError
from chatsphere.ports.mail import Mail
from chatsphere.settings import MailSettings

SUFFIX = ".eml"


class FileMailer:
    """The `Mailer` port for one machine: one `.eml` a mail, whole or not there, readable by its owner only."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    def send(self, mail: Mail) -> None:
        """See `Mailer.send`."""
        content = _message(mail, self._settings.mail_from)
        folder = self._folder()
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S.%f}-{os.urandom(4).hex()}"
        part = folder / f".{name}.part"
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            part.rename(folder / f"{name}{SUFFIX}")
        except OSError:
            part.unlink(missing_ok=True)
            raise UnavailableError("The mail folder cannot be written to.") from None

    def _folder(self) -> Path:
        if self._settings.mail_folder is None:
            raise ConfigurationError("MAIL_FOLDER is not set.")
        folder = Path(self._settings.mail_folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise UnavailableError("The mail folder cannot be made.") from None
        return folder


def _message(mail: Mail, sender: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
    except ValueError:
        # A line break in a header would begin another one.
        raise MailRejectedError("An address or the subject cannot stand in a header.") from None
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="chatsphere.invalid")
    # A token must stand on one line, so that it can be copied from the file.
    message.set_content(mail.text, cte="8bit")
    return message.as_bytes()
