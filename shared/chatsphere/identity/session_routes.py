"""HTTP routes of a person's own sessions."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.identity import credential_schemas as schemas
from chatsphere.identity import session_list, sessions
from chatsphere.identity.model import Session
from chatsphere.identity.people import lock_person
from chatsphere.identity.schemas import TokensResponse

router = Router()

ME = ["me"]


@router.get(
    "/v1/me/sessions",
    summary="List one's own sessions",
    tags=ME,
    operation_id="listSessions",
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def list_sessions(limit: Limit = 20, cursor: Cursor = None) -> Page[schemas.SessionResponse]:
    """Return a page of the open sessions in every organization, newest first. For persons: no key sees them."""
    caller, c = principal(router), container()
    after = decode_cursor(cursor)
    found = session_list.page(c.authenticator_database, c.clock, caller.user_id, after=after, limit=limit)
    return page_of([_shown(one, caller.session_id) for one in found], limit, lambda session: session.id)


@router.delete(
    "/v1/me/sessions",
    status_code=204,
    summary="End every other session",
    tags=ME,
    operation_id="endOtherSessions",
    responses=NO_CONTENT,
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def end_other_sessions() -> Response[Any]:
    """End all sessions but the one that asks, at once."""
    caller, c = principal(router), container()
    with c.authenticator_database.transaction(None) as connection:
        # A switch that is under way comes before, and its session ends with the others.
        lock_person(connection, caller.user_id)
        sessions.revoke_all(connection, caller.user_id, now=c.clock.now(), but=caller.session_id)
    return no_content()


@router.delete(
    "/v1/me/sessions/<session_id>",
    status_code=204,
    summary="End a session",
    tags=ME,
    operation_id="endSession",
    responses=NO_CONTENT,
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def end_session(session_id: UUID) -> Response[Any]:
    """End one of one's own sessions, at once; it may be the one that asks."""
    caller, c = principal(router), container()
    session_list.end(c.authenticator_database, c.clock, caller.user_id, session_id)
    return no_content()


@router.post(
    "/v1/auth/switch",
    summary="Get tokens for another organization",
    tags=["auth"],
    operation_id="switchOrganization",
    responses={
        200: described("A session in that organization; the present one stays."),
        404: problem_response("There is no such organization, or the person is no member of it."),
    },
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def switch_organization(body: schemas.SwitchRequest) -> TokensResponse:
    """Open a session in another organization that the person is a member of."""
    caller, c = principal(router), container()
    tokens = session_list.switch(c.sessions, caller.user_id, body.organization_id, session_id=caller.session_id)
    return TokensResponse.model_validate(tokens)


def _shown(session: Session, current: UUID | None) -> schemas.SessionResponse:
    return schemas.SessionResponse.model_validate(
        {name: getattr(session, name) for name in Session.__slots__} | {"current": session.id == current}
    )
