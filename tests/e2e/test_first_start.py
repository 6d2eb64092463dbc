"""What one machine gives whoever starts it: plans that are in nobody's way, and mail that can be read."""

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def plan_of(client: Client, organization_id: str) -> str:
    answer = client.http.get(f"/v1/organizations/{organization_id}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["plan"])


def mails_to(address: str, folder: Path) -> list[EmailMessage]:
    found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("*.eml")]
    return [mail for mail in found if isinstance(mail, EmailMessage) and mail["To"] == address]


def test_the_demo_organization_has_the_largest_plan_and_a_new_one_enough_to_work_with(
    endpoints: dict[str, Any], client: Client
) -> None:
    demo = endpoints["demo"]

    assert plan_of(Client(endpoints["api"], demo["api_key"]), demo["organization_id"]) == "Enterprise"
    assert plan_of(client, client.organization_id) == "Pro"


def test_a_mail_is_a_file_whose_token_works(endpoints: dict[str, Any]) -> None:
    client, registration = Client.with_registration(endpoints["api"])
    address, folder = registration["user"]["email"], Path(endpoints["home"]) / "mail"

    wait_for(lambda: mails_to(address, folder), what="the mail that confirms the address")
    (mail,) = mails_to(address, folder)
    token = next(line.strip() for line in mail.get_content().splitlines() if line.startswith("    cst_"))

    verified = client.http.post("/v1/auth/verify-email", json={"token": token})
    assert verified.is_success, verified.text
    assert client.http.get("/v1/me").json()["user"]["is_verified"] is True
