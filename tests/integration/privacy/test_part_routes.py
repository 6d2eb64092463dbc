"""Erasures of parts over HTTP, and their signed receipts."""

import json
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from chatsphere.adapters.jwt_tokens import generate_key
from chatsphere.identity.token_keys import key_set, public_part
from chatsphere.privacy.subjects import digest_of
from tests.builders.running_api import Account, Answer
from tests.integration.privacy.world import World


def ask_for(world: World, account: Account, **body: Any) -> Answer:
    return world.api.request("POST", "/v1/erasures", body, token=account.access_token)


def shown(world: World, account: Account, answer: Answer) -> Any:
    path = f"/v1/erasures/{answer.json['erasure']['id']}"
    found = world.api.request("GET", path, token=account.access_token)
    assert found.status == 200, found.text
    return found.json


def verified(world: World, signed: str) -> Any:
    """What a signed receipt says, by the published keys alone."""
    published = world.api.request("GET", "/.well-known/jwks.json")
    assert all("d" not in key for key in published.json["receipt_keys"])
    keys = KeySet([ECKey.import_key(key) for key in published.json["receipt_keys"]])
    return json.loads(jws.deserialize_compact(signed, keys, algorithms=["ES256"]).payload)


@pytest.fixture
def account(world: World) -> Account:
    return world.api.register()


def erase_end_user(world: World, account: Account, end_user_id: str = "ada") -> Answer:
    answer = ask_for(world, account, kind="end_user", end_user_id=end_user_id)
    assert answer.status == 202, answer.text
    assert world.purge() == []
    return answer


def test_an_erasure_is_asked_for_listed_and_shown(world: World, account: Account) -> None:
    # Given
    bot_id = world.fill(account)
    document = world.api.request("GET", f"/v1/bots/{bot_id}/documents", token=account.access_token).json["data"][0]
    # When
    answers = [
        ask_for(world, account, kind="document", bot_id=bot_id, document_id=document["id"]),
        ask_for(world, account, kind="end_user", bot_id=bot_id, end_user_id="ada"),
        ask_for(world, account, kind="bot", bot_id=bot_id),
    ]
    assert [answer.status for answer in answers] == [202] * 3, [answer.text for answer in answers]
    # Then the bot is gone at once
    assert world.api.request("GET", f"/v1/bots/{bot_id}", token=account.access_token).status == 404
    assert world.purge() == []
    listed = world.api.request("GET", "/v1/erasures", token=account.access_token, query={"limit": ["2"]}).json
    assert [(each["kind"], each["status"]) for each in listed["data"]] == [("bot", "done"), ("end_user", "done")]
    assert listed["has_more"]
    only = world.api.request("GET", "/v1/erasures", token=account.access_token, query={"kind": ["document"]}).json[
        "data"
    ]
    assert [each["id"] for each in only] == [answers[0].json["erasure"]["id"]]
    # And the receipts say what was where
    receipts = [shown(world, account, answer)["receipt"] for answer in answers]
    assert receipts[0]["removed"]["documents"] == 1
    assert receipts[2]["removed"]["conversations"] == 1
    assert {number for receipt in receipts for number in receipt["left"].values()} == {0}
    # And who has the token sees it without an account
    assert world.receipt(answers[0])["receipt"] == receipts[0]


def test_what_names_nothing_or_not_ones_own_is_refused(world: World, account: Account) -> None:
    bot, stranger = world.api.bot(account), world.api.register()
    for body in (
        {}, {"kind": "end_user"}, {"kind": "bot"}, {"kind": "document", "bot_id": bot["id"]}, {"kind": "person"},
        {"kind": "end_user", "end_user_id": ""}, {"kind": "bot", "bot_id": bot["id"], "end_user_id": "ada"},
        {"kind": "end_user", "end_user_id": "x" * 256},
    ):  # fmt: skip
        assert ask_for(world, account, **body).status == 422, body
    for body in (
        {"kind": "bot", "bot_id": str(uuid4())},
        {"kind": "document", "bot_id": bot["id"], "document_id": str(uuid4())},
    ):
        assert ask_for(world, account, **body).status == 404, body
    assert ask_for(world, stranger, kind="bot", bot_id=bot["id"]).status == 404
    answer = erase_end_user(world, account)
    path = f"/v1/erasures/{answer.json['erasure']['id']}"
    assert world.api.request("GET", path, token=stranger.access_token).status == 404
    assert world.api.request("GET", "/v1/erasures", token=stranger.access_token).json["data"] == []


