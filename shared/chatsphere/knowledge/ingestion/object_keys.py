"""Keys of the uploads bucket: `{organization_id}/{bot_id}/{name…}`. The name is kept exactly as given."""

import unicodedata
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from chatsphere.errors import FieldError
from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.ports.vectors import Namespace

MAX_KEY_BYTES: Final = 1024

_FORM_VARIABLE: Final = "${filename}"
"""In a presigned form S3 replaces this by the name of the file that is sent."""


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """A key that names a place for a document; whether such a bot exists is another question."""

    organization_id: UUID
    bot_id: UUID
    name: str

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read a key.

        Raises:
            InvalidNameError: it is not of ChatSphere's form, or the name in it cannot be a document's.
        """
        organization, _, rest = key.partition("/")
        bot, _, name = rest.partition("/")
        made = cls(_canonical_uuid(organization), _canonical_uuid(bot), name)
        made.check()
        return made

    def check(self) -> None:
        """Raise `InvalidNameError` unless the name can be a document's."""
        if problem := _problem(self.name) or ("is too long" if len(str(self).encode()) > MAX_KEY_BYTES else None):
            detail = f"The name {problem}."
            raise InvalidNameError(detail, (FieldError("name", InvalidNameError.code, detail),))

    @property
    def namespace(self) -> Namespace:
        """Where the bot's vectors are."""
        return Namespace(self.organization_id, self.bot_id)

    def __str__(self) -> str:
        return f"{prefix(self.organization_id, self.bot_id)}{self.name}"


def prefix(organization_id: UUID, bot_id: UUID) -> str:
    """Return what the keys of all of a bot's objects begin with."""
    return f"{organization_id}/{bot_id}/"


def _problem(name: str) -> str | None:
    if not name.strip() or name.endswith("/"):
        return "is empty"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "holds a control character"
    if ".." in name.split("/"):
        return "holds a `..` segment"
    return f"holds {_FORM_VARIABLE}" if _FORM_VARIABLE in name else None


def _canonical_uuid(text: str) -> UUID:
    """Read a UUID as ChatSphere writes it: the same bot must not have two keys for one name."""
    try:
        value = UUID(text)
    except ValueError:
        value = None
    if value is None or str(value) != text:
        raise InvalidNameError("The key does not begin with an organization and a bot.")
    return value
