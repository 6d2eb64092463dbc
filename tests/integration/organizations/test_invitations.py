from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.identity.mail_desk import MAILS_AN_HOUR
from tests.builders.invitations import invitation_mails, invited, joined, refreshed
from tests.builders.running_api import Account, Answer, RunningApi, running_api, token_in
from tests.integration.organizations.acting import act, problem, roles
from tests.postgres import DatabaseUrls

NOT_VALID = (404, "invitation_not_valid")


def invite(api: RunningApi, inviter: Account, email: str, **fields: Any) -> Answer:
    return act(api, inviter, "POST", "/invitations", {"email": email, **fields})


def accept(api: RunningApi, person: Account, token: str) -> Answer:
    return api.request("POST", "/v1/invitations/accept", {"token": token}, token=person.access_token)


def test_an_invitation_makes_its_holder_a_member_once(api: RunningApi, owner: Account) -> None:
    grace, other = api.register(), api.register()
    token = invited(api, owner, grace.email, "editor")

    answer = accept(api, grace, token)

    assert (answer.status, answer.json["id"], answer.json["role"]) == (200, owner.organization_id, "editor")
    assert roles(api, owner) == {owner.user_id: "owner", grace.user_id: "editor"}
    assert problem(accept(api, grace, token)) == NOT_VALID
    assert problem(accept(api, other, token)) == NOT_VALID
    assert act(api, owner, "GET", "/invitations").json["data"] == []


def test_the_mail_says_who_invites_to_what_and_how_to_accept(api: RunningApi) -> None:
    owner = api.register(first_name="Ada")
    made = invite(api, owner, "grace@example.com", role="admin").json
    assert made["role"] == "admin"

    (mail,) = invitation_mails(api, "grace@example.com")

    assert mail.subject == 'Invitation to "Ada"'
    for text in (owner.email, "as admin", "POST /v1/invitations/accept", "cst_"):
        assert text in mail.text


def test_a_name_in_a_mail_stays_within_its_quotation(api: RunningApi, owner: Account) -> None:
    act(api, owner, "PATCH", "", {"name": 'A" \u202e\x1b[31m\r\nBcc: b@example.com\n\n"'})
    invite(api, owner, "grace@example.com")

    (mail,) = invitation_mails(api, "grace@example.com")

    assert mail.subject == """Invitation to "A' [31m Bcc: b@example.com '\""""
    assert """the organization "A' [31m Bcc: b@example.com '" on ChatSphere""" in mail.text


def test_the_token_is_in_the_mail_and_nowhere_else(api: RunningApi, owner: Account) -> None:
    made = invite(api, owner, "grace@example.com")
    queued = str(api.mail_queue.sent)
    (mail,) = invitation_mails(api, "grace@example.com")
    token = token_in(mail)

    shown = act(api, owner, "GET", "/invitations").text + made.text + queued

    assert token not in shown
    assert token.rpartition("_")[2] not in shown


def test_an_invitation_that_is_made_again_is_renewed(api: RunningApi, owner: Account) -> None:
    first = invited(api, owner, "grace@example.com", "viewer")
    api.clock.advance(days=6)
    owner = refreshed(api, owner)
    second = invited(api, owner, "GRACE@example.com", "admin")
    [shown] = act(api, owner, "GET", "/invitations").json["data"]
    api.clock.advance(days=6)
    owner = refreshed(api, owner)
    grace = api.register()

    assert (shown["email"], shown["role"], shown["status"]) == ("grace@example.com", "admin", "pending")
    assert problem(accept(api, grace, first)) == NOT_VALID
    assert accept(api, grace, second).status == 200
    assert roles(api, owner)[grace.user_id] == "admin"


def test_a_revoked_invitation_is_void_and_gone(api: RunningApi, owner: Account) -> None:
    made = invite(api, owner, "grace@example.com").json
    (mail,) = invitation_mails(api, "grace@example.com")
    token = token_in(mail)
    path = f"/invitations/{made['id']}"

    assert act(api, owner, "DELETE", path).status == 204

    assert problem(act(api, owner, "DELETE", path)) == (404, "not_found")
    assert problem(accept(api, api.register(), token)) == NOT_VALID
    # The address may be invited anew.
    assert invite(api, owner, "grace@example.com").json["id"] != made["id"]


