"""Asking for the deletion of a person or of an organization. It takes effect at once; a job does the rest."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import (
    InsufficientRoleError,
    NotFoundError,
    OwnershipRequiredError,
    SubscriptionActiveError,
    UnavailableError,
)
from chatsphere.identity.opaque_tokens import Secret, new_receipt_token, secret_hash
from chatsphere.identity.people import Person
from chatsphere.identity.second_factor import SecondFactor, confirm_person
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.privacy import requesting_queries as queries
from chatsphere.privacy.model import ORGANIZATION, PERSON, Erasure
from chatsphere.privacy.subjects import SubjectMark
from chatsphere.retention.holds import refuse_organizations_if_held


@dataclass(frozen=True, slots=True)
class Requested:
    """An erasure that was asked for, and the secret that shows its receipt: whom it concerns cannot log in any more."""

    erasure: Erasure
    receipt_token: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be deleted, with which organizations, and who asks for it."""

    kind: str
    id: UUID
    organizations: Sequence[UUID]
    requested_by: UUID


@dataclass(frozen=True, slots=True)
class ErasureDesk:
    """Takes requests. `authenticator_database` reaches every organization of a person."""

    authenticator_database: Database
    database: Database
    purge_queue: MessageQueue
    clock: Clock
    ids: Ids

    def request_person(self, person: Person, factor: SecondFactor, code: str | None) -> Requested:
        """Have a person, who has shown their password, deleted, with the organizations that have no other member.

        From the return on none of their credentials is accepted.

        Raises:
            NotConfirmedError: they have a second factor, and the code is wrong or missing.
            OwnershipRequiredError: they are the only owner of an organization that has other members.
            SubscriptionActiveError: one of the organizations is paid for.
            LegalHoldError: something of one of them is held.
        """
        secret = new_receipt_token()
        with self.authenticator_database.transaction(None, person.id) as connection:
            confirm_person(factor, connection, person, code)
            alone = _organizations_of_one(connection, person.id)
            erasure = self._insert(connection, Subject(PERSON, person.id, alone, person.id), secret)
            for statement in (queries.DEACTIVATE, queries.REVOKE_INVITATIONS):
                connection.execute(statement, {"user_id": person.id, "now": self.clock.now()})
        self._begin(erasure, alone)
        return Requested(erasure, secret.text)

    def request_organization(
        self, organization_id: UUID, owner: Person, factor: SecondFactor, code: str | None
    ) -> Requested:
        """Have an organization deleted by an owner, who has shown their password; no credential of it is accepted
        from the return on.

        Raises:
            NotConfirmedError: they have a second factor, and the code is wrong or missing.
            NotFoundError: it is being deleted already.
            InsufficientRoleError: the person owns it no more.
            SubscriptionActiveError: it is paid for.
            LegalHoldError: something of it is held.
        """
        secret = new_receipt_token()
        with self.authenticator_database.transaction(organization_id, owner.id) as connection:
            confirm_person(factor, connection, owner, code)
            subject = Subject(ORGANIZATION, organization_id, [organization_id], owner.id)
            erasure = self._insert(connection, subject, secret)
            # Now that the organization is held: others may have taken the role since the request was let in.
            if connection.execute(queries.OWNS, {"id": organization_id, "user_id": owner.id}).fetchone() is None:
                raise InsufficientRoleError("This requires the role owner.")
        self._begin(erasure, [organization_id])
        return Requested(erasure, secret.text)

    def _insert(self, connection: Connection, subject: Subject, secret: Secret) -> Erasure:
        organizations, now = list(subject.organizations), self.clock.now()
        refuse_organizations_if_held(connection, organizations)
        if connection.execute(queries.CLOSE, {"organizations": organizations}).rowcount != len(organizations):
            raise NotFoundError("There is no such organization.")
        # After the update, which holds the rows: nobody subscribes any more.
        if paid := connection.execute(queries.SUBSCRIBED, {"organizations": organizations}).fetchone():
            raise SubscriptionActiveError(f"End the subscription of {paid['name']} in the billing portal first.")
        mark = SubjectMark.of(subject.id)
        erasure = Erasure(
            self.ids.new(),
            subject.kind,
            "pending",
            now,
            None,
            None,
            subject_salt=mark.salt,
            subject_hash=mark.digest,
        )
        values = {
            "id": erasure.id,
            "kind": subject.kind,
            "subject_id": subject.id,
            "organizations": organizations,
            "requested_by": subject.requested_by,
            "receipt_hash": secret.hash,
            "now": now,
            "subject_salt": mark.salt,
            "subject_hash": mark.digest,
        }
        connection.execute(queries.INSERT, values)
        return erasure

    def _begin(self, erasure: Erasure, organizations: Sequence[UUID]) -> None:
        """Hide what visitors see, and send the job its message; were either lost, the reaper would have it done."""
        with suppress(UnavailableError):
            for organization_id in organizations:
                with self.database.transaction(organization_id) as connection:
                    connection.execute(queries.HIDE_BOTS, {"now": self.clock.now()})
            message = ErasureMessage(erasure_id=erasure.id)
            self.purge_queue.send([message.to_json()], group=message.group)


def find_erasure(connection: Connection, receipt_token: str) -> Erasure:
    """Return the erasure whose receipt token this is.

    Raises:
        NotFoundError: it is none's.
    """
    row = connection.execute(queries.BY_RECEIPT, {"receipt_hash": secret_hash(receipt_token)}).fetchone()
    if row is None:
        raise NotFoundError("There is no such receipt.")
    return Erasure(**row)


def _organizations_of_one(connection: Connection, user_id: UUID) -> list[UUID]:
    """Return the organizations that the person is the only member of, held until the transaction ends."""
    connection.execute(queries.LOCK_ORGANIZATIONS, {"user_id": user_id})
    # A statement of its own: it sees what those who held the locks before have changed.
    memberships = connection.execute(queries.MEMBERSHIPS, {"user_id": user_id}).fetchall()
    orphaned = [row for row in memberships if _is_orphaned(row)]
    if orphaned:
        names = ", ".join(f"{row['name']} ({row['id']})" for row in orphaned)
        raise OwnershipRequiredError(f"Others would be left without an owner: transfer or delete first: {names}.")
    return [row["id"] for row in memberships if row["others"] == 0]


def _is_orphaned(row: Mapping[str, Any]) -> bool:
    """Return whether the organization would have members and no owner without the person."""
    return bool(row["role"] == "owner" and row["others"] > 0 and row["other_owners"] == 0)
