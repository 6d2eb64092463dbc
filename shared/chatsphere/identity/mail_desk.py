"""Where mails are written and sent, each from a message of the queue.

A message that is delivered twice sends two mails with a token each, and both are valid: a mail too many is better than
none. A crash between storing a token and sending its mail leaves a token that nobody knows, until it expires.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

from chatsphere.db.database import Connection, Database
from chatsphere.errors import MailRejectedError
from chatsphere.identity import single_use_tokens
from chatsphere.identity.mail_messages import MailMessage
from chatsphere.identity.single_use_tokens import TokenRequest
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.mail import Mail, Mailer
from chatsphere.ports.system import Clock, Ids
from chatsphere.settings import AccountSettings

MAILS_AN_HOUR: Final = 5
"""How many mails with a token for one purpose a person, or an address that is to be somebody's, is sent in an hour:
nobody can flood another's mailbox."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What writing a mail needs. `database` is the authenticator's; `link_base` is the page that takes tokens."""

    database: Database
    ids: Ids
    clock: Clock
    settings: AccountSettings
    link_base: str | None = None

    def token(self, connection: Connection, request: TokenRequest) -> str | None:
        """Store a single-use token and return its text; None where the person was sent enough of them."""
        now = self.clock.now()
        since = now - timedelta(hours=1)
        if single_use_tokens.recent(connection, request, since=since) >= MAILS_AN_HOUR:
            logger.warning("mail held back: too many in an hour", purpose=request.purpose.value)
            return None
        return single_use_tokens.issue(connection, request, ids=self.ids, now=now)

    def instruction(self, page: str, route: str, token: str) -> str:
        """Return the lines that tell how to use a token: a link to a page, or the route that takes it."""
        if self.link_base is not None:
            return f"Open this link:\n\n    {self.link_base.rstrip('/')}/{page}?token={token}"
        return f"Your token, for {route}:\n\n    {token}"


Message = TypeVar("Message", bound=MailMessage)
Writer = Callable[[Message, Desk], Mail | None]
"""Writes the mail that a message asks for; None where there is nobody, or nothing, to write to."""


class MailRoom:
    """Sends what the queue asks for. A kind of mail is a message's class and its writer."""

    def __init__(self, desk: Desk, mailer: Mailer) -> None:
        self._desk = desk
        self._mailer = mailer
        self._kinds: dict[str, tuple[type[MailMessage], Writer[Any]]] = {}

    def add(self, message: type[Message], writer: Writer[Message]) -> None:
        """Let the room send another kind of mail."""
        self._kinds[message.kind] = (message, cast("Writer[Any]", writer))

    def send(self, body: Mapping[str, Any]) -> None:
        """Send the mail that a message asks for; one that the provider refuses for good is dropped.

        Raises:
            ValueError: it is no message of a known kind.
            UnavailableError: it may succeed later.
        """
        kind = body.get("kind")
        if not isinstance(kind, str) or kind not in self._kinds:
            raise ValueError("the message asks for no kind of mail that is known")
        message, writer = self._kinds[kind]
        mail = writer(message.model_validate(body), self._desk)
        if mail is None:
            logger.info("no mail to send", kind=kind)
            return
        try:
            # Names that people chose may stand in it; a header is one line.
            self._mailer.send(replace(mail, subject=" ".join(mail.subject.split())))
        except MailRejectedError:
            logger.error("mail rejected", kind=kind)
            record(Metric.MAILS_REJECTED)
            return
        record(Metric.MAILS_SENT)
