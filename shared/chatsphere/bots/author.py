"""Who makes or changes a bot."""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.access.permissions import BotLevel
from chatsphere.access.verified_email import require_verified_email
from chatsphere.db.database import Connection
from chatsphere.errors import InsufficientPermissionError


@dataclass(frozen=True, slots=True)
class Author:
    """A person or one of their keys. `level` is theirs on the bot; who makes one manages it.

    `must_be_verified`: whether only a verified mail address may show a bot to everybody.
    """

    user_id: UUID
    level: BotLevel
    must_be_verified: bool

    def check_state_change(self, connection: Connection, visibility: str) -> None:
        """Raise unless the author may change who sees the bot, or whether it answers.

        Raises:
            InsufficientPermissionError: that takes `manage`.
            EmailNotVerifiedError: the bot will be public, and the author's mail address was not verified.
        """
        if self.level < BotLevel.MANAGE:
            raise InsufficientPermissionError("Changing `visibility` or `is_active` takes the permission manage.")
        if visibility == "public":
            self.check_publishing(connection)

    def check_publishing(self, connection: Connection) -> None:
        """Raise unless the author may show a bot to everybody.

        Raises:
            EmailNotVerifiedError: the author's mail address was not verified.
        """
        if self.must_be_verified:
            require_verified_email(connection, self.user_id)
