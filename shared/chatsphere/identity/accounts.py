"""People and their organizations: registering, and one's own profile."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import EmailTakenError, UnauthorizedError
from chatsphere.identity import queries
from chatsphere.identity.emails import normalized_email
from chatsphere.identity.model import Member, Organization, Profile, User
from chatsphere.ports import Clock, Ids, PasswordHasher

FIRST_PLAN = "Free"
OWNER = "owner"
MAX_ORGANIZATION_NAME = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person registers with."""

    email: str
    password: str
    first_name: str = ""
    last_name: str = ""


def register(
    registration: Registration, *, database: Database, passwords: PasswordHasher, ids: Ids, clock: Clock
) -> Profile:
    """Make a user with an organization of their own.

    Raises:
        InvalidRequestError: the mail address is not one.
        EmailTakenError: somebody has registered with it.
    """
    email = normalized_email(registration.email)
    # Hashing takes its time on purpose: not while a transaction is open.
    password_hash = passwords.hash(registration.password)
    member = Member(ids.new(), ids.new(), OWNER)
    values = {
        "email": email,
        "password_hash": password_hash,
        "first_name": registration.first_name,
        "last_name": registration.last_name,
        "now": clock.now(),
    }
    with database.transaction(member.organization_id, member.user_id) as connection:
        if connection.execute(queries.INSERT_USER, {**values, "id": member.user_id}).rowcount == 0:
            raise EmailTakenError
        _insert_organization(connection, member, _organization_name(registration, email), values)
        return profile(connection, member.user_id)


def profile(connection: Connection, user_id: UUID) -> Profile:
    """Return a member of the tenant.

    Raises:
        UnauthorizedError: the membership has ended.
    """
    row = connection.execute(queries.PROFILE, {"user_id": user_id}).fetchone()
    if row is None:
        raise UnauthorizedError
    return _profile(row)


def rename(connection: Connection, user_id: UUID, *, first_name: str | None, last_name: str | None) -> Profile:
    """Change the actor's own names, None leaves one as it is; return the profile."""
    connection.execute(queries.UPDATE_NAMES, {"user_id": user_id, "first_name": first_name, "last_name": last_name})
    return profile(connection, user_id)


def _insert_organization(connection: Connection, owner: Member, name: str, values: dict[str, Any]) -> None:
    connection.execute(
        queries.INSERT_ORGANIZATION,
        {"id": owner.organization_id, "name": name, "plan": FIRST_PLAN, "now": values["now"]},
    )
    connection.execute(
        queries.INSERT_MEMBERSHIP,
        {
            "organization_id": owner.organization_id,
            "user_id": owner.user_id,
            "role": owner.role,
            "now": values["now"],
        },
    )


def _organization_name(registration: Registration, email: str) -> str:
    full_name = f"{registration.first_name} {registration.last_name}".strip()
    return (full_name or email.partition("@")[0])[:MAX_ORGANIZATION_NAME]


def _profile(row: dict[str, Any]) -> Profile:
    return Profile(
        user=User(
            id=row["id"],
            email=row["email"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            is_verified=row["is_verified"],
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