def test_an_invitation_expires_and_can_be_renewed(api: RunningApi, owner: Account) -> None:
    made = invite(api, owner, "grace@example.com").json
    (mail,) = invitation_mails(api, "grace@example.com")
    token = token_in(mail)

    api.clock.advance(days=7, seconds=1)

    grace = api.register()
    owner = refreshed(api, owner)
    assert problem(accept(api, grace, token)) == NOT_VALID
    [shown] = act(api, owner, "GET", "/invitations").json["data"]
    assert (shown["id"], shown["status"]) == (made["id"], "expired")
    assert accept(api, grace, invited(api, owner, "grace@example.com")).status == 200


@pytest.mark.parametrize("token", ["", "x", f"cst_{UUID(int=7).hex}_{'a' * 43}", "cst_\ud800", "a" * 300])
def test_what_is_no_token_is_not_accepted(api: RunningApi, owner: Account, token: str) -> None:
    answer = accept(api, owner, token)

    assert problem(answer) in (NOT_VALID, (422, "invalid_request"))


def test_what_is_not_open_any_more_when_its_mail_is_due_is_not_mailed(api: RunningApi, owner: Account) -> None:
    revoked = invite(api, owner, "a@example.com").json
    act(api, owner, "DELETE", f"/invitations/{revoked['id']}")
    invite(api, owner, "b@example.com")
    api.clock.advance(days=8)

    assert [mail for mail in api.mails() if mail.subject.startswith("Invitation")] == []


def test_a_member_cannot_be_invited_nor_accept(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner)
    token = invited(api, owner, "grace@example.com")

    assert problem(invite(api, owner, member.email.upper())) == (409, "conflict")
    assert problem(accept(api, member, token)) == (409, "conflict")
    assert accept(api, api.register(), token).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": ""},
        {"email": "a@example.com", "role": "owner"},
        {"email": "a@example.com", "role": "king"},
        {"role": "viewer"},
    ],
)
def test_what_cannot_be_invited_is_not(api: RunningApi, owner: Account, fields: dict[str, Any]) -> None:
    assert problem(act(api, owner, "POST", "/invitations", fields)) == (422, "invalid_request")


def test_only_admins_see_and_make_invitations(api: RunningApi, owner: Account) -> None:
    editor, admin = joined(api, owner, "editor"), joined(api, owner, "admin")
    made = invite(api, admin, "grace@example.com", role="admin").json

    assert problem(invite(api, editor, "eve@example.com")) == (403, "insufficient_role")
    assert problem(act(api, editor, "GET", "/invitations")) == (403, "insufficient_role")
    assert problem(act(api, editor, "DELETE", f"/invitations/{made['id']}")) == (403, "insufficient_role")
    assert act(api, owner, "GET", "/invitations").json["data"] == [made]
    assert made["invited_by"] == admin.user_id


def test_who_invites_must_have_proved_an_address_where_that_is_asked(
    database_urls: DatabaseUrls,
) -> None:
    with running_api(database_urls, REQUIRE_VERIFIED_EMAIL="true") as api:
        owner = api.register()

        assert problem(invite(api, owner, "grace@example.com")) == (403, "email_not_verified")
        with api.container.authenticator_database.transaction(None) as connection:
            connection.execute("UPDATE users SET is_verified = true WHERE id = %s", (owner.user_id,))
        assert invite(api, owner, "grace@example.com").status == 201


def test_nobodys_mailbox_is_flooded(api: RunningApi, owner: Account) -> None:
    """Revoking and inviting again starts no new count."""
    email = f"{uuid4().hex}@example.com"
    sent = 0
    for _ in range(MAILS_AN_HOUR + 2):
        made = invite(api, owner, email).json
        sent += len(invitation_mails(api, email))
        act(api, owner, "DELETE", f"/invitations/{made['id']}")
    api.clock.advance(minutes=61)
    owner = refreshed(api, owner)

    assert sent == MAILS_AN_HOUR
    assert invite(api, owner, email).status == 201
    assert len(invitation_mails(api, email)) == 1


def test_a_plan_holds_so_many_members_and_invitations(database_urls: DatabaseUrls) -> None:
    with running_api(database_urls, DEFAULT_PLAN="Free") as api:
        owner = api.register()
        joined(api, owner)
        first = invite(api, owner, "a@example.com").json

        assert problem(invite(api, owner, "b@example.com")) == (402, "quota_exceeded")
        assert invite(api, owner, "a@example.com").json["id"] == first["id"]
        assert act(api, owner, "DELETE", f"/invitations/{first['id']}").status == 204
        token = invited(api, owner, "b@example.com")
        assert accept(api, api.register(), token).status == 200
        assert problem(invite(api, owner, "c@example.com")) == (402, "quota_exceeded")
