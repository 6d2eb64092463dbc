"""An organization that several change at the same moment, each on a connection of its own, as functions have."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

from chatsphere.access.permissions import Role
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ChatSphereError
from chatsphere.identity.opaque_tokens import new_single_use_token
from chatsphere.organizations import invitations
from chatsphere.organizations.invitations import InvitationRequest
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Work = Callable[[Database], object]


class Organization:
    """A tenant that a test fills as it needs, as the database's owner."""

    def __init__(self, tenant: Tenant, urls: DatabaseUrls, ids: UuidV7Ids) -> None:
        self.id, self.owner_id = tenant.organization_id, tenant.user_id
        self.urls = urls
        self.ids = ids
        self._admin = Database(urls.admin)

    def close(self) -> None:
        self._admin.close()

    def person(self) -> UUID:
        person = self.ids.new()
        with self._admin.transaction(None) as connection:
            connection.execute(
                "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')", (person, f"{person}@example.com")
            )
        return person

    def member(self, role: str) -> UUID:
        person = self.person()
        with self._admin.transaction(None) as connection:
            connection.execute(
                "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, %s)",
                (self.id, person, role),
            )
        return person

    def invitation(self, email: str | None = None) -> str:
        """Return the token of a new invitation."""
        request = InvitationRequest(email or f"{uuid4().hex}@example.com", Role.EDITOR, timedelta(days=1))
        with self._admin.transaction(self.id, self.owner_id) as connection:
            made = invitations.invite(
                connection, self.owner_id, request, invitation_id=self.ids.new(), verified_only=False, now=NOW
            )
            secret = new_single_use_token(made.id)
            connection.execute("UPDATE invitations SET secret_hash = %s WHERE id = %s", (secret.hash, made.id))
        return secret.text

    def roles(self) -> dict[UUID, str]:
        return {row["user_id"]: row["role"] for row in self.rows("SELECT user_id, role FROM memberships")}

    def owners(self) -> list[UUID]:
        return [person for person, role in self.roles().items() if role == "owner"]

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self._admin.transaction(None) as connection:
            return connection.execute(f"{query} WHERE organization_id = %s", (self.id,)).fetchall()

    def at_once(self, *works: Work) -> list[object]:
        """Do all at the same moment; return what each returned, an error where it was refused."""
        barrier = Barrier(len(works))

        def work(one: Work) -> object:
            database = Database(self.urls.app)
            try:
                with database.transaction(None):
                    barrier.wait()
                return one(database)
            except ChatSphereError as error:
                return error
            finally:
                database.close()

        with ThreadPoolExecutor(len(works)) as threads:
            return list(threads.map(work, works))

    def as_member(self, person: UUID, do: Callable[[Connection], object]) -> Work:
        """Return the work that does this in one transaction of the tenant."""

        def work(database: Database) -> object:
            with database.transaction(self.id, person) as connection:
                return do(connection)

        return work
