"""Invitations as their mails bring them."""

from chatsphere.ports.mail import Mail
from tests.builders.running_api import Account, RunningApi, token_in


def invitation_mails(api: RunningApi, to: str) -> list[Mail]:
    """Work off the mail queue; return the invitations that this address was sent."""
    return [mail for mail in api.mails() if mail.to == to and mail.subject.startswith("Invitation")]


def invited(api: RunningApi, inviter: Account, email: str, role: str = "viewer") -> str:
    """Invite an address to the inviter's organization and return the token that was mailed."""
    path = f"/v1/organizations/{inviter.organization_id}/invitations"
    answer = api.request("POST", path, {"email": email, "role": role}, token=inviter.access_token)
    assert answer.status == 201, answer.text
    (mail,) = invitation_mails(api, answer.json["email"])
    return token_in(mail)


def joined(api: RunningApi, inviter: Account, role: str = "viewer", person: Account | None = None) -> Account:
    """Make somebody, or somebody new, a member; the account returned is logged in to the inviter's organization."""
    person = person or api.register()
    token = invited(api, inviter, person.email, role)
    answer = api.request("POST", "/v1/invitations/accept", {"token": token}, token=person.access_token)
    assert answer.status == 200, answer.text
    body = {"organization_id": inviter.organization_id}
    answer = api.request("POST", "/v1/auth/switch", body, token=person.access_token)
    assert answer.status == 200, answer.text
    return Account(
        person.email,
        answer.json["access_token"],
        answer.json["refresh_token"],
        person.user_id,
        inviter.organization_id,
    )


def refreshed(api: RunningApi, account: Account) -> Account:
    """Return the account with its session's next tokens."""
    answer = api.request("POST", "/v1/auth/refresh", {"refresh_token": account.refresh_token})
    assert answer.status == 200, answer.text
    tokens = answer.json["access_token"], answer.json["refresh_token"]
    return Account(account.email, *tokens, account.user_id, account.organization_id)
