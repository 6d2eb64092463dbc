"""What the one-machine run starts of the catalog, and what it refuses to start."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.adapters.jwt_tokens import JwtTokenSigner, JwtTokenVerifier
from chatsphere.identity.token_keys import public_part
from chatsphere.settings import TokenSettings, TokenVerificationSettings
from infra.catalog import FUNCTIONS, DeploymentTrigger
from infra.local.chatsphere_product import chatsphere
from infra.local.errors import LocalRunError
from infra.local.home import Home
from infra.local.supervisor import running_instance
from infra.local.token_keys import token_keys
from tests.fakes import FixedClock


def test_all_functions_are_started_but_those_of_a_deployment() -> None:
    left_out = set(FUNCTIONS) - set(chatsphere({}).functions)

    assert {type(spec.trigger) for spec in left_out} == {DeploymentTrigger}
    assert all(not isinstance(spec.trigger, DeploymentTrigger) for spec in chatsphere({}).functions)


def test_a_trigger_that_nothing_starts_is_refused(tmp_path: Path) -> None:
    async def start() -> None:
        async with running_instance(replace(chatsphere({}), functions=FUNCTIONS), Home(tmp_path), 0):
            raise AssertionError("it started")

    with pytest.raises(LocalRunError, match="migrate_database: nothing here starts a DeploymentTrigger"):
        asyncio.run(start())


def test_the_token_keys_are_made_once_and_what_they_sign_is_verified(tmp_path: Path) -> None:
    keys = token_keys(tmp_path / "token_keys.json")
    now = FixedClock().now()

    assert token_keys(tmp_path / "token_keys.json") == keys
    token = JwtTokenSigner(TokenSettings(token_keys=keys)).sign({}, now=now)
    JwtTokenVerifier(TokenVerificationSettings(token_public_keys=public_part(keys))).verify(token, now=now)
    assert "d" in json.loads(keys)["keys"][0]
