"""Names under which clients ask for a bot: its own within the organization, fit for a URL, never of an id's form."""

import re
import unicodedata
from typing import Final
from uuid import UUID

from chatsphere.bots import queries
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError

FORM: Final = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
"""Also the database's: see migration 0017."""

MADE_CHARS: Final = 48
"""So many of a bot's name at most: a suffix must fit, too."""

_ID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


class SlugTakenError(ConflictError):
    """Another bot of the organization has the slug."""

    code = "slug_taken"
    title = "Another bot has this slug"


def has_id_form(slug: str) -> bool:
    """Return whether the text would be read as a bot's id."""
    return _ID.fullmatch(slug) is not None


def slug_of(name: str) -> str:
    """Return the slug that a name suggests, `bot` where it suggests none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MADE_CHARS].strip("-") or "bot"
    return f"bot-{slug}" if has_id_form(slug) else slug


def free_slug(connection: Connection, name: str, bot_id: UUID) -> str:
    """Return a slug for a bot of this name: what the name suggests, or where another bot has that, with a suffix."""
    slug = slug_of(name)
    connection.execute(queries.HOLD_SLUG, {"slug": slug})
    if connection.execute(queries.SLUG_TAKEN, {"slug": slug, "id": bot_id}).fetchone() is None:
        return slug
    return f"{slug}-{bot_id.hex[-12:]}"