def test_a_receipt_is_verified_by_published_keys_also_after_a_rotation(
    world: World, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a receipt that was signed by the present key
    answer = erase_end_user(world, account, "ada@example.com")
    erasure = shown(world, account, answer)
    said = verified(world, erasure["signed_receipt"])
    assert said["erasure_id"] == erasure["id"]
    assert said["receipt"]["removed"] == erasure["receipt"]["removed"]
    assert said["receipt"]["left"] == erasure["receipt"]["left"]
    # When the key is rotated out
    keys = key_set([generate_key()])
    monkeypatch.setenv("TOKEN_KEYS", keys)
    monkeypatch.setenv("TOKEN_PUBLIC_KEYS", public_part(keys))
    # Then the same receipt is shown, and its key is still published; tokens of that key are refused, by us and by
    # whoever takes the keys for tokens from there
    assert world.api.request("GET", "/v1/me", token=account.access_token).status == 401
    published = world.api.request("GET", "/.well-known/jwks.json").json
    assert published["keys"] == world.api.container.token_verifier.public_keys()["keys"]
    assert len(published["keys"]) == 1
    assert verified(world, erasure["signed_receipt"]) == said
    again = world.receipt(answer)
    assert again["signed_receipt"] == erasure["signed_receipt"]
    # And it tells of the subject only who knows it
    assert "ada@example.com" not in json.dumps(said)
    assert said["subject"]["sha256"] == digest_of(said["subject"]["salt"], "ada@example.com")
    # And what was looked at once more is signed anew, by the new key
    world.api.clock.advance(minutes=30)
    assert world.reap(answer) == 1
    assert world.purge() == []
    later = world.receipt(answer)
    assert verified(world, later["signed_receipt"])["receipt"]["rechecked_at"]
    assert later["signed_receipt"].split(".")[0] != erasure["signed_receipt"].split(".")[0]


def test_a_receipt_that_was_changed_is_not_verified_and_none_is_an_access_token(world: World, account: Account) -> None:
    signed = shown(world, account, erase_end_user(world, account))["signed_receipt"]
    header, payload, signature = signed.split(".")
    for forged in (f"{header}.{payload[:-4]}AAAA.{signature}", f"{header}.{payload}.{signature[:-4]}AAAA"):
        with pytest.raises((JoseError, ValueError)):
            verified(world, forged)
    assert world.api.request("GET", "/v1/me", token=signed).status == 401


def test_a_repeated_request_whose_answer_was_erased_is_not_done_again(world: World, account: Account) -> None:
    # Given
    headers = {"Idempotency-Key": "the-key"}
    body = {"name": "Bot"}
    assert world.api.request("POST", "/v1/bots", body, token=account.access_token, headers=headers).status == 201
    # When
    world.api.clock.advance(seconds=1)
    erase_end_user(world, account)
    # Then
    again = world.api.request("POST", "/v1/bots", body, token=account.access_token, headers=headers)
    assert (again.status, again.code) == (410, "answer_erased")


def test_what_is_held_is_not_erased(world: World, account: Account) -> None:
    bot = world.api.bot(account)
    world.admin.execute(
        "INSERT INTO legal_holds (id, organization_id, subject, bot_id, reason, made_at)"
        " VALUES (%s, %s, 'bot', %s, 'A case.', now())",
        (uuid4(), account.organization_id, bot["id"]),
    )
    for body in ({"kind": "bot"}, {"kind": "end_user", "end_user_id": "ada"}):
        answer = ask_for(world, account, bot_id=bot["id"], **body)
        assert (answer.status, answer.code) == (409, "legal_hold")
