"""Mail to people."""

from typing import Literal

from chatsphere.settings.environment import Environment


class MailSettings(Environment):
    """Who sends mail, and what its links lead to.

    `files` writes each mail into the folder `mail_folder`, for one machine. `ses_endpoint` is set only where SES is
    not AWS's. `none` rejects every mail: a deployment without a sender. `mail_link_base` is the address of the page
    that takes `?token=…`; without one, a mail shows the token.
    """

    mailer: Literal["ses", "files", "none"] = "files"
    mail_from: str = "ChatSphere <no-reply@chatsphere.invalid>"
    mail_folder: str | None = None
    ses_endpoint: str | None = None
    ses_configuration_set: str | None = None
    mail_link_base: str | None = None
