"""Allows one token."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    if event["headers"]["authorization"] == "Bearer broken":
        return {"no": "policy"}
    allowed = event["headers"]["authorization"] == "Bearer good"
    effect = "Allow" if allowed else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    if allowed:
        details: dict[str, Any] = {"organization_id": "o-1", "admin": True, "limit": 3}
    else:
        details = {"code": "token_expired", "title": "The token has expired", "detail": "It expired yesterday"}
    return {"principalId": "user-1", "policyDocument": {"Statement": [statement]}, "context": details}
