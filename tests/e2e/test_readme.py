"""The README's tour, word for word: every command works and prints what the README says."""

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
PRINTED = re.findall(r"<!-- prints -->\n```\n(.*?)```", README, re.DOTALL)


def test_the_tour_works_and_prints_what_it_says(endpoints: dict[str, Any], tmp_path: Path) -> None:
    # The newcomer's shell beside the shared instance, with this test's own interpreter in the place of .venv.
    binaries = Path(sys.executable).parent
    steps = [step.replace("source .venv/bin/activate\n", "") for step in STEPS]
    assert steps
    environment = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY / "shared"),
        "CHATSPHERE_HOME": str(endpoints["home"]),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(steps)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = " ".join(done.stdout.split())
    assert PRINTED
    for line in "\n".join(PRINTED).splitlines():
        assert " ".join(line.split()) in shown, done.stdout
    assert "event: done" in done.stdout


def test_the_aws_command_line_is_shown_the_right_place(endpoints: dict[str, Any]) -> None:
    command = next(line for line in README.splitlines() if line.startswith("aws s3 cp"))
    assert "s3://$CHATSPHERE_UPLOADS_BUCKET/$CHATSPHERE_ORGANIZATION_ID/$BOT/" in command
    assert set(endpoints["demo"]) >= {"api_key", "organization_id", "bot_id"}
