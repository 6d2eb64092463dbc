from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import UnauthorizedError
from chatsphere.identity import session_list
from chatsphere.identity.people import lock_person
from chatsphere.identity.sessions import revoke_all
from tests.builders.running_api import Account, Answer, RunningApi
from tests.integration.identity.people import is_logged_in, log_in, post, refresh
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for


def sessions(api: RunningApi, token: str, **query: list[str]) -> Answer:
    answer = api.request("GET", "/v1/me/sessions", token=token, query=query)
    assert answer.status == 200, answer.text
    return answer


def end(api: RunningApi, token: str, session_id: str = "") -> Answer:
    return api.request("DELETE", f"/v1/me/sessions/{session_id}".rstrip("/"), token=token)


def join(admin: Database, person: Account, organization_id: str, role: str = "editor") -> None:
    with admin.transaction(None) as connection:
        connection.execute(
            "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, %s)",
            (organization_id, person.user_id, role),
        )


def somebody_waits(admin: Database) -> bool:
    with admin.transaction(None) as connection:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return connection.execute(waiting).fetchone() is not None


def test_each_login_is_a_session_and_tells_from_where(api: RunningApi) -> None:
    account = api.register()
    api.clock.advance(minutes=5)
    answer = api.request(
        "POST", "/v1/auth/login", {"email": account.email, "password": "correct horse battery"}, address="2001:db8::1"
    )

    shown = sessions(api, account.access_token).json

    newest, first = shown["data"]
    assert (shown["has_more"], shown["next_cursor"]) == (False, None)
    assert [one["address"] for one in (newest, first)] == ["2001:db8::1", api.address]
    assert [one["user_agent"] for one in (newest, first)] == ["tests", "tests"]
    assert [one["current"] for one in (newest, first)] == [False, True]
    assert {one["organization_id"] for one in (newest, first)} == {account.organization_id}
    assert newest["created_at"] > first["created_at"]
    others = sessions(api, answer.json["access_token"]).json["data"]
    assert [one["current"] for one in others] == [True, False]


def test_a_refresh_is_the_same_session_used_later(api: RunningApi) -> None:
    account = api.register()
    (before,) = sessions(api, account.access_token).json["data"]
    api.clock.advance(hours=1)

    renewed = refresh(api, account.refresh_token).json

    (after,) = sessions(api, renewed["access_token"]).json["data"]
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert (after["last_used_at"], after["expires_at"]) > (before["last_used_at"], before["expires_at"])
    assert after["current"] is True


def test_pages_hold_every_session_once(api: RunningApi) -> None:
    account = api.register()
    for _ in range(4):
        log_in(api, account.email)
    everything = [one["id"] for one in sessions(api, account.access_token).json["data"]]

    seen: list[str] = []
    query: dict[str, list[str]] = {}
    while True:
        page = sessions(api, account.access_token, limit=["2"], **query).json
        seen += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        query = {"cursor": [page["next_cursor"]]}

    assert (len(seen), seen) == (5, everything)


def test_an_ended_session_is_refused_at_once_and_listed_no_more(api: RunningApi) -> None:
    account = api.register()
    elsewhere = log_in(api, account.email).json
    (session_id,) = [one["id"] for one in sessions(api, elsewhere["access_token"]).json["data"] if one["current"]]

    answer = end(api, account.access_token, session_id)

    assert (answer.status, answer.text) == (204, "")
    assert not is_logged_in(api, elsewhere["access_token"])
    assert refresh(api, elsewhere["refresh_token"]).status == 401
    assert is_logged_in(api, account.access_token)
    assert session_id not in [one["id"] for one in sessions(api, account.access_token).json["data"]]
    assert end(api, account.access_token, session_id).status == 404


def test_all_other_sessions_are_ended_together(api: RunningApi) -> None:
    account, stranger = api.register(), api.register()
    others = [log_in(api, account.email).json for _ in range(3)]

    assert end(api, account.access_token).status == 204

    assert is_logged_in(api, account.access_token)
    assert refresh(api, account.refresh_token).status == 200
    assert not any(is_logged_in(api, other["access_token"]) for other in others)
    assert [refresh(api, other["refresh_token"]).status for other in others] == [401] * 3
    assert is_logged_in(api, stranger.access_token)


def test_somebody_elses_session_is_answered_like_a_missing_one(api: RunningApi) -> None:
    account, stranger = api.register(), api.register()
    (theirs,) = sessions(api, stranger.access_token).json["data"]

    answers = [end(api, account.access_token, one) for one in (theirs["id"], str(uuid4()), "nonsense")]

    assert [(answer.status, answer.json["detail"]) for answer in answers] == [(404, "There is no such session.")] * 3
    assert is_logged_in(api, stranger.access_token)


