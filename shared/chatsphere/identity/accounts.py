"""People and their organizations: registering, and one's own profile."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import psycopg

from chatsphere.db.database import Connection, Database
from chatsphere.errors import EmailTakenError, UnauthorizedError, UsernameTakenError
from chatsphere.identity import queries
from chatsphere.identity.emails import normalized_email
from chatsphere.identity.model import Organization, Profile, User
from chatsphere.identity.passwords import require_good_password
from chatsphere.organizations.founding import Founding, found, personal_name
from chatsphere.ports.credentials import PasswordHasher
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person registers with."""

    email: str
    password: str
    first_name: str = ""
    last_name: str = ""


def register(
    registration: Registration, *, plan: str, database: Database, passwords: PasswordHasher, ids: Ids, clock: Clock
) -> Profile:
    """Make a user with an organization of their own, on the plan with this name.

    Raises:
        InvalidRequestError: the mail address is not one, or the password too easy to guess.
        EmailTakenError: somebody has registered with it.
    """
    email = normalized_email(registration.email)
    require_good_password(registration.password, email)
    # Hashing takes its time on purpose: not while a transaction is open.
    password_hash = passwords.hash(registration.password)
    name = personal_name(registration.first_name, registration.last_name, email)
    founding = Founding(ids.new(), ids.new(), name, plan, is_personal=True)
    values = {
        "email": email,
        "password_hash": password_hash,
        "first_name": registration.first_name,
        "last_name": registration.last_name,
        "now": clock.now(),
    }
    with database.transaction(founding.organization_id, founding.owner_id) as connection:
        if connection.execute(queries.INSERT_USER, {**values, "id": founding.owner_id}).rowcount == 0:
            raise EmailTakenError
        found(connection, founding, clock.now())
        return profile(connection, founding.owner_id)


def profile(connection: Connection, user_id: UUID) -> Profile:
    """Return a member of the tenant.

    Raises:
        UnauthorizedError: the membership has ended.
    """
    row = connection.execute(queries.PROFILE, {"user_id": user_id}).fetchone()
    if row is None:
        raise UnauthorizedError
    return _profile(row)


@dataclass(frozen=True, slots=True)
class Names:
    """How a person is to be called; None leaves a name as it is."""

    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None


def rename(connection: Connection, user_id: UUID, names: Names) -> Profile:
    """Change the actor's own names and return the profile.

    Raises:
        UsernameTakenError: somebody else has the username.
    """
    try:
        connection.execute(queries.UPDATE_NAMES, {"user_id": user_id, **asdict(names)})
    except psycopg.errors.UniqueViolation:
        raise UsernameTakenError from None
    return profile(connection, user_id)


def _profile(row: dict[str, Any]) -> Profile:
    return Profile(
        user=User(
            id=row["id"],
            username=row["username"],
            email=row["email"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            is_verified=row["is_verified"],
            mfa_enabled=row["mfa_enabled"],
            date_joined=row["date_joined"],
            last_login=row["last_login"],
        ),
        organization=Organization(
            id=row["organization_id"],
            name=row["organization_name"],
            plan=row["plan"],
            created_at=row["organization_created_at"],
        ),
        role=row["role"],
    )
