"""`chatsphere env` and `docs wait`: what a shell script needs beside curl."""

import json
import subprocess
from pathlib import Path

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def test_a_shell_that_evaluates_it_has_the_addresses(cli: Run, config: Path) -> None:
    home = Path.cwd() / ".chatsphere"
    home.mkdir()
    content = {
        "api": "http://127.0.0.1:1",
        "s3_endpoint": "http://127.0.0.1:2",
        "uploads_bucket": "bucket",
        "demo": {"api_key": "it's a key", "organization_id": "o"},
    }
    (home / "endpoints.json").write_text(json.dumps(content))

    printed = cli("env")

    script = printed.out + 'printf "%s|" "$CHATSPHERE_API" "$CHATSPHERE_API_KEY" "$AWS_ENDPOINT_URL_S3"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shell.stdout == "http://127.0.0.1:1|it's a key|http://127.0.0.1:2|"


def test_without_a_run_it_says_what_to_do(cli: Run) -> None:
    result = cli("env")

    assert (result.code, result.out) == (2, "")
    assert "make up" in result.err


def test_waiting_ends_when_nothing_is_under_way(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    for name in ("a.txt", "b.txt"):
        document = known.state.add_document(bot["id"], name)
        known.state.receive(bot["id"], document["id"], "text")

    result = cli("docs", "wait", "--bot", "Ada", "--json")

    assert result.code == 0
    assert {d["status"] for d in result.json["data"]} == {"ready"}


def test_waiting_for_a_failed_document_is_exit_1(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    known.state.add_document(bot["id"], "a.txt")["status"] = "failed"

    assert cli("docs", "wait", "--bot", "Ada", "--json").code == 1
