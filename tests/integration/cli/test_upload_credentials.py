"""`chatsphere docs credentials`: what a shell, a program and the aws command line read from it."""

import json
import subprocess

import pytest

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi

SHOW = (
    'printf "%s|" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_DEFAULT_REGION"'
    ' "${AWS_ENDPOINT_URL_S3-none}" "$CHATSPHERE_UPLOADS"'
)


@pytest.mark.parametrize(("endpoint", "seen"), [(None, "none"), ("http://127.0.0.1:2", "http://127.0.0.1:2")])
def test_a_shell_that_evaluates_it_can_upload(cli: Run, known: FakeApi, endpoint: str | None, seen: str) -> None:
    bot = known.state.add_bot("Ada")
    known.state.s3_endpoint = endpoint

    printed = cli("docs", "credentials", "--bot", "Ada")

    assert (printed.code, printed.err) == (0, "")
    stale = "export AWS_ENDPOINT_URL_S3=http://127.0.0.1:9\n"
    shell = subprocess.run(["sh", "-c", stale + printed.out + SHOW], capture_output=True, text=True, check=True)
    assert shell.stdout == f"AKIA|it's secret|a+/=|eu-central-1|{seen}|s3://uploads/o/{bot['id']}/|"


def test_the_aws_command_line_can_ask_for_them_by_itself(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    printed = cli("docs", "credentials", "--format", "aws")

    assert json.loads(printed.out) == {
        "Version": 1,
        "AccessKeyId": "AKIA",
        "SecretAccessKey": "it's secret",
        "SessionToken": "a+/=",
        "Expiration": "2026",
    }


def test_a_program_reads_the_apis_own_answer(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    answer = cli("docs", "credentials", "--format", "json").json

    assert answer == cli("docs", "credentials", "--json").json
    assert answer["credentials"]["session_token"] == "a+/="


def test_a_bot_that_is_not_there_lends_nothing(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")
    del known.state.requests[:]

    result = cli("docs", "credentials", "--bot", "Grace")

    assert (result.code, result.out) == (2, "")
    assert known.state.count("POST", "/v1/bots") == 0
