"""What a function pays before its first request."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HEAVY = {"argon2", "boto3", "cryptography", "joserfc", "lxml", "numpy", "onnxruntime", "starlette", "tokenizers"}


@pytest.mark.parametrize("function", ["authorize_request", "manage_identity", "manage_bots", "describe_api"])
def test_importing_a_handler_needs_no_environment_and_loads_no_vendor(function: str) -> None:
    program = f"import sys, functions.{function}.handler; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "shared:."},
        capture_output=True,
        text=True,
        check=True,
    )

    assert HEAVY & {module.partition(".")[0] for module in loaded.stdout.split()} == set()
