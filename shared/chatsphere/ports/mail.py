"""Letters to people."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, as plain text."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over; a second hand-over of the same mail sends it twice.

        Raises:
            MailRejectedError: the address or the sender is refused; trying again changes nothing.
            UnavailableError: it may succeed later.
        """
        ...
