import email
from email.policy import default
from pathlib import Path
from uuid import uuid4

import pytest

from chatsphere.adapters.mail_files import FileMailer
from chatsphere.ports.mail import Mail
from chatsphere.settings import MailSettings
from tests.builders.running_api import PASSWORD, Account, RunningApi, deliver, token_in
from tests.integration.identity.people import post


@pytest.fixture
def account(api: RunningApi) -> Account:
    account = api.register()
    api.mail_queue.sent.clear()
    return account


def verification(account: Account) -> dict[str, str]:
    return {"kind": "verify_email", "user_id": account.user_id}


def test_no_mail_holds_a_name_that_somebody_chose(api: RunningApi) -> None:
    api.register(first_name="Visit evil.example", last_name="now")

    (mail,) = api.mails()

    assert "evil" not in mail.text + mail.subject


def test_a_mail_leads_to_the_page_that_takes_its_token(api: RunningApi, account: Account) -> None:
    vars(api.container)["mail_settings"] = MailSettings(mail_link_base="https://app.example.com/auth/")

    assert deliver([verification(account)]) == []

    (mail,) = api.mailer.sent
    assert f"https://app.example.com/auth/verify-email?token={token_in(mail)}" in mail.text.split()


def test_without_such_a_page_it_names_the_route(api: RunningApi, account: Account) -> None:
    deliver([verification(account)])

    (mail,) = api.mailer.sent
    assert "POST /v1/auth/verify-email" in mail.text
    assert token_in(mail) in mail.text.split()


def test_a_message_that_is_delivered_twice_sends_two_valid_tokens(api: RunningApi, account: Account) -> None:
    deliver([verification(account)])
    deliver([verification(account)], receive_count=2)

    first, second = (token_in(mail) for mail in api.mailer.sent)
    assert first != second
    assert post(api, "/v1/auth/verify-email", {"token": second}).status == 200
    # The address is confirmed, and says so again: the first token was as good.
    assert post(api, "/v1/auth/verify-email", {"token": first}).status == 200


def test_of_a_batch_only_what_failed_comes_again(api: RunningApi, account: Account) -> None:
    api.mailer.failures = 1

    assert deliver([verification(account), {"kind": "password_changed", "user_id": account.user_id}]) == ["0"]

    assert [mail.subject for mail in api.mailer.sent] == ["Your password was changed"]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"kind": "unheard of"},
        {"kind": ["verify_email"]},
        {"kind": "verify_email"},
        {"kind": "verify_email", "user_id": "nonsense"},
    ],
)
def test_a_message_that_says_nothing_goes_to_the_dead_letters(api: RunningApi, message: dict[str, object]) -> None:
    # Failed at each delivery: the queue moves it away in the end.
    assert deliver([message], receive_count=5) == ["0"]
    assert api.mailer.sent == []


def test_a_mail_that_is_refused_for_good_is_dropped(
    api: RunningApi, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    api.mailer.rejected = 1

    assert deliver([verification(account)]) == []

    assert "mail rejected" in caplog.messages
    assert account.email not in str([vars(entry) for entry in caplog.records])


@pytest.mark.parametrize("kind", ["verify_email", "password_changed", "mfa_enabled", "mfa_disabled"])
def test_nobody_who_is_gone_is_written_to(api: RunningApi, kind: str) -> None:
    assert deliver([{"kind": kind, "user_id": str(uuid4())}]) == []
    assert deliver([{"kind": "change_email", "user_id": str(uuid4()), "email": "new@example.com"}]) == []
    assert api.mailer.sent == []


def test_nobody_is_flooded_with_mails(api: RunningApi, account: Account) -> None:
    message = {"kind": "reset_password", "email": account.email}

    assert deliver([message] * 8) == []
    assert len(api.mailer.sent) == 5
    api.clock.advance(hours=1)
    assert deliver([message]) == []
    assert len(api.mailer.sent) == 6


def test_no_address_is_flooded_by_those_who_say_that_it_is_to_be_theirs(api: RunningApi, account: Account) -> None:
    target, sent = f"{uuid4().hex}@example.com", list[str]()
    for person in (account, api.register(), account):
        api.mail_queue.sent.clear()
        own = f"{uuid4().hex}@example.com"
        for address in (target, target.upper(), target, own):
            assert post(api, "/v1/me/email", {"email": address, "password": PASSWORD}, by=person).status == 204
        mails = api.mails()
        sent += [mail.to for mail in mails if mail.to.lower() == target]
        # A change that is done does not begin the count anew.
        for mail in mails:
            if mail.to == own:
                assert post(api, "/v1/auth/verify-email", {"token": token_in(mail)}).status == 200

    assert len(sent) == 5


def test_expired_tokens_go_little_by_little(api: RunningApi, account: Account) -> None:
    for _ in range(3):
        deliver([verification(account)])
    api.clock.advance(days=3)
    with api.container.authenticator_database.transaction(None) as connection:
        query = "SELECT count(*) AS n FROM user_tokens WHERE user_id = %s"
        before = connection.execute(query, (account.user_id,)).fetchone()
    for _ in range(20):
        deliver([verification(api.register())])
        with api.container.authenticator_database.transaction(None) as connection:
            after = connection.execute(query, (account.user_id,)).fetchone()
        if after == {"n": 0}:
            break

    assert (before, after) == ({"n": 3}, {"n": 0})


def test_on_one_machine_a_mail_is_a_file_of_its_owner(api: RunningApi, account: Account, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    vars(api.container)["mailer"] = FileMailer(MailSettings(mail_folder=str(folder)))

    deliver([verification(account)])

    (file,) = folder.iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert (message["To"], message["Subject"]) == (account.email, "Confirm your mail address")
    token = token_in(Mail("", "", message.get_content()))
    assert post(api, "/v1/auth/verify-email", {"token": token}).status == 200
