"""Runs schemathesis against an API, and says what it tried and found."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.fuzz.subject import Subject

REPOSITORY: Final = Path(__file__).parents[2]
LEFT_OUT: Final = "streamIngestion"
"""It goes on for as long as something is under way; bad input for it is in `integration/history`."""

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@dataclass(frozen=True)
class Outcome:
    """How many cases were generated, and what of them is not as the OpenAPI document says.

    `answers`: how many had a status of each hundred. `errors` are operations that could not be tried, `output` is what
    schemathesis printed.
    """

    operations: int
    cases: int
    failures: int
    errors: int
    answers: Mapping[str, int]
    output: str

    @property
    def faults(self) -> int:
        """How much of it must not be."""
        return self.failures + self.errors

    def __str__(self) -> str:
        found = f"{self.failures} failures, {self.errors} errors"
        answers = ", ".join(f"{count} {hundred}" for hundred, count in sorted(self.answers.items()))
        return f"{self.operations} operations, {self.cases} generated cases ({answers}), {found}"


def generate(subject: Subject, *, phases: str, examples: int, seed: int, options: Sequence[str] = ()) -> Outcome:
    """Try every operation with generated requests; `examples`: at most as many a phase and operation.

    Raises:
        RuntimeError: schemathesis itself failed.
    """
    with TemporaryDirectory(prefix="chatsphere-fuzz-") as folder:
        subject.write(Path(folder) / "subject.json")
        command = [*_command(subject, phases, examples, seed), *options]
        ended = subprocess.run(
            command, cwd=folder, env=_environment(Path(folder)), capture_output=True, text=True, check=False
        )
        report, exchanges = Path(folder) / "report.json", Path(folder) / "exchanges.har"
        if not report.exists():
            raise RuntimeError(f"schemathesis failed:\n{ended.stdout}\n{ended.stderr}")
        found, answers = json.loads(report.read_text()), _answers(exchanges)
    cases, errors = found["test_cases"], sum(error["count"] for error in found["errors"])
    tested = found["operations"]["tested"]
    return Outcome(tested, cases["generated"], cases["unique_failures"], errors, answers, ended.stdout)


def _answers(exchanges: Path) -> Counter[str]:
    entries = json.loads(exchanges.read_text())["log"]["entries"]
    return Counter(f"{entry['response']['status'] // 100}xx" for entry in entries)


def _command(subject: Subject, phases: str, examples: int, seed: int) -> list[str]:
    return [
        *(
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{subject.api}/v1/openapi.json",
            "--url",
            subject.api,
        ),
        *("--checks", ",".join(CHECKS), "--phases", phases, "--seed", str(seed), "--max-examples", str(examples)),
        *("--exclude-operation-id", LEFT_OUT),
        *("--continue-on-failure", "--no-shrink", "--generation-database", "none", "--no-color", "--warnings", "off"),
        *("--report", "json,har", "--report-json-path", "report.json", "--report-har-path", "exchanges.har"),
    ]


def _environment(folder: Path) -> dict[str, str]:
    python_path = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "shared")))
    return {
        **os.environ,
        "PYTHONPATH": python_path,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "CHATSPHERE_FUZZ": str(folder / "subject.json"),
    }
