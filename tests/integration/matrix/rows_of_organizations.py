"""Rows of organizations, members, plans and the audit log."""

from typing import Any, Final

from tests.builders.running_api import PASSWORD
from tests.integration.matrix.row import ACCEPTED, CREATED, DONE, OK, Row
from tests.integration.matrix.rule import Caller, Outcome, Target
from tests.integration.matrix.world import World

BILLING_OFF: Final = Outcome(409, "billing_off")


def _colleague(world: World) -> dict[str, Any]:
    return {"user_id": world.people["colleague"].user_id}


def _invitation(world: World) -> dict[str, Any]:
    return {"token": world.given["invitation"]}


def _no_member_yet(caller: Caller, _: Target) -> Outcome | None:
    """The invitation leads to an organization that somebody owns who belongs to the victim's, too."""
    return Outcome(409, "conflict") if caller.in_both else None


ORGANIZATIONS: Final = {
    "listOrganizations": Row(OK),
    "createOrganization": Row(CREATED, {"name": "New"}),
    "getOrganization": Row(OK),
    "updateOrganization": Row(OK, {"name": "Renamed"}),
    "deleteOrganization": Row(ACCEPTED, {"password": PASSWORD}),
    "transferOrganization": Row(OK, _colleague),
    "leaveOrganization": Row(DONE),
    "listMembers": Row(OK),
    "changeRole": Row(OK, {"role": "editor"}),
    "removeMember": Row(DONE),
    "listInvitations": Row(OK),
    "invite": Row(CREATED, {"email": "new@example.com", "role": "viewer"}),
    "revokeInvitation": Row(DONE),
    "acceptInvitation": Row(OK, _invitation, finer=_no_member_yet),
    "listPlans": Row(OK),
    "getUsage": Row(OK),
    "choosePlan": Row(OK, {"plan": "Pro"}),
    "openCheckout": Row(BILLING_OFF, {"plan": "Pro"}),
    "openBillingPortal": Row(BILLING_OFF),
    "receiveStripeEvent": Row(BILLING_OFF, {"id": "evt_1"}),
    "listAuditLog": Row(OK),
    "exportAuditLog": Row(OK),
    "getDeepHealth": Row(OK),
}
