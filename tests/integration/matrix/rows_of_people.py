"""Rows of accounts, sessions and API keys, and of what the service tells of itself."""

from typing import Any, Final

from tests.builders.running_api import PASSWORD
from tests.integration.matrix.row import ACCEPTED, CREATED, DONE, OK, Row
from tests.integration.matrix.rule import NOT_FOUND, Caller, Outcome, Target
from tests.integration.matrix.world import World

INVALID_TOKEN: Final = Outcome(401, "invalid_token")
NO_SECOND_FACTOR: Final = Outcome(409, "conflict")
NEW_PASSWORD: Final = "another correct horse"


def _login(world: World) -> dict[str, Any]:
    return {"email": world.people["owner"].email, "password": PASSWORD}


def _refresh_token(world: World) -> dict[str, Any]:
    return {"refresh_token": world.people["owner"].refresh_token}


def _victims_organization(world: World) -> dict[str, Any]:
    return {"organization_id": world.people["owner"].organization_id}


def _owners(caller: Caller, _: Target) -> Outcome | None:
    """One's own session is nobody else's to end."""
    return None if caller.name == "owner" else NOT_FOUND


def _of_a_member(caller: Caller, _: Target) -> Outcome | None:
    """Who is a member of an organization may switch to it."""
    return NOT_FOUND if caller.tenant == "other" and not caller.in_both else None


def _managed(caller: Caller, _: Target) -> Outcome | None:
    """Editors manage their own keys, admins everybody's; this one is the owner's."""
    return NOT_FOUND if caller.role == "editor" else None


def _not_above(caller: Caller, target: Target) -> Outcome | None:
    """Nobody changes a key that acts with a higher role."""
    return Outcome(403, "insufficient_role") if caller.role == "admin" else _managed(caller, target)


def _ones_own(caller: Caller, target: Target) -> Outcome | None:
    """The new key acts as its maker: nobody else is told it."""
    return Outcome(403, "forbidden") if caller.role == "admin" else _managed(caller, target)


PEOPLE: Final = {
    "register": Row(CREATED, {"email": "new@example.com", "password": PASSWORD}),
    "login": Row(OK, _login),
    "refreshTokens": Row(OK, _refresh_token),
    "logout": Row(DONE, _refresh_token),
    "verifyEmail": Row(INVALID_TOKEN, {"token": "none"}),
    "resendVerification": Row(DONE),
    "forgotPassword": Row(DONE, {"email": "new@example.com"}),
    "resetPassword": Row(INVALID_TOKEN, {"token": "none", "password": NEW_PASSWORD}),
    "enrollSecondFactor": Row(CREATED, {"password": PASSWORD}),
    "verifySecondFactor": Row(INVALID_TOKEN, {"mfa_token": "none", "code": "123456"}),
    "disableSecondFactor": Row(NO_SECOND_FACTOR, {"password": PASSWORD, "code": "123456"}),
    "renewRecoveryCodes": Row(NO_SECOND_FACTOR, {"password": PASSWORD, "code": "123456"}),
    "switchOrganization": Row(OK, _victims_organization, finer=_of_a_member),
    "getMe": Row(OK),
    "updateMe": Row(OK, {"first_name": "New"}),
    "deleteMe": Row(ACCEPTED, {"password": PASSWORD}),
    "exportMe": Row(OK),
    "changeEmail": Row(DONE, {"email": "new@example.com", "password": PASSWORD}),
    "changePassword": Row(DONE, {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
    "listSessions": Row(OK),
    "endOtherSessions": Row(DONE),
    "endSession": Row(DONE, finer=_owners),
    "getErasureReceipt": Row(NOT_FOUND, {"receipt_token": "none"}),
    "createApiKey": Row(CREATED, {"name": "new", "scopes": ["api_keys"]}),
    "listApiKeys": Row(OK),
    "getApiKey": Row(OK, finer=_managed),
    "updateApiKey": Row(OK, {"name": "renamed"}, finer=_not_above),
    "revokeApiKey": Row(DONE, finer=_managed),
    "rotateApiKey": Row(CREATED, {"overlap_seconds": 60}, finer=_ones_own),
    "getOpenApi": Row(OK),
    "getDocs": Row(OK),
    "getJwks": Row(OK),
    "getLiveness": Row(OK),
    "getReadiness": Row(OK),
}
