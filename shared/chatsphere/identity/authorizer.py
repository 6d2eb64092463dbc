"""The REST API's REQUEST authorizer: a credential in, a policy and the caller's context out.

It answers allow or deny for the whole stage: what a caller may do is checked where it is done, so a policy must
not depend on the method that happened to be asked first.
"""

from collections.abc import Mapping
from typing import Any

from chatsphere.access.permissions import ALL_SCOPES, Role, Scope
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import Container
from chatsphere.errors import MissingCredentialError, UnauthorizedError
from chatsphere.http.proxy_event import header_values
from chatsphere.identity.authentication import Identity, authenticate
from chatsphere.observability import Metric, record

Event = Mapping[str, Any]


def authorize(event: Event, container: Container) -> dict[str, Any]:
    """Answer an API Gateway REQUEST authorizer event.

    Raises:
        UnavailableError: the database does not answer, so nothing can be said; the gateway answers 5xx.
    """
    try:
        identity = authenticate(
            bearer_credential(event),
            database=container.authenticator_database,
            tokens=container.token_verifier,
            clock=container.clock,
        )
    except UnauthorizedError as error:
        record(Metric.CREDENTIALS_DENIED, code=error.code)
        context = {"code": error.code, "title": error.title, "detail": error.detail}
        return _policy("Deny", event, "anonymous", context)
    return _policy("Allow", event, str(identity.user_id), _principal(identity).to_context())


def bearer_credential(event: Event) -> str:
    """Return the credential of the request.

    Raises:
        MissingCredentialError: there is no Authorization header.
        UnauthorizedError: there are several, or it is not of the scheme Bearer.
    """
    values = header_values(event, "authorization")
    if not values:
        raise MissingCredentialError
    if len(values) > 1:
        raise UnauthorizedError("The request has more than one Authorization header.")
    scheme, _, credential = values[0].strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise UnauthorizedError("The Authorization header must read: Bearer <token>.")
    if not credential.isascii():
        raise UnauthorizedError
    return credential.strip()


def _principal(identity: Identity) -> Principal:
    known = frozenset(Scope)
    return Principal(
        organization_id=identity.organization_id,
        user_id=identity.user_id,
        role=Role.of(identity.role),
        # A scope that was abolished since the key was made grants nothing.
        scopes=ALL_SCOPES if identity.scopes is None else frozenset(map(Scope, known & set(identity.scopes))),
        api_key_id=identity.api_key_id,
        bot_ids=None if identity.bot_ids is None else frozenset(identity.bot_ids),
        session_id=identity.session_id,
    )


def _policy(effect: str, event: Event, principal_id: str, context: Mapping[str, str]) -> dict[str, Any]:
    api, _, _ = str(event.get("methodArn", "")).partition("/")
    stage = str(event.get("methodArn", "")).split("/")[1:2]
    return {
        "principalId": principal_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": "/".join([api, *stage, "*"])}],
        },
        "context": dict(context),
    }