def test_a_session_past_its_time_is_not_listed(api: RunningApi) -> None:
    account = api.register()
    api.clock.advance(days=30)

    token = log_in(api, account.email).json["access_token"]

    assert [one["current"] for one in sessions(api, token).json["data"]] == [True]


def test_a_key_sees_no_session(api: RunningApi) -> None:
    key = api.api_key(api.register())["key"]

    assert api.request("GET", "/v1/me/sessions", token=key).code == "forbidden"
    assert end(api, key).code == "forbidden"


def test_switching_opens_a_session_in_the_other_organization(api: RunningApi, admin: Database) -> None:
    account, other = api.register(), api.register()
    join(admin, account, other.organization_id)

    answer = post(api, "/v1/auth/switch", {"organization_id": other.organization_id}, by=account)

    assert (answer.status, sorted(answer.json)) == (200, ["access_token", "expires_in", "refresh_token", "token_type"])
    there = api.request("GET", "/v1/me", token=answer.json["access_token"]).json
    assert (there["user"]["id"], there["organization"]["id"], there["role"]) == (
        account.user_id,
        other.organization_id,
        "editor",
    )
    assert is_logged_in(api, account.access_token)
    renewed = refresh(api, answer.json["refresh_token"]).json["access_token"]
    assert api.request("GET", "/v1/me", token=renewed).json["organization"]["id"] == other.organization_id
    assert len(sessions(api, renewed).json["data"]) == 2


def test_a_switch_waits_for_who_ends_all_sessions(
    api: RunningApi, admin: Database, database_urls: DatabaseUrls
) -> None:
    account = api.register()
    user_id, session_id = UUID(account.user_id), UUID(sessions(api, account.access_token).json["data"][0]["id"])
    database = Database(database_urls.authenticator)
    with ThreadPoolExecutor(1) as threads:
        with database.transaction(None) as connection:
            lock_person(connection, user_id)
            switched = threads.submit(
                session_list.switch,
                api.container.sessions, user_id, UUID(account.organization_id), session_id=session_id,
            )  # fmt: skip
            wait_for(lambda: somebody_waits(admin), what="the switch to wait for the person")
            revoke_all(connection, user_id, now=api.clock.now())
        with pytest.raises(UnauthorizedError):
            switched.result(timeout=30)
    database.close()


def test_nobody_switches_to_where_they_do_not_belong(api: RunningApi, admin: Database) -> None:
    account, other, leaving = api.register(), api.register(), api.register()
    join(admin, account, leaving.organization_id)
    with admin.transaction(None) as connection:
        connection.execute("UPDATE organizations SET status = 'deleting' WHERE id = %s", (leaving.organization_id,))

    answers = [
        post(api, "/v1/auth/switch", {"organization_id": organization}, by=account)
        for organization in (other.organization_id, leaving.organization_id, str(uuid4()))
    ]

    assert [(answer.status, answer.json["detail"]) for answer in answers] == [
        (404, "There is no such organization.")
    ] * 3


def test_in_an_organization_that_is_being_deleted_no_credential_works(api: RunningApi, admin: Database) -> None:
    account = api.register()
    key = api.api_key(account)["key"]
    with admin.transaction(None) as connection:
        connection.execute("UPDATE organizations SET status = 'deleting' WHERE id = %s", (account.organization_id,))

    assert not is_logged_in(api, account.access_token)
    assert not is_logged_in(api, key)
    assert refresh(api, account.refresh_token).status == 401
    # The person is nobody's property: they get a new place of their own.
    elsewhere = api.request("GET", "/v1/me", token=log_in(api, account.email).json["access_token"]).json
    assert elsewhere["organization"]["id"] != account.organization_id


def test_a_login_of_the_release_before_goes_on(api: RunningApi, admin: Database) -> None:
    """It has refresh tokens and no session, and its access tokens name none."""
    account = api.register()
    with admin.transaction(None) as connection:
        connection.execute("DELETE FROM sessions WHERE user_id = %s", (account.user_id,))
    claims = {"sub": account.user_id, "org": account.organization_id}
    former = api.container.token_signer.sign(claims, now=api.clock.now())
    assert is_logged_in(api, former)

    renewed = refresh(api, account.refresh_token).json

    (session,) = sessions(api, renewed["access_token"]).json["data"]
    assert session["current"] is True
