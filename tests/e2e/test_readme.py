"""The README's tour and the API's examples, word for word: every command works and prints what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
STEPS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
EXAMPLES = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
PRINTED = re.findall(r"<!-- prints -->\n```\n(.*?)```", README, re.DOTALL)


def run(steps: list[str], endpoints: dict[str, Any], home: Path) -> str:
    """Run them in a newcomer's shell beside the shared instance, with this test's own interpreter as .venv's."""
    binaries = Path(sys.executable).parent
    environment = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY / "shared"),
        "CHATSPHERE_HOME": str(endpoints["home"]),
    }
    assert steps
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(steps)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tour_works_and_prints_what_it_says(endpoints: dict[str, Any], tmp_path: Path) -> None:
    printed = run([step.replace("source .venv/bin/activate\n", "") for step in STEPS], endpoints, tmp_path)
    shown = " ".join(printed.split())
    assert PRINTED
    for line in "\n".join(PRINTED).splitlines():
        assert " ".join(line.split()) in shown, printed
    assert "event: done" in printed


def test_the_examples_of_the_api_work(endpoints: dict[str, Any], tmp_path: Path) -> None:
    printed = run(EXAMPLES, endpoints, tmp_path)
    assert "within 30 days of delivery" in printed
    assert '"answer_not_under_way"' in printed


def test_the_aws_command_line_is_shown_the_right_place(endpoints: dict[str, Any]) -> None:
    command = next(line for line in README.splitlines() if line.startswith("aws s3 cp"))
    assert "s3://$CHATSPHERE_UPLOADS_BUCKET/$CHATSPHERE_ORGANIZATION_ID/$BOT/" in command
    assert set(endpoints["demo"]) >= {"api_key", "organization_id", "bot_id"}
