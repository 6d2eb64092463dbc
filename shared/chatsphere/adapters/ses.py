"""`Mailer` on Amazon Simple Email Service (API version 2), or anything that speaks its protocol."""

from functools import cached_property
from typing import Any, Final

from chatsphere.errors import MailRejectedError, UnavailableError
from chatsphere.ports.mail import Mail
from chatsphere.settings import MailSettings

REJECTED: Final = frozenset({"MessageRejected", "BadRequestException"})
"""What SES answers about this very mail. Everything else is about the account, and may be put right."""


class SesMailer:
    """The `Mailer` port; connects when first used."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    def send(self, mail: Mail) -> None:
        """See `Mailer.send`."""
        from botocore.exceptions import BotoCoreError, ClientError

        content = {
            "Simple": {
                "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": mail.text, "Charset": "UTF-8"}},
            }
        }
        try:
            self._client.send_email(
                FromEmailAddress=self._settings.mail_from,
                Destination={"ToAddresses": [mail.to]},
                Content=content,
                **self._options(),
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in REJECTED:
                raise MailRejectedError from None
            raise UnavailableError("The mail service does not take the mail.") from None
        except BotoCoreError:
            raise UnavailableError("The mail service does not answer.") from None

    def _options(self) -> dict[str, str]:
        chosen = self._settings.ses_configuration_set
        return {} if chosen is None else {"ConfigurationSetName": chosen}

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        # A try that timed out may have been sent: no more than one more, and the queue tries again anyway.
        config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
        return get_session().create_client("sesv2", endpoint_url=self._settings.ses_endpoint, config=config)
