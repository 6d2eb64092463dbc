"""The commands of the operators' pages: shells can read them, and AWS knows every operation and option."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import get_session

REPOSITORY = Path(__file__).parents[3]
PAGES = ("deploy.md", "operations.md", "restore-drill.md", "decisions/0040-credentials.md")
SHELL_BLOCK = re.compile(r"^( *)```sh\n(.*?)```", re.DOTALL | re.MULTILINE)
AWS_COMMAND = re.compile(r"\baws ([a-z0-9]+) ((?:wait )?[a-z0-9-]{3,})([^\n`|;)]*)")
OPTION = re.compile(r"(?<![\w=])--([a-z][a-z0-9-]*)")
OPTIONS_OF_ALL = {"query", "output", "region", "cli-binary-format"}
MAKE = re.compile(r"^(?:    )?make ([a-z-]+)", re.MULTILINE)


def text(page: str) -> str:
    return (REPOSITORY / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")


def commands(page: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return service, operation and options of each command, but those of `aws s3`, which has no operations."""
    found = [
        (service, operation, tuple(OPTION.findall(rest)))
        for service, operation, rest in AWS_COMMAND.findall(text(page))
    ]
    return [command for command in found if command[0] not in ("s3", "configure")]


@cache
def operations(service: str) -> dict[str, frozenset[str]]:
    """Return the options of each operation of a service, as the command line writes them."""
    model = get_session().get_service_model({"s3api": "s3"}.get(service, service))
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    return {
        xform_name(name, "-"): frozenset(xform_name(member, "-") for member in (shape.members if shape else ()))
        for name, shape in shapes.items()
    }


def unknown(service: str, operation: str, options: tuple[str, ...]) -> list[str]:
    """Return what AWS does not know of a command."""
    if operation.startswith("wait "):
        waiters = {xform_name(name, "-") for name in get_session().get_waiter_model(service).waiter_names}
        return [] if operation.removeprefix("wait ") in waiters else [f"{service} {operation}"]
    if operation not in operations(service):
        return [f"{service} {operation}"]
    known = operations(service)[operation] | OPTIONS_OF_ALL
    return [f"{service} {operation} --{name}" for name in options if not {name, name.removeprefix("no-")} & known]


@pytest.mark.parametrize("page", PAGES)
def test_aws_knows_every_command(page: str) -> None:
    assert [problem for command in commands(page) for problem in unknown(*command)] == []


def test_there_are_commands_to_look_at() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 30


def test_an_unknown_option_is_found() -> None:
    assert unknown("rds", "modify-db-cluster", ("rotate-password",)) == ["rds modify-db-cluster --rotate-password"]


@pytest.mark.skipif(not shutil.which("bash"), reason="the pages' shell is bash")
@pytest.mark.parametrize("page", PAGES[:3])
def test_a_shell_can_read_every_block(page: str) -> None:
    blocks = [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in SHELL_BLOCK.findall(text(page))]
    script = "\n".join(f"f() {{\n{block}\n}}" for block in blocks)
    read = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")
    assert blocks


@pytest.mark.parametrize("page", PAGES[:3])
def test_every_make_target_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE.findall(text(page))) <= targets
