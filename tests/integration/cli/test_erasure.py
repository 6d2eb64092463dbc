"""Erasures from the command line, and receipts that anybody verifies."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatsphere.adapters.jws_receipts import JwsReceiptSigner
from chatsphere.adapters.jwt_tokens import generate_key
from chatsphere.identity.token_keys import key_set, public_part
from chatsphere.privacy.subjects import SubjectMark
from chatsphere.settings import TokenSettings
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


@pytest.fixture
def receipt(known: FakeApi, tmp_path: Path) -> Path:
    """A saved receipt about "ada", whose key the API publishes."""
    keys = key_set([generate_key()])
    known.state.published_keys = json.loads(public_part(keys))
    settings = TokenSettings.model_construct(token_keys=keys, token_issuer="chatsphere")
    mark = SubjectMark.of("ada")
    content: dict[str, Any] = {"kind": "end_user", "subject": {"salt": mark.salt, "sha256": mark.digest}}
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps({"id": "1", "signed_receipt": JwsReceiptSigner(settings).sign(content).text}))
    return file


def test_an_erasure_is_asked_for_listed_and_shown(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")["id"]
    made = cli("erasure", "request", "--end-user", "grace", "--bot", "Ada", "--yes", "--json")
    assert made.json["receipt_token"] == "cse_shown-once"
    assert known.state.erasures[0]["end_user_id"] == "grace"
    assert known.state.erasures[0]["bot_id"] == bot
    assert "end user" in cli("erasure", "list", "--kind", "end_user").out
    assert cli("erasure", "show", made.json["erasure"]["id"], "--json").json["kind"] == "end_user"
    assert cli("erasure", "request", "--document", "x", "--bot", "Ada", "--yes").code == 0
    assert [one["kind"] for one in known.state.erasures] == ["document", "end_user"]


def test_what_names_nothing_or_nobody_confirms_is_not_erased(cli: Run, known: FakeApi) -> None:
    assert cli("erasure", "request", "--yes").code == 2
    assert cli("erasure", "request", "--end-user", "ada").code == 2
    assert known.state.erasures == []


def test_a_receipt_is_verified(cli: Run, receipt: Path) -> None:
    assert cli("erasure", "verify", receipt, "--json").json["kind"] == "end_user"
    assert cli("erasure", "verify", receipt, "--subject", "ada").code == 0
    about_another = cli("erasure", "verify", receipt, "--subject", "grace")
    assert (about_another.code, "something else" in about_another.err) == (1, True)


def test_a_receipt_that_was_changed_or_signed_by_others_is_not(cli: Run, known: FakeApi, receipt: Path) -> None:
    header, payload, signature = json.loads(receipt.read_text())["signed_receipt"].split(".")
    receipt.write_text(f"{header}.{payload[:-6]}abcdef.{signature}")
    assert cli("erasure", "verify", receipt, "--json").code == 1
    receipt.write_text(f"{header}.{payload}.{signature}")
    assert cli("erasure", "verify", receipt).code == 0
    known.state.published_keys = json.loads(public_part(key_set([generate_key()])))
    assert cli("erasure", "verify", receipt).code == 1
    assert cli("erasure", "verify", receipt.parent / "none.json").code == 2
