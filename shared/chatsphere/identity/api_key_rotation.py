"""The rotation of a key: another takes its place, and both work until it is in use everywhere."""

from datetime import datetime, timedelta
from uuid import UUID

from chatsphere.access.principal import Principal
from chatsphere.billing.quotas import Quota, require_room
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, ForbiddenError
from chatsphere.identity import api_key_queries as queries
from chatsphere.identity.api_key_rules import check_scopes
from chatsphere.identity.api_keys import AlreadyRotatedError, get, insert, own_expiry
from chatsphere.identity.model import NewApiKey


class KeyExpiredError(ConflictError):
    """The key has expired; what takes its place would have, too."""

    code = "key_expired"
    title = "The API key has expired"


def rotate(
    connection: Connection, caller: Principal, key_id: UUID, *, overlap: timedelta, new_id: UUID, now: datetime
) -> NewApiKey:
    """Make a key with the same settings; the old one expires when the overlap ends, or before if it would have.

    Raises:
        QuotaExceededError: the plan permits no more keys, and for a while there are both.
        NotFoundError: the caller manages no such key.
        ForbiddenError: it is another person's, and whoever knows a key acts as its maker; or it grants more, or for
            longer, than the key that is asking.
        AlreadyRotatedError: it was rotated before, or is at this moment by somebody else.
        KeyExpiredError: it has expired.
    """
    require_room(connection, Quota.API_KEYS)
    # Held, so that of two rotations, or of a rotation and a change, the second sees what the first has done.
    key = get(connection, key_id, caller=caller, hold=True)
    if key.created_by != caller.user_id:
        raise ForbiddenError("Only who made a key may rotate it: the new one acts as they do.")
    check_scopes(caller, key.scopes)
    own = own_expiry(connection, caller)
    if own is not None and (key.expires_at is None or key.expires_at > own):
        raise ForbiddenError("A key cannot outlive the key that makes it.")
    if key.rotated_to is not None:
        raise AlreadyRotatedError
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyExpiredError
    connection.execute(queries.REPLACE, {"id": key_id, "rotated_to": new_id, "last_moment": now + overlap})
    return insert(connection, caller, key.settings, key_id=new_id, now=now)
