"""The `Mailer` port."""

import email
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.policy import default
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from moto.ses.models import ses_backends

from chatsphere.adapters.mail_files import FileMailer
from chatsphere.adapters.ses import SesMailer
from chatsphere.errors import MailRejectedError, UnavailableError
from chatsphere.ports.mail import Mail, Mailer
from chatsphere.settings import MailSettings
from tests.fakes import InMemoryMailer
from tests.moto_server import running_moto

SENDER = "ChatSphere <no-reply@example.com>"
TEXT = "Hello,\n\nopen this link:\n\n    https://example.com/verify-email?token=cst_" + "x" * 90 + "\n\nGrüße 名前\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_moto() as endpoint:
        boto3.client("sesv2", endpoint_url=endpoint).create_email_identity(EmailIdentity="example.com")
        yield endpoint


@dataclass
class Subject:
    """A mailer, and how to read what it sent."""

    mailer: Mailer
    sent: Callable[[], list[Mail]]


@pytest.fixture(params=["ses", "files", "memory"])
def subject(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> Subject:
    if request.param == "memory":
        fake = InMemoryMailer()
        return Subject(fake, lambda: fake.sent)
    if request.param == "files":
        mailer = FileMailer(MailSettings(mail_from=SENDER, mail_folder=str(tmp_path / "mail")))
        return Subject(mailer, lambda: [_read(file) for file in sorted((tmp_path / "mail").iterdir())])
    before = len(_sent())
    return Subject(SesMailer(MailSettings(mail_from=SENDER, ses_endpoint=endpoint)), lambda: _sent()[before:])


def _read(file: Path) -> Mail:
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert message["From"] == SENDER
    return Mail(message["To"], message["Subject"], message.get_content().replace("\r\n", "\n"))


def _sent() -> list[Mail]:
    """Return what moto was given, which runs in this process, in the order in which it was sent."""
    backend = next(iter(ses_backends.values()))["us-east-1"]
    return [Mail(m.destinations["ToAddresses"][0], m.subject, m.body) for m in backend.sent_messages]


def test_a_mail_arrives_as_it_was_written(subject: Subject) -> None:
    mail = Mail("ada@example.com", "Bestätige deine Adresse", TEXT)

    subject.mailer.send(mail)

    assert subject.sent() == [mail]


def test_a_mail_that_is_handed_over_twice_is_sent_twice(subject: Subject) -> None:
    mail = Mail("ada@example.com", "Subject", "Text\n")

    subject.mailer.send(mail)
    subject.mailer.send(mail)

    assert subject.sent() == [mail, mail]


def test_a_sender_that_ses_does_not_know_is_rejected(endpoint: str) -> None:
    mailer = SesMailer(MailSettings(mail_from="no-reply@unknown.example", ses_endpoint=endpoint))

    with pytest.raises(MailRejectedError):
        mailer.send(Mail("ada@example.com", "Subject", "Text"))


def test_ses_that_does_not_answer_is_unavailable() -> None:
    with running_moto(), pytest.raises(UnavailableError):
        SesMailer(MailSettings(ses_endpoint="http://127.0.0.1:9")).send(Mail("ada@example.com", "Subject", "Text"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("MessageRejected", MailRejectedError),
        ("BadRequestException", MailRejectedError),
        ("TooManyRequestsException", UnavailableError),
        ("AccountSuspendedException", UnavailableError),
        ("SendingPausedException", UnavailableError),
        ("MailFromDomainNotVerifiedException", UnavailableError),
        ("AccessDeniedException", UnavailableError),
    ],
)
def test_what_may_be_put_right_is_tried_again(code: str, error: type[Exception]) -> None:
    client = boto3.client("sesv2", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    mailer = SesMailer(MailSettings(mail_from=SENDER))
    vars(mailer)["_client"] = client
    with Stubber(client) as answers, pytest.raises(error) as raised:
        answers.add_client_error("send_email", service_error_code=code, service_message="ada@example.com is no good")
        mailer.send(Mail("ada@example.com", "Subject", "Text"))
    assert "ada" not in str(raised.value)


def test_a_file_is_its_owners_and_never_half_there(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    mailer = FileMailer(MailSettings(mail_folder=str(folder)))

    for _ in range(3):
        mailer.send(Mail("ada@example.com", "Subject", "Text"))

    files = list(folder.iterdir())
    assert [file.suffix for file in files] == [".eml"] * 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands where the folder should be")

    with pytest.raises(UnavailableError):
        FileMailer(MailSettings(mail_folder=str(tmp_path / "mail"))).send(Mail("ada@example.com", "Subject", "Text"))


@pytest.mark.parametrize(
    "mail", [Mail("ada@example.com\nBcc: eve@example.com", "Subject", "Text"), Mail("ada@example.com", "A\r\nB: c", "")]
)
def test_a_line_break_begins_no_header(tmp_path: Path, mail: Mail) -> None:
    with pytest.raises(MailRejectedError):
        FileMailer(MailSettings(mail_folder=str(tmp_path / "mail"))).send(mail)
